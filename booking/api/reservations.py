"""Reservations on the wire."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from booking import billing, places, reservations
from booking.api.auth import IdempotencyKey, once, once_if_keyed
from booking.api.errors import responses
from booking.api.reservation_bodies import (
    CancelReason,
    Message,
    MoveWish,
    NewReservation,
    OvertimeFee,
    ProposalAnswer,
    Usage,
)
from booking.api.shapes import HTTPRequest, LimitQuery, OffsetQuery, PartyQuery
from booking.people import Actor
from booking.reservations import Customer
from booking.settings import Settings


class MovePreview(msgspec.Struct, frozen=True):
    """What a move would cost (öre; below zero comes back), and whether it can be made. `reason` is a code."""

    price: billing.PriceView | None
    difference_ore: int
    fee_ore: int
    free: bool
    reason: str | None
    alternatives: list[reservations.Suggestion]


class ReservationList(msgspec.Struct, frozen=True):
    """A page of bookings."""

    reservations: list[reservations.ReservationCard]
    total: int


class ReservationController(Controller):
    """Bookings."""

    path = "/reservations"
    tags = ("Reservations",)

    @post("/", operation_id="CreateReservation", responses=responses(401, 403, 404, 409, 410, 422))
    async def create(
        self,
        request: HTTPRequest,
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
        request: HTTPRequest,
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
        request: HTTPRequest,
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
        request: HTTPRequest,
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

    @post(
        "/{reservation_id:uuid}/overtime-fee",
        operation_id="ChargeOvertime",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def overtime_fee(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[OvertimeFee],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.ReservationPage:
        """Charge, or take back, what the list asks for use past the end that the doors prove. For the owner's staff."""
        await reservations.charge_overtime(reservation_id, data.charged, by=actor, now=now)
        return await reservations.page(reservation_id, actor, now)


async def _instead(
    page: reservations.ReservationPage, target: reservations.Target, now: datetime
) -> list[reservations.Suggestion]:
    resource = await places.resource(target.resource_id or page.resource.id)
    customer = Customer(page.party.id if page.party else None)
    here, there = await reservations.alternatives(resource, target.span, page.purpose, customer, now)
    return [*here, *there]
