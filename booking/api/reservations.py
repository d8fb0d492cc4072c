"""The calendar on the wire: search, availability, price, holds, reservations, timeline."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from booking import billing, places, reservations
from booking.api.auth import IdempotencyKey, address_of, once, one_of
from booking.api.errors import responses
from booking.api.gate import SESSION_COOKIE
from booking.api.shapes import (
    CodeQuery,
    FromClock,
    Kind,
    LimitQuery,
    Line,
    MunicipalityCode,
    Note,
    OffsetQuery,
    PartyQuery,
    Purpose,
    TextQuery,
    ToClock,
    minute_of_day,
)
from booking.clock import SWEDEN
from booking.errors import Rejected
from booking.people import Actor
from booking.people.actions import admit_visitor, visit
from booking.reservations import Customer, Query, Wish
from booking.settings import Settings
from booking.span import Span

DurationQuery = Annotated[int, QueryParameter(ge=15, le=7 * 24 * 60, required=False)]
CodesQuery = Annotated[
    list[Annotated[str, Meta(pattern=r"^[0-9]{4}$")]] | None,
    QueryParameter(name="municipality", required=False, max_items=20),
]
Degrees = Annotated[float | None, QueryParameter(ge=-180, le=180, required=False)]


class SearchHint(msgspec.Struct, frozen=True):
    """Nothing is free in the window: the next free times of the best places."""

    code: str
    next: list[reservations.Suggestion]


class SearchPage(msgspec.Struct, frozen=True):
    """Resources with free time first."""

    results: list[reservations.Hit]
    total: int
    total_free: int
    facets: dict[str, list[reservations.Facet]]
    hint: SearchHint | None


class NewHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time to hold, for whom and for what. `home` lets a visitor say where they live."""

    resource_id: UUID
    start: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T17:00:00Z"])]
    end: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T18:00:00Z"])]
    purpose: Purpose = "private"
    party_id: UUID | None = None
    home: MunicipalityCode | None = None
    title: Line | None = None


class HoldChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom and for what the hold is; what is left out stays as it was."""

    party_id: UUID | None = None
    purpose: Purpose | None = None


class NewReservation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a hold a reservation at the price that was shown."""

    hold_id: UUID
    method: Literal["card", "invoice", "free"]
    expected_price_ore: Annotated[int, Meta(ge=0, le=10_000_000_000, examples=[56400])]
    terms_accepted: Literal[True]


class CancelReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is cancelled, for the journal."""

    reason: Note | None = None


class ReservationList(msgspec.Struct, frozen=True):
    """A page of bookings."""

    reservations: list[reservations.ReservationCard]
    total: int


class Alternatives(msgspec.Struct, frozen=True):
    """What the loser of a race, or of a hold, can have instead."""

    same_resource: list[reservations.Suggestion]
    other_resources: list[reservations.Suggestion]


def _customer(actor: Actor, party: UUID | None, home: str | None) -> Customer:
    chosen = one_of(actor.acts_for, party) or actor.party
    return Customer(chosen, None if chosen else home)


class SearchController(Controller):
    """What is free, and what it costs you."""

    tags = ("Search",)

    @get("/search", operation_id="Search", responses=responses())
    async def search(
        self,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        day: Annotated[date | None, QueryParameter(name="date", required=False)] = None,
        q: TextQuery = None,
        kind: Annotated[Kind | None, QueryParameter(required=False)] = None,
        municipality: CodesQuery = None,
        neighbours: FromQuery[bool] = True,
        lat: Degrees = None,
        lon: Degrees = None,
        from_clock: FromClock = None,
        to_clock: ToClock = None,
        duration_min: DurationQuery = 60,
        min_area_m2: Annotated[int | None, QueryParameter(ge=1, le=1_000_000, required=False)] = None,
        whole: FromQuery[bool | None] = None,
        party_id: PartyQuery = None,
        purpose: FromQuery[Purpose] = "private",
        home: CodeQuery = None,
        sort: FromQuery[Literal["distance", "price", "name"]] = "distance",
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> SearchPage:
        """Search resources of a municipality and its neighbours by kind, text, place, size and free time."""
        query = Query(
            day=_bounded(day or now.astimezone(SWEDEN).date()),
            from_min=minute_of_day(from_clock, 0),
            to_min=None if to_clock is None else minute_of_day(to_clock, 1440),
            minutes=duration_min,
            municipalities=tuple(municipality or ()),
            neighbours=neighbours,
            text=q,
            kind=kind,
            min_area_m2=min_area_m2,
            whole=whole,
            near=None if lat is None or lon is None else (lat, lon),
            purpose=purpose,
            customer=_customer(actor, party_id, home or _only(municipality)),
            sort=sort,
            limit=limit,
            offset=offset,
        )
        found = await reservations.search(query, now)
        hint = SearchHint("nothing_free", found.next) if not found.total_free else None
        return SearchPage(found.results, found.total, found.total_free, found.facets, hint)

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
        first = _bounded(day or now.astimezone(SWEDEN).date())
        customer = _customer(actor, party_id, home)
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
        _must_be_sane(span)
        quote = await reservations.price(resource, span, purpose, _customer(actor, party_id, home))
        return billing.shown(quote)


class HoldController(Controller):
    """Ten minutes in which nobody else can take the time."""

    path = "/holds"
    tags = ("Holds",)

    @post("/", operation_id="CreateHold", responses=responses(403, 404, 409, 422, 429))
    async def create(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewHold],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.Held]:
        """Hold a time; works before log-in. The loser of a race gets 409 `slot_taken` with alternatives."""
        if actor.session is None:
            await admit_visitor(address_of(request, settings), now)
            actor = Actor(session=await visit(request.cookies[SESSION_COOKIE], now))
        customer = _customer(actor, data.party_id, data.home)
        if data.party_id is not None:
            actor.must_act_for(data.party_id)
        span = Span(data.start, data.end)
        _must_be_sane(span)
        wish = Wish(data.resource_id, span, data.purpose, customer, data.title)

        async def act() -> reservations.Held:
            hold_id = await reservations.hold(wish, by=actor, now=now)
            return await reservations.held(hold_id, actor, now)

        try:
            return await once(request, idempotency_key, now, act)
        except reservations.SlotTaken as error:
            resource = await places.resource(wish.resource_id)
            here, there = await reservations.alternatives(resource, span, wish.purpose, customer, now)
            error.extra["alternatives"] = msgspec.to_builtins(Alternatives(here, there))
            raise

    @get("/{hold_id:uuid}", operation_id="GetHold", responses=responses(404, 410))
    async def read(
        self, hold_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.Held:
        """Return the caller's own hold."""
        return await reservations.held(hold_id, actor, now)

    @patch("/{hold_id:uuid}", operation_id="ChangeHold", responses=responses(403, 404, 410, 422))
    async def change(
        self,
        hold_id: FromPath[UUID],
        data: JSONBody[HoldChange],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.Held:
        """Choose for whom and for what the hold is; the price follows."""
        if data.party_id is not None:
            actor.must_act_for(data.party_id)
        await reservations.change_hold(hold_id, Customer(data.party_id), data.purpose, by=actor, now=now)
        return await reservations.held(hold_id, actor, now)

    @post(
        "/{hold_id:uuid}/extend",
        operation_id="ExtendHold",
        status_code=200,
        responses=responses(403, 404, 409, 410),
    )
    async def extend(
        self, hold_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.Held:
        """Extend the hold by ten minutes, once (WCAG 2.2.1)."""
        await reservations.extend_hold(hold_id, by=actor, now=now)
        return await reservations.held(hold_id, actor, now)

    @delete("/{hold_id:uuid}", operation_id="ReleaseHold", responses=responses(403))
    async def release(
        self, hold_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> None:
        """Let the time go. Releasing one that is gone is a no-op."""
        await reservations.release_hold(hold_id, by=actor, now=now)


class ReservationController(Controller):
    """Bookings."""

    path = "/reservations"
    tags = ("Reservations",)

    @post("/", operation_id="CreateReservation", responses=responses(401, 403, 404, 409, 410, 422))
    async def create(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewReservation],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Make a hold a reservation: confirmed at once, or waiting for its card payment."""
        actor.must_be_known()

        async def act() -> reservations.ReservationPage:
            made = await reservations.reserve(
                data.hold_id,
                method=data.method,
                expected_ore=data.expected_price_ore,
                by=actor,
                now=now,
                return_url=settings.public_url + "/b/{id}",
            )
            return await reservations.page(made, actor, now)

        return await once(request, idempotency_key, now, act)

    @get("/", operation_id="ListReservations", responses=responses(401))
    async def index(
        self,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        party_id: PartyQuery = None,
        when: FromQuery[Literal["upcoming", "past"]] = "upcoming",
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> ReservationList:
        """Return the bookings of the parties the caller acts for."""
        actor.must_be_known()
        found, total = await reservations.cards(
            actor, party=party_id, upcoming=when == "upcoming", now=now, limit=limit, offset=offset
        )
        return ReservationList(found, total)

    @get("/{reservation_id:uuid}", operation_id="GetReservation", responses=responses(404))
    async def read(
        self, reservation_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.ReservationPage:
        """Return one booking to those it concerns; to everybody else it is absent."""
        return await reservations.page(reservation_id, actor, now)

    @post(
        "/{reservation_id:uuid}/cancel",
        operation_id="CancelReservation",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def cancel(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[CancelReason],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.ReservationPage:
        """Cancel: the time is free at once, the code is taken back, the money follows the list's rule."""
        await reservations.cancel(reservation_id, by=actor, now=now, reason=data.reason)
        return await reservations.page(reservation_id, actor, now)


def _only(municipalities: list[str] | None) -> str | None:
    """Return the one municipality a visitor searches in: they are taken to live there until they say otherwise."""
    return municipalities[0] if municipalities and len(municipalities) == 1 else None


def _bounded(day: date) -> date:
    """Return the day; far past and future are equally empty, so they are brought within the calendar."""
    return min(max(day, date(2000, 1, 1)), date(2099, 12, 1))


def _must_be_sane(span: Span) -> None:
    if span.minutes > 60 * 24 * 60 or not 2000 <= span.start.year <= 2099:
        raise Rejected("a booking lasts at most sixty days, in this century", code="bad_time")
