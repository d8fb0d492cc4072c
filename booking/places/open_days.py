"""Open days: read them, and derive them again after a change of hours and as time goes by."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db
from booking.clock import SWEDEN
from booking.places.hours import OtherHours, Owner, Schedule, opening_of
from booking.span import Span

BEHIND, AHEAD = timedelta(days=31), timedelta(days=800)  # rules open at most 730 days ahead
OpenDays = dict[date, list[Span]]


class _Day(db.Record):
    calendar: UUID
    day: date
    starts: list[datetime]
    ends: list[datetime]


_SELECT = (
    "SELECT o.calendar, o.day, ARRAY(SELECT lower(s) FROM unnest(o.spans) s) AS starts,"
    " ARRAY(SELECT upper(s) FROM unnest(o.spans) s) AS ends FROM open_day o WHERE o.calendar = ANY($1)"
)


async def open_days(calendars: list[UUID], first: date, last: date) -> dict[UUID, OpenDays]:
    """Return when each calendar is open on the local days from `first` to `last`, both included."""
    found = await db.rows(_Day, _SELECT + " AND o.day BETWEEN $2 AND $3", calendars, first, last)
    return _by_calendar(calendars, found)


async def open_on(calendars: list[UUID], days: list[date]) -> dict[UUID, OpenDays]:
    """Return when each calendar is open on these local days, which need not follow each other."""
    found = await db.rows(_Day, _SELECT + " AND o.day = ANY($2)", calendars, days)
    return _by_calendar(calendars, found)


def _by_calendar(calendars: list[UUID], found: list[_Day]) -> dict[UUID, OpenDays]:
    result: dict[UUID, OpenDays] = {one: {} for one in calendars}
    for one in found:
        result[one.calendar][one.day] = [Span(*ends) for ends in zip(one.starts, one.ends, strict=True)]
    return result


async def refresh_hours(municipality: str, now: datetime) -> None:
    """The open days of every calendar of a municipality follow from its hours, in this transaction."""
    owners = await _owners(municipality)
    chains = await _follow(municipality, owners)
    today = now.astimezone(SWEDEN).date()
    await db.run("DELETE FROM open_day WHERE calendar = ANY($1) AND day >= $2", list(chains), today - BEHIND)
    await _write(chains, dict.fromkeys(chains, today - BEHIND), today + AHEAD)


async def roll_forward(now: datetime) -> int:
    """Every calendar is known 800 days ahead; returns how many had to be continued."""
    today = now.astimezone(SWEDEN).date()
    behind = await db.column(
        str,
        "SELECT DISTINCT f.municipality FROM facility f LEFT JOIN LATERAL (SELECT max(day) AS day FROM open_day o"
        " WHERE o.calendar = f.id) known ON true WHERE known.day IS NULL OR known.day < $1",
        today + AHEAD - timedelta(days=30),
    )
    for municipality in behind:
        async with db.transaction():
            await db.take_locks("hours", [municipality])
            await refresh_hours(municipality, now)
    return len(behind)


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


_OF_TOWN = """ s LEFT JOIN resource r ON r.id = s.resource LEFT JOIN facility f ON f.id = coalesce(s.facility, r.facility)"""


async def _owners(municipality: str) -> dict[str, Owner]:
    """Return what every owner in the municipality says of its hours, by the owner's id."""
    owner = "coalesce(s.resource::text, s.facility::text, s.municipality) AS owner"
    here = " WHERE coalesce(s.municipality, f.municipality) = $1"
    hours = await db.rows(
        _Hours,
        f"SELECT {owner}, s.id AS schedule, s.valid_from, s.valid_to, h.weekday, h.opens_min, h.closes_min"
        f" FROM opening_schedule {_OF_TOWN} LEFT JOIN opening_hours h ON h.schedule = s.id {here}"
        " ORDER BY h.weekday, h.opens_min",
        municipality,
    )
    others = await db.rows(
        _Other,
        f"SELECT {owner}, s.from_day, s.to_day, s.opens_min, s.closes_min, s.reason"
        f" FROM opening_exception {_OF_TOWN} {here} ORDER BY s.from_day, s.opens_min",
        municipality,
    )
    owners: dict[str, Owner] = defaultdict(Owner)
    for schedule in {one.schedule: one for one in hours}.values():
        week: dict[int, tuple[tuple[int, int], ...]] = {}
        for one in hours:
            if one.schedule == schedule.schedule and one.weekday is not None:
                minutes = (one.opens_min or 0, one.closes_min or 0)
                week[one.weekday] = (*week.get(one.weekday, ()), minutes)
        owners[schedule.owner].schedules.append(Schedule(schedule.valid_from, schedule.valid_to, week))
    for day, several in _grouped(others).items():
        minutes_of_day = tuple(
            (one.opens_min, one.closes_min)
            for one in several
            if one.opens_min is not None and one.closes_min is not None
        )
        owners[day[0]].exceptions.append(OtherHours(day[1], day[2], minutes_of_day, several[0].reason))
    return owners


def _grouped(others: list[_Other]) -> dict[tuple[str, date, date], list[_Other]]:
    """Several rows for the same owner and days are the stretches of one exception."""
    result: dict[tuple[str, date, date], list[_Other]] = defaultdict(list)
    for one in others:
        result[one.owner, one.from_day, one.to_day].append(one)
    return result


class _Node(db.Record):
    id: UUID
    parent: UUID | None
    facility: UUID


async def _follow(municipality: str, owners: dict[str, Owner]) -> dict[UUID, list[Owner]]:
    """Point every resource at its calendar, and return the owners that each calendar listens to."""
    nodes = await db.rows(
        _Node,
        "SELECT r.id, r.parent, r.facility FROM resource r JOIN facility f ON f.id = r.facility"
        " WHERE f.municipality = $1",
        municipality,
    )
    facilities = await db.column(UUID, "SELECT id FROM facility WHERE municipality = $1", municipality)
    town = owners.get(municipality, Owner())
    chains = {one: [town, owners.get(str(one), Owner())] for one in facilities}
    parents = {one.id: one.parent for one in nodes}
    moved: list[tuple[object, ...]] = []
    for node in nodes:
        line: list[UUID] = []
        step: UUID | None = node.id
        while step is not None:
            line.insert(0, step)
            step = parents[step]
        own = [one for one in line if str(one) in owners]
        moved.append((node.id, own[-1] if own else node.facility))
        if own:
            chains[own[-1]] = [*chains[node.facility], *(owners[str(one)] for one in own)]
    await db.run_many("UPDATE resource SET calendar = $2 WHERE id = $1 AND calendar <> $2", moved)
    return chains


async def _write(chains: dict[UUID, list[Owner]], first: dict[UUID, date], last: date) -> None:
    calendars: list[UUID] = []
    days: list[date] = []
    spans: list[str] = []
    reasons: list[str | None] = []
    for calendar, chain in chains.items():
        day = first[calendar]
        while day <= last:
            found, why = opening_of(chain, day)
            calendars.append(calendar)
            days.append(day)
            spans.append(
                "{" + ",".join(f"[{one.start.isoformat()},{one.end.isoformat()})" for one in found) + "}"
            )
            reasons.append(why)
            day += timedelta(days=1)
    await db.run(
        "INSERT INTO open_day (calendar, day, spans, reason) SELECT c, d, s::tstzmultirange, w"
        " FROM unnest($1::uuid[], $2::date[], $3::text[], $4::text[]) AS t(c, d, s, w)",
        calendars,
        days,
        spans,
        reasons,
    )
