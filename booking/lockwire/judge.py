"""Which grants of a valid snapshot can this controller not hold, and why (lock protocol §6, §11.1)."""

from collections.abc import Collection

from booking.lockwire.messages import Capacity, Refusal
from booking.lockwire.snapshot import KINDS, ROLES, Grant, Snapshot

_KNOWN = frozenset(Grant.__struct_fields__)
_RIGHTS = {"open", "arm", "disarm"}


def judge(
    snapshot: Snapshot, cap: Capacity, static_pins: Collection[str], doors: Collection[str]
) -> list[Refusal]:
    """Return the refused grants in order; when room is short the given order wins, reserve last.

    `doors` are the wire ids this controller is wired to; an empty collection means all it is told of.
    """
    wired = set(snapshot.doors) & set(doors) if doors else set(snapshot.doors)
    refused: dict[str, str] = {}
    for grants, room in ((snapshot.grants, cap.grants), (snapshot.reserve, cap.reserve)):
        kept = 0
        for grant in grants:
            why = _fault(grant, cap, static_pins, wired) or ("full" if kept >= room else None)
            if why:
                refused[grant.id] = why
            else:
                kept += 1
    _refuse_orphans(snapshot, refused)
    return [Refusal(id, why) for id, why in refused.items()]


def _fault(grant: Grant, cap: Capacity, static_pins: Collection[str], wired: set[str]) -> str | None:
    if not _is_supported(grant, cap):
        return "unsupported"
    if isinstance(grant.pin, str) and not cap.pin_min <= len(grant.pin) <= cap.pin_max:
        return "format"
    if isinstance(grant.pin, str) and grant.pin in static_pins:
        return "dup"
    return None if all(set(window.d) <= wired for window in grant.w) else "door"


def _is_supported(grant: Grant, cap: Capacity) -> bool:
    rights = set(grant.rights) if isinstance(grant.rights, list) else {"open"}
    needs = {grant.k}
    needs |= {"after"} if isinstance(grant.after, str) else set()
    needs |= {"max"} if isinstance(grant.max, int) else set()
    needs |= {"reserve"} if grant.role == "reserve" else set()
    needs |= {"arm"} if rights & {"arm", "disarm"} else set()
    known = grant.k in KINDS and grant.role in ROLES and rights <= _RIGHTS
    crit = set(grant.crit) if isinstance(grant.crit, list) else set()
    return known and needs <= set(cap.feat) and crit <= _KNOWN


def _refuse_orphans(snapshot: Snapshot, refused: dict[str, str]) -> None:
    """A grant whose leader is missing or refused cannot work; chains fall with their head."""
    every = [*snapshot.grants, *snapshot.reserve]
    while True:
        present = {grant.id for grant in every} - set(refused)
        orphans = [
            grant.id
            for grant in every
            if grant.id in present and isinstance(grant.after, str) and grant.after not in present
        ]
        if not orphans:
            return
        refused.update(dict.fromkeys(orphans, "after"))
