"""The runner against controllers that live in this process, over one real mosquitto."""

import base64
import json
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from booking import broker
from booking.conformance.player import Player
from booking.conformance.run import chosen, meet, run
from booking.conformance.verdicts import NotRun, Verdict
from booking.conformance.wire import Wire
from booking.controller.core import CAPACITY as CAP
from booking.controller.core import Controller
from booking.controller.keypad import Press, _change
from booking.controller.link import Link
from booking.controller.main import KEY_FILE, KeyFile
from booking.controller.rig import STATIC_PIN, Rig
from booking.controller.simulated import SimulatedWorld
from booking.controller.store import Store
from booking.lockwire.decide import Presented
from booking.lockwire.keys import derive
from booking.simulated.wire import SimulatedCable
from tests.controller.parts import RunningBroker, running_broker


class InProcess:
    """A device that loses power by being let go of: nothing is closed, nobody says goodbye."""

    def __init__(self, state: Path, target: tuple[str, int], kind: type[Controller], room: int) -> None:
        self.state, self.kind, self.room = state, kind, room
        self.cable = SimulatedCable(*target)
        self.printed: list[str] = []
        self.world: SimulatedWorld | None = None
        self.link: Link | None = None
        self.stop = threading.Event()

    def start(self, *, clock: bool, shift_s: int) -> None:
        keys = msgspec.json.decode((self.state / KEY_FILE).read_bytes(), type=KeyFile)
        world = SimulatedWorld(self.printed.append, skew_s=0, has_clock=clock, shift_s=shift_s)
        box: list[Link] = []
        controller = self.kind(
            keys.controller,
            keys.derived(),
            Store(self.state / "controller.db"),
            world.bolts,
            world.read,
            lambda out: box[0].send(out),
            static_pins=frozenset({STATIC_PIN}),
            capacity=msgspec.structs.replace(CAP, grants=self.room),
            pos="closed",
        )
        world.controller = controller
        url = f"mqtt://127.0.0.1:{self.cable.port}"
        box.append(Link(url, keys.password, controller, self.printed.append))
        self.world, self.link, self.stop = world, box[0], threading.Event()
        box[0].start()
        threading.Thread(target=self._tick, args=(controller, self.stop), daemon=True).start()

    @staticmethod
    def _tick(controller: Controller, stop: threading.Event) -> None:
        while not stop.wait(controller.idle_s()):
            controller.tick()

    def kill(self) -> None:
        if self.link is None:
            return
        self.stop.set()
        is_up = self.cable._is_up
        self.cable.plug(False)
        with suppress(Exception):
            self.link._client._thread_terminate = True
        threading.Thread(target=self.link.stop, daemon=True).start()
        self.world = self.link = None
        self.cable.plug(is_up)

    def do(self, line: dict[str, object]) -> dict[str, object]:
        if self.world is None or self.world.controller is None:
            raise OSError("no power")
        said = msgspec.convert(line, Press)
        if said.pin is not None or said.card is not None:
            outcome = self.world.controller.present(said.door, Presented(pin=said.pin, card=said.card))
            return {"granted": outcome.granted}
        answer: dict[str, object] = json.loads(_change(self.world, said))
        return answer

    def logs(self) -> str:
        return "\n".join(self.printed)


class Hands:
    """The rig, asked without a process in between."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        hello = rig.answer({"do": "hello"})
        self.can, self.static_pins = frozenset(hello["can"]), hello["static"]  # type: ignore[arg-type]

    def ask(self, do: str, **more: object) -> dict[str, object]:
        reply = self._rig.answer({"do": do, **more})
        if reply["ok"] is not True:
            raise NotRun(str(reply["why"]))
        return reply

    def close(self) -> None:
        self._rig.stop()


Judge = Callable[..., list[Verdict]]


@pytest.fixture(scope="module")
def mqtt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@contextmanager
def player(
    mqtt: RunningBroker, folder: Path, kind: type[Controller] = Controller, room: int = 1_000
) -> Iterator[Player]:
    """A controller of this kind, powered and met."""
    name, password, master = f"c-{uuid.uuid4().hex[:12]}", "secret-of-the-device", secrets.token_bytes(32)
    state = folder / name
    state.mkdir()
    key = base64.urlsafe_b64encode(master).decode().rstrip("=")
    body = {"controller": name, "password": password, "keys": [{"gen": 1, "key": key}]}
    (state / KEY_FILE).write_text(json.dumps(body))
    assert broker.add_accounts(mqtt.state, {name: password})
    device = InProcess(state, ("127.0.0.1", urlsplit(mqtt.broker.url).port or 0), kind, room)
    rig = Rig(state, device, device.cable)
    keys = [derive(master, name, 1)]
    wire = Wire(mqtt.broker.server_url, name, keys)
    rig.start()
    try:
        played = Player(wire, Hands(rig), list(keys), ["d1", "d2"])
        played.event_count = 300
        meet(played)
        yield played
    finally:
        wire.close()
        rig.stop()


@pytest.fixture
def judge(mqtt: RunningBroker, tmp_path: Path) -> Judge:
    """Return the verdicts on a kind of controller."""

    def verdicts(kind: type[Controller] = Controller, *only: str, **more: Any) -> list[Verdict]:
        with player(mqtt, tmp_path, kind, **more) as played:
            played.pin_count = 100
            played.patience_s = 8 if kind is Controller else 2
            return run(played, chosen(only), lambda verdict: None)

    return verdicts
