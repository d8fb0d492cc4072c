"""Holds and reservations on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from booking import billing, places, reservations
from booking.api.auth import IdempotencyKey, address_of, once, once_if_keyed
from booking.api.errors import responses
from booking.api.gate import SESSION_COOKIE
from booking.api.search import customer_of, must_be_sane
from booking.api.shapes import (
    LimitQuery,
    Line,
    MunicipalityCode,
    Note,
    OffsetQuery,
    PartyQuery,
)
from booking.people import Actor
from booking.people.actions import admit_visitor, visit
from booking.reservations import Customer, Purpose, Wish
from booking.settings import Settings
from booking.span import Span


class Equipment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of a pool of equipment."""

    resource_id: UUID
    count: Annotated[int, Meta(ge=1, le=50)] = 1


class NewHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time to hold, for whom and for what. `home` lets a visitor say where they live.

    `together` are further resources of the same booking. `reason` is for the owner's staff: with it they may book
    for anybody, beyond notice, horizon and quota.
    """

    resource_id: UUID
    start: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T17:00:00Z"])]
    end: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T18:00:00Z"])]
    purpose: Purpose = "private"
    party_id: UUID | None = None
    home: MunicipalityCode | None = None
    title: Line | None = None
    together: Annotated[list[UUID], Meta(max_length=10)] = []
    equipment: Annotated[list[Equipment], Meta(max_length=20)] = []
    reason: Note | None = None


class HoldChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom and for what the hold is; what is left out stays."""

    party_id: UUID | None = None
    purpose: Purpose | None = None


class NewReservation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a hold a reservation at the price that was shown."""

    hold_id: UUID
    method: billing.Method
    expected_price_ore: Annotated[int, Meta(ge=0, le=10_000_000_000, examples=[56400])]
    terms_accepted: Literal[True]
    terms_version: Annotated[str, Meta(max_length=20)] | None = None
    reason: Note | None = None


class MoveWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where and when it shall be instead, at the price that was shown. Without a resource it stays where it is."""

    start: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T17:00:00Z"])]
    end: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T18:00:00Z"])]
    resource_id: UUID | None = None
    expected_price_ore: Annotated[int, Meta(ge=0, le=10_000_000_000)] | None = None
    reason: Note | None = None

    def target(self) -> reservations.Target:
        """Return the wish as the calendar takes it."""
        span = Span(self.start, self.end)
        must_be_sane(span)
        return reservations.Target(span, self.resource_id)


class MovePreview(msgspec.Struct, frozen=True):
    """What a move would cost (öre; below zero comes back), and whether it can be made. `reason` is a code."""

    price: billing.PriceView | None
    difference_ore: int
    fee_ore: int
    free: bool
    reason: str | None
    alternatives: list[reservations.Suggestion]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one side says to the other."""

    text: Note


class ProposalAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer says to another time or place."""

    answer: Literal["accepted", "declined"]


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the time was used, as staff know it."""

    used: reservations.Used
    reason: Note | None = None


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
        customer = customer_of(actor, data.party_id, data.home)
        if data.party_id is not None:
            if data.reason is None:
                actor.must_act_for(data.party_id)
            customer = Customer(data.party_id)
        span = Span(data.start, data.end)
        must_be_sane(span)
        equipment = tuple((one.resource_id, one.count) for one in data.equipment)
        wish = Wish(
            data.resource_id,
            span,
            data.purpose,
            customer,
            data.title,
            tuple(data.together),
            equipment,
            data.reason,
        )

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
        customer = None if data.party_id is None else Customer(data.party_id)
        await reservations.change_hold(hold_id, customer, data.purpose, by=actor, now=now)
        return await reservations.held(hold_id, actor, now)

    @post(
        "/{hold_id:uuid}/extend",
        operation_id="ExtendHold",
        status_code=200,
        responses=responses(403, 404, 409, 410),
    )
    async def extend(
        self,
        request: Request[Any, Any, Any],
        hold_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.Held]:
        """Extend the hold by ten minutes, once (WCAG 2.2.1)."""

        async def act() -> reservations.Held:
            await reservations.extend_hold(hold_id, by=actor, now=now)
            return await reservations.held(hold_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)

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
                terms_version=data.terms_version,
                reason=data.reason,
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
        request: Request[Any, Any, Any],
        reservation_id: FromPath[UUID],
        data: JSONBody[CancelReason],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Cancel: the time is free at once, the code is taken back, the money follows the list's rule."""

        async def act() -> reservations.ReservationPage:
            await reservations.cancel(reservation_id, by=actor, now=now, reason=data.reason)
            return await reservations.page(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/{reservation_id:uuid}/move/preview",
        operation_id="PreviewMove",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def preview_move(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[MoveWish],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> MovePreview:
        """Say what moving would cost, and what is free instead where it can't be done."""
        target = data.target()
        page = await reservations.page(reservation_id, actor, now)
        try:
            plan, free = await reservations.preview_move(reservation_id, target, by=actor, now=now)
        except reservations.BreaksRule as refusal:
            return MovePreview(None, 0, 0, False, refusal.code, await _instead(page, target, now))
        return MovePreview(
            billing.shown(plan.quote),
            plan.difference_ore,
            plan.fee.total_ore if plan.fee else 0,
            free,
            None if free else "booked",
            [] if free else await _instead(page, target, now),
        )

    @post(
        "/{reservation_id:uuid}/move",
        operation_id="MoveReservation",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def move(
        self,
        request: Request[Any, Any, Any],
        reservation_id: FromPath[UUID],
        data: JSONBody[MoveWish],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Move to another time or place: the code stays, the price follows the list."""
        target = data.target()

        async def act() -> reservations.ReservationPage:
            await reservations.move(
                reservation_id,
                target,
                by=actor,
                now=now,
                expected_ore=data.expected_price_ore,
                reason=data.reason,
            )
            return await reservations.page(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/{reservation_id:uuid}/messages",
        operation_id="WriteMessage",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def message(
        self,
        request: Request[Any, Any, Any],
        reservation_id: FromPath[UUID],
        data: JSONBody[Message],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Write to the other side about a request."""

        async def act() -> reservations.ReservationPage:
            await reservations.write_message(reservation_id, data.text, by=actor, now=now)
            return await reservations.page(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/{reservation_id:uuid}/proposals/{message_id:int}",
        operation_id="AnswerProposal",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def answer(
        self,
        reservation_id: FromPath[UUID],
        message_id: FromPath[int],
        data: JSONBody[ProposalAnswer],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
    ) -> reservations.ReservationPage:
        """Accept or decline what staff offer; what is accepted is granted at once."""
        await reservations.answer_proposal(
            reservation_id,
            message_id,
            data.answer,
            by=actor,
            now=now,
            return_url=settings.public_url + "/b/{id}",
        )
        return await reservations.page(reservation_id, actor, now)

    @post(
        "/{reservation_id:uuid}/usage",
        operation_id="NoteUsage",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def usage(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[Usage],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.ReservationPage:
        """Note whether the time was used; unused time costs what the list says. For the owner's staff."""
        await reservations.note_usage(reservation_id, data.used, by=actor, now=now, reason=data.reason)
        return await reservations.page(reservation_id, actor, now)


async def _instead(
    page: reservations.ReservationPage, target: reservations.Target, now: datetime
) -> list[reservations.Suggestion]:
    resource = await places.resource(target.resource_id or page.resource.id)
    customer = Customer(page.party.id if page.party else None)
    here, there = await reservations.alternatives(resource, target.span, page.purpose, customer, now)
    return [*here, *there]
