"""Staff blocks and closures on the wire, and bookings that give way."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from booking import reservations
from booking.api.auth import IdempotencyKey, once, once_if_keyed
from booking.api.errors import responses
from booking.api.search import bounded, must_be_sane
from booking.api.series_bodies import Instant, RuleText
from booking.api.shapes import CodeRequired, HTTPRequest, Line, MunicipalityCode, Note, Reason
from booking.clock import at_local, local_date
from booking.errors import Rejected
from booking.people import Actor
from booking.reservations import BlockWish, Category, Decision, Match
from booking.span import Span

LONGEST = timedelta(days=800)


class BlockBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to keep for the owner: resources, the first time, and a rule if it recurs. `reason` is told to customers."""

    municipality: MunicipalityCode
    category: Category
    title: Line
    resource_ids: Annotated[list[UUID], Meta(min_length=1, max_length=200)]
    start: Instant
    end: Instant
    reason: Note = ""
    rrule: RuleText | None = None

    @property
    def wish(self) -> BlockWish:
        """As the calendar knows it."""
        span = Span(self.start, self.end)
        if span.length > LONGEST or not 2000 <= span.start.year <= 2099:
            raise Rejected("a block lasts at most 800 days, in this century", code="bad_time")
        resources = tuple(dict.fromkeys(self.resource_ids))
        return BlockWish(
            self.municipality, self.category, self.title, self.reason, resources, span, self.rrule
        )


class MoveTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a booking goes; without a resource it stays in its own."""

    start: Instant
    end: Instant
    resource_id: UUID | None = None


class AffectedDeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of one booking in the way."""

    reservation_id: UUID
    deed: Literal["cancel", "move"]
    to: MoveTo | None = None

    @property
    def decision(self) -> Decision:
        """As the calendar knows it."""
        return _decision(self.reservation_id, self.deed, self.to)


class NewBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block with a decision for every booking in the way."""

    wish: BlockBody
    affected: Annotated[list[AffectedDeed], Meta(max_length=2000)] = []


class Lift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on the time is free again; now if nothing is said."""

    from_: Instant | None = msgspec.field(name="from", default=None)


class MatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The match that a training gives way to."""

    party_id: UUID
    start: Instant
    end: Instant
    purpose: Literal["match", "event"] = "match"
    title: Line | None = None
    resource_id: UUID | None = None
    method: Literal["invoice", "free"] = "invoice"


class Displace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Move or cancel a training for a match, and why. `although_free` insists where a like place is free."""

    for_: MatchBody = msgspec.field(name="for")
    deed: Literal["cancel", "move"]
    reason: Reason
    to: MoveTo | None = None
    although_free: bool = False


class BlockList(msgspec.Struct, frozen=True):
    """Blocks with time in the days asked for."""

    blocks: list[reservations.Block]
    total: int


def _decision(reservation: UUID, deed: Literal["cancel", "move"], to: MoveTo | None) -> Decision:
    if (deed == "move") != (to is not None):
        raise Rejected("say where to exactly when it is moved", code="move_where")
    if to is None:
        return Decision(reservation, deed)
    span = Span(to.start, to.end)
    must_be_sane(span)
    return Decision(reservation, deed, span, to.resource_id)


class BlockController(Controller):
    """Time that staff keep for the owner."""

    tags = ("Staff",)

    @post("/blocks/preview", operation_id="PreviewBlock", status_code=200, responses=responses(404, 422))
    async def preview(
        self, data: JSONBody[BlockBody], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.BlockPreview:
        """Return what the block would affect, each booking with the best place to go. Nothing is changed."""
        return await reservations.preview_block(data.wish, by=actor, now=now)

    @post("/blocks", operation_id="CreateBlock", responses=responses(404, 409, 422))
    async def create(
        self,
        request: HTTPRequest,
        data: JSONBody[NewBlock],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.Block]:
        """Keep the time; bookings in the way go as decided. One that is not listed refuses all: `affected_bookings`."""
        decisions = [one.decision for one in data.affected]

        async def act() -> reservations.Block:
            made = await reservations.create_block(data.wish.wish, decisions, by=actor, now=now)
            return await reservations.block_page(made, actor)

        try:
            return await once(request, idempotency_key, now, act)
        except reservations.AffectedBookings as error:
            del error.extra["reservations"]
            cards = await reservations.cards_of(error.bookings, actor, now)
            error.extra["affected"] = msgspec.to_builtins(cards)
            raise

    @get("/blocks", operation_id="ListBlocks", responses=responses(404))
    async def index(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        first: Annotated[date | None, QueryParameter(name="from", required=False)] = None,
        last: Annotated[date | None, QueryParameter(name="to", required=False)] = None,
    ) -> BlockList:
        """Return the blocks with time on the local days, the next ninety unless others are named."""
        first = bounded(first or local_date(now))
        last = bounded(last or first + timedelta(days=90))
        if last < first:
            raise Rejected("the last day comes before the first", code="end_before_start")
        begin = at_local(first.year, first.month, first.day, 0)
        window = Span(begin, at_local(last.year, last.month, last.day, 1440))
        found = await reservations.blocks_of(municipality, window, actor)
        return BlockList(found, len(found))

    @get("/blocks/{block_id:uuid}", operation_id="GetBlock", responses=responses(404))
    async def read(self, block_id: FromPath[UUID], actor: NamedDependency[Actor]) -> reservations.Block:
        """Return one block to the owner's staff."""
        return await reservations.block_page(block_id, actor)

    @post("/blocks/{block_id:uuid}/lift", operation_id="LiftBlock", status_code=200, responses=responses(404))
    async def lift(
        self,
        request: HTTPRequest,
        block_id: FromPath[UUID],
        data: JSONBody[Lift],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.Block]:
        """Free the block's time from an instant on. Bookings that were moved or cancelled stay so."""

        async def act() -> reservations.Block:
            await reservations.lift_block(block_id, by=actor, now=now, since=data.from_)
            return await reservations.block_page(block_id, actor)

        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/reservations/{reservation_id:uuid}/displace",
        operation_id="DisplaceReservation",
        responses=responses(404, 409, 422),
    )
    async def displace(
        self,
        request: HTTPRequest,
        reservation_id: FromPath[UUID],
        data: JSONBody[Displace],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ReservationPage]:
        """Give a training's time to a match, early enough; the training is moved or cancelled free of charge."""
        decision = _decision(reservation_id, data.deed, data.to)
        span = Span(data.for_.start, data.for_.end)
        must_be_sane(span)
        match = Match(
            span,
            data.for_.party_id,
            data.for_.purpose,
            data.for_.title,
            data.for_.resource_id,
            data.for_.method,
        )

        async def act() -> reservations.ReservationPage:
            made = await reservations.preempt(
                decision, match, data.reason, by=actor, now=now, although_free=data.although_free
            )
            return await reservations.page(made, actor, now)

        return await once(request, idempotency_key, now, act)
