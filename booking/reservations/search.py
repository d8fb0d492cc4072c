"""Search: what is free for this customer, own municipality first, neighbours beside it; and the loser's alternatives."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from uuid import UUID

from booking import db, people, places
from booking.clock import SWEDEN
from booking.places import Resource, ResourceCard
from booking.reservations.availability import (
    Ground,
    Start,
    busy,
    busy_of,
    next_free,
    open_days_around,
    search_window,
    starts_of_day,
)
from booking.reservations.calendar import Who, local_day
from booking.reservations.offers import Customer, Pricer, who
from booking.span import Span

SHOWN, NEAREST = 6, 4


@dataclass(frozen=True, slots=True)
class Query:
    """A search: places, local day with a window in minutes, length in minutes, for whom, and how sorted."""

    day: date
    from_min: int = 0
    to_min: int | None = None  # None: it may end on a later day
    minutes: int = 60
    municipalities: tuple[str, ...] = ()
    neighbours: bool = True
    text: str | None = None
    kind: str | None = None
    min_area_m2: int | None = None
    whole: bool | None = None
    near: tuple[float, float] | None = None  # lat, lon
    purpose: str = "private"
    customer: Customer = field(default_factory=Customer)
    sort: str = "distance"
    limit: int = 30
    offset: int = 0


class FreeStart(db.Record):
    """A free start with this customer's price in öre (None: the list has no price)."""

    start: datetime
    end: datetime
    price_ore: int | None


class Hit(db.Record):
    """A resource with its first free starts, or why there are none."""

    resource: ResourceCard
    distance_m: int | None
    neighbour: bool
    free: list[FreeStart]
    free_count: int
    from_price_ore: int | None
    reason: str | None


class Suggestion(db.Record):
    """Another time or place for the same wish."""

    resource: ResourceCard
    neighbour: bool
    distance_m: int | None
    start: datetime
    end: datetime
    price_ore: int | None


class Facet(db.Record):
    """How many resources there are per value."""

    value: str
    count: int


class Facets(db.Record):
    """What the hits are and where, most frequent first."""

    kind: list[Facet]
    municipality: list[Facet]


class Results(db.Record):
    """A page of hits with what was found in all."""

    results: list[Hit]
    total: int
    total_free: int
    facets: Facets
    next: list[Suggestion]


async def search(query: Query, now: datetime) -> Results:
    """Return resources with free time first, each with up to six free starts priced for this customer."""
    own, codes = await _reach(query)
    found = await places.resources(
        municipalities=codes,
        kind=query.kind,
        text=query.text,
        min_area_m2=query.min_area_m2,
        whole=query.whole,
    )
    grounds = await _grounds(found, query.day, query.minutes, query.customer, query.purpose)
    taken = await busy(
        [leaf for one in found for leaf in one.leaves], search_window(query.day, 1, query.minutes), now
    )
    pricer = Pricer(query.customer, query.purpose)
    hits = []
    for one in found:
        starts = _in_window(
            starts_of_day(grounds[one.id], busy_of(one, taken), query.day, query.minutes, now),
            query,
        )
        hits.append(await _hit(one, starts, own, query, pricer))
    hits.sort(key=lambda hit: (not hit.free, *_order(hit, query.sort)))
    free = sum(1 for hit in hits if hit.free)
    return Results(
        hits[query.offset : query.offset + query.limit],
        len(hits),
        free,
        _facets(found),
        [] if free else await _later(hits, found, grounds, query, pricer, now),
    )


async def alternatives(
    resource: Resource, span: Span, purpose: str, customer: Customer, now: datetime
) -> tuple[list[Suggestion], list[Suggestion]]:
    """Return the nearest free times of the same resource, and free like ones at the same time, neighbours too."""
    pricer, day = Pricer(customer, purpose), local_day(span)
    first = max(day - timedelta(days=2), now.astimezone(SWEDEN).date())
    same: list[Span] = []
    window = search_window(first, 5, span.minutes)
    taken = busy_of(resource, await busy(resource.leaves, window, now))
    for near in (first + timedelta(days=n) for n in range(5)):
        ground = (await _grounds([resource], near, span.minutes, customer, purpose))[resource.id]
        starts = starts_of_day(ground, taken, near, span.minutes, now)
        same += [start.span for start in starts if start.reason is None]
    same.sort(key=lambda one: (abs(one.start - span.start), one.start))
    if not same:
        asker = await who(customer, resource.facility.municipality.code, day)
        after = await next_free(resource, asker, purpose, first, span.minutes, now)
        same = [] if after is None else [after]
    here = [
        await _suggest(resource, one, resource.facility.municipality.code, None, pricer) for one in same[:3]
    ]
    return here, await _elsewhere(resource, span, customer, purpose, now)


async def _grounds(
    found: list[Resource], day: date, minutes: int, customer: Customer, purpose: str
) -> dict[UUID, Ground]:
    """Return what decides about each resource on a day besides occupation."""
    opening = await open_days_around(found, search_window(day, 1, minutes))
    rules = await places.rules_on([one.id for one in found], day)
    askers: dict[str, Who] = {}
    for owner in {one.facility.municipality.code for one in found}:
        askers[owner] = await who(customer, owner, day)
    return {
        one.id: Ground(opening[one.calendar], rules[one.id], askers[one.facility.municipality.code], purpose)
        for one in found
    }


async def _elsewhere(
    resource: Resource, span: Span, customer: Customer, purpose: str, now: datetime
) -> list[Suggestion]:
    pricer = Pricer(customer, purpose)
    own, place = resource.facility.municipality.code, (resource.facility.lat, resource.facility.lon)
    codes = {own} | {n for one in await people.municipalities() if one.code == own for n in one.neighbours}
    like = [
        one
        for one in await places.resources(municipalities=sorted(codes), kind=resource.kind)
        if one.id != resource.id
    ]
    grounds = await _grounds(like, local_day(span), span.minutes, customer, purpose)
    taken = await busy(
        [leaf for one in like for leaf in one.leaves], search_window(local_day(span), 1, span.minutes), now
    )
    free = []
    for one in like:
        starts = starts_of_day(grounds[one.id], busy_of(one, taken), local_day(span), span.minutes, now)
        if any(start.span == span and start.reason is None for start in starts):
            free.append(one)
    free.sort(key=lambda one: distance_m(place, (one.facility.lat, one.facility.lon)))
    return [await _suggest(one, span, own, place, pricer) for one in free[:NEAREST]]


async def _reach(query: Query) -> tuple[set[str], list[str]]:
    """Return the asker's own municipalities and all that are searched."""
    known = {one.code: one for one in await people.municipalities()}
    own = {code for code in query.municipalities if code in known}
    if not own:
        return ({query.customer.home} if query.customer.home in known else set()), sorted(known)
    around = {n for code in own for n in known[code].neighbours} if query.neighbours else set()
    return own, sorted(own | around)


def _in_window(starts: list[Start], query: Query) -> list[Start]:
    def minute(moment: datetime) -> int:
        wall = moment.astimezone(SWEDEN)
        return wall.hour * 60 + wall.minute + 1440 * (wall.date() - query.day).days

    return [
        one
        for one in starts
        if minute(one.span.start) >= query.from_min
        and (query.to_min is None or minute(one.span.end) <= query.to_min)
    ]


async def _hit(resource: Resource, starts: list[Start], own: set[str], query: Query, pricer: Pricer) -> Hit:
    free = [one.span for one in starts if one.reason is None]
    shown = [FreeStart(one.start, one.end, await pricer.ore(resource, one)) for one in free[:SHOWN]]
    prices = [one.price_ore for one in shown if one.price_ore is not None]
    reason = None if free else _why_none(starts)
    place = (resource.facility.lat, resource.facility.lon)
    return Hit(
        resource.card,
        None if query.near is None else round(distance_m(query.near, place)),
        bool(own) and resource.facility.municipality.code not in own,
        shown,
        len(free),
        min(prices, default=None),
        reason,
    )


def _why_none(starts: list[Start]) -> str:
    if not starts:
        return "closed"
    reasons = Counter(one.reason for one in starts if one.reason)
    if reasons.get("booked"):
        return "fully_booked"
    return reasons.most_common(1)[0][0]


def _order(hit: Hit, sort: str) -> tuple[float, float, str]:
    far = hit.distance_m if hit.distance_m is not None else (1 if hit.neighbour else 0)
    price = hit.from_price_ore if hit.from_price_ore is not None else 1 << 40
    if sort == "price":
        return price, far, hit.resource.name
    if sort == "name":
        return 0, 0, hit.resource.facility.name + hit.resource.name
    return (
        (far, price, hit.resource.name)
        if hit.distance_m is not None
        else (far, 0, hit.resource.facility.name)
    )


def _facets(found: list[Resource]) -> Facets:
    kinds = Counter(one.kind for one in found)
    towns = Counter(one.facility.municipality.code for one in found)
    return Facets(
        [Facet(value, count) for value, count in kinds.most_common()],
        [Facet(value, count) for value, count in towns.most_common()],
    )


async def _later(
    hits: list[Hit],
    found: list[Resource],
    grounds: dict[UUID, Ground],
    query: Query,
    pricer: Pricer,
    now: datetime,
) -> list[Suggestion]:
    """Return the next free time of the few best places, since nothing is free in the window itself."""
    by_id = {one.id: one for one in found}
    result = []
    for hit in hits[:5]:
        resource = by_id[hit.resource.id]
        asker = grounds[resource.id].who
        span = await next_free(resource, asker, query.purpose, query.day, query.minutes, now)
        if span is not None:
            ore = await pricer.ore(resource, span)
            result.append(Suggestion(hit.resource, hit.neighbour, hit.distance_m, span.start, span.end, ore))
    return sorted(result, key=lambda one: one.start)[:3]


async def _suggest(
    resource: Resource, span: Span, own: str, place: tuple[float, float] | None, pricer: Pricer
) -> Suggestion:
    there = (resource.facility.lat, resource.facility.lon)
    return Suggestion(
        resource.card,
        resource.facility.municipality.code != own,
        None if place is None else round(distance_m(place, there)),
        span.start,
        span.end,
        await pricer.ore(resource, span),
    )


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great-circle distance in metres between two (lat, lon) points."""
    lat1, lon1, lat2, lon2 = map(radians, (*one, *other))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_000 * asin(sqrt(h))
