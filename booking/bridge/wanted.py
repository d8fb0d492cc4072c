"""What each lock should hold now: the snapshot, seen from one door and cut to what that lock can do. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from booking.bridge.contract import Declared, Why, Window
from booking.bridge.drivers import live_only
from booking.lockwire.snapshot import ALWAYS, Grant, Mode, Snapshot


@dataclass(frozen=True, slots=True)
class Code:
    """One PIN at one door: everyone it stands for and when it opens, windows joined and in order."""

    pin: str = field(repr=False)
    grants: tuple[str, ...]
    windows: tuple[Window, ...]


def codes_at(
    snapshot: Snapshot, refused: Iterable[str], door: str, mode: Mode, now: int | None, *, is_live: bool
) -> list[Code]:
    """Return the codes of a door that have not ended, nearest first, the reserve last (§11.1, §11.3).

    In lockdown and after the horizon only staff and emergency codes are left, as a native controller would open
    for them alone. Without a trusted clock a live lock is left with these too; a lock with a clock of its own
    keeps its windows.
    """
    without = frozenset(refused)
    found: dict[str, list[tuple[str, Window]]] = {}
    for grant in (*snapshot.grants, *snapshot.reserve):
        if grant.id in without or not isinstance(grant.pin, str):
            continue
        for window in _windows(grant, snapshot, door, mode, now, is_live):
            found.setdefault(grant.pin, []).append((grant.id, window))
    codes = [
        Code(pin, tuple(sorted({id for id, _ in parts})), joined(window for _, window in parts))
        for pin, parts in found.items()
    ]
    spare = {grant.id for grant in snapshot.reserve}
    return sorted(codes, key=lambda code: (spare.issuperset(code.grants), code.windows[0], code.grants))


def changed(before: Snapshot | None, after: Snapshot) -> set[str]:
    """Return the grants that are gone or have another PIN or other windows than before."""
    kept = {grant.id: (grant.pin, grant.w) for grant in (*after.grants, *after.reserve)}
    known = () if before is None else (*before.grants, *before.reserve)
    return {grant.id for grant in known if kept.get(grant.id) != (grant.pin, grant.w)}


def _windows(
    grant: Grant, snapshot: Snapshot, door: str, mode: Mode, now: int | None, is_live: bool
) -> Iterator[Window]:
    is_always = grant.role in ALWAYS
    if not is_always and (mode == "lockdown" or (now is None and is_live)):
        return
    for window in grant.w:
        na = window.na if is_always else min(window.na, snapshot.hz[1])
        if door in window.d and na > max(window.nb, snapshot.iat if now is None else now):
            yield window.nb, na


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return the windows in order, those that touch or overlap made one."""
    result: list[Window] = []
    for nb, na in sorted(windows):
        if result and nb <= result[-1][1]:
            result[-1] = (result[-1][0], max(na, result[-1][1]))
        else:
            result.append((nb, na))
    return tuple(result)


def fitted(codes: Sequence[Code], declared: Declared, now: int | None) -> list[Code]:
    """Return what this lock should hold now, as it can hold it: some windows of each code, or none if it is live."""
    if declared.is_live:
        return live_only.current(codes, now)[: declared.slots]
    return [Code(code.pin, code.grants, code.windows[: declared.windows]) for code in codes[: declared.slots]]


def crowded_out(codes: Sequence[Code], declared: Declared, now: int | None) -> dict[str, Why]:
    """Return grants that should open now but have no room: more codes are valid at once than the lock has slots."""
    open_now = live_only.current(codes, now)
    return {id: "full" for code in open_now[declared.slots :] for id in code.grants}


def unfit(snapshot: Snapshot, doors: Mapping[str, Declared]) -> dict[str, Why]:
    """Return the grants no device behind these doors can hold unaltered, and why (§6)."""
    refused: dict[str, Why] = {}
    for grant in (*snapshot.grants, *snapshot.reserve):
        wanted = {door for window in grant.w for door in window.d}
        if not wanted <= set(doors):
            refused[grant.id] = "door"
        elif isinstance(grant.pin, str) and not all(doors[door].pin.takes(grant.pin) for door in wanted):
            refused[grant.id] = "format"
    return refused
