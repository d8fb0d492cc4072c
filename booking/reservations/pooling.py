"""Which unit of a pool each of many wished times gets: one unit for all of them where that can be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from booking import db, places
from booking.places import Resource, Rules
from booking.reservations.outlook import Claim, Outlook, taken_in
from booking.reservations.writing import Part
from booking.span import Span


@dataclass(frozen=True, slots=True)
class Case:
    """A time in a resource that somebody wants; of a pool, in this unit of it."""

    resource: Resource
    span: Span
    unit: Resource | None = None

    @property
    def leaves(self) -> tuple[int, ...]:
        """What it would occupy."""
        return tuple((self.unit or self.resource).leaves)

    def part(self, rules: Rules) -> Part:
        """Return it as the part of a reservation under the rules of its day."""
        taken, wished = self.unit or self.resource, self.resource.id if self.unit else None
        return Part(taken.id, self.leaves, rules.gap_min, wished)


async def with_units(cases: Sequence[Case], outlook: Outlook, leaving: set[UUID]) -> list[Case]:
    """Return the cases, those of pools with a unit: the one that is free most often, else the next that is free.

    A time at which every unit is taken gets the first one, and is taken. `leaving` are in nobody's way.
    """
    result = list(cases)
    for pool in {one.resource.id: one.resource for one in cases if one.resource.picks_unit}.values():
        mine = [n for n, one in enumerate(cases) if one.resource.id == pool.id]
        units = await _units(pool)
        if not units:
            continue
        free = await _free([cases[n] for n in mine], units, outlook, leaving)
        units.sort(key=lambda unit: -len(free[unit.id]))
        used: dict[UUID, list[Span]] = {}
        for at, n in sorted(enumerate(mine), key=lambda pair: cases[pair[1]].span):
            kept = _with_gap(cases[n], outlook)
            open_units = (
                unit
                for unit in units
                if at in free[unit.id] and not any(one.overlaps(kept) for one in used.get(unit.id, []))
            )
            unit = next(open_units, units[0])
            used.setdefault(unit.id, []).append(kept)
            result[n] = replace(cases[n], unit=unit)
    return result


async def _units(pool: Resource) -> list[Resource]:
    ids = await db.column(
        UUID, "SELECT id FROM resource WHERE parent = $1 AND is_bookable ORDER BY name, id", pool.id
    )
    found = await places.resources_by_id(ids)
    return [found[one] for one in ids]


async def _free(
    cases: Sequence[Case], units: Sequence[Resource], outlook: Outlook, leaving: set[UUID]
) -> dict[UUID, set[int]]:
    """Return at which of the cases each unit is free."""
    claims = [Claim(tuple(unit.leaves), _with_gap(one, outlook)) for unit in units for one in cases]
    taken = iter(await taken_in(claims, outlook.now))
    return {
        unit.id: {n for n in range(len(cases)) if all(one.reservation in leaving for one in next(taken))}
        for unit in units
    }


def _with_gap(case: Case, outlook: Outlook) -> Span:
    return case.span.widened(after=timedelta(minutes=outlook.rules_of(case.resource, case.span).gap_min))
