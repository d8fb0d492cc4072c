"""The waiting list on the wire. An offer is taken by booking its hold, like any hold."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from booking import places, reservations
from booking.api.auth import IdempotencyKey, once
from booking.api.errors import responses
from booking.api.search import must_be_sane
from booking.api.shapes import CodeRequired, HTTPRequest, LimitQuery, MunicipalityCode, OffsetQuery
from booking.people import Actor
from booking.reservations import Purpose, WaitingWish
from booking.span import Span

Instant = Annotated[datetime, Meta(tz=True, examples=["2026-12-01T17:00:00Z"])]


class NewWaiting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many minutes anywhere between two instants, in one resource, or in any of a facility or municipality.

    `queue`: the time is offered in turn. `watch`: you are told, and whoever books first has it.
    """

    kind: reservations.WaitingKind
    party_id: UUID
    from_at: Instant
    to_at: Instant
    minutes: Annotated[int, Meta(ge=5, le=14_400, multiple_of=5)]
    purpose: Purpose = "private"
    resource_id: UUID | None = None
    facility_id: UUID | None = None
    municipality: MunicipalityCode | None = None
    resource_kind: places.Kind | None = None


class WaitingList(msgspec.Struct, frozen=True):
    """The caller's entries."""

    waiting: list[reservations.WaitingView]
    total: int


class WaitingController(Controller):
    """Waiting for a time to become free."""

    path = "/waiting"
    tags = ("Waiting list",)

    @get("/", operation_id="ListWaiting", responses=responses(401))
    async def index(self, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> WaitingList:
        """Return the caller's own entries with their place in line and what they are offered."""
        actor.must_be_known()
        found = await reservations.my_waiting(actor, now)
        return WaitingList(found, len(found))

    @post("/", operation_id="JoinWaiting", responses=responses(401, 403, 404, 409, 422))
    async def join(
        self,
        request: HTTPRequest,
        data: JSONBody[NewWaiting],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.WaitingView]:
        """Join the queue for a time, or watch it. What is free already is offered within seconds."""
        actor.must_be_known()
        window = Span(data.from_at, data.to_at)
        must_be_sane(window)
        wish = WaitingWish(
            kind=data.kind,
            party=data.party_id,
            window=window,
            minutes=data.minutes,
            purpose=data.purpose,
            resource=data.resource_id,
            facility=data.facility_id,
            municipality=data.municipality,
            resource_kind=data.resource_kind,
        )

        async def act() -> reservations.WaitingView:
            made = await reservations.join_waiting(wish, by=actor, now=now)
            return await reservations.waiting_entry(made, actor, now)

        return await once(request, idempotency_key, now, act)

    @delete("/{waiting_id:uuid}", operation_id="LeaveWaiting", responses=responses(401, 404))
    async def leave(
        self, waiting_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> None:
        """Wait no longer; what was offered goes to the next in line."""
        actor.must_be_known()
        await reservations.leave_waiting(waiting_id, by=actor, now=now)

    @get("/queue", operation_id="ListWaitingQueue", responses=responses(404))
    async def queue(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> WaitingList:
        """Return who waits in a municipality where the caller is staff, first come first."""
        found, total = await reservations.waiting_queue(
            actor, municipality=municipality, now=now, limit=limit, offset=offset
        )
        return WaitingList(found, total)
