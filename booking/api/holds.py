"""Holds on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from booking import places, reservations
from booking.api.auth import IdempotencyKey, address_of, once, once_if_keyed
from booking.api.errors import responses
from booking.api.gate import SESSION_COOKIE
from booking.api.search import customer_of, must_be_sane
from booking.api.shapes import HTTPRequest, Line, MunicipalityCode, Note
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
        request: HTTPRequest,
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
        request: HTTPRequest,
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
