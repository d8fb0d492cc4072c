"""The day view of one resource: opening, taken intervals with a reason, possible starts with this customer's price."""

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import db, places
from booking.places import Resource, ResourceCard, join
from booking.reservations.alternatives import first_free
from booking.reservations.availability import (
    Ground,
    open_days_around,
    rules_of_days,
    search_window,
    starts_of_day,
    taken_of,
)
from booking.reservations.calendar import day_span, subtract
from booking.reservations.free_starts import FreeWish
from booking.reservations.offers import Customer, Pricer, who
from booking.reservations.search import FreeStart
from booking.span import Span

PRICED = 60  # starts per answer that carry a price; more days than that are looked at, not bought


class Interval(db.Record):
    """A stretch of the day and what it is."""

    start: datetime
    end: datetime
    state: Literal["free", "booked", "closed", "past"]


class DayStart(db.Record):
    """A possible start: free or not, why not, and the price in öre."""

    start: datetime
    end: datetime
    free: bool
    reason: str | None
    price_ore: int | None


class Day(db.Record):
    """One local day."""

    date: date
    opens: datetime | None
    closes: datetime | None
    intervals: list[Interval]
    starts: list[DayStart]


class Days(db.Record):
    """Some days of one resource."""

    resource: ResourceCard
    step_min: int
    min_min: int
    max_min: int
    days: list[Day]
    next_free: FreeStart | None


async def availability(
    resource_id: UUID, first: date, days: int, minutes: int, customer: Customer, purpose: str, now: datetime
) -> Days:
    """Return `days` local days of a resource from `first` on. Raises NotFound."""
    resource = await places.resource(resource_id)
    in_force = await rules_of_days(resource_id, first, first + timedelta(days=days - 1))
    rules = in_force[first]
    minutes = minutes or rules.min_min
    asker = await who(customer, resource.facility.municipality.code, first)
    window = search_window(first, days, minutes)
    units = await taken_of(resource, window, now)
    taken = _taken_in_all(units)
    opening = (await open_days_around([resource], window))[resource.calendar]
    pricer, budget = Pricer(customer, purpose), PRICED
    result = []
    for day in (first + timedelta(days=n) for n in range(days)):
        starts = []
        for one in starts_of_day(Ground(opening, in_force[day], asker, purpose), units, day, minutes, now):
            ore = await pricer.ore(resource, one.span) if one.reason is None and budget > 0 else None
            budget -= ore is not None
            starts.append(DayStart(one.span.start, one.span.end, one.reason is None, one.reason, ore))
        spans = opening.get(day, [])
        result.append(
            Day(
                day,
                spans[0].start if spans else None,
                spans[-1].end if spans else None,
                _intervals(day, spans, taken, now),
                starts,
            )
        )
    return Days(
        resource.card,
        rules.step_min,
        rules.min_min,
        rules.max_min,
        result,
        await _next(resource, FreeWish((), minutes, purpose, customer), first, pricer, now),
    )


def _intervals(day: date, opening: list[Span], taken: list[Span], now: datetime) -> list[Interval]:
    whole = day_span(day)
    inside = [
        Span(max(one.start, whole.start), min(one.end, whole.end)) for one in taken if one.overlaps(whole)
    ]
    named = [Interval(one.start, one.end, "booked") for one in join(inside)]
    named += [Interval(one.start, one.end, "closed") for one in subtract(subtract([whole], opening), inside)]
    for one in subtract(opening, inside):
        if one.end <= now:
            named.append(Interval(one.start, one.end, "past"))
        elif one.start < now:
            named += [Interval(one.start, now, "past"), Interval(now, one.end, "free")]
        else:
            named.append(Interval(one.start, one.end, "free"))
    return sorted(named, key=lambda one: one.start)


def _taken_in_all(units: list[list[Span]]) -> list[Span]:
    """Return when no unit is free: what is taken, for all but pools."""
    if not units:
        return []
    common = join(units[0])
    for taken in units[1:]:
        common = subtract(common, subtract(common, taken))
    return common


async def _next(
    resource: Resource, wish: FreeWish, first: date, pricer: Pricer, now: datetime
) -> FreeStart | None:
    found = await first_free([resource.id], first, wish, now, enough=1)
    for start in found.values():
        span = Span(start, start + timedelta(minutes=wish.minutes))
        return FreeStart(span.start, span.end, await pricer.ore(resource, span))
    return None
