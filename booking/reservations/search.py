"""Search: what is free for this customer, own municipality first, neighbours beside it."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, people, places
from booking.clock import at_local
from booking.places import Resource, ResourceCard
from booking.reservations import finding, free_starts
from booking.reservations.alternatives import Suggestion, distance_m, next_of
from booking.reservations.calendar import day_span, local_day
from booking.reservations.finding import FACETS, FOUND, REACH, WITHOUT, Because, Facets, Filters
from booking.reservations.free_starts import FREE, WHY, DayWish, FreeWish, ask, named
from booking.reservations.offers import Customer, Pricer
from booking.span import Span

SHOWN = 6
MOST_TOTALS = 50_000
_totals: dict[object, int | None] = {}  # a compiled list lives as long as the process, and a quote is pure
NEAREST = 50  # places that are looked at for another time when nothing is free


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
    min_capacity: int | None = None
    features: tuple[str, ...] = ()
    surface: str | None = None
    whole: bool | None = None
    near: tuple[float, float] | None = None  # lat, lon
    purpose: str = "private"
    customer: Customer = field(default_factory=Customer)
    sort: str = "distance"
    limit: int = 30
    offset: int = 0


class FreeStart(db.Record):
    """A free start with this customer's price in öre (None: the list has no price), and how many units of a pool."""

    start: datetime
    end: datetime
    price_ore: int | None
    units: int | None = None


class Hit(db.Record):
    """A resource with its first free starts, or why there are none."""

    resource: ResourceCard
    distance_m: int | None
    neighbour: bool
    free: list[FreeStart]
    free_count: int
    from_price_ore: int | None
    reason: str | None


HintCode = Literal["no_match", "too_narrow", "nothing_free"]


class Hint(db.Record):
    """Why the answer is empty, how many resources each filter or rule keeps out, and what is nearest instead.

    no_match: no such resource. too_narrow: free that day, outside the window. nothing_free: not that day.
    """

    code: HintCode
    because: list[Because]
    next: list[Suggestion]


class Results(db.Record):
    """A page of hits with what was found in all."""

    results: list[Hit]
    total: int
    total_free: int
    facets: Facets
    hint: Hint | None
    did_you_mean: str | None


class _Start(msgspec.Struct):
    at: datetime
    units: int | None


class _Row(msgspec.Struct):
    resource: UUID
    count: int
    starts: list[_Start]
    reason: str | None


class _Told(db.Record):
    answer: str


class _Yes(db.Record):
    yes: bool


class _Place(db.Record):
    id: UUID


class _Found(msgspec.Struct):
    total: int
    total_free: int
    rows: list[_Row]
    facets: Facets
    without: dict[str, int]


# Free ones first, each by place. `(… IN …) IS TRUE` over a step stays a hashed look and never becomes a join.
_SEARCH = named(f"""
WITH {REACH} {FOUND} {FREE},
counted AS MATERIALIZED (SELECT resource, place, sum(high - low + 1) AS n FROM point GROUP BY resource, place),
page AS MATERIALIZED (
  SELECT * FROM (
    SELECT resource, place, n, false AS none FROM counted
    UNION ALL
    SELECT id, place, 0, true FROM found WHERE id NOT IN (SELECT resource FROM counted)) every
  ORDER BY none, place LIMIT :limit OFFSET :offset),
first AS (
  SELECT resource, base + make_interval(mins => k * step) AS at, row_number() OVER (PARTITION BY resource ORDER BY base, k) AS nth
  FROM point CROSS JOIN LATERAL generate_series(low, least(high, low + {SHOWN - 1})) k
  WHERE (resource IN (SELECT resource FROM page)) IS TRUE),
pool AS MATERIALIZED (SELECT resource, unit, starts FROM unit_start
  WHERE picks_unit AND (resource IN (SELECT resource FROM page)) IS TRUE),
shown AS (
  SELECT f.resource, json_agg(json_build_object('at', f.at, 'units', u.n) ORDER BY f.at) AS starts
  FROM first f LEFT JOIN LATERAL (SELECT nullif(count(DISTINCT unit), 0) AS n FROM pool u
    WHERE u.resource = f.resource AND u.starts @> f.at) u ON true
  WHERE nth <= {SHOWN} GROUP BY f.resource),
dead AS MATERIALIZED (SELECT * FROM lawful WHERE (resource IN (SELECT resource FROM page WHERE none)) IS TRUE),
why AS (SELECT l.resource, why.reason FROM dead l {WHY})
SELECT json_build_object(
  'total', (SELECT count(*) FROM found), 'total_free', (SELECT count(*) FROM counted),
  'rows', (SELECT coalesce(json_agg(json_build_object('resource', p.resource, 'count', p.n,
      'starts', coalesce(s.starts, '[]'), 'reason', w.reason) ORDER BY none, place), '[]')
    FROM page p LEFT JOIN shown s USING (resource) LEFT JOIN why w USING (resource)),
  'facets', {FACETS}, 'without', CASE WHEN EXISTS (SELECT FROM found) THEN '{{}}'::json ELSE {WITHOUT} END) AS answer
""")


async def search(query: Query, now: datetime) -> Results:
    """Return resources with free time first, each with up to six free starts priced for this customer."""
    filters = await filters_of(query)
    found, meant = await _found(query, filters, now), None
    if not found.total and filters.words:
        better = await finding.corrected(filters)
        if better is not None:
            meant, filters = " ".join(better), replace(filters, words=better)
            found = await _found(query, filters, now)
    pricer = Prices(query.customer, query.purpose)
    known = await places.resources_by_id([row.resource for row in found.rows])
    hits = [await _hit(known[row.resource], row, filters, query, pricer) for row in found.rows]
    if query.sort == "price":
        hits.sort(key=lambda hit: (not hit.free, hit.from_price_ore is None, hit.from_price_ore))
        hits = hits[query.offset : query.offset + query.limit]
    hint = None if found.total_free else await _hint(query, filters, found, pricer, now)
    return Results(hits, found.total, found.total_free, found.facets, hint, meant)


class Prices(Pricer):
    """Prices the same kind of thing at the same time for the same sort of customer once, for all who ask."""

    async def ore(self, resource: Resource, span: Span) -> int | None:
        """Return the total in öre, or None where the list has no price."""
        tariff, facts = await self.ground(resource.facility.municipality.code, local_day(span))
        who = (facts.kind, facts.home_municipality, facts.categories, tuple(sorted(facts.measures.items())))
        key = (id(tariff), who, resource.tariff_class, span, self.purpose)
        if key not in _totals:
            if len(_totals) >= MOST_TOTALS:
                _totals.clear()
            _totals[key] = await super().ore(resource, span)
        return _totals[key]


async def filters_of(query: Query) -> Filters:
    """Return what is searched: the asker's own municipalities, and the neighbours unless they are left out."""
    known = {one.code: one for one in await people.municipalities()}
    own = {code for code in query.municipalities if code in known}
    around = {n for code in own for n in known[code].neighbours} if query.neighbours else set[str]()
    codes = own | around or set(known)
    if not own and query.customer.home in known:
        own = {str(query.customer.home)}
    return Filters(
        tuple(sorted(codes)),
        finding.words_of(query.text),
        query.kind,
        query.min_area_m2,
        query.min_capacity,
        query.features,
        query.surface,
        query.whole,
        query.near,
        tuple(sorted(own)),
        query.sort == "name",
    )


def window_of(day: date, from_min: int, to_min: int | None) -> DayWish:
    """Return the wish for use on a local day from a minute on that has ended by another (None: any time)."""
    span = day_span(day)
    start = max(at_local(day.year, day.month, day.day, from_min), span.start)
    end = None if to_min is None else at_local(day.year, day.month, day.day, to_min)
    return DayWish(day, start, span.end, end)


def _wish(query: Query) -> FreeWish:
    day = window_of(query.day, query.from_min, query.to_min)
    return FreeWish((day,), query.minutes, query.purpose, query.customer)


async def _found(query: Query, filters: Filters, now: datetime) -> _Found:
    values = finding.parameters(filters) | free_starts.parameters(_wish(query), now)
    by_price = query.sort == "price"  # prices are not in the database, so all are asked for
    values |= {"limit": None if by_price else query.limit, "offset": 0 if by_price else query.offset}
    (told,) = await ask(_Told, _SEARCH, values)
    return msgspec.json.decode(told.answer, type=_Found)


async def _hit(resource: Resource, row: _Row, filters: Filters, query: Query, pricer: Pricer) -> Hit:
    length = timedelta(minutes=query.minutes)
    spans = [(Span(one.at, one.at + length), one.units) for one in row.starts]
    shown = [FreeStart(one.start, one.end, await pricer.ore(resource, one), units) for one, units in spans]
    prices = [one.price_ore for one in shown if one.price_ore is not None]
    there = (resource.facility.lat, resource.facility.lon)
    return Hit(
        resource.card,
        None if query.near is None else round(distance_m(query.near, there)),
        bool(filters.own) and resource.facility.municipality.code not in filters.own,
        shown,
        row.count,
        min(prices, default=None),
        row.reason,
    )


_REASONS = named(f"""
WITH {REACH} {FOUND} {FREE}
SELECT why.reason AS code, count(*) AS count FROM lawful l {WHY} GROUP BY 1 ORDER BY 2 DESC, 1
""")
_DAY = named(f"WITH {REACH} {FOUND} {FREE} SELECT EXISTS (SELECT FROM point) AS yes")
_NEAREST = named(f"WITH {REACH} {FOUND[:-2]} SELECT id FROM found ORDER BY place LIMIT {NEAREST}")


async def _hint(query: Query, filters: Filters, found: _Found, pricer: Pricer, now: datetime) -> Hint:
    """Explain an empty answer: which filter emptied it, or which rule, and what is nearest in time and place."""
    wish = _wish(query)
    if not found.total:
        emptied = [Because(code, count) for code, count in found.without.items() if count]
        return Hint("no_match", sorted(emptied, key=lambda one: -one.count), [])
    values = finding.parameters(filters) | free_starts.parameters(wish, now)
    reasons = await ask(Because, _REASONS, values)
    any_time = replace(wish, days=(free_starts.whole_day(query.day),))
    values |= free_starts.parameters(any_time, now)
    narrowed = any_time != wish and (await ask(_Yes, _DAY, values))[0].yes
    nearest = [one.id for one in await ask(_Place, _NEAREST, values)]
    own = filters.own
    suggested = await next_of(nearest, query.day, wish, pricer, query.near, own, now)
    code: HintCode = "too_narrow" if narrowed else "nothing_free"
    return Hint(code, reasons, suggested)
