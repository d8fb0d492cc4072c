"""What to tell a lock next: what it should hold against what it may hold. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from booking.bridge.contract import Held, Survey
from booking.bridge.wanted import Code


@dataclass(frozen=True, slots=True)
class Task:
    """Put this code, or clear this slot."""

    what: Literal["put", "clear"]
    held: Held
    grants: tuple[str, ...] = ()  # whom the slot stands for once a put is confirmed


def next_task(
    wanted: Sequence[Code], held: Mapping[int, Held], slots: int, may: Callable[[int], bool]
) -> Task | None:
    """Return the next task: removals first, then the nearest codes. `may` says if a slot's wait is over."""
    by_pin = {code.pin: code for code in wanted}
    for slot in sorted(held):
        if _is_unwanted(held[slot], by_pin) and may(slot):
            return Task("clear", msgspec.structs.replace(held[slot], state="clearing"))
    places = {row.pin: row for row in held.values() if not _is_unwanted(row, by_pin)}
    leaving = {row.pin for row in held.values() if _is_unwanted(row, by_pin)}
    free = (place for place in range(slots) if place not in held)
    for code in wanted:
        row = places.get(code.pin)
        if row is not None and row.state == "in" and row.windows == code.windows:
            continue
        if row is None and code.pin in leaving:
            continue  # the same PIN is on its way out of another slot
        place = next(free, None) if row is None else row.slot
        if place is not None and may(place):
            return Task("put", _putting(place, code, row), code.grants)
    return None


def _putting(slot: int, code: Code, before: Held | None) -> Held:
    """Until the lock confirms, the slot may still open for those it stood for before."""
    grants = code.grants if before is None else tuple(sorted({*before.grants, *code.grants}))
    key = None if before is None else before.key
    return Held(slot=slot, pin=code.pin, windows=code.windows, grants=grants, state="putting", key=key)


def _is_unwanted(row: Held, by_pin: Mapping[str, Code]) -> bool:
    return row.state == "clearing" or row.pin not in by_pin


def regranted(wanted: Sequence[Code], held: Mapping[int, Held]) -> list[Held]:
    """Return rows that stand for other grants now, although the lock need not be told anything."""
    by_pin = {code.pin: code for code in wanted}
    changed = []
    for row in held.values():
        code = by_pin.get(row.pin)
        if (
            code is not None
            and row.state == "in"
            and row.windows == code.windows
            and row.grants != code.grants
        ):
            changed.append(msgspec.structs.replace(row, grants=code.grants))
    return changed


def surveyed(held: Mapping[int, Held], survey: Survey, slots: int) -> dict[int, Held]:
    """Return what the lock may hold, corrected by what it says: lost codes are put again, strays cleared."""
    rows = {
        slot: msgspec.structs.replace(row, state="putting")
        if row.state == "in" and slot not in survey.slots
        else row
        for slot, row in held.items()
    }
    free = iter(
        slot for slot in range(slots + len(survey.strays)) if slot not in rows and slot not in survey.slots
    )
    unknown = [(slot, None) for slot in sorted(survey.slots) if slot not in rows]
    for slot, key in (*unknown, *((next(free), key) for key in survey.strays)):
        rows[slot] = Held(slot=slot, pin="", windows=(), grants=(), state="clearing", key=key)
    return rows


def proved(held: Iterable[Held], wanted: Sequence[Code]) -> set[str]:
    """Return grants whose code is in the lock with exactly the windows it should have now."""
    sure = {(row.pin, row.windows) for row in held if row.state == "in"}
    return {id for code in wanted if (code.pin, code.windows) in sure for id in code.grants}


def lingering(held: Iterable[Held], wanted: Sequence[Code]) -> set[str]:
    """Return grants that the lock may still open for although it should not."""
    owed = {code.pin: set(code.grants) for code in wanted}
    return {id for row in held for id in row.grants if id not in owed.get(row.pin, ())}
