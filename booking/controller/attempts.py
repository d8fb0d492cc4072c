"""Wrong PINs at each keypad: counted, and answered by ever longer lock-outs (lock protocol §11.4)."""

from booking.controller.store import Store
from booking.lockwire import lockout
from booking.lockwire.lockout import Lockout
from booking.lockwire.snapshot import Policy


class Attempts:
    """One count per keypad, that is per door; survives reboot. Used under the controller's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._doors = store.get("lockouts", dict[str, Lockout]) or {}

    def is_locked(self, door: str, policy: Policy, steady: int) -> bool:
        """True while this keypad takes no PIN. `steady` is seconds of the clock for lock-outs."""
        return self._capped(door, policy, steady).is_locked(steady)

    def count(self, door: str, why: str | None, policy: Policy, steady: int) -> bool:
        """A PIN was granted (`why` None) or denied, in the caller's change; True if a lock-out begins."""
        before = self._capped(door, policy, steady)
        after = lockout.granted(before) if why is None else lockout.denied(before, why, policy, steady)
        self._keep(door, after)
        return after.is_locked(steady) and not before.is_locked(steady)

    def _capped(self, door: str, policy: Policy, steady: int) -> Lockout:
        """A cap is kept: a clock set back moves the end once, not with every look."""
        self._keep(door, lockout.capped(self._doors.get(door, Lockout()), policy, steady))
        return self._doors.get(door, Lockout())

    def _keep(self, door: str, state: Lockout) -> None:
        if state != self._doors.get(door, Lockout()):
            self._doors = {**self._doors, door: state}
            self._store.put("lockouts", self._doors)
