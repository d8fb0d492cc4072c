"""The week that a round shares out: on which dates of the season each leaf is open and free, quarter by quarter."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from booking import db, places
from booking.clock import SWEDEN, at_local
from booking.places import OpenDays, Resource
from booking.reservations.seasons.ground import DAY, QUARTER, Ground, Place
from booking.reservations.seasons.rounds import RoundRow
from booking.reservations.seasons.rules import RoundRules, SharedHours
from booking.span import Span

QUARTERS = DAY // QUARTER


@dataclass(frozen=True, slots=True)
class Season:
    """The dates of a round that are shared out, by weekday and in order."""

    by_weekday: dict[int, list[date]]

    @property
    def days(self) -> list[date]:
        """All of them, in order."""
        return sorted(day for days in self.by_weekday.values() for day in days)


class _Taken(db.Record):
    leaf: int
    starts_at: datetime
    ends_at: datetime


async def season_of(row: RoundRow, now: datetime) -> Season:
    """Return the dates from tomorrow on that the round shares out: no breaks, holidays or days that it leaves out."""
    rules = row.terms
    out = [(one.first, one.last) for one in rules.out]
    if rules.skip_school_breaks:
        found = await places.school_breaks(row.municipality, row.starts_on, row.ends_on)
        out += [(one.from_day, one.to_day) for one in found]
    day = max(row.starts_on, now.astimezone(SWEDEN).date() + timedelta(days=1))
    holidays = {one for year in range(day.year, row.ends_on.year + 1) for one in places.public_holidays(year)}
    by_weekday: dict[int, list[date]] = {n: [] for n in range(7)}
    while day <= row.ends_on:
        closed = rules.skip_holidays and day in holidays
        if not closed and not any(first <= day <= last for first, last in out):
            by_weekday[day.weekday()].append(day)
        day += timedelta(days=1)
    return Season(by_weekday)


async def ground_of(row: RoundRow, now: datetime) -> Ground:
    """Return the places of a round and when they are free."""
    season = await season_of(row, now)
    rules = row.terms
    found = await places.resources_by_id(row.resources)
    wanted = [found[one] for one in row.resources if one in found]
    gaps = await places.rules_on(row.resources, row.starts_on)
    opening = await places.open_on(sorted({one.calendar for one in wanted}), season.days)
    busy = await _busy({leaf for one in wanted for leaf in one.leaves}, season, now)
    hours = {
        (one.id, weekday): _open(opening[one.calendar], days, rules.hours_on(weekday))
        for one in wanted
        for weekday, days in season.by_weekday.items()
    }
    free = {}
    for leaf in {leaf for one in wanted for leaf in one.leaves}:
        for weekday, days in season.by_weekday.items():
            every = (1 << len(days)) - 1
            free[leaf, weekday] = tuple(every & ~taken for taken in busy[leaf, weekday])
    return Ground(
        {one.id: _place(one, gaps[one.id].gap_min) for one in wanted},
        {weekday: len(days) for weekday, days in season.by_weekday.items()},
        free,
        rules.terms,
        hours,
    )


def bare_ground(rules: RoundRules) -> Ground:
    """Return the round's terms without any place, for figures."""
    return Ground({}, {}, {}, rules.terms)


def _place(resource: Resource, gap_min: int) -> Place:
    return Place(resource.id, tuple(resource.leaves), gap_min)


async def _busy(leaves: set[int], season: Season, now: datetime) -> defaultdict[tuple[int, int], list[int]]:
    """Return per leaf and weekday and quarter the dates on which it is taken."""
    busy: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * QUARTERS)
    if not season.days:
        return busy
    number = {day: n for days in season.by_weekday.values() for n, day in enumerate(days)}
    first, last = season.days[0], season.days[-1]
    taken = await db.rows(
        _Taken,
        "SELECT leaf, starts_at, ends_at FROM occupancy WHERE leaf = ANY($1) AND starts_at < $3 AND ends_at > $2"
        " AND (hold_until IS NULL OR hold_until > $4)",
        sorted(leaves),
        at_local(first.year, first.month, first.day, 0),
        at_local(last.year, last.month, last.day, DAY),
        now,
    )
    for one in taken:
        for day, opens, closes in local_stretches(Span(one.starts_at, one.ends_at)):
            if day in number:
                row = busy[one.leaf, day.weekday()]
                for at in range(opens // QUARTER, -(-closes // QUARTER)):
                    row[at] |= 1 << number[day]
    return busy


def local_stretches(span: Span) -> list[tuple[date, int, int]]:
    """Return the local days that a span touches, with the minutes of the wall clock it has there."""
    start, end = span.start.astimezone(SWEDEN), span.end.astimezone(SWEDEN)
    found, day = [], start.date()
    while day <= end.date():
        opens = start.hour * 60 + start.minute if day == start.date() else 0
        closes = end.hour * 60 + end.minute if day == end.date() else DAY
        if closes > opens:
            found.append((day, opens, closes))
        day += timedelta(days=1)
    return found


def _open(opening: OpenDays, days: list[date], hours: SharedHours | None) -> tuple[int, ...]:
    """Return per quarter the dates on which the place is open within the round's hours."""
    quarters = [0] * QUARTERS
    if hours is None:
        return tuple(quarters)
    for n, day in enumerate(days):
        for span in opening.get(day, []):
            for where, opens, closes in local_stretches(span):
                if where != day:
                    continue
                begin, end = max(opens, hours.opens), min(closes, hours.closes)
                for at in range(-(-begin // QUARTER), end // QUARTER):
                    quarters[at] |= 1 << n
    return tuple(quarters)
