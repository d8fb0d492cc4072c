"""The controller without its wires: credentials and messages in, door movements out.

One lock guards it; nothing inside waits for a network. Longer than most files because it is one state
machine: what it says is voice.py, what it remembers store.py, and its arithmetic lives in lockwire.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from booking.controller import commands, modes, timepiece
from booking.controller.hardware import Bolts, Outcome
from booking.controller.store import Store, Stored
from booking.controller.timepiece import Moment, Reading
from booking.controller.voice import Out, Voice
from booking.lockwire import ids, lockout, messages, snapshot
from booking.lockwire.decide import Memory, Presented, decide
from booking.lockwire.envelope import Dropped, Opened, peek_version, unseal
from booking.lockwire.judge import judge
from booking.lockwire.keys import Keys
from booking.lockwire.lockout import Lockout
from booking.lockwire.messages import Bad, Capacity, Command, DoorReport, Event, Report
from booking.lockwire.snapshot import DEFAULT_POLICY
from booking.lockwire.strict import StrictError, parse

CAPACITY: Final = Capacity(
    grants=1_000,
    reserve=500,
    max_doc=49_152,
    pin_min=4,
    pin_max=10,
    events=5_000,
    feat=["pin", "card", "pin+card", "after", "max", "reserve"],
)
FIRMWARE: Final = "booking-reference-1"
ASK_EVERY_MS, ANSWER_WITHIN_MS, EXPECT_WITHIN_MS = 900_000, 5_000, 60_000
IDLE_MS = 500


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    nonce: str
    at: Moment


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
    ) -> None:
        self.name, self.store, self._bolts, self._read = name, store, bolts, read
        self.cap, self._static_pins = capacity, static_pins
        self._lock = threading.RLock()
        lowest = store.get("gen_floor", int) or 1
        self._keys = [each for each in keys if each.gen >= lowest]
        self._voice = Voice(name, self._keys, store, send)
        self._asked: _Asked | None = None
        self._last_ask = -ASK_EVERY_MS
        self._floor: tuple[int, int] | None = None
        self._waiting: Arrived | None = None
        self._expect_by: int | None = None
        self._released: dict[str, int] = {}
        self._shown_modes: dict[str, str] = {}
        self._tag_key, self._tag_day = secrets.token_bytes(32), 0
        self._load()
        self._boot()

    # -- power-on -----------------------------------------------------------------------------

    def _load(self) -> None:
        self.stored = self._voice.stored = self.store.get("snapshot", Stored)
        self.snapshot = snapshot.decode(self.stored.octets) if self.stored else None
        self._refused = frozenset(each.id for each in self.stored.refused) if self.stored else frozenset()
        self._lockout = self.store.get("lockout", Lockout) or Lockout()
        self._commanded = self.store.get("modes", dict[str, modes.Commanded]) or {}

    def _boot(self) -> None:
        moment = self._read()
        boot = self.store.get("boot", int)
        # A lost memory must not restart the count within a generation: begin at the time of day then.
        self._voice.boot = boot + 1 if boot else max(1, (moment.host_ms or 1_000) // 1_000)
        floor = max(
            self.snapshot.iat * 1_000 if self.snapshot else 0, self.store.get("answered_ms", int) or 0
        )
        self.clock = timepiece.start(moment, floor)
        with self.store.change():
            self.store.put("boot", self._voice.boot)
            self._event(moment, "boot", None)
        self._src = timepiece.read(self.clock, moment).src
        for door in self.snapshot.doors if self.snapshot else ():
            self._bolts.lock(door)

    # -- the door -----------------------------------------------------------------------------

    def present(self, door: str, presented: Presented, at: int | None = None) -> Outcome:
        """Decide, remember, release: durable before the bolt moves. `at` comes from simulated hardware only."""
        with self._lock:
            moment = self._read()
            now = self.now_s(moment) if at is None else at
            steady = self._steady(moment)
            verdict = decide(
                self.snapshot,
                self._refused,
                presented,
                door,
                mode=self._mode(door, now),
                now=now,
                locked_out=self._lockout.is_locked(steady),
                memory=Memory(*self.store.memory()),
            )
            what = "granted" if verdict.granted else "denied"
            with self.store.change():
                if verdict.granted and verdict.grant:
                    self.store.count_opening(verdict.grant, now)
                tag = self._tag(presented, moment) if verdict.why == "unknown" else None
                self._event(
                    moment, what, door, at=at, k=presented.kind, why=verdict.why, g=verdict.grant, tag=tag
                )
                if presented.pin is not None:
                    self._count_try(verdict.why, door, moment, steady)
            seconds = self._release(door, moment) if verdict.granted else None
            self._speak(moment)
            return Outcome(verdict.granted, what, verdict.why, seconds)

    def _count_try(self, why: str | None, door: str, moment: Moment, steady: int) -> None:
        before, policy = self._lockout, self.snapshot.policy if self.snapshot else DEFAULT_POLICY
        self._lockout = (
            lockout.granted(before) if why is None else lockout.denied(before, why, policy, steady)
        )
        if self._lockout != before:
            self.store.put("lockout", self._lockout)
        if self._lockout.is_locked(steady) and not before.is_locked(steady):
            self._event(moment, "lockout", door)

    def _steady(self, moment: Moment) -> int:
        """Seconds for lock-outs: the clock if it is trusted, else time since power-on after the last one seen."""
        now = self.now_s(moment)
        return now if now is not None else self.clock.floor_ms // 1_000 + moment.mono_ms // 1_000

    def _tag(self, presented: Presented, moment: Moment) -> str | None:
        """Let the server see that the same wrong PIN came twice, without telling which."""
        if presented.pin is None:
            return None
        day = moment.mono_ms // 86_400_000
        if day != self._tag_day:
            self._tag_key, self._tag_day = secrets.token_bytes(32), day
        return hmac.new(self._tag_key, presented.pin.encode(), hashlib.sha256).hexdigest()[:16]

    def _release(self, door: str, moment: Moment) -> int:
        """The bolt is free for the seconds returned."""
        settings = self.snapshot.doors.get(door) if self.snapshot else None
        seconds = settings.unlock_s if settings else 5
        self._bolts.unlock(door)
        self._released[door] = moment.mono_ms + seconds * 1_000
        self._voice.report_due = True
        return seconds

    def _mode(self, door: str, now: int | None) -> snapshot.Mode:
        return modes.in_force(self.snapshot, door, self._commanded.get(door), now)

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
            if act is not None:
                act(message, moment)
            self._speak(moment)

    def _open(self, message: Arrived) -> Opened:
        return unseal(message.payload, self._keys, "dn", message.topic)

    def _take_desired(self, message: Arrived, moment: Moment) -> None:
        """Compare with what is stored: older is told, equal is reported, newer is applied (§11.1)."""
        try:
            opened = self._open(message)
        except Dropped as dropped:
            self._refuse(*peek_version(message.payload), dropped.why)
            return
        version, current = (opened.epoch, opened.ver), self.stored
        if current is None and self._floor is None:
            self._waiting = message  # roll-back protection of an empty device: ask for the time first (§9.3)
        elif current is None and self._floor is not None and version < self._floor:
            self._refuse(*version, "floor")
        elif current is not None and version < (current.epoch, current.ver):
            with self.store.change():
                self._event(moment, "stale", None)
        elif current is not None and version == (current.epoch, current.ver):
            self._voice.report_due = True
            if snapshot.digest(opened.plain) != current.digest:
                self._refuse(*version, "conflict")
        else:
            self._apply(opened, moment)

    def _apply(self, opened: Opened, moment: Moment) -> None:
        """Validate, judge, store atomically, switch, report (§11.1)."""
        if len(opened.plain) > self.cap.max_doc or opened.epoch < 1 or opened.ver < 1:
            self._refuse(opened.epoch, opened.ver, "size" if opened.epoch and opened.ver else "header")
            return
        try:
            new = snapshot.decode(opened.plain)
        except StrictError:
            self._refuse(opened.epoch, opened.ver, "schema")
            return
        refused = judge(new, self.cap, self._static_pins, [])
        digest = snapshot.digest(opened.plain)
        stored = Stored(opened.epoch, opened.ver, opened.gen, digest, opened.plain, refused)
        with self.store.change():
            self.store.keep_snapshot(stored, {grant.id for grant in (*new.grants, *new.reserve)})
            self.store.put("gen_floor", opened.gen)
        self.stored = self._voice.stored = stored
        self.snapshot, self._refused = new, frozenset(each.id for each in refused)
        self._keys = [each for each in self._keys if each.gen >= opened.gen]
        self._waiting, self._expect_by, self._voice.report_due = None, None, True
        self.clock = timepiece.raised(self.clock, new.iat * 1_000)
        self._follow_modes(moment)

    def _refuse(self, epoch: int, ver: int, why: str) -> None:
        with self.store.change():
            self.store.put("bad", Bad(epoch, ver, why))
        self._voice.report_due = True

    def _take_evack(self, message: Arrived, moment: Moment) -> None:
        try:
            ack = parse(self._open(message).plain, messages.EventAck)
        except (Dropped, StrictError):
            return
        self._voice.acknowledge(ack.boot, ack.seq, moment)

    def _take_time(self, message: Arrived, moment: Moment) -> None:
        """An answer counts only if it is to the outstanding question and came within 5 s (§9.2)."""
        try:
            opened = self._open(message)
            answer = parse(opened.plain, messages.TimeAnswer)
        except (Dropped, StrictError):
            return
        asked = self._asked
        if asked is None or not hmac.compare_digest(answer.n, asked.nonce):
            return
        self._asked = None
        if moment.mono_ms - asked.at.mono_ms > ANSWER_WITHIN_MS:
            return
        self._set_clock(answer.utc_ms, asked, moment)
        self._floor = max(self._floor or (0, 0), (opened.epoch, opened.ver))
        mine = (self.stored.epoch, self.stored.ver) if self.stored else (0, 0)
        if self._floor > mine:
            self._expect_by = moment.mono_ms + EXPECT_WITHIN_MS
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._take_desired(waiting, moment)

    def _set_clock(self, server_ms: int, asked: _Asked, moment: Moment) -> None:
        before = self._now(moment)
        self.clock = timepiece.answered(self.clock, server_ms, asked.at, moment)
        after = self._now(moment)
        stepped = abs((before.utc_ms or after.utc_ms or 0) - (after.utc_ms or 0)) > timepiece.STEP_MS
        with self.store.change():
            self.store.put("answered_ms", server_ms)
            if stepped and before.src == after.src:
                self._event(moment, "clock", None)
        self._follow_clock(moment)

    def _take_command(self, message: Arrived, moment: Moment) -> None:
        try:
            opened = self._open(message)
            command = parse(opened.plain, Command)
        except (Dropped, StrictError):
            return
        known = self.store.result_of(command.id)
        fresh = commands.execute(self, command, opened.epoch, message.retain, moment) if known is None else []
        for body in fresh if known is None else [known]:
            self._voice.publish("res", body, correlation=command.id.encode())

    # -- what commands may do (called by commands.py, under the lock) ---------------------------

    def act_open(self, command: Command, door: str, moment: Moment) -> None:
        """The door is released once on somebody's behalf."""
        holder = command.g if isinstance(command.g, str) else None
        self._event(moment, "granted", door, k="cmd", cmd=command.id, g=holder)
        self._release(door, moment)

    def act_mode(self, door: str, commanded: modes.Commanded, moment: Moment) -> None:
        """The commanded mode is in force until a snapshot with a higher number says otherwise."""
        self._commanded = {**self._commanded, door: commanded}
        self.store.put("modes", self._commanded)
        self._follow_modes(moment)

    def act_identify(self, door: str | None) -> None:
        """The light has blinked."""
        self._bolts.identify(door)

    def act_resync(self) -> None:
        """A report will be published."""
        self._voice.report_due = True

    def act_replay(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Those events that are still kept are sent again."""
        self._voice.replay(first, last)

    def now_s(self, moment: Moment) -> int | None:
        """Return UTC seconds, None while the clock is untrusted."""
        return self._now(moment).utc_s

    def mode_of(self, door: str, moment: Moment) -> snapshot.Mode:
        """Return the mode in force."""
        return self._mode(door, self.now_s(moment))

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
            self._ask(moment)

    def disconnected(self) -> None:
        """Nothing can be sent; the doors go on working."""
        with self._lock:
            self._voice.disconnected()

    def tick(self) -> None:
        """Do what time alone demands; called whenever `idle_s` has passed."""
        with self._lock:
            moment = self._read()
            self._relock(moment)
            self._follow_clock(moment)
            self._follow_modes(moment)
            wait = ASK_EVERY_MS if self._floor is not None else ANSWER_WITHIN_MS
            if moment.mono_ms - self._last_ask >= wait:
                self._ask(moment)
            if self._expect_by is not None and moment.mono_ms >= self._expect_by:
                self._expect_by, self._voice.report_due = None, True
            self._voice.resend_if_stuck(moment)
            self._speak(moment)

    def idle_s(self) -> float:
        """Return how long nothing needs doing: until a held-back report or a bolt is due, half a second at most."""
        with self._lock:
            now = self._read().mono_ms
            held_back = self._voice.held_back_until()
            due = [*self._released.values(), now + IDLE_MS, now + IDLE_MS if held_back is None else held_back]
            return max(0, min(due) - now) / 1_000

    def _relock(self, moment: Moment) -> None:
        for door in [door for door, until in self._released.items() if moment.mono_ms >= until]:
            del self._released[door]
            self._voice.report_due = True
            if self.mode_of(door, moment) != "unlocked":
                self._bolts.lock(door)

    def _follow_clock(self, moment: Moment) -> None:
        src = self._now(moment).src
        if src != self._src:
            self._src, self._voice.report_due = src, True
            with self.store.change():
                self._event(moment, "clock", None)

    def _follow_modes(self, moment: Moment) -> None:
        for door in self.snapshot.doors if self.snapshot else ():
            mode = self.mode_of(door, moment)
            before = self._shown_modes.get(door, "normal")
            if mode == before:
                continue
            self._shown_modes[door], self._voice.report_due = mode, True
            if mode == "unlocked":
                self._bolts.unlock(door)
            elif before == "unlocked" and door not in self._released:
                self._bolts.lock(door)
            with self.store.change():
                self._event(moment, "mode", door)

    def _ask(self, moment: Moment) -> None:
        """Ask the server what time it is; only the answer to the last question counts."""
        self._last_ask = moment.mono_ms
        self._asked = _Asked(secrets.token_urlsafe(16), moment)
        reading = self._now(moment)
        request = messages.TimeRequest(n=self._asked.nonce, utc_ms=reading.utc_ms, err_ms=reading.err_ms)
        self._voice.publish("time", msgspec.json.encode(request), qos=0)

    def _now(self, moment: Moment) -> Reading:
        return timepiece.read(self.clock, moment)

    # -- what is said -------------------------------------------------------------------------

    def _speak(self, moment: Moment) -> None:
        self._voice.pump(moment)
        self._voice.report_if_due(moment, lambda number: self._report(number, moment))

    def _report(self, number: int, moment: Moment) -> Report:
        reading, (first, last) = self._now(moment), self.store.ends()
        refused = self.stored.refused if self.stored else []
        return Report(
            boot=self._voice.boot,
            rs=number,
            sid=self._voice.sid,
            dig=self.stored.digest if self.stored else None,
            rej=refused[:200],
            rej_more=len(refused) - 200 if len(refused) > 200 else msgspec.UNSET,
            pend=[],
            bad=self.store.bad(),
            cap=self.cap,
            clk=messages.Clock(utc_ms=reading.utc_ms, src=reading.src, err_ms=reading.err_ms),
            pw=messages.Power(src="mains", bat=None),
            doors={door: self._door(door, moment) for door in (self.snapshot.doors if self.snapshot else {})},
            ev=messages.Kept(first=first, last=last),
            fw=FIRMWARE,
        )

    def _door(self, door: str, moment: Moment) -> DoorReport:
        mode = self.mode_of(door, moment)
        is_open = mode == "unlocked" or door in self._released
        return DoorReport(pos="closed", lock="unlocked" if is_open else "locked", mode=mode, fail="secure")

    def _event(
        self, moment: Moment, e: str, door: str | None, *, at: int | None = None, **more: str | None
    ) -> None:
        """The event is kept, in the caller's change; `more` are its optional members (k, why, g, cmd, tag)."""
        reading = self._now(moment)
        event = Event(
            boot=self._voice.boot,
            seq=(self.store.get("seq", int) or 0) + 1,
            t=reading.utc_s if at is None else at,
            mono=moment.mono_ms,
            clk=reading.src,
            d=door,
            e=e,
        )
        known = {name: value for name, value in more.items() if value is not None}
        self._voice.keep(msgspec.structs.replace(event, **known))
