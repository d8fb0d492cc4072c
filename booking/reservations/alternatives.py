"""What to offer instead: the next free times of many resources, and for the loser of a race the nearest of each kind."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from uuid import UUID

from booking import db, people, places
from booking.clock import local_date
from booking.places import Resource, ResourceCard
from booking.reservations import free_starts
from booking.reservations.calendar import local_day
from booking.reservations.free_starts import FREE, DayWish, FreeWish, ask, named, whole_day
from booking.reservations.offers import Customer, Pricer
from booking.span import Span

NEAREST, SUGGESTED, AHEAD = 4, 3, 28
CHUNKS = (2, 5, 21)  # days looked at together: most is free soon


class Suggestion(db.Record):
    """Another time or place for the same wish."""

    resource: ResourceCard
    neighbour: bool
    distance_m: int | None
    start: datetime
    end: datetime
    price_ore: int | None


class _First(db.Record):
    resource: UUID
    at: datetime


# `found` for resources that are known already, ranked as they are given.
NAMED = """
found AS MATERIALIZED (
  SELECT r.id, r.calendar, r.picks_unit, f.municipality, w.place::int
  FROM unnest(:resources::uuid[]) WITH ORDINALITY w(id, place) JOIN resource r ON r.id = w.id JOIN facility f ON f.id = r.facility),
"""
_FIRST = named(f"""
WITH {NAMED} {FREE}
SELECT resource, min(base + make_interval(mins => low * step)) AS at FROM point GROUP BY resource ORDER BY 2, min(place)
""")
_NEAR = named(f"""
WITH {NAMED} {FREE}
SELECT resource, base + make_interval(mins => k * step) AS at FROM point CROSS JOIN LATERAL generate_series(low, high) k
ORDER BY abs(extract(epoch FROM base + make_interval(mins => k * step) - :near_at::timestamptz)), 2 LIMIT {NEAREST - 1}
""")


async def first_free(
    resources: Sequence[UUID], first: date, wish: FreeWish, now: datetime, *, enough: int, ahead: int = AHEAD
) -> dict[UUID, datetime]:
    """Return the first free start of each resource from a local day on, soonest first.

    Looks further ahead only while fewer than `enough` have one; nothing beyond `ahead` days.
    """
    found: dict[UUID, datetime] = {}
    offset = 0
    for chunk in CHUNKS if ahead == AHEAD else (ahead,):
        left = [one for one in resources if one not in found]
        if not left or len(found) >= enough:
            break
        days = tuple(whole_day(first + timedelta(days=offset + n)) for n in range(chunk))
        values = free_starts.parameters(replace(wish, days=days), now) | {"resources": left}
        for one in await ask(_First, _FIRST, values):
            found[one.resource] = one.at
        offset += chunk
    return found


async def next_of(
    resources: Sequence[UUID],
    first: date,
    wish: FreeWish,
    pricer: Pricer,
    near: tuple[float, float] | None,
    own: Sequence[str],
    now: datetime,
) -> list[Suggestion]:
    """Return the soonest free times of these resources, each of another resource."""
    soon = await first_free(resources, first, wish, now, enough=SUGGESTED)
    chosen = list(soon.items())[:SUGGESTED]
    known = await places.resources_by_id([one for one, _ in chosen])
    length = timedelta(minutes=wish.minutes)
    return [await suggest(known[one], Span(at, at + length), own, near, pricer) for one, at in chosen]


async def alternatives(
    resource: Resource, span: Span, purpose: str, customer: Customer, now: datetime
) -> tuple[list[Suggestion], list[Suggestion]]:
    """Return the nearest free times of the same resource, and free like ones at the same time, neighbours too."""
    pricer, day = Pricer(customer, purpose), local_day(span)
    first = max(day - timedelta(days=2), local_date(now))
    days = tuple(whole_day(first + timedelta(days=n)) for n in range(5))
    wish = FreeWish(days, span.minutes, purpose, customer)
    values = free_starts.parameters(wish, now) | {"resources": [resource.id], "near_at": span.start}
    same = [one.at for one in await ask(_First, _NEAR, values)]
    if not same:
        same = list((await first_free([resource.id], first, wish, now, enough=1)).values())
    own = (resource.facility.municipality.code,)
    here = [await suggest(resource, Span(at, at + span.length), own, None, pricer) for at in same]
    return here, await _elsewhere(resource, span, wish, pricer, now)


async def _elsewhere(
    resource: Resource, span: Span, wish: FreeWish, pricer: Pricer, now: datetime
) -> list[Suggestion]:
    """Return like resources of the municipality and its neighbours that are free at the very same time, nearest first."""
    own, place = resource.facility.municipality.code, (resource.facility.lat, resource.facility.lon)
    codes = {own} | {n for one in await people.municipalities() if one.code == own for n in one.neighbours}
    like = [
        one
        for one in await places.resources(municipalities=sorted(codes), kind=resource.kind)
        if one.id != resource.id
    ]
    like.sort(key=lambda one: distance_m(place, (one.facility.lat, one.facility.lon)))
    exactly = DayWish(local_day(span), span.start, span.start + timedelta(microseconds=1))
    values = free_starts.parameters(replace(wish, days=(exactly,)), now)
    found = await ask(_First, _FIRST, values | {"resources": [one.id for one in like]})
    free = {one.resource for one in found}
    near = [one for one in like if one.id in free][:NEAREST]
    return [await suggest(one, span, (own,), place, pricer) for one in near]


async def suggest(
    resource: Resource, span: Span, own: Sequence[str], near: tuple[float, float] | None, pricer: Pricer
) -> Suggestion:
    """Return the offer with its distance, and its price for the one who asks."""
    there = (resource.facility.lat, resource.facility.lon)
    return Suggestion(
        resource.card,
        bool(own) and resource.facility.municipality.code not in own,
        None if near is None else round(distance_m(near, there)),
        span.start,
        span.end,
        await pricer.ore(resource, span),
    )


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great-circle distance in metres between two (lat, lon) points."""
    lat1, lon1, lat2, lon2 = map(radians, (*one, *other))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_000 * asin(sqrt(h))
