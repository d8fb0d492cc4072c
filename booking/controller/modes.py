"""Door modes are state: the command or snapshot with the higher number is in force (lock protocol §8.3)."""

import msgspec

from booking.lockwire.snapshot import Mode, Snapshot


class Commanded(msgspec.Struct, frozen=True):
    """The last mode command of a door. `until` is UTC seconds."""

    mode: Mode
    n: int
    until: int | None


def in_force(snapshot: Snapshot | None, door: str, commanded: Commanded | None, now: int | None) -> Mode:
    """Return the mode now. `unlocked` never outlives its end, the horizon or a trusted clock (§11.3)."""
    settings = snapshot.doors.get(door) if snapshot else None
    chosen = commanded or Commanded("normal", -1, None)
    if settings is not None and settings.mode_n >= chosen.n:
        chosen = Commanded(settings.mode, settings.mode_n, settings.mode_until)
    if chosen.mode == "unlocked" and (now is None or snapshot is None or now >= snapshot.hz[1]):
        return "normal"
    if chosen.until is not None and now is not None and now >= chosen.until:
        return "normal"
    return chosen.mode
