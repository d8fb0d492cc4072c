"""A controller without wires, on a clock the test turns; and the server's side of the protocol by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from booking.controller.core import Arrived, Controller
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.controller.voice import Out
from booking.lockwire import ids, snapshot
from booking.lockwire.decide import Presented
from booking.lockwire.envelope import seal, unseal
from booking.lockwire.keys import Keys, derive
from booking.lockwire.messages import Command, Event, Events, Report, Result, TimeAnswer, TimeRequest
from booking.lockwire.snapshot import DAY, DEFAULT_POLICY, Door, Grant, Snapshot, Window

T0 = 1_795_000_000
MASTER = bytes(range(32))
NAME = "hall-1"
PIN = "004216"
DOOR = Door(unlock_s=5, held_s=300, mode="normal", mode_n=0, mode_until=None)


def a_grant(id: str = "grant-001", pin: str = PIN, role: str = "leader", **more: Any) -> Grant:
    window = Window(d=["d1"], nb=T0 + 1_000, na=T0 + 5_000)
    return Grant(**{"id": id, "k": "pin", "pin": pin, "role": role, "w": [window], **more})


def a_snapshot(*grants: Grant, **more: Any) -> Snapshot:
    values = {
        "iat": T0,
        "hz": (T0, T0 + 14 * DAY),
        "tz": "Europe/Stockholm",
        "doors": {"d1": DOOR, "d2": DOOR},
        "policy": DEFAULT_POLICY,
        "grants": list(grants),
        "reserve": [],
    }
    return Snapshot(**{**values, **more})


@dataclass
class Bench:
    """One controller on the bench: turn its clock, hand it messages, read what it sent."""

    state: Path
    gens: tuple[int, ...] = (1,)
    host_offset_s: int | None = 0
    elapsed_ms: int = 0
    power_on_ms: int = 0
    sent: list[Out] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    controller: Controller = field(init=False)

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """Power on: a new controller on the same memory. Nothing was closed properly before."""
        self.power_on_ms = self.elapsed_ms
        self.controller = Controller(
            NAME,
            [self.keys(gen) for gen in self.gens],
            Store(self.state / "c.db"),
            self,
            self.read,
            self.sent.append,
        )
        self.controller.connecting()
        self.controller.connected()

    def read(self) -> Moment:
        host = (
            None if self.host_offset_s is None else T0 * 1_000 + self.elapsed_ms + self.host_offset_s * 1_000
        )
        return Moment(self.elapsed_ms - self.power_on_ms, host)

    def unlock(self, door: str) -> None:
        self.moved.append(f"unlock {door}")

    def lock(self, door: str) -> None:
        self.moved.append(f"lock {door}")

    def identify(self, door: str | None) -> None:
        self.moved.append(f"identify {door}")

    @staticmethod
    def keys(gen: int = 1) -> Keys:
        return derive(MASTER, NAME, gen)

    def wait(self, seconds: float) -> None:
        self.elapsed_ms += int(seconds * 1_000)
        self.controller.tick()

    def say(
        self,
        name: ids.Down,
        body: object,
        version: tuple[int, int] = (1, 1),
        *,
        gen: int = 1,
        retain: bool = False,
    ) -> bytes:
        topic = ids.down(NAME, name)
        plain = body if isinstance(body, bytes) else msgspec.json.encode(body)
        token = seal(plain, self.keys(gen), "dn", topic, *version)
        self.controller.receive(Arrived(topic, token, retain))
        return token

    def answer_time(self, version: tuple[int, int] = (0, 0), *, off_s: int = 0, gen: int = 1) -> None:
        """Answer the last time request as a server whose clock is right."""
        asked = self.said("time", TimeRequest)[-1]
        self.say("time", TimeAnswer(asked.n, T0 * 1_000 + self.elapsed_ms + off_s * 1_000), version, gen=gen)

    def take(self, wanted: Snapshot, version: tuple[int, int] = (1, 1), *, gen: int = 1) -> Report:
        """Publish a snapshot, retained as the server does, and return the report that follows."""
        self.wait(2)
        if self.controller.stored is None:
            self.answer_time(gen=gen)
        self.say("desired", snapshot.encode(wanted), version, gen=gen, retain=True)
        self.wait(2)
        return self.report()

    def press(self, pin: str, *, door: str = "d1", at: int | None = None) -> str:
        outcome = self.controller.present(door, Presented(pin=pin), at)
        return outcome.why or outcome.event

    def order(
        self, op: str, n: int, *, retain: bool = False, version: tuple[int, int] = (1, 1), **more: Any
    ) -> Result:
        values = {
            "id": f"command-{n:04}",
            "n": n,
            "exp": T0 + self.elapsed_ms // 1_000 + 20,
            "op": op,
            **more,
        }
        self.say("cmd", Command(**values), version, retain=retain)
        found: Result = self.said("res", Result)[-1]
        return found

    def said(self, name: ids.Up, kind: type[Any]) -> list[Any]:
        topic, known = ids.up(NAME, name), [self.keys(gen) for gen in range(1, 9)]
        return [
            msgspec.json.decode(unseal(out.payload, known, "up", topic).plain, type=kind)
            for out in self.sent
            if out.topic == topic
        ]

    def report(self) -> Report:
        found: Report = self.said("reported", Report)[-1]
        return found

    def events(self) -> list[Event]:
        return [event for message in self.said("evt", Events) for event in message.ev]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def new_bench(tmp_path: Path) -> Callable[..., Bench]:
    return lambda **more: Bench(tmp_path, **more)
