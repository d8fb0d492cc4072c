"""What others see of season rounds."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db
from booking.places import MunicipalityRef, ResourceCard
from booking.reservations.seasons.explaining import Reason
from booking.reservations.seasons.proposing import ProposalFacts
from booking.reservations.seasons.publishing import SeasonProgress, SkippedDate
from booking.reservations.seasons.rules import Activity, RoundRules
from booking.reservations.views import PartyRef

RoundState = Literal["draft", "open", "closed", "final"]
ApplicationState = Literal["draft", "sent", "withdrawn"]


class MyApplication(db.Record):
    """How far an application of one of the caller's parties is."""

    party: PartyRef
    state: ApplicationState


class RoundCard(db.Record):
    """A round as lists show it. `accepting`: one can apply now. `sent` (applications) is for staff."""

    id: UUID
    municipality: MunicipalityRef
    name: str
    starts_on: date
    ends_on: date
    applies_from: datetime
    applies_to: datetime
    drop_in_from: date | None
    state: RoundState
    accepting: bool
    mine: list[MyApplication]
    may_manage: bool
    sent: int | None


class PlaceMeeting(db.Record):
    """The places of the round that share a floor with one: a hall and its halves."""

    resource_id: UUID
    meets: list[UUID]


class RoundPage(RoundCard):
    """A round with its rules and what it shares out."""

    rules: RoundRules
    resources: list[ResourceCard]
    meetings: list[PlaceMeeting]


class WindowView(db.Record):
    """A stretch of a weekday (0 = Monday) that would do, as first or second choice."""

    weekday: int
    from_: str = msgspec.field(name="from")
    to: str
    primary: bool


class AllocationView(db.Record):
    """A weekly time that a wish has. `skipped` are dates that are not booked; `problem` why none is."""

    id: UUID
    wish_id: UUID
    resource_id: UUID
    weekday: int
    from_: str = msgspec.field(name="from")
    to: str
    state: Literal["proposed", "locked", "final"]
    primary: bool
    by_hand: bool
    reason: str
    series_id: UUID | None
    skipped: list[SkippedDate]
    problem: str | None


class BlockerView(db.Record):
    """Who has times that the wish could have used; the class' number, 1 the highest."""

    party: PartyRef
    rank: int
    times: int


class MissingView(db.Record):
    """How many weekly times a wish lacks, and why."""

    times: int
    reason: Reason
    by: list[BlockerView]


class WishView(db.Record):
    """A wish with its class and, once that may be known, with what it gets. Resources as they are liked."""

    id: UUID
    party: PartyRef
    title: str
    activity: Activity
    age_from: int
    age_to: int
    people: int
    whole_season: bool
    times: int
    minutes: int
    windows: list[WindowView]
    resource_ids: list[UUID]
    rank: int
    allocations: list[AllocationView]
    missing: MissingView | None


class ApplicationPage(db.Record):
    """A party's application. `decided`: what it gets can be seen."""

    round_id: UUID
    party: PartyRef
    state: ApplicationState
    note: str
    sent_at: datetime | None
    decided: bool
    wishes: list[WishView]


class PartyShare(db.Record):
    """Weekly times that a party asked for and has."""

    party: PartyRef
    wished: int
    granted: int


class ClassShare(db.Record):
    """Weekly times that a priority class asked for and has; `rank` beyond the list are wishes that fit no class."""

    rank: int
    wished: int
    granted: int


class PlanPage(db.Record):
    """What staff decide about: all sent wishes with what they have, how fair that is, how it came about."""

    round_id: UUID
    wishes: list[WishView]
    parties: list[PartyShare]
    classes: list[ClassShare]
    prime_minutes: int
    prime_youth_minutes: int
    proposal: ProposalFacts | None
    progress: SeasonProgress
