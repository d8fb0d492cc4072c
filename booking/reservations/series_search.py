"""Series search: where is the same hour free, week after week, and which dates are missed and why."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, places
from booking.clock import at_local
from booking.errors import Rejected
from booking.places import Resource, ResourceCard
from booking.reservations import finding, free_starts
from booking.reservations.alternatives import distance_m
from booking.reservations.finding import FOUND, REACH, Filters
from booking.reservations.free_starts import FREE, DayWish, FreeWish, ask, named
from booking.reservations.months import days_free
from booking.reservations.search import Prices, Query, filters_of, window_of
from booking.span import Span

MOST_DATES, MOST_PLACES = 60, 500


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """The same hour on a weekday (0 = Monday) from one local date to another; `like` holds all other wishes."""

    like: Query
    weekday: int
    first: date
    last: date


class Miss(db.Record):
    """A date on which the hour can't be had, and why."""

    date: date
    reason: str


class SeriesHit(db.Record):
    """A resource with the clock hour that is free most often, the dates missed, and the price of those that are free."""

    resource: ResourceCard
    distance_m: int | None
    neighbour: bool
    from_clock: str = msgspec.field(name="from")
    to_clock: str = msgspec.field(name="to")
    free_count: int
    of: int
    misses: list[Miss]
    total_ore: int | None


class SeriesResults(db.Record):
    """Resources with most free dates first."""

    results: list[SeriesHit]
    total: int


class _Best(db.Record):
    resource: UUID
    minute: int
    days: list[date]
    total: int


# The raster is in minutes of the local day, so that the same k * step is the same time on the clock on every date.
_BEST = named(f"""
WITH {REACH} {FOUND.replace("WHERE fits)", f"WHERE fits ORDER BY place LIMIT {MOST_PLACES})")} {FREE},
hour AS (
  SELECT resource, place, k * step AS minute, array_agg(day ORDER BY day) AS days
  FROM point CROSS JOIN LATERAL generate_series(low, high) k GROUP BY resource, place, k * step),
best AS (
  SELECT DISTINCT ON (place) * FROM hour ORDER BY place, cardinality(days) DESC, minute)
SELECT resource, minute, days, (SELECT count(*) FROM found) AS total FROM best
ORDER BY cardinality(days) DESC, place LIMIT :limit OFFSET :offset
""")


async def search_series(query: SeriesQuery, now: datetime) -> SeriesResults:
    """Return where the hour is free most often, among the 500 nearest that fit the wish.

    A resource that has it on no date is not listed. Raises Rejected for no date or more than 60.
    """
    like, dates = query.like, _dates(query)
    filters = await filters_of(like)
    days = tuple(_bounded(window_of(day, like.from_min, like.to_min)) for day in dates)
    wish = FreeWish(days, like.minutes, like.purpose, like.customer)
    values = finding.parameters(filters) | free_starts.parameters(wish, now)
    values |= {"limit": like.limit, "offset": like.offset}
    found = await ask(_Best, _BEST, values)
    known = await places.resources_by_id([one.resource for one in found])
    missed = await _missed(found, wish, dates, now)
    prices = Prices(like.customer, like.purpose)
    hits = [
        await _hit(known[one.resource], one, missed[one.resource], filters, query, prices) for one in found
    ]
    return SeriesResults(hits, found[0].total if found else 0)


def _dates(query: SeriesQuery) -> list[date]:
    day = query.first + timedelta(days=(query.weekday - query.first.weekday()) % 7)
    dates = [
        day + timedelta(weeks=n) for n in range(MOST_DATES + 1) if day + timedelta(weeks=n) <= query.last
    ]
    if not dates:
        raise Rejected("no such weekday between the dates", code="no_dates")
    if len(dates) > MOST_DATES:
        raise Rejected(f"at most {MOST_DATES} dates at once", code="too_many_dates")
    return dates


def _bounded(wish: DayWish) -> DayWish:
    return (
        wish
        if wish.to_at is None
        else replace(wish, until_at=max(wish.from_at, min(wish.until_at, wish.to_at)))
    )


async def _missed(
    found: list[_Best], wish: FreeWish, dates: list[date], now: datetime
) -> dict[UUID, list[Miss]]:
    """Return the dates that each resource lacks at its best hour, with the reason of that very hour."""
    lacking: dict[int, list[_Best]] = defaultdict(list)
    for one in found:
        if len(one.days) < len(dates):
            lacking[one.minute].append(one)
    result: dict[UUID, list[Miss]] = defaultdict(list)
    for minute, several in lacking.items():
        exactly = replace(wish, days=tuple(_at(day, minute) for day in dates))
        free = {one.resource: set(one.days) for one in several}
        for day in await days_free(list(free), exactly, now):
            if day.date not in free[day.resource]:
                result[day.resource].append(Miss(day.date, day.reason or "closed"))
    return result


def _at(day: date, minute: int) -> DayWish:
    start = at_local(day.year, day.month, day.day, minute)
    return DayWish(day, start, start + timedelta(microseconds=1))


async def _hit(
    resource: Resource,
    best: _Best,
    misses: list[Miss],
    filters: Filters,
    query: SeriesQuery,
    prices: Prices,
) -> SeriesHit:
    like, owner = query.like, resource.facility.municipality.code
    length = timedelta(minutes=like.minutes)
    starts = [at_local(day.year, day.month, day.day, best.minute) for day in best.days]
    each = [await prices.ore(resource, Span(start, start + length)) for start in starts]
    there = (resource.facility.lat, resource.facility.lon)
    priced = [ore for ore in each if ore is not None]
    return SeriesHit(
        resource.card,
        None if like.near is None else round(distance_m(like.near, there)),
        bool(filters.own) and owner not in filters.own,
        _clock(best.minute),
        _clock((best.minute + like.minutes) % 1440),
        len(best.days),
        len(best.days) + len(misses),
        misses,
        sum(priced) if len(priced) == len(each) else None,
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
