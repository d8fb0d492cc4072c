"""The staff's queue of requests, and what they decide."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from booking import reservations
from booking.api.auth import IdempotencyKey, once_if_keyed
from booking.api.errors import responses
from booking.api.search import must_be_sane
from booking.api.shapes import CodeRequired, HTTPRequest, LimitQuery, Note, OffsetQuery, Reason
from booking.errors import Rejected
from booking.people import Actor
from booking.settings import Settings
from booking.span import Span

Instant = Annotated[datetime, Meta(tz=True, examples=["2026-11-24T17:00:00Z"])]


class RequestList(msgspec.Struct, frozen=True):
    """A page of requests."""

    requests: list[reservations.RequestCard]
    total: int


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Yes; what becomes of the others who asked for the same time."""

    reason: Note | None = None
    others: Literal["keep", "reject"] = "keep"


class Rejection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No, and why."""

    reason: Reason


class NewProposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message with another time, place or both on offer; without any it is a question."""

    text: Note
    resource_id: UUID | None = None
    start: Instant | None = None
    end: Instant | None = None


class RequestController(Controller):
    """What waits for a decision."""

    path = "/requests"
    tags = ("Requests",)

    @get("/", operation_id="ListRequests", responses=responses(404))
    async def index(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        which: Annotated[Literal["open", "decided"], QueryParameter(name="state", required=False)] = "open",
        series: Annotated[UUID | None, QueryParameter(required=False)] = None,
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> RequestList:
        """Return the requests of a municipality where the caller is staff, with what is in their way.

        A requested series is one entry, its first time with `whole`; with `series` each of its times is one.
        """
        found, total = await reservations.requests(
            actor, municipality=municipality, state=which, series=series, now=now, limit=limit, offset=offset
        )
        return RequestList(found, total)

    @post(
        "/{reservation_id:uuid}/approve",
        operation_id="ApproveRequest",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def approve(
        self,
        request: HTTPRequest,
        reservation_id: FromPath[UUID],
        data: JSONBody[Approval],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Grant it: confirmed, or to be paid. If somebody has the time by now, 409 `slot_taken`."""

        async def act() -> reservations.ReservationPage:
            await reservations.approve(
                reservation_id,
                by=actor,
                now=now,
                return_url=settings.public_url + "/b/{id}",
                reason=data.reason,
                others=data.others,
            )
            return await reservations.page(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/{reservation_id:uuid}/reject",
        operation_id="RejectRequest",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def reject(
        self,
        request: HTTPRequest,
        reservation_id: FromPath[UUID],
        data: JSONBody[Rejection],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Refuse it, for a reason that the customer reads."""

        async def act() -> reservations.ReservationPage:
            await reservations.reject(reservation_id, by=actor, now=now, reason=data.reason)
            return await reservations.page(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/{reservation_id:uuid}/propose",
        operation_id="ProposeChange",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def propose(
        self,
        request: HTTPRequest,
        reservation_id: FromPath[UUID],
        data: JSONBody[NewProposal],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Write to the customer, with another time or place on offer."""

        async def act() -> reservations.ReservationPage:
            target = await _target(reservation_id, data, actor, now)
            await reservations.propose(reservation_id, data.text, target, by=actor, now=now)
            return await reservations.page(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)


async def _target(
    reservation_id: UUID, data: NewProposal, by: Actor, now: datetime
) -> reservations.Target | None:
    if (data.start is None) != (data.end is None):
        raise Rejected("a time has a start and an end", code="half_a_time")
    if data.start is not None and data.end is not None:
        span = Span(data.start, data.end)
        must_be_sane(span)
        return reservations.Target(span, data.resource_id)
    if data.resource_id is None:
        return None
    asked = await reservations.page(reservation_id, by, now)
    return reservations.Target(Span(asked.start, asked.end), data.resource_id)
