"""The controller without its wires: credentials and messages in, door movements and messages out.

One lock guards it; nothing inside waits for a network. What it holds is holding.py, what it believes the time
is clockwork.py, its doors are doors.py, what it says is voice.py; this file joins them.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal

from booking.controller import commands
from booking.controller.attempts import Attempts
from booking.controller.clockwork import Clockwork
from booking.controller.diary import Diary
from booking.controller.doors import Doors, Sensed
from booking.controller.hardware import Bolts, Outcome
from booking.controller.holding import CAPACITY, Arrived, Holding
from booking.controller.modes import Commanded
from booking.controller.reporting import compose
from booking.controller.store import Store, Stored
from booking.controller.timepiece import Moment
from booking.controller.voice import Out, Voice
from booking.lockwire import ids
from booking.lockwire.decide import Memory, Presented, Verdict, decide
from booking.lockwire.envelope import Dropped
from booking.lockwire.keys import Keys
from booking.lockwire.messages import Capacity, Command, EventAck, Power, Report
from booking.lockwire.snapshot import Mode, Snapshot
from booking.lockwire.strict import StrictError, parse

__all__ = ["CAPACITY", "Arrived", "Controller"]

EXPECT_WITHIN_MS: Final = 60_000
IDLE_MS: Final = 500


class Controller:
    """One controller's state and rules. Every public method may be called from any thread."""

    def __init__(
        self,
        name: str,
        keys: Sequence[Keys],
        store: Store,
        bolts: Bolts,
        read: Callable[[], Moment],
        send: Callable[[Out], None],
        *,
        capacity: Capacity = CAPACITY,
        static_pins: frozenset[str] = frozenset(),
        wired: Collection[str] = (),
        fail: Mapping[str, str] | None = None,
        pos: Literal["unknown", "closed"] = "unknown",
    ) -> None:
        self.name, self.store, self._read = name, store, read
        self._lock = threading.RLock()
        self.dropped = 0  # messages whose seal or form did not hold, since power-on
        self._power = Power(src="mains", bat=None)
        self._expect_by: int | None = None
        moment = read()
        self._holding = Holding(keys, store, capacity, static_pins, wired)
        self._voice = Voice(name, self._holding, store, send)
        iat = self._holding.snapshot.iat if self._holding.snapshot else 0
        self._clock = Clockwork(store, self._voice, moment, iat * 1_000)
        self._diary = Diary(store, self._voice, self._clock)
        self._attempts = Attempts(store)
        self._doors = Doors(store, self._holding, bolts, self._diary.note, self._clock.now_s, fail or {}, pos)
        self._boot(moment)

    def _boot(self, moment: Moment) -> None:
        boot = self.store.get("boot", int)
        # A lost memory must not restart the count within a generation: begin at the time of day then.
        self._voice.boot = boot + 1 if boot else max(1, (moment.host_ms or 1_000) // 1_000)
        with self.store.change():
            self.store.put("boot", self._voice.boot)
            self._diary.note(moment, "boot", None)

    @property
    def stored(self) -> Stored | None:
        """What is stored."""
        return self._holding.stored

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot in force."""
        return self._holding.snapshot

    @property
    def cap(self) -> Capacity:
        """What this controller can hold."""
        return self._holding.cap

    # -- the door -----------------------------------------------------------------------------

    def present(self, door: str, presented: Presented, at: int | None = None) -> Outcome:
        """Decide, remember, release: durable before the bolt moves. `at` comes from simulated hardware only."""
        with self._lock:
            moment = self._read()
            now = self._clock.now_s(moment) if at is None else at
            steady = self._clock.steady_s(moment)
            verdict = self._decide(door, presented, now, steady)
            what = "granted" if verdict.granted else "denied"
            with self.store.change():
                if verdict.granted and verdict.grant:
                    self.store.count_opening(verdict.grant, now)
                self._note_attempt(what, door, presented, verdict, moment, at)
                if presented.pin is not None and self._attempts.count(
                    door, verdict.why, self._holding.policy, steady
                ):
                    self._diary.note(moment, "lockout", door)
            seconds = self._doors.release(door, moment) if verdict.granted else None
            self._speak(moment)
            return Outcome(verdict.granted, what, verdict.why, seconds)

    def _decide(self, door: str, presented: Presented, now: int | None, steady: int) -> Verdict:
        return decide(
            self._holding.snapshot,
            self._holding.refused,
            presented,
            door,
            mode=self._doors.mode_at(door, now),
            now=now,
            locked_out=self._attempts.is_locked(door, self._holding.policy, steady),
            memory=Memory(*self.store.memory()),
        )

    def _note_attempt(
        self, what: str, door: str, presented: Presented, verdict: Verdict, moment: Moment, at: int | None
    ) -> None:
        is_unknown = verdict.why == "unknown" and presented.pin is not None
        tag = self._diary.tag(presented.pin or "", moment) if is_unknown else None
        self._diary.note(
            moment, what, door, at=at, k=presented.kind, why=verdict.why, g=verdict.grant, tag=tag
        )

    def sense(self, door: str, what: Sensed) -> None:
        """A contact of a door has changed."""
        with self._lock:
            moment = self._read()
            self._doors.sense(door, what, moment)
            self._speak(moment)

    def powered(self, power: Power) -> None:
        """The power comes from elsewhere now, or the battery has changed."""
        with self._lock:
            moment = self._read()
            if power.src != self._power.src:
                with self.store.change():
                    self._diary.note(moment, "power", None)
            self._voice.report_due = self._voice.report_due or power != self._power
            self._power = power
            self._speak(moment)

    def pin_lengths(self) -> frozenset[int]:
        """Return the lengths of the PINs in force: if they differ, an entry must end with a key (§11.4)."""
        return self._holding.pin_lengths()

    # -- messages in --------------------------------------------------------------------------

    def receive(self, message: Arrived) -> None:
        """Act on one message; whatever is wrong with it, nothing worse happens than a count or a report."""
        with self._lock:
            moment = self._read()
            found = ids.parse_topic(message.topic)
            if found is None or found[:2] != (self.name, "dn") or not message.payload:
                return
            act = {
                "desired": self._take_desired,
                "cmd": self._take_command,
                "evack": self._take_evack,
                "time": self._take_time,
            }.get(found[2])
            try:
                if act is not None:
                    act(message, moment)
            except (Dropped, StrictError):
                self.dropped += 1
            self._speak(moment)

    def _take_desired(self, message: Arrived, moment: Moment) -> None:
        taken = self._holding.offer(message, self._clock.floor)
        if taken == "older":
            self._diary.note_stale(message.payload, moment)
            return
        if taken == "waiting":
            return
        self._voice.report_due = True
        if taken == "refused":
            self.dropped += 1
        if taken == "applied" and self._holding.snapshot is not None:
            self._expect_by = None
            self._clock.not_before(self._holding.snapshot.iat, moment)
            self._doors.follow(moment)

    def _take_evack(self, message: Arrived, moment: Moment) -> None:
        ack = parse(self._holding.open(message).plain, EventAck)
        self._voice.acknowledge(ack.boot, ack.seq, moment)

    def _take_time(self, message: Arrived, moment: Moment) -> None:
        if not self._clock.take(self._holding.open(message), moment):
            self.dropped += 1
            return
        if (self._clock.floor or (0, 0)) > self._holding.version:
            self._expect_by = moment.mono_ms + EXPECT_WITHIN_MS
        waiting = self._holding.take_waiting()
        if waiting is not None:
            self._take_desired(waiting, moment)
        self._follow_clock(moment)

    def _take_command(self, message: Arrived, moment: Moment) -> None:
        opened = self._holding.open(message)
        command = parse(opened.plain, Command)
        bodies = self.store.results_of(command.id)
        if bodies is None:
            bodies = commands.execute(self, command, opened.epoch, message.retain, moment)
        for body in bodies:
            self._voice.publish("res", body, correlation=command.id.encode())

    # -- what commands may do (called by commands.py, under the lock) ---------------------------

    def act_open(self, command: Command, door: str, moment: Moment) -> None:
        """The door is released once on somebody's behalf."""
        holder = command.g if isinstance(command.g, str) else None
        self._diary.note(moment, "granted", door, k="cmd", cmd=command.id, g=holder)
        self._doors.release(door, moment)

    def act_mode(self, door: str, commanded: Commanded, moment: Moment) -> None:
        """The commanded mode is in force until a snapshot with a higher number says otherwise."""
        self._doors.command(door, commanded, moment)

    def act_identify(self, door: str | None) -> None:
        """The light has blinked."""
        self._doors.identify(door)

    def act_resync(self) -> None:
        """A report will be published."""
        self._voice.report_due = True

    def act_replay(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Those events that are still kept are sent again."""
        self._voice.replay(first, last)

    def now_s(self, moment: Moment) -> int | None:
        """Return UTC seconds, None while the clock is untrusted."""
        return self._clock.now_s(moment)

    def mode_of(self, door: str, moment: Moment) -> Mode:
        """Return the mode in force."""
        return self._doors.mode(door, moment)

    # -- wires and ticks ----------------------------------------------------------------------

    def connecting(self) -> Out:
        """Return the will of a new connection."""
        with self._lock:
            return self._voice.connecting()

    def connected(self) -> None:
        """Say hello, report, ask for the time, send again what was not acknowledged."""
        with self._lock:
            moment = self._read()
            self._voice.connected(moment)
            self._speak(moment)
            self._clock.ask(moment)

    def disconnected(self) -> None:
        """Nothing can be sent; the doors go on working."""
        with self._lock:
            self._voice.disconnected()

    def tick(self) -> None:
        """Do what time alone demands; called whenever `idle_s` has passed."""
        with self._lock:
            moment = self._read()
            self._follow_clock(moment)
            self._doors.follow(moment)
            self._clock.ask_if_due(moment)
            if self._expect_by is not None and moment.mono_ms >= self._expect_by:
                self._expect_by, self._voice.report_due = None, True
            self._voice.resend_if_stuck(moment)
            self._speak(moment)

    def idle_s(self) -> float:
        """Return how long nothing needs doing: until a held-back report or a bolt is due, half a second at most."""
        with self._lock:
            now = self._read().mono_ms
            held_back = self._voice.held_back_until()
            soonest = now + IDLE_MS if held_back is None else held_back
            return max(0, min(*self._doors.due_ms(), now + IDLE_MS, soonest) - now) / 1_000

    def _follow_clock(self, moment: Moment) -> None:
        if self._clock.has_jumped(moment):
            self._voice.report_due = True
            with self.store.change():
                self._diary.note(moment, "clock", None)

    # -- what is said -------------------------------------------------------------------------

    def _speak(self, moment: Moment) -> None:
        self._voice.report_due = self._voice.report_due or self._doors.has_changed
        self._doors.has_changed = False
        self._voice.pump(moment)
        self._voice.report_if_due(moment, lambda number: self._report(number, moment))

    def _report(self, number: int, moment: Moment) -> Report:
        power, doors = self._power, self._doors.report(moment)
        return compose(
            number, self._voice, self._clock.reading(moment), self.store, self._holding, power, doors
        )
