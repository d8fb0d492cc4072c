"""Open days: read them, and derive them again after a change of hours and as time goes by."""

from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db
from booking.clock import local_date
from booking.places.hour_sources import calendars_of, owners_of
from booking.places.hours import Owner, opening_of
from booking.span import Span

BEHIND, AHEAD = timedelta(days=31), timedelta(days=800)  # rules open at most 730 days ahead
SLACK = timedelta(days=30)  # how far the last day may lag behind before it is continued
AT_ONCE = 20_000  # days per statement, far below the statement timeout
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


async def refresh_hours(
    municipality: str, now: datetime, first: date | None = None, last: date | None = None
) -> None:
    """The open days of every calendar of a municipality follow from its hours, in this transaction.

    With dates, only days from `first` to `last` can have changed. Which calendar a resource follows, and the
    whole of a calendar that is new, is derived all the same.
    """
    found = await calendars_of(municipality, await owners_of(municipality))
    await db.run_many(
        "UPDATE resource SET calendar = $2 WHERE id = $1 AND calendar <> $2",
        list(found.calendar_of.items()),
    )
    await db.run(
        "DELETE FROM open_day o USING resource r, facility f WHERE o.calendar = r.id AND f.id = r.facility"
        " AND f.municipality = $1 AND o.calendar <> ALL($2)",
        municipality,
        list(found.chains),
    )
    begin, end = kept_days(now)
    known = set(
        await db.column(
            UUID,
            "SELECT calendar FROM open_day WHERE calendar = ANY($1) GROUP BY calendar HAVING max(day) >= $2",
            list(found.chains),
            end - SLACK,
        )
    )
    narrow = (min(max(first or begin, begin), end - SLACK), min(last or end, end))  # leaves no hole
    await _write(found.chains, {one: narrow if one in known else (begin, end) for one in found.chains})


def kept_days(now: datetime) -> tuple[date, date]:
    """Return the first and the last local day that are derived."""
    today = local_date(now)
    return today - BEHIND, today + AHEAD


async def roll_forward(now: datetime) -> int:
    """Every calendar is known at least 770 days ahead; returns how many municipalities had to be continued."""
    behind = await db.column(
        str,
        "SELECT DISTINCT f.municipality FROM facility f LEFT JOIN LATERAL (SELECT max(day) AS day FROM open_day o"
        " WHERE o.calendar = f.id) known ON true WHERE known.day IS NULL OR known.day < $1",
        kept_days(now)[1] - SLACK,
    )
    for municipality in behind:
        async with db.transaction():
            await db.take_locks("places", [municipality])
            await refresh_hours(municipality, now)
    return len(behind)


_DERIVED = "unnest($1::uuid[], $2::date[], $3::text[], $4::text[]) AS t(calendar, day, spans, reason)"


async def _write(chains: dict[UUID, list[Owner]], days: dict[UUID, tuple[date, date]]) -> None:
    """The days of each calendar are as derived; rows that say so already are left alone."""
    rows = [row for one, chain in chains.items() for row in derived_days(one, chain, *days[one])]
    for begin in range(0, len(rows), AT_ONCE):
        await db.run(
            "INSERT INTO open_day (calendar, day, spans, reason) SELECT calendar, day, spans::tstzmultirange, reason"
            f" FROM {_DERIVED} ON CONFLICT (calendar, day) DO UPDATE SET spans = excluded.spans,"
            " reason = excluded.reason"
            " WHERE (open_day.spans, open_day.reason) IS DISTINCT FROM (excluded.spans, excluded.reason)",
            *map(list, zip(*rows[begin : begin + AT_ONCE], strict=True)),
        )


DerivedDay = tuple[UUID, date, str, str | None]


def derived_days(calendar: UUID, chain: list[Owner], first: date, last: date) -> list[DerivedDay]:
    """Return when a calendar is open on each day, as rows: the multirange as PostgreSQL reads it, and why."""
    rows: list[DerivedDay] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        found, why = opening_of(chain, day)
        spans = ",".join(f"[{one.start.isoformat()},{one.end.isoformat()})" for one in found)
        rows.append((calendar, day, "{" + spans + "}", why))
    return rows


async def wrong_days(municipality: str, now: datetime) -> int:
    """Return how many open days, from today on, differ from what the hours say or are not there."""
    found = await calendars_of(municipality, await owners_of(municipality))
    first, last = local_date(now), kept_days(now)[1] - SLACK
    wrong = 0
    for calendar, chain in found.chains.items():
        rows = derived_days(calendar, chain, first, last)
        wrong += (
            await db.value(
                int,
                f"SELECT count(*) FROM {_DERIVED} LEFT JOIN open_day o USING (calendar, day)"
                " WHERE o.day IS NULL OR (o.spans, o.reason) IS DISTINCT FROM (t.spans::tstzmultirange, t.reason)",
                *map(list, zip(*rows, strict=True)),
            )
            or 0
        )
    return wrong


async def wrong_calendars(municipality: str) -> int:
    """Return how many resources follow another calendar than the hours say."""
    found = await calendars_of(municipality, await owners_of(municipality))
    return (
        await db.value(
            int,
            "SELECT count(*) FROM resource r JOIN unnest($1::uuid[], $2::uuid[]) AS t(id, calendar)"
            " ON t.id = r.id WHERE r.calendar <> t.calendar",
            list(found.calendar_of),
            list(found.calendar_of.values()),
        )
        or 0
    )
