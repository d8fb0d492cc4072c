"""Search, availability and price on the wire: what is free, and what it costs you."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta

from booking import billing, places, reservations
from booking.api.auth import one_of
from booking.api.errors import responses
from booking.api.shapes import (
    NO_CONTROLS,
    CodeQuery,
    FromClock,
    LimitQuery,
    OffsetQuery,
    PartyQuery,
    TextQuery,
    ToClock,
    minute_of_day,
)
from booking.clock import local_date
from booking.errors import Rejected
from booking.people import Actor
from booking.places import Kind
from booking.reservations import Customer, Purpose, Query, SeriesQuery
from booking.span import Span

DurationQuery = Annotated[int, QueryParameter(ge=15, le=7 * 24 * 60, required=False)]
CodesQuery = Annotated[
    list[Annotated[str, Meta(pattern=r"^[0-9]{4}$")]] | None,
    QueryParameter(name="municipality", required=False, max_items=20),
]
FeaturesQuery = Annotated[
    list[Annotated[str, Meta(max_length=40, pattern=NO_CONTROLS)]] | None,
    QueryParameter(required=False, max_items=20),
]
SurfaceQuery = Annotated[str | None, QueryParameter(max_length=40, pattern=NO_CONTROLS, required=False)]
LeastQuery = Annotated[int | None, QueryParameter(ge=1, le=1_000_000, required=False)]
Degrees = Annotated[float | None, QueryParameter(ge=-180, le=180, required=False)]


class SearchPage(msgspec.Struct, frozen=True):
    """Resources with free time first."""

    results: list[reservations.Hit]
    total: int
    total_free: int
    facets: reservations.Facets
    hint: reservations.Hint | None
    did_you_mean: str | None


def wanted_of(
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    q: TextQuery = None,
    kind: Annotated[Kind | None, QueryParameter(required=False)] = None,
    municipality: CodesQuery = None,
    neighbours: FromQuery[bool] = True,
    lat: Degrees = None,
    lon: Degrees = None,
    from_clock: FromClock = None,
    to_clock: ToClock = None,
    min_area_m2: LeastQuery = None,
    min_capacity: LeastQuery = None,
    features: FeaturesQuery = None,
    surface: SurfaceQuery = None,
    whole: FromQuery[bool | None] = None,
    party_id: PartyQuery = None,
    home: CodeQuery = None,
) -> Query:
    """Return what every search may ask of a resource, for whom and between which hours, as if for today."""
    return Query(
        day=local_date(now),
        from_min=minute_of_day(from_clock, 0),
        to_min=None if to_clock is None else minute_of_day(to_clock, 1440),
        municipalities=tuple(municipality or ()),
        neighbours=neighbours,
        text=q,
        kind=kind,
        min_area_m2=min_area_m2,
        min_capacity=min_capacity,
        features=tuple(features or ()),
        surface=surface,
        whole=whole,
        near=None if lat is None or lon is None else (lat, lon),
        customer=customer_of(actor, party_id, home or _only(municipality)),
    )


WANTED = {"wanted": Provide(wanted_of, sync_to_thread=False)}


class SearchController(Controller):
    """What is free, and what it costs you."""

    tags = ("Search",)

    @get("/search", operation_id="Search", responses=responses(), dependencies=WANTED)
    async def search(
        self,
        now: NamedDependency[datetime],
        wanted: NamedDependency[Query],
        day: Annotated[date | None, QueryParameter(name="date", required=False)] = None,
        duration_min: DurationQuery = 60,
        purpose: FromQuery[Purpose] = "private",
        sort: FromQuery[Literal["distance", "price", "name"]] = "distance",
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> SearchPage:
        """Search resources of a municipality and its neighbours by kind, text, place, size and free time."""
        query = replace(
            wanted,
            day=bounded(day or wanted.day),
            minutes=duration_min,
            purpose=purpose,
            sort=sort,
            limit=limit,
            offset=offset,
        )
        found = await reservations.search(query, now)
        return SearchPage(
            found.results, found.total, found.total_free, found.facets, found.hint, found.did_you_mean
        )

    @get("/search/series", operation_id="SearchSeries", responses=responses(422), dependencies=WANTED)
    async def series(
        self,
        now: NamedDependency[datetime],
        wanted: NamedDependency[Query],
        weekday: Annotated[int, QueryParameter(ge=0, le=6, description="0 = Monday")],
        first: Annotated[date, QueryParameter(description="Local date in Sweden.")],
        last: Annotated[date, QueryParameter(description="Local date in Sweden, inclusive.")],
        duration_min: DurationQuery = 120,
        purpose: FromQuery[Purpose] = "training",
        limit: LimitQuery = 20,
        offset: OffsetQuery = 0,
    ) -> reservations.SeriesResults:
        """Return where the same hour of a weekday is free most often between two dates, with the dates missed."""
        first, last = bounded(first), bounded(last)
        like = replace(
            wanted,
            day=first,
            to_min=1440 if wanted.to_min is None else wanted.to_min,
            minutes=duration_min,
            purpose=purpose,
            limit=limit,
            offset=offset,
        )
        return await reservations.search_series(SeriesQuery(like, weekday, first, last), now)

    @get("/resources/{resource_id:uuid}/month", operation_id="GetMonth", responses=responses(404))
    async def month(
        self,
        resource_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        month: Annotated[str, QueryParameter(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")],
        duration_min: Annotated[int, QueryParameter(ge=0, le=7 * 24 * 60, required=False)] = 0,
        party_id: PartyQuery = None,
        purpose: FromQuery[Purpose] = "private",
        home: CodeQuery = None,
    ) -> reservations.Month:
        """Return for each day of a month how many free starts there are, or why there are none."""
        customer, first = customer_of(actor, party_id, home), date.fromisoformat(f"{month}-01")
        return await reservations.month(resource_id, first, duration_min, customer, purpose, now)

    @get(
        "/resources/{resource_id:uuid}/availability", operation_id="GetAvailability", responses=responses(404)
    )
    async def availability(
        self,
        resource_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        day: Annotated[date | None, QueryParameter(name="date", required=False)] = None,
        days: Annotated[int, QueryParameter(ge=1, le=31, required=False)] = 1,
        duration_min: Annotated[int, QueryParameter(ge=0, le=7 * 24 * 60, required=False)] = 0,
        party_id: PartyQuery = None,
        purpose: FromQuery[Purpose] = "private",
        home: CodeQuery = None,
    ) -> reservations.Days:
        """Return days of one resource: taken and closed stretches, and starts with price or reason."""
        first = bounded(day or local_date(now))
        customer = customer_of(actor, party_id, home)
        return await reservations.availability(resource_id, first, days, duration_min, customer, purpose, now)

    @get("/price", operation_id="GetPrice", responses=responses(404, 422))
    async def price(
        self,
        actor: NamedDependency[Actor],
        resource_id: FromQuery[UUID],
        start: FromQuery[datetime],
        end: FromQuery[datetime],
        party_id: PartyQuery = None,
        purpose: FromQuery[Purpose] = "private",
        home: CodeQuery = None,
    ) -> billing.PriceView:
        """Return what a booking would cost this customer, line by line."""
        resource = await places.resource(resource_id)
        span = Span(start, end)
        must_be_sane(span)
        quote = await reservations.price(resource, span, purpose, customer_of(actor, party_id, home))
        return billing.shown(quote)


def customer_of(actor: Actor, party: UUID | None, home: str | None) -> Customer:
    """Return for whom a price is: a party the actor acts for, or a visitor who says where they live."""
    chosen = one_of(actor.acts_for, party) or actor.party
    return Customer(chosen, None if chosen else home)


def must_be_sane(span: Span) -> None:
    """Raise Rejected for a span that no calendar is kept for."""
    if span.minutes > 60 * 24 * 60 or not 2000 <= span.start.year <= 2099:
        raise Rejected("a booking lasts at most sixty days, in this century", code="bad_time")


def _only(municipalities: list[str] | None) -> str | None:
    """Return the one municipality a visitor searches in: they are taken to live there until they say otherwise."""
    return municipalities[0] if municipalities and len(municipalities) == 1 else None


def bounded(day: date) -> date:
    """Return the day; far past and future are equally empty, so they are brought within the calendar."""
    return min(max(day, date(2000, 1, 1)), date(2099, 12, 1))
