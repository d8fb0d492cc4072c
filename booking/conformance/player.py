"""The server as the runner plays it: versions, sealed messages, time, acknowledgements; and the device's hands."""

import itertools
import secrets
import time
from collections.abc import Callable, Iterable

import msgspec

from booking.conformance.bench import Bench
from booking.conformance.testport import Hands
from booking.conformance.verdicts import Failed, require
from booking.conformance.wire import Heard, Wire
from booking.lockwire import ids, snapshot
from booking.lockwire.envelope import seal
from booking.lockwire.keys import Keys
from booking.lockwire.messages import (
    Capacity,
    Command,
    Event,
    EventAck,
    Events,
    Report,
    Result,
    TimeAnswer,
    TimeRequest,
)
from booking.lockwire.snapshot import DAY, Door, Grant, Policy, Snapshot, Window

Version = tuple[int, int]
FLIGHT_S = 0.3  # for a question or an answer about the time to arrive
PATIENT = Policy(tries=10, lock_s=30, max_s=600)  # so that one check's wrong PINs do not disturb the next


class Player(Bench):
    """One controller under test, seen from the server's side of the wire."""

    def __init__(self, wire: Wire, port: Hands, keys: list[Keys], doors: list[str]) -> None:
        super().__init__(port, doors)
        self.wire, self.keys = wire, keys
        self.epoch, self.ver = 0, 0
        self.answers, self.acknowledges = True, True
        self.asked: list[TimeRequest] = []
        self.events: dict[Version, Event] = {}
        self.arrivals = 0  # events heard, repetitions included
        self.event_count, self.pin_count = 5_000, 1_000  # that C20 and C21 make
        self.patience_s = 8  # 2 s for storing (§6), one report a second, and the network
        self.masters: dict[int, bytes] = {}  # made by us, by generation
        self._sid = ""  # of the newest connection
        self.held: Snapshot | None = None
        self.octets = b""
        self.cap: Capacity | None = None
        self._n = itertools.count(int(time.time() * 1_000))
        wire.on_heard = self._on_heard

    # -- what a server does by itself ---------------------------------------------------------------

    def _on_heard(self, heard: Heard) -> None:
        if isinstance(heard.body, TimeRequest):
            self.asked.append(heard.body)
            with self.turning:  # never answer with a time from before what just passed
                if self.answers:
                    self.answer(heard.body.n)
        if isinstance(heard.body, Events):
            self._take(heard.body.ev)
        if isinstance(heard.body, Report):
            self.cap = heard.body.cap
            if heard.body.sid != self._sid:  # a new connection: its question for the time follows
                self._sid, self.quiet_at = heard.body.sid, time.monotonic() + FLIGHT_S

    def _take(self, events: list[Event]) -> None:
        self.arrivals += len(events)
        self.events.update({(event.boot, event.seq): event for event in events})
        if self.acknowledges:
            last = max((event.boot, event.seq) for event in events)
            self.say("evack", EventAck(*last))

    def answer(self, nonce: str) -> None:
        """Answer a time request; its header names the version wanted now."""
        self.quiet_at = time.monotonic() + FLIGHT_S
        self.say("time", TimeAnswer(nonce, self.now_ms()), qos=0)

    # -- sealed messages ------------------------------------------------------------------------------

    @property
    def version(self) -> Version:
        """The version wanted now."""
        return (self.epoch, self.ver)

    def topic(self, name: ids.Down) -> str:
        """Return the device's own topic."""
        return ids.down(self.wire.controller, name)

    def sealed(
        self, name: ids.Down, body: object, version: Version | None = None, keys: Keys | None = None
    ) -> bytes:
        """Return the message as the server would seal it."""
        plain = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return seal(plain, keys or self.keys[-1], "dn", self.topic(name), *(version or self.version))

    def say(self, name: ids.Down, body: object, *, qos: int = 1) -> None:
        """The message is on its way."""
        self.wire.send(self.topic(name), self.sealed(name, body), qos=qos)

    def publish(self, name: ids.Down, token: bytes, *, retain: bool = False) -> None:
        """The broker has these very octets."""
        self.wire.publish(self.topic(name), token, retain=retain)

    # -- snapshots and reports ------------------------------------------------------------------------

    def pin(self) -> str:
        """Return a PIN that no other check uses."""
        return f"{secrets.randbelow(10**6):06}"

    def window(self, doors: Iterable[str] | None = None, start: int = -60, end: int = 3_600) -> Window:
        """Return a window around now, in seconds from now."""
        return Window(d=list(doors or self.doors), nb=self.now() + start, na=self.now() + end)

    def grant(self, pin: str | None = None, role: str = "leader", **more: object) -> Grant:
        """Return a grant that opens every door now."""
        values: dict[str, object] = {
            "id": secrets.token_hex(8),
            "k": "pin",
            "role": role,
            "w": [self.window()],
        }
        if more.get("k") != "card":
            values["pin"] = pin or self.pin()
        return msgspec.convert(msgspec.to_builtins({**values, **more}), Grant)

    def snapshot(self, *grants: Grant, **more: object) -> Snapshot:
        """Return a snapshot for the device's doors."""
        now = self.now()
        door = Door(unlock_s=2, held_s=300, mode="normal", mode_n=0, mode_until=None)
        made = Snapshot(
            iat=now,
            hz=(now - 60, now - 60 + 14 * DAY),
            tz="Europe/Stockholm",
            doors=dict.fromkeys(self.doors, door),
            policy=PATIENT,
            grants=list(grants),
            reserve=[],
        )
        return msgspec.structs.replace(made, **more)

    def hold(self, *grants: Grant, octets: bytes | None = None, **more: object) -> Report:
        """The device holds these grants under the next version. Raises Failed if it does not say so in time."""
        if octets is None:
            self.held = self.snapshot(*grants, **more)
            octets = snapshot.encode(self.held)
        self.follow()
        self.ver += 1
        self.octets = octets
        mark = self.wire.mark()
        self.publish("desired", self.sealed("desired", octets), retain=True)
        digest = snapshot.digest(octets)
        self.settle()
        found = self.wire.wait(Report, lambda report, _: report.dig == digest, self.patience_s, mark)
        if found is None:
            wanted = f"version {self.epoch}.{self.ver} with digest {digest}"
            raise Failed(
                f"a report of {wanted} within {self.patience_s} s of publishing it", self._last_words()
            )
        return found

    def _last_words(self) -> str:
        """Return what the newest report said and when, for a person who looks for the cause."""
        newest = next((each for each in reversed(self.wire.heard) if isinstance(each.body, Report)), None)
        if newest is None or not isinstance(report := newest.body, Report):
            return "no report at all"
        age = time.monotonic() - newest.at
        version = f"version {newest.version[0]}.{newest.version[1]} with digest {report.dig}"
        bad = f"bad {report.bad.why} for {report.bad.epoch}.{report.bad.ver}" if report.bad else "bad null"
        return f"{version}, {bad}, clk.src {report.clk.src}, reported {age:.1f} s ago"

    def last_report(self) -> Report | None:
        """Return the newest report heard."""
        return next((each.body for each in reversed(self.wire.heard) if isinstance(each.body, Report)), None)

    def reported_version(self) -> Version:
        """Return the version in the header of the newest report."""
        found = (each.version for each in reversed(self.wire.heard) if isinstance(each.body, Report))
        return next(found, (0, 0))

    def resync(self) -> Report:
        """Return a report made after everything sent so far was taken. Raises Failed."""
        mark = self.wire.mark()
        require((result := self.order("resync")).ok, "resync to succeed", result)
        self.settle()
        report = self.wire.wait(Report, lambda *_: True, self.patience_s, mark)
        if report is None:
            raise Failed(f"a report within {self.patience_s} s of resync", "none")
        return report

    # -- commands ---------------------------------------------------------------------------------------

    def command(self, op: str, **more: object) -> Command:
        """Return a command that expires in 20 s."""
        values: dict[str, object] = {"id": secrets.token_hex(8), "n": next(self._n), "exp": self.now() + 20}
        return msgspec.convert({**values, "op": op, **more}, Command)

    def give(self, command: Command, *, retain: bool = False) -> Result | None:
        """Return the answer to this command, None if there is none within 5 s."""
        mark = self.wire.mark()
        self.publish("cmd", self.sealed("cmd", command), retain=retain)
        return self.wire.wait(Result, lambda result, _: result.id == command.id, 5, mark)

    def order(self, op: str, **more: object) -> Result:
        """Return the answer. Raises Failed if there is none within 5 s."""
        answer = self.give(self.command(op, **more))
        if answer is None:
            raise Failed(f"a result of `{op}` on up/res within 5 s", "none")
        return answer

    # -- events -----------------------------------------------------------------------------------------

    def event(self, what: str, fits: Callable[[Event], bool], since: int, seconds: float = 6) -> Event:
        """Return such an event heard since the mark. Raises Failed."""
        self.wire.wait(Events, lambda body, _: any(map(fits, body.ev)), seconds, since)
        for heard in self.wire.heard[since:]:
            for event in heard.body.ev if isinstance(heard.body, Events) else []:
                if fits(event):
                    return event
        raise Failed(f"event {what} within {seconds:.0f} s", "none")

    def has_event(self, fits: Callable[[Event], bool], since: int) -> bool:
        """True if such an event was heard since the mark."""
        return self.wire.find(Events, lambda body, _: any(map(fits, body.ev)), since) is not None

    # -- away and back ----------------------------------------------------------------------------------

    def restart(self) -> Report:
        """Power cut and back; returns the first report after it."""
        self.power(False)
        mark = self.wire.mark()
        self.power(True)
        return self.connected(mark)

    def connected(self, since: int) -> Report:
        """Return the device's first report after it was away. Raises Failed."""
        report = self.wire.wait(Report, lambda *_: True, 90, since)
        if report is None:
            raise Failed("the device back with a report within 90 s", "nothing")
        return report

    def restore(self) -> None:
        """Power, network and time are back where a check that broke off left them away, and we are not behind.

        Raises Failed if the device stays away, NotRun if the test port cannot.
        """
        self.answers = self.acknowledges = True
        mark, was_away = self.wire.mark(), not (self.is_on and self.is_up and self.has_clock)
        if not self.is_up:
            self.network(True)
        if self.is_on and not self.has_clock:
            self.power(False)
        if not self.is_on:
            self.power(True)
        if was_away:
            self.connected(mark)
        self.follow()

    def follow(self) -> None:
        """What we publish next is newer than anything the device says it has."""
        reported = self.reported_version()
        if reported > self.version:
            self.epoch, self.ver = reported[0] + 1, 0
