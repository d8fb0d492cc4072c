"""Opening hours as pages show them: as written at a level, what they amount to, and what differs ahead."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec

from booking import db
from booking.clock import local_date
from booking.people import Actor
from booking.places.hour_sources import owners_of
from booking.places.hours import Minutes, Owner, clock, clocks_of, opening_of, ordinary_week
from booking.places.levels import OWNED, Level, Scope, level
from booking.span import Span

PREVIEW, DIFFERENT_AHEAD = 28, timedelta(days=180)


class Stretch(msgspec.Struct, frozen=True):
    """Open between two local clock times."""

    opens: str
    closes: str


class WeekStretch(msgspec.Struct, frozen=True):
    """Open on a weekday (0 = Monday, 7 = public holiday) between two local clock times."""

    weekday: int
    opens: str
    closes: str


class ScheduleView(msgspec.Struct, frozen=True):
    """Weekly hours within dates, both included; of those in force the one that began last counts."""

    id: UUID
    name: str
    valid_from: date
    valid_to: date | None
    week: list[WeekStretch]


class Different(msgspec.Struct, frozen=True):
    """Other hours on these days, both included, or closed (null), and why."""

    from_day: date
    to_day: date
    opens: str | None
    closes: str | None
    reason: str


class ExceptionView(Different, frozen=True):
    """An exception as it was written."""

    id: UUID


class DayPreview(msgspec.Struct, frozen=True):
    """When the level is open on a day; `reason` where that differs from the ordinary week."""

    date: date
    spans: list[Stretch]
    reason: str | None


class HoursPage(msgspec.Struct, frozen=True):
    """The hours as a level wrote them, and what it and those above it amount to in the next four weeks."""

    schedules: list[ScheduleView]
    exceptions: list[ExceptionView]
    preview: list[DayPreview]


async def hours_page(scope: Scope, place_id: str, *, by: Actor, today: date) -> HoursPage:
    """Return the hours at a level. Raises NotFound, also for another municipality's."""
    here = await level(scope, place_id, by=by)
    line = [*(above.id for above in here.path), here.id]
    heard = await owners_of(here.municipality, line)
    chain = [heard.get(one, Owner()) for one in line]
    preview = [_preview(chain, today + timedelta(days=number)) for number in range(PREVIEW)]
    return HoursPage(await _schedules(here), await _exceptions(here), preview)


def _preview(chain: list[Owner], day: date) -> DayPreview:
    spans, reason = opening_of(chain, day)
    return DayPreview(day, [Stretch(*clocks_of(one, day)) for one in spans], reason)


async def ordinary_hours(municipality: str, levels: list[str], today: date) -> list[WeekStretch]:
    """Return the week in force today of a calendar that listens to these levels (public)."""
    heard = await owners_of(municipality, levels)
    return _week(ordinary_week([heard.get(one, Owner()) for one in levels], today))


class _Day(db.Record):
    day: date
    starts: list[datetime]
    ends: list[datetime]
    reason: str


async def different_ahead(calendar: UUID, now: datetime) -> list[Different]:
    """Return the days ahead on which a calendar differs from its ordinary week, alike days joined (public)."""
    today = local_date(now)
    found = await db.rows(
        _Day,
        "SELECT o.day, ARRAY(SELECT lower(s) FROM unnest(o.spans) s) AS starts,"
        " ARRAY(SELECT upper(s) FROM unnest(o.spans) s) AS ends, o.reason FROM open_day o"
        " WHERE o.calendar = $1 AND o.day BETWEEN $2 AND $3 AND o.reason IS NOT NULL ORDER BY o.day",
        calendar,
        today,
        today + DIFFERENT_AHEAD,
    )
    return [one for run in _runs(found) for one in _different(run)]


def _runs(days: list[_Day]) -> list[list[_Day]]:
    """Group days that follow on each other with the same hours for the same reason."""
    runs: list[list[_Day]] = [[one] for one in days[:1]]
    for before, one in pairwise(days):
        follows = one.day - before.day == timedelta(days=1) and one.reason == before.reason
        if follows and _stretches(one) == _stretches(before):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _stretches(one: _Day) -> list[tuple[str, str]]:
    return [clocks_of(Span(*ends), one.day) for ends in zip(one.starts, one.ends, strict=True)]


def _different(run: list[_Day]) -> list[Different]:
    first, last = run[0], run[-1]
    found: list[tuple[str | None, str | None]] = [*_stretches(first)] or [(None, None)]
    return [Different(first.day, last.day, opens, closes, first.reason) for opens, closes in found]


class _Schedule(db.Record):
    id: UUID
    name: str
    valid_from: date
    valid_to: date | None


class _Hours(db.Record):
    schedule: UUID
    weekday: int
    opens_min: int
    closes_min: int


async def _schedules(here: Level) -> list[ScheduleView]:
    found = await db.rows(
        _Schedule,
        f"SELECT id, name, valid_from, valid_to FROM opening_schedule WHERE {OWNED} ORDER BY valid_from",
        *here.columns,
    )
    hours = await db.rows(
        _Hours,
        "SELECT schedule, weekday, opens_min, closes_min FROM opening_hours WHERE schedule = ANY($1)"
        " ORDER BY weekday, opens_min",
        [one.id for one in found],
    )
    weeks: dict[UUID, list[WeekStretch]] = defaultdict(list)
    for one in hours:
        weeks[one.schedule].append(WeekStretch(one.weekday, clock(one.opens_min), clock(one.closes_min)))
    return [ScheduleView(one.id, one.name, one.valid_from, one.valid_to, weeks[one.id]) for one in found]


class _Exception(db.Record):
    id: UUID
    from_day: date
    to_day: date
    opens_min: int | None
    closes_min: int | None
    reason: str


async def _exceptions(here: Level) -> list[ExceptionView]:
    found = await db.rows(
        _Exception,
        "SELECT id, from_day, to_day, opens_min, closes_min, reason FROM opening_exception"
        f" WHERE {OWNED} ORDER BY from_day, opens_min",
        *here.columns,
    )
    return [
        ExceptionView(
            one.from_day, one.to_day, _clock(one.opens_min), _clock(one.closes_min), one.reason, one.id
        )
        for one in found
    ]


def _clock(minute: int | None) -> str | None:
    return None if minute is None else clock(minute)


def _week(week: Mapping[int, Minutes]) -> list[WeekStretch]:
    return [
        WeekStretch(weekday, clock(opens), clock(closes))
        for weekday, stretches in sorted(week.items())
        for opens, closes in stretches
    ]
