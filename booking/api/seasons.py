"""Season rounds on the wire: staff make and decide them. Applications are in season_applications.py."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from booking.api.auth import IdempotencyKey, once
from booking.api.errors import responses
from booking.api.shapes import (
    Clock,
    CodeQuery,
    HTTPRequest,
    Instant,
    Line,
    MunicipalityCode,
    Note,
    minute_of_day,
    must_be_a_day,
)
from booking.errors import Rejected
from booking.people import Actor
from booking.reservations import seasons
from booking.reservations.seasons import NewRound, PlanPage, RoundCard, RoundPage, RoundRules, Slot

Weekday = Annotated[int, Meta(ge=0, le=6, description="0 = Monday")]


class RoundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A round: the season's days (both included), when one applies, what is shared out by which rules."""

    name: Line
    starts_on: date
    ends_on: date
    applies_from: Instant
    applies_to: Instant
    resource_ids: Annotated[list[UUID], Meta(min_length=1, max_length=seasons.MOST_RESOURCES)]
    rules: RoundRules
    drop_in_from: date | None = None

    @property
    def wanted(self) -> NewRound:
        """As the calendar knows it."""
        out = [day for one in self.rules.out for day in (one.first, one.last)]
        must_be_a_day(self.starts_on, self.ends_on, self.drop_in_from, *out)
        must_be_a_day(self.applies_from.date(), self.applies_to.date())
        return NewRound(
            self.name,
            self.starts_on,
            self.ends_on,
            self.applies_from,
            self.applies_to,
            self.drop_in_from,
            tuple(dict.fromkeys(self.resource_ids)),
            self.rules,
        )


class NewRoundBody(RoundBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A round of a municipality."""

    municipality: MunicipalityCode


class ProposeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the search may take, in seconds."""

    seconds: Annotated[int, Meta(ge=1, le=60)] = 20


class SlotBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A weekly time in a place."""

    resource_id: UUID
    weekday: Weekday
    from_: Clock = msgspec.field(name="from")
    to: Clock

    @property
    def slot(self) -> Slot:
        """As the calendar knows it."""
        opens, closes = minute_of_day(self.from_, 0), minute_of_day(self.to, 0)
        if closes <= opens:
            raise Rejected("a weekly time ends after it begins, on the same day", code="bad_time")
        return Slot(self.resource_id, self.weekday, opens, closes)


class GiveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time for a wish by hand, and why."""

    wish_id: UUID
    at: SlotBody
    reason: Note = ""


class AllocationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a time goes, whether it is locked, and why; what is left out stays."""

    to: SlotBody | None = None
    locked: bool | None = None
    reason: Note = ""


class PublishBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many allocations to book at most in this call; `again` tries those once more that were refused."""

    most: Annotated[int, Meta(ge=1, le=50)] = 10
    again: bool = False


class RoundList(msgspec.Struct, frozen=True):
    """The rounds that the caller sees."""

    rounds: list[RoundCard]
    total: int


class SeasonController(Controller):
    """Season rounds."""

    path = "/season-rounds"
    tags = ("Season",)

    @get("/", operation_id="ListSeasonRounds", responses=responses())
    async def index(
        self, actor: NamedDependency[Actor], now: NamedDependency[datetime], municipality: CodeQuery = None
    ) -> RoundList:
        """Return the rounds that are announced (public); staff see their drafts too."""
        found = await seasons.rounds(actor, now, municipality=municipality)
        return RoundList(found, len(found))

    @post("/", operation_id="CreateSeasonRound", responses=responses(404, 422))
    async def create(
        self,
        request: HTTPRequest,
        data: JSONBody[NewRoundBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[RoundPage]:
        """Make a round that nobody but staff sees until it is opened."""
        wanted = data.wanted

        async def act() -> RoundPage:
            made = await seasons.create_round(data.municipality, wanted, by=actor, now=now)
            return await seasons.round_page(made, actor, now)

        return await once(request, idempotency_key, now, act)

    @get("/{round_id:uuid}", operation_id="GetSeasonRound", responses=responses(404))
    async def read(
        self, round_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> RoundPage:
        """Return one round with its rules and places (public once it is open)."""
        return await seasons.round_page(round_id, actor, now)

    @put("/{round_id:uuid}", operation_id="ChangeSeasonRound", responses=responses(404, 409, 422))
    async def change(
        self,
        round_id: FromPath[UUID],
        data: JSONBody[RoundBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> RoundPage:
        """Write the round anew. What was proposed and is not locked is forgotten."""
        await seasons.change_round(round_id, data.wanted, by=actor, now=now)
        return await seasons.round_page(round_id, actor, now)

    @post(
        "/{round_id:uuid}/open",
        operation_id="OpenSeasonRound",
        status_code=200,
        responses=responses(404, 409),
    )
    async def open(
        self, round_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> RoundPage:
        """Let associations see the round, and apply between its dates."""
        await seasons.open_round(round_id, by=actor, now=now)
        return await seasons.round_page(round_id, actor, now)

    @post(
        "/{round_id:uuid}/close",
        operation_id="CloseSeasonRound",
        status_code=200,
        responses=responses(404, 409),
    )
    async def close(
        self, round_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> RoundPage:
        """Take no more applications, whatever the dates say."""
        await seasons.close_round(round_id, by=actor, now=now)
        return await seasons.round_page(round_id, actor, now)

    @get("/{round_id:uuid}/plan", operation_id="GetSeasonPlan", responses=responses(404))
    async def plan(self, round_id: FromPath[UUID], actor: NamedDependency[Actor]) -> PlanPage:
        """Return all sent wishes with what they have, why they miss something, and how fair it is (staff)."""
        return await seasons.plan(round_id, actor)

    @post(
        "/{round_id:uuid}/propose",
        operation_id="ProposeSeason",
        status_code=200,
        responses=responses(404, 409, 422, 503),
    )
    async def propose(
        self,
        round_id: FromPath[UUID],
        data: JSONBody[ProposeBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> PlanPage:
        """Share out every time that isn't locked. Answers after so many seconds at most, and says what is not proven."""
        await seasons.propose(round_id, seconds=data.seconds, by=actor, now=now)
        return await seasons.plan(round_id, actor)

    @post("/{round_id:uuid}/allocations", operation_id="GiveSeasonTime", responses=responses(404, 409, 422))
    async def give(
        self,
        request: HTTPRequest,
        round_id: FromPath[UUID],
        data: JSONBody[GiveBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[PlanPage]:
        """Give a wish a time by hand; it is locked."""
        slot = data.at.slot

        async def act() -> PlanPage:
            await seasons.give(round_id, data.wish_id, slot, data.reason, by=actor, now=now)
            return await seasons.plan(round_id, actor)

        return await once(request, idempotency_key, now, act)

    @patch(
        "/allocations/{allocation_id:uuid}",
        operation_id="ChangeSeasonTime",
        responses=responses(404, 409, 422),
    )
    async def change_time(
        self,
        allocation_id: FromPath[UUID],
        data: JSONBody[AllocationChange],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> PlanPage:
        """Move, lock or unlock a time. One that is moved is locked."""
        wanted = seasons.Change(None if data.to is None else data.to.slot, data.locked, data.reason)
        await seasons.change_allocation(allocation_id, wanted, by=actor, now=now)
        return await seasons.plan(await seasons.round_of(allocation_id), actor)

    @delete(
        "/allocations/{allocation_id:uuid}",
        operation_id="RemoveSeasonTime",
        status_code=200,
        responses=responses(404, 409),
    )
    async def remove_time(
        self,
        allocation_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> PlanPage:
        """Take a time away from a wish."""
        round_id = await seasons.remove_allocation(allocation_id, by=actor, now=now)
        return await seasons.plan(round_id, actor)

    @post(
        "/{round_id:uuid}/publish",
        operation_id="PublishSeason",
        status_code=200,
        responses=responses(404, 409),
    )
    async def publish(
        self,
        round_id: FromPath[UUID],
        data: JSONBody[PublishBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> seasons.SeasonProgress:
        """Book some more allocations as series. Call again until none is left; then the round is decided."""
        return await seasons.publish(round_id, most=data.most, again=data.again, by=actor, now=now)
