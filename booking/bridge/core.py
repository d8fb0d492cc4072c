"""The bridge: the reference controller, whose doors are other makers' locks.

Towards the server everything is the controller's: envelope, versions, reports, events, commands, time. Here is what
differs: what each lock should hold follows from the snapshot, and the report says of each grant whether its lock
has confirmed it. A grant not confirmed, or gone but not confirmed gone, stands in `pend` (lock-protocol §6).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from booking.bridge import wanted
from booking.bridge.contract import Declared, Driver, Held, Message, Sighting, Why
from booking.bridge.device import Device
from booking.bridge.drivers import live_only
from booking.controller.core import Arrived, Controller
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.controller.voice import Out
from booking.lockwire.keys import Keys
from booking.lockwire.messages import Capacity, DoorReport, Power, Refusal, Report
from booking.lockwire.snapshot import Snapshot

FIRMWARE: Final = "booking-bridge-1"
PENDING_LIMIT, REFUSED_LIMIT = 1_000, 200


def capacity(declared: Sequence[Declared]) -> Capacity:
    """Return what a bridge in front of these locks can hold; `live` among the features marks the risk."""
    live = [live_only.FEATURE] if any(each.is_live for each in declared) else []
    return Capacity(
        grants=600,  # with the reserve and what is on its way out, well under the 1,000 ids of `pend`
        reserve=200,
        max_doc=49_152,
        pin_min=min(max((each.pin.shortest for each in declared), default=4), 10),
        pin_max=min((each.pin.longest for each in declared), default=10),
        events=5_000,
        feat=["pin", "reserve", *live],
    )


class _Locks:
    """Bolts of the controller: a wish to a driver, not a coil."""

    def __init__(self, devices: Mapping[str, Device], hand: Callable[[Message], None]) -> None:
        self._devices, self._hand = devices, hand

    def unlock(self, door: str) -> None:
        """The lock is told to open."""
        self._release(door, free=True)

    def lock(self, door: str) -> None:
        """The lock is told to lock."""
        self._release(door, free=False)

    def identify(self, door: str | None) -> None:
        """Nothing: no driver here can make its lock blink."""

    def _release(self, door: str, *, free: bool) -> None:
        if door in self._devices:
            for message in self._devices[door].driver.release(free):
                self._hand(message)


class Bridge(Controller):
    """A controller whose credentials live in the locks. Every public method may be called from any thread."""

    def __init__(
        self,
        name: str,
        keys: Sequence[Keys],
        store: Store,
        drivers: Mapping[str, Driver],
        read: Callable[[], Moment],
        send: Callable[[Out], None],
        hand: Callable[[Message], None],
        say: Callable[[str], None],
    ) -> None:
        def device(door: str, driver: Driver) -> Device:
            def save(rows: list[Held]) -> None:
                with store.change():
                    store.put(f"lock:{door}", rows)

            return Device(door, driver, store.get(f"lock:{door}", list[Held]) or [], save, say, hand)

        self.devices = {door: device(door, driver) for door, driver in drivers.items()}
        self._bolts_say: dict[str, str] = {}
        self._battery: dict[str, int] = {}
        self._unfit: dict[str, Why] = {}
        self._crowded: dict[str, Why] = {}
        self._owed: dict[str, set[str]] = {}
        self._planned: Snapshot | None = None
        self._standing: tuple[list[str], dict[str, Why]] = ([], {})
        self._declared = {door: driver.declared for door, driver in drivers.items()}
        self._locks = _Locks(self.devices, hand)
        super().__init__(
            name, keys, store, self._locks, read, send,
            capacity=capacity([*self._declared.values()]), wired=list(drivers),
        )  # fmt: skip
        self._plan(read())

    # -- the server's side ----------------------------------------------------------------------

    def receive(self, message: Arrived) -> None:
        """Act on one message of the server; what the locks should hold follows."""
        with self._lock:
            before = self.stored
            super().receive(message)
            if self.stored is not before:
                self._work(self._read())

    def tick(self) -> None:
        """Do what time alone demands: windows that start and end, time-outs, tries again."""
        with self._lock:
            super().tick()
            self._work(self._read())

    def idle_s(self) -> float:
        """Return how long nothing needs doing, half a second at most."""
        with self._lock:
            now = self._read().mono_ms
            due = [device.due_ms(now) for device in self.devices.values()]
            soonest = min((at for at in due if at is not None), default=now + 500)
            return min(super().idle_s(), max(0, soonest - now) / 1_000)

    # -- the locks' side ------------------------------------------------------------------------

    def local_connected(self, is_online: bool) -> None:
        """The broker next to the locks is there, or gone."""
        with self._lock:
            moment = self._read()
            for door, device in self.devices.items():
                device.connected(is_online, moment.mono_ms)
                if is_online and self._doors.mode(door, moment) == "unlocked":
                    self._locks.unlock(door)  # what was said while it was away is lost
            self._work(moment)

    def hear(self, message: Message) -> None:
        """Act on one message from a lock."""
        with self._lock:
            moment = self._read()
            for door, device in self.devices.items():
                for sighting in device.hear(message, moment.mono_ms):
                    self._see(door, device, sighting, moment)
            self._work(moment)

    def open_once(self, door: str) -> bool:
        """The door is released for its usual seconds at a dashboard's wish; False in lockdown or if unknown."""
        with self._lock:
            moment = self._read()
            known = self.snapshot is not None and door in self.snapshot.doors
            if not known or self._doors.mode(door, moment) == "lockdown":
                return False
            with self.store.change():
                self._diary.note(moment, "granted", door, k="cmd")
            self._doors.release(door, moment)
            self._speak(moment)
            return True

    def doors_now(self) -> dict[str, DoorReport]:
        """Return each door as it is reported."""
        with self._lock:
            shown = self._doors.report(self._read())
            return {door: self._as_the_lock_says(door, each) for door, each in shown.items()}

    def _work(self, moment: Moment) -> None:
        self._plan(moment)
        for device in self.devices.values():
            device.tick(moment.mono_ms, self.now_s(moment))
        standing = (self.pending(), self._refusals())
        if standing != self._standing:
            self._standing, self._voice.report_due = standing, True
        self._speak(moment)

    def _plan(self, moment: Moment) -> None:
        """Each lock is told what it should hold now. A grant that one lock refused is in none of them."""
        if self.snapshot is None:
            return
        now = self.now_s(moment)
        if self._planned is not self.snapshot:
            changed = wanted.changed(self._planned, self.snapshot)
            for device in self.devices.values():
                device.reconsider(changed)
            self._planned = self.snapshot
        self._unfit = wanted.unfit(self.snapshot, self._declared)
        refused = {*self._holding.refused, *self._unfit}
        for device in self.devices.values():
            refused |= set(device.refusals())
        self._crowded = {}
        for door, device in self.devices.items():
            declared, mode = device.driver.declared, self._doors.mode_at(door, now)
            codes = wanted.codes_at(self.snapshot, refused, door, mode, now, is_live=declared.is_live)
            self._crowded |= wanted.crowded_out(codes, declared, now)
            self._owed[door] = {id for code in codes for id in code.grants}
            device.want(wanted.fitted(codes, declared, now))

    def _see(self, door: str, device: Device, sighting: Sighting, moment: Moment) -> None:
        """What a lock told becomes an event or part of the report."""
        if sighting.what in ("locked", "unlocked"):
            self._voice.report_due = self._voice.report_due or self._bolts_say.get(door) != sighting.what
            self._bolts_say[door] = sighting.what
        elif sighting.what == "battery":
            self._battery[door] = min(max(sighting.value or 0, 0), 100)
            self.powered(Power(src="battery", bat=min(self._battery.values())))
        elif sighting.what == "opened":
            if self._bolts_say.get(door) != "locked":
                self._doors.free(door, moment)
            self._doors.sense(door, "opened", moment)
        elif sighting.what == "closed":
            self._doors.sense(door, "closed", moment)
        elif sighting.what == "tamper":
            self._doors.sense(door, "tamper", moment)
        elif sighting.what == "granted":
            self._doors.free(door, moment)
            self._tell_granted(door, device, sighting.slot, moment)
        elif sighting.what == "denied":
            with self.store.change():
                self._diary.note(moment, "denied", door, k="pin", why="unknown")

    def _tell_granted(self, door: str, device: Device, slot: int | None, moment: Moment) -> None:
        """A code opened the door; which one is known if the lock says so."""
        row = device.held.get(slot) if slot is not None else None
        holder = self._holder(row, door, moment) if row is not None else None
        with self.store.change():
            if holder is not None:
                self.store.count_opening(holder, self.now_s(moment))
            self._diary.note(moment, "granted", door, k="pin", g=holder)

    def _holder(self, row: Held, door: str, moment: Moment) -> str | None:
        """Return whose code it was: the grant with a window now, the earliest, then the lowest id (§5.3)."""
        now, held = self.now_s(moment), [] if self.snapshot is None else self.snapshot.grants
        open_now = [
            (window.nb, grant.id)
            for grant in held
            for window in grant.w
            if grant.id in row.grants
            and door in window.d
            and now is not None
            and window.nb <= now < window.na
        ]
        return min(open_now)[1] if open_now else min(row.grants, default=None)

    # -- the report -----------------------------------------------------------------------------

    def pending(self) -> list[str]:
        """Return grants whose lock has not confirmed them, or has not confirmed them gone; the latter first."""
        refused, waiting, leaving = set(self._refusals()), set(), set()
        for door, device in self.devices.items():
            waiting |= self._owed.get(door, set()) - device.proved() - refused
            leaving |= device.lingering()
        return [*sorted(leaving), *sorted(waiting - leaving)]

    def _refusals(self) -> dict[str, Why]:
        why: dict[str, Why] = dict(self._unfit)
        for device in self.devices.values():
            why |= device.refusals()
        return self._crowded | why

    def _report(self, number: int, moment: Moment) -> Report:
        self._plan(moment)  # a snapshot just stored must not be reported by what was owed before it
        report, refused = super()._report(number, moment), self._refusals()
        stored = self.stored.refused if self.stored else []
        own = {each.id for each in stored}
        every = [*stored, *(Refusal(id, why) for id, why in sorted(refused.items()) if id not in own)]
        unlisted = [
            each.id for each in every[REFUSED_LIMIT:]
        ]  # not in `rej`, so they must not pass for applied
        pending = [*self.pending(), *unlisted]
        full = [Refusal(id, "full") for id in pending[PENDING_LIMIT:]]
        return msgspec.structs.replace(
            report,
            rej=[*full, *every][:REFUSED_LIMIT],
            rej_more=len(unlisted) or msgspec.UNSET,
            pend=pending[:PENDING_LIMIT],
            doors={door: self._as_the_lock_says(door, each) for door, each in report.doors.items()},
            fw=FIRMWARE,
        )

    def _as_the_lock_says(self, door: str, report: DoorReport) -> DoorReport:
        return msgspec.structs.replace(report, lock=self._bolts_say.get(door, "unknown"))
