"""Everything a controller says: sealed under the version it has stored, within the protocol's rates (§6, §7)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from booking.controller.holding import Holding
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.lockwire import ids
from booking.lockwire.envelope import seal
from booking.lockwire.keys import Keys
from booking.lockwire.messages import Event, Events, Report, Status

REPORT_EVERY_MS: Final = 900_000
REPORT_GAP_MS: Final = 1_000
RESEND_AFTER_MS: Final = 30_000
IN_FLIGHT, BATCH = 200, 50


@dataclass(frozen=True, slots=True)
class Out:
    """One message to publish, sealed where it must be."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    correlation: bytes | None = None


class Voice:
    """Used under the controller's lock. While not connected it says nothing; what matters is said again."""

    def __init__(self, name: str, holding: Holding, store: Store, send: Callable[[Out], None]) -> None:
        self._name, self._holding, self._store, self._send = name, holding, store, send
        self.boot = 1
        self.sid = secrets.token_urlsafe(16)
        self.is_connected = False
        self.report_due = False
        self._last_report, self._rs = -REPORT_EVERY_MS, 0
        self._sent = self._newest = store.acked()
        self._progress_ms = 0
        self._replay: tuple[tuple[int, int], tuple[int, int]] | None = None

    # -- connections --------------------------------------------------------------------------

    def connecting(self) -> Out:
        """Return the will of a new connection; it carries that connection's own id (§10)."""
        self.sid = secrets.token_urlsafe(16)
        return self._status("offline")

    def connected(self, moment: Moment) -> None:
        """A report is due at once, and what was not acknowledged will be sent again."""
        self.is_connected = self.report_due = True
        self._last_report = -REPORT_EVERY_MS
        self._start_over(moment)

    def disconnected(self) -> None:
        """Nothing can be said."""
        self.is_connected, self._replay = False, None

    def publish(
        self,
        name: ids.Up,
        plain: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> None:
        """The message is handed to the wire, sealed; dropped while there is none."""
        if not self.is_connected:
            return
        topic = ids.up(self._name, name)
        token = seal(plain, self._own_keys(), "up", topic, *self._holding.version)
        self._send(Out(topic, token, qos, retain, correlation))

    def _own_keys(self) -> Keys:
        """The generation of the stored snapshot; on an empty device, or after re-enrolment, the newest."""
        gen = self._holding.stored.gen if self._holding.stored else 0
        keys = self._holding.keys
        return next((each for each in keys if each.gen == gen), keys[-1])

    def _status(self, st: str) -> Out:
        body = msgspec.json.encode(Status("online" if st == "online" else "offline", self.boot, self.sid))
        return Out(ids.up(self._name, "status"), body, 1, retain=True)

    # -- reports ------------------------------------------------------------------------------

    def report_if_due(self, moment: Moment, describe: Callable[[int], Report]) -> None:
        """A due report is said, at most one a second and at least one every 15 minutes."""
        since = moment.mono_ms - self._last_report
        self.report_due = self.report_due or since >= REPORT_EVERY_MS
        if not (self.report_due and self.is_connected) or since < REPORT_GAP_MS:
            return
        self.report_due, self._last_report, self._rs = False, moment.mono_ms, self._rs + 1
        # First what somebody waits for: a durable broker writes its file between two messages.
        self.publish("reported", msgspec.json.encode(describe(self._rs)), retain=True)
        self._send(self._status("online"))

    def held_back_until(self) -> int | None:
        """Return when a report that is due may be said (ms since power-on), None if none is."""
        return self._last_report + REPORT_GAP_MS if self.report_due and self.is_connected else None

    # -- events -------------------------------------------------------------------------------

    def keep(self, event: Event) -> None:
        """The event is in non-volatile memory; `pump` says it."""
        self._newest = self._store.add_event(event)

    def pump(self, moment: Moment) -> None:
        """What has not been sent is sent, at most 200 events ahead of the server's acknowledgement."""
        while self.is_connected and self._sent < self._newest:
            room = IN_FLIGHT - max(0, self._sent - self._store.acked())
            batch = self._store.events_after(self._sent, min(BATCH, room)) if room > 0 else []
            if not batch:
                return
            if self._sent <= self._store.acked():
                self._progress_ms = moment.mono_ms
            self._sent = batch[-1][0]
            self._say([event for _, event in batch])

    def acknowledge(self, boot: int, seq: int, moment: Moment) -> None:
        """The server has everything up to here; an older acknowledgement is ignored."""
        with self._store.change():
            moved = self._store.acknowledge(boot, seq)
        if moved:
            self._sent, self._progress_ms = max(self._sent, self._store.acked()), moment.mono_ms
            self.pump(moment)

    def resend_if_stuck(self, moment: Moment) -> None:
        """After 30 s without progress everything unacknowledged is sent again (§7.3)."""
        is_waiting = self._sent > self._store.acked()
        if is_waiting and moment.mono_ms - self._progress_ms >= RESEND_AFTER_MS:
            self._start_over(moment)
        self._go_on_replaying()
        self.pump(moment)

    def replay(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Those events of the range that are still kept will be sent again, 200 at a time."""
        self._replay = (first, last)
        self._go_on_replaying()

    def _go_on_replaying(self) -> None:
        if self._replay is None or not self.is_connected:
            return
        first, last = self._replay
        events = self._store.events_between(first, last, IN_FLIGHT)
        for start in range(0, len(events), BATCH):
            self._say(events[start : start + BATCH])
        done = len(events) < IN_FLIGHT
        self._replay = None if done else ((events[-1].boot, events[-1].seq + 1), last)

    def _start_over(self, moment: Moment) -> None:
        self._sent, self._progress_ms = self._store.acked(), moment.mono_ms

    def _say(self, events: list[Event]) -> None:
        self.publish("evt", msgspec.json.encode(Events(events)))
