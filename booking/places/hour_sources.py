"""Opening hours as they were written, gathered for a municipality: which calendar listens to whom."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from booking import db
from booking.places.hours import Minutes, OtherHours, Owner, Schedule


@dataclass(frozen=True, slots=True)
class Calendars:
    """Of each calendar the owners it listens to, the most general first; of each resource its calendar."""

    chains: dict[UUID, list[Owner]]
    calendar_of: dict[UUID, UUID]


async def calendars_of(municipality: str, owners: dict[str, Owner]) -> Calendars:
    """Return the calendars of a municipality: one per facility, one per resource with hours of its own."""
    nodes = await db.rows(
        _Node,
        "SELECT r.id, r.parent, r.facility FROM resource r JOIN facility f ON f.id = r.facility"
        " WHERE f.municipality = $1 ORDER BY r.id",
        municipality,
    )
    facilities = await db.column(UUID, "SELECT id FROM facility WHERE municipality = $1", municipality)
    town = owners.get(municipality, Owner())
    chains = {one: [town, owners.get(str(one), Owner())] for one in facilities}
    parents = {one.id: one.parent for one in nodes}
    calendar_of: dict[UUID, UUID] = {}
    for node in nodes:
        own = [one for one in line_of(node.id, parents) if str(one) in owners]
        calendar_of[node.id] = own[-1] if own else node.facility
        if own:
            chains[own[-1]] = [*chains[node.facility], *(owners[str(one)] for one in own)]
    return Calendars(chains, calendar_of)


def line_of(resource: UUID, parents: dict[UUID, UUID | None]) -> list[UUID]:
    """Return the resource's ancestors, the whole first, and itself last."""
    line = [resource]
    while (parent := parents[line[0]]) is not None:
        line.insert(0, parent)
    return line


async def owners_of(municipality: str, only: list[str] | None = None) -> dict[str, Owner]:
    """Return what every owner in the municipality, or `only` these, says of its hours, by the owner's id as text."""
    result: dict[str, Owner] = defaultdict(Owner)
    for schedule in await _schedules(municipality, only):
        result[schedule[0]].schedules.append(schedule[1])
    for (owner, first, last), several in _grouped(await _exceptions(municipality, only)).items():
        stretches = tuple(
            (one.opens_min, one.closes_min)
            for one in several
            if one.opens_min is not None and one.closes_min is not None
        )
        result[owner].exceptions.append(OtherHours(first, last, stretches, several[0].reason))
    return dict(result)


class _Node(db.Record):
    id: UUID
    parent: UUID | None
    facility: UUID


class _Hours(db.Record):
    owner: str
    schedule: UUID
    valid_from: date
    valid_to: date | None
    weekday: int | None
    opens_min: int | None
    closes_min: int | None


class _Other(db.Record):
    owner: str
    from_day: date
    to_day: date
    opens_min: int | None
    closes_min: int | None
    reason: str


_OWNER = "coalesce(s.resource::text, s.facility::text, s.municipality)"
_HERE = """ s LEFT JOIN resource r ON r.id = s.resource LEFT JOIN facility f ON f.id = coalesce(s.facility, r.facility)"""
_OF_TOWN = (
    f" WHERE coalesce(s.municipality, f.municipality) = $1 AND ($2::text[] IS NULL OR {_OWNER} = ANY($2))"
)


async def _schedules(municipality: str, only: list[str] | None) -> list[tuple[str, Schedule]]:
    found = await db.rows(
        _Hours,
        f"SELECT {_OWNER} AS owner, s.id AS schedule, s.valid_from, s.valid_to, h.weekday, h.opens_min, h.closes_min"
        f" FROM opening_schedule{_HERE} LEFT JOIN opening_hours h ON h.schedule = s.id{_OF_TOWN}"
        " ORDER BY s.valid_from, s.id, h.weekday, h.opens_min",
        municipality,
        only,
    )
    weeks: dict[UUID, dict[int, Minutes]] = defaultdict(dict)
    for one in found:
        if one.weekday is not None and one.opens_min is not None and one.closes_min is not None:
            week = weeks[one.schedule]
            week[one.weekday] = (*week.get(one.weekday, ()), (one.opens_min, one.closes_min))
    once = {one.schedule: one for one in found}
    return [(one.owner, Schedule(one.valid_from, one.valid_to, weeks[one.schedule])) for one in once.values()]


async def _exceptions(municipality: str, only: list[str] | None) -> list[_Other]:
    return await db.rows(
        _Other,
        f"SELECT {_OWNER} AS owner, s.from_day, s.to_day, s.opens_min, s.closes_min, s.reason FROM opening_exception"
        f"{_HERE}{_OF_TOWN} ORDER BY s.from_day, s.to_day, s.opens_min",
        municipality,
        only,
    )


def _grouped(others: list[_Other]) -> dict[tuple[str, date, date], list[_Other]]:
    """Several rows for the same owner and days are the stretches of one exception."""
    result: dict[tuple[str, date, date], list[_Other]] = defaultdict(list)
    for one in others:
        result[one.owner, one.from_day, one.to_day].append(one)
    return result
