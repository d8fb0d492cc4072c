"""The controller without its wires: messages and credentials in, messages and door movements out.

One lock guards it; nothing inside waits for a network. Longer than most files because it is one state
machine; its arithmetic lives in lockwire, timepiece, modes and store.
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
from booking.lockwire import ids, lockout, snapshot
from booking.lockwire.decide import Memory, Presented, decide
from booking.lockwire.envelope import Dropped, Opened, peek_version, seal, unseal
from booking.lockwire.judge import judge
from booking.lockwire.keys import Keys
from booking.lockwire.lockout import Lockout
from booking.lockwire.messages import (
    Bad,
    Capacity,
    Command,
    DoorReport,
    Event,
    EventAck,
    Events,
    Kept,
    Power,
    Report,
    Status,
    TimeAnswer,
    TimeRequest,
)
from booking.lockwire.messages import Clock as ClockReport
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
REPORT_EVERY_MS, ASK_EVERY_MS, RESEND_AFTER_MS = 900_000, 900_000, 30_000
REPORT_GAP_MS, ANSWER_WITHIN_MS, EXPECT_WITHIN_MS = 1_000, 5_000, 60_000
IN_FLIGHT, BATCH = 200, 50
IDLE_MS = 500


@dataclass(frozen=True, slots=True)
class Out:
    """One message to publish, sealed where it must be."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    correlation: bytes | None = None


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
        self.name, self.store, self._bolts, self._read, self._send = (
            name,
            store,
            bolts,
            read,
            send,
        )
        self.cap, self._static_pins = capacity, static_pins
        self._lock = threading.RLock()
        self._connected, self.sid = False, secrets.token_urlsafe(16)
        self._asked: _Asked | None = None
        self._floor: tuple[int, int] | None = None
        self._waiting: Arrived | None = None
        self._expect_by: int | None = None
        self._last_ask = self._last_report = -REPORT_EVERY_MS
        self._report_due, self._rs = False, 0
        self._sent, self._progress_ms = store.acked(), 0
        self._released: dict[str, int] = {}
        self._shown_modes: dict[str, str] = {}
        self._tag_key, self._tag_day = secrets.token_bytes(32), 0
        lowest = store.get("gen_floor", int) or 1
        self._keys = [each for each in keys if each.gen >= lowest]
        self._load()
        self._boot()

    # -- power-on -----------------------------------------------------------------------------

    def _load(self) -> None:
        self.stored = self.store.get("snapshot", Stored)
        self.snapshot = snapshot.decode(self.stored.octets) if self.stored else None
        self._refused = frozenset(each.id for each in self.stored.refused) if self.stored else frozenset()
        self._lockout = self.store.get("lockout", Lockout) or Lockout()
        self._commanded = self.store.get("modes", dict[str, modes.Commanded]) or {}
        self._last_event = self._sent

    def _boot(self) -> None:
        moment = self._read()
        boot = self.store.get("boot", int)
        # A lost memory must not restart the count within a generation: begin at the time of day then.
        self.boot = boot + 1 if boot else max(1, (moment.host_ms or 1_000) // 1_000)
        floor = max(
            self.snapshot.iat * 1_000 if self.snapshot else 0,
            self.store.get("answered_ms", int) or 0,
        )
        self.clock = timepiece.start(moment, floor)
        with self.store.change():
            self.store.put("boot", self.boot)
            self._event(moment, "boot", None)
        self._src = timepiece.read(self.clock, moment).src
        for door in self.snapshot.doors if self.snapshot else ():
            self._bolts.lock(door)

    # -- the door -----------------------------------------------------------------------------

    def present(self, door: str, presented: Presented, at: int | None = None) -> Outcome:
        """Decide, remember, release: durable before the bolt moves. `at` comes from simulated hardware only."""
        with self._lock:
            moment = self._read()
            now = self._now(moment).utc_s if at is None else at
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
            outcome = "granted" if verdict.granted else "denied"
            seconds = self._unlock_s(door) if verdict.granted else None
            with self.store.change():
                if verdict.granted and verdict.grant:
                    self.store.count_opening(verdict.grant, now)
                tag = self._tag(presented, moment) if verdict.why == "unknown" else None
                self._event(
                    moment,
                    outcome,
                    door,
                    at=at,
                    k=presented.kind,
                    why=verdict.why,
                    g=verdict.grant,
                    tag=tag,
                )
                if presented.pin is not None:
                    self._count_try(verdict.why, door, moment, steady)
            if seconds is not None:
                self._release(door, seconds, moment)
            self._pump(moment)
            self._report_if_due(moment)
            return Outcome(verdict.granted, outcome, verdict.why, seconds)

    def _count_try(self, why: str | None, door: str, moment: Moment, steady: int) -> None:
        before, policy = (
            self._lockout,
            self.snapshot.policy if self.snapshot else DEFAULT_POLICY,
        )
        self._lockout = (
            lockout.granted(before) if why is None else lockout.denied(before, why, policy, steady)
        )
        if self._lockout != before:
            self.store.put("lockout", self._lockout)
        if self._lockout.is_locked(steady) and not before.is_locked(steady):
            self._event(moment, "lockout", door)

    def _steady(self, moment: Moment) -> int:
        """Seconds for lock-outs: the clock if it is trusted, else time since power-on after the last one seen."""
        now = self._now(moment).utc_s
        return now if now is not None else self.clock.floor_ms // 1_000 + moment.mono_ms // 1_000

    def _tag(self, presented: Presented, moment: Moment) -> str | None:
        """Let the server see that the same wrong PIN came twice, without telling which."""
        if presented.pin is None:
            return None
        day = moment.mono_ms // 86_400_000
        if day != self._tag_day:
            self._tag_key, self._tag_day = secrets.token_bytes(32), day
        return hmac.new(self._tag_key, presented.pin.encode(), hashlib.sha256).hexdigest()[:16]

    def _unlock_s(self, door: str) -> int:
        return self.snapshot.doors[door].unlock_s if self.snapshot and door in self.snapshot.doors else 5

    def _release(self, door: str, seconds: int, moment: Moment) -> None:
        self._bolts.unlock(door)
        self._released[door] = moment.mono_ms + seconds * 1_000
        self._report_due = True

    def _mode(self, door: str, now: int | None) -> snapshot.Mode:
        return modes.in_force(self.snapshot, door, self._commanded.get(door), now)

    def _now(self, moment: Moment) -> Reading:
        return timepiece.read(self.clock, moment)

    # -- messages in --------------------------------------------------------------------------

    def receive(self, message: Arrived) -> None:
        """Act on one message; whatever is wrong with it, nothing worse happens than a count or a report."""
        with self._lock:
            moment = self._read()
            found = ids.parse_topic(message.topic)
            if found is None or found[0] != self.name or found[1] != "dn" or not message.payload:
                return
            act = {
                "desired": self._take_desired,
                "cmd": self._take_command,
                "evack": self._take_evack,
                "time": self._take_time,
            }.get(found[2])
            if act is not None:
                act(message, moment)
            self._report_if_due(moment)

    def _open(self, message: Arrived) -> Opened:
        return unseal(message.payload, self._keys, "dn", message.topic)

    def _take_desired(self, message: Arrived, moment: Moment) -> None:
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
            self._pump(moment)
        elif current is not None and version == (current.epoch, current.ver):
            same = snapshot.digest(opened.plain) == current.digest
            self._report_due = True
            if not same:
                self._refuse(*version, "conflict")
        else:
            self._apply(opened, moment)

    def _apply(self, opened: Opened, moment: Moment) -> None:
        """Validate, judge, store atomically, switch, report (§11.1)."""
        if len(opened.plain) > self.cap.max_doc or opened.epoch < 1 or opened.ver < 1:
            self._refuse(
                opened.epoch,
                opened.ver,
                "size" if opened.epoch and opened.ver else "header",
            )
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
        self.stored, self.snapshot = stored, new
        self._refused = frozenset(each.id for each in refused)
        self._keys = [each for each in self._keys if each.gen >= opened.gen]
        self._waiting, self._expect_by, self._report_due = None, None, True
        self.clock = timepiece.raised(self.clock, new.iat * 1_000)
        self._follow_modes(moment)

    def _refuse(self, epoch: int, ver: int, why: str) -> None:
        with self.store.change():
            self.store.put("bad", Bad(epoch, ver, why))
        self._report_due = True

    def _take_evack(self, message: Arrived, moment: Moment) -> None:
        try:
            ack = parse(self._open(message).plain, EventAck)
        except (Dropped, StrictError):
            return
        with self.store.change():
            moved = self.store.acknowledge(ack.boot, ack.seq)
        if moved:
            self._sent, self._progress_ms = (
                max(self._sent, self.store.acked()),
                moment.mono_ms,
            )
            self._pump(moment)

    def _take_time(self, message: Arrived, moment: Moment) -> None:
        try:
            opened = self._open(message)
            answer = parse(opened.plain, TimeAnswer)
        except (Dropped, StrictError):
            return
        asked = self._asked
        if asked is None or not hmac.compare_digest(answer.n, asked.nonce):
            return
        self._asked = None
        if moment.mono_ms - asked.at.mono_ms > ANSWER_WITHIN_MS:
            return
        before = self._now(moment)
        self.clock = timepiece.answered(self.clock, answer.utc_ms, asked.at, moment)
        after = self._now(moment)
        stepped = abs((before.utc_ms or after.utc_ms or 0) - (after.utc_ms or 0)) > timepiece.STEP_MS
        with self.store.change():
            self.store.put("answered_ms", answer.utc_ms)
            if stepped and before.src == after.src:
                self._event(moment, "clock", None)
        self._follow_clock(moment)
        self._floor = max(self._floor or (0, 0), (opened.epoch, opened.ver))
        mine = (self.stored.epoch, self.stored.ver) if self.stored else (0, 0)
        if self._floor > mine:
            self._expect_by = moment.mono_ms + EXPECT_WITHIN_MS
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._take_desired(waiting, moment)

    def _take_command(self, message: Arrived, moment: Moment) -> None:
        try:
            opened = self._open(message)
            command = parse(opened.plain, Command)
        except (Dropped, StrictError):
            return
        body = self.store.result_of(command.id)
        bodies = (
            [body]
            if body is not None
            else commands.execute(self, command, opened.epoch, message.retain, moment)
        )
        for each in bodies:
            self._publish("res", each, qos=1, correlation=command.id.encode())
        self._pump(moment)

    # -- what commands may do (called by commands.py, under the lock) ---------------------------

    def act_open(self, command: Command, door: str, moment: Moment) -> None:
        """The door is released once on somebody's behalf."""
        self._event(moment, "granted", door, k="cmd", cmd=command.id, g=_or_none(command.g))
        self._release(door, self._unlock_s(door), moment)

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
        self._report_due = True

    def act_replay(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Those events that are still kept are sent again."""
        events = self.store.events_between(first, last, RING_LIMIT)
        for start in range(0, len(events), BATCH):
            self._publish("evt", msgspec.json.encode(Events(events[start : start + BATCH])), qos=1)

    def now_s(self, moment: Moment) -> int | None:
        """Return UTC seconds, None while the clock is untrusted."""
        return self._now(moment).utc_s

    def mode_of(self, door: str, moment: Moment) -> snapshot.Mode:
        """Return the mode in force."""
        return self._mode(door, self.now_s(moment))

    # -- wires and ticks ----------------------------------------------------------------------

    def connecting(self) -> Out:
        """Return the will of a new connection; it carries that connection's own id (§10)."""
        with self._lock:
            self.sid = secrets.token_urlsafe(16)
            return self._status("offline")

    def connected(self) -> None:
        """Say hello, report, ask for the time, send again what was not acknowledged."""
        with self._lock:
            moment = self._read()
            self._connected, self._report_due = True, True
            self._sent, self._progress_ms = self.store.acked(), moment.mono_ms
            self._last_report = -REPORT_EVERY_MS
            self._report_if_due(moment)
            self._ask(moment)
            self._pump(moment)

    def disconnected(self) -> None:
        """Nothing can be sent; the doors go on working."""
        with self._lock:
            self._connected = False

    def tick(self) -> None:
        """Do what time alone demands; called several times a second."""
        with self._lock:
            moment = self._read()
            self._relock(moment)
            self._follow_clock(moment)
            self._follow_modes(moment)
            if moment.mono_ms - self._last_ask >= ASK_EVERY_MS or self._floor is None:
                self._ask_again(moment)
            if self._expect_by is not None and moment.mono_ms >= self._expect_by:
                self._expect_by, self._report_due = None, True
            if moment.mono_ms - self._last_report >= REPORT_EVERY_MS:
                self._report_due = True
            if self._sent > self.store.acked() and moment.mono_ms - self._progress_ms >= RESEND_AFTER_MS:
                self._sent, self._progress_ms = self.store.acked(), moment.mono_ms
            self._pump(moment)
            self._report_if_due(moment)

    def idle_s(self) -> float:
        """Return how long nothing needs doing: until a held-back report or a bolt is due, half a second at most."""
        with self._lock:
            now = self._read().mono_ms
            due = [*self._released.values(), now + IDLE_MS]
            if self._report_due and self._connected:
                due.append(self._last_report + REPORT_GAP_MS)
            return max(0, min(due) - now) / 1_000

    def _relock(self, moment: Moment) -> None:
        for door in [door for door, until in self._released.items() if moment.mono_ms >= until]:
            del self._released[door]
            self._report_due = True
            if self.mode_of(door, moment) != "unlocked":
                self._bolts.lock(door)

    def _follow_clock(self, moment: Moment) -> None:
        src = self._now(moment).src
        if src != self._src:
            self._src, self._report_due = src, True
            with self.store.change():
                self._event(moment, "clock", None)

    def _follow_modes(self, moment: Moment) -> None:
        for door in self.snapshot.doors if self.snapshot else ():
            mode = self.mode_of(door, moment)
            before = self._shown_modes.get(door, "normal")
            if mode == before:
                continue
            self._shown_modes[door], self._report_due = mode, True
            if mode == "unlocked":
                self._bolts.unlock(door)
            elif before == "unlocked" and door not in self._released:
                self._bolts.lock(door)
            with self.store.change():
                self._event(moment, "mode", door)

    def _ask_again(self, moment: Moment) -> None:
        waited = moment.mono_ms - self._last_ask
        if waited >= ANSWER_WITHIN_MS:
            self._ask(moment)

    def _ask(self, moment: Moment) -> None:
        self._last_ask = moment.mono_ms
        self._asked = _Asked(secrets.token_urlsafe(16), moment)
        reading = self._now(moment)
        request = TimeRequest(n=self._asked.nonce, utc_ms=reading.utc_ms, err_ms=reading.err_ms)
        self._publish("time", msgspec.json.encode(request), qos=0)

    # -- messages out -------------------------------------------------------------------------

    def _publish(
        self,
        name: ids.Up,
        plain: bytes,
        *,
        qos: int,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> None:
        if not self._connected:
            return
        keys = self._keys[-1] if self.stored is None else self._sealing_keys(self.stored.gen)
        version = (self.stored.epoch, self.stored.ver) if self.stored else (0, 0)
        topic = ids.up(self.name, name)
        self._send(
            Out(
                topic,
                seal(plain, keys, "up", topic, *version),
                qos,
                retain,
                correlation,
            )
        )

    def _sealing_keys(self, gen: int) -> Keys:
        """Use the generation of the stored snapshot; after re-enrolment with one key only, that one."""
        return next((each for each in self._keys if each.gen == gen), self._keys[-1])

    def _status(self, st: str) -> Out:
        body = msgspec.json.encode(Status("online" if st == "online" else "offline", self.boot, self.sid))
        return Out(ids.up(self.name, "status"), body, 1, retain=True)

    def _report_if_due(self, moment: Moment) -> None:
        if not (self._report_due and self._connected):
            return
        if moment.mono_ms - self._last_report < REPORT_GAP_MS:
            return
        self._report_due, self._last_report, self._rs = (
            False,
            moment.mono_ms,
            self._rs + 1,
        )
        self._send(self._status("online"))
        self._publish("reported", msgspec.json.encode(self._report(moment)), qos=1, retain=True)

    def _report(self, moment: Moment) -> Report:
        reading, (first, last) = self._now(moment), self.store.ends()
        refused = self.stored.refused if self.stored else []
        return Report(
            boot=self.boot,
            rs=self._rs,
            sid=self.sid,
            dig=self.stored.digest if self.stored else None,
            rej=refused[:200],
            rej_more=len(refused) - 200 if len(refused) > 200 else msgspec.UNSET,
            pend=[],
            bad=self.store.bad(),
            cap=self.cap,
            clk=ClockReport(utc_ms=reading.utc_ms, src=reading.src, err_ms=reading.err_ms),
            pw=Power(src="mains", bat=None),
            doors={door: self._door(door, moment) for door in (self.snapshot.doors if self.snapshot else {})},
            ev=Kept(first=first, last=last),
            fw=FIRMWARE,
        )

    def _door(self, door: str, moment: Moment) -> DoorReport:
        mode = self.mode_of(door, moment)
        is_open = mode == "unlocked" or door in self._released
        return DoorReport(
            pos="closed",
            lock="unlocked" if is_open else "locked",
            mode=mode,
            fail="secure",
        )

    def _event(
        self,
        moment: Moment,
        e: str,
        door: str | None,
        *,
        at: int | None = None,
        k: str | None = None,
        why: str | None = None,
        g: str | None = None,
        cmd: str | None = None,
        tag: str | None = None,
    ) -> None:
        reading = self._now(moment)
        event = Event(
            boot=self.boot,
            seq=(self.store.get("seq", int) or 0) + 1,
            t=reading.utc_s if at is None else at,
            mono=moment.mono_ms,
            clk=reading.src,
            d=door,
            e=e,
            k=msgspec.UNSET if k is None else k,
            why=msgspec.UNSET if why is None else why,
            g=msgspec.UNSET if g is None else g,
            cmd=msgspec.UNSET if cmd is None else cmd,
            tag=msgspec.UNSET if tag is None else tag,
        )
        self._last_event = self.store.add_event(event)

    def _pump(self, moment: Moment) -> None:
        """Send what has not been sent, at most 200 events ahead of the server's acknowledgement."""
        while self._connected and self._sent < self._last_event:
            room = IN_FLIGHT - max(0, self._sent - self.store.acked())
            batch = self.store.events_after(self._sent, min(BATCH, room)) if room > 0 else []
            if not batch:
                return
            if self._sent <= self.store.acked():
                self._progress_ms = moment.mono_ms
            self._sent = batch[-1][0]
            self._publish("evt", msgspec.json.encode(Events([event for _, event in batch])), qos=1)


RING_LIMIT: Final = 5_000


def _or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
