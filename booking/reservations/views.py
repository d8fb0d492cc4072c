"""What pages see of the calendar. Field names are those of the API; amounts are öre, times are UTC."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import billing, db, locks
from booking.places import ResourceCard

Purpose = locks.Purpose
State = Literal["requested", "awaiting_payment", "confirmed", "cancelled", "completed", "expired", "rejected"]
Deed = Literal["cancel", "pay", "move", "withdraw", "answer", "usage"]
Used = Literal["used", "no_show"]
ExtraRole = Literal["together", "equipment"]


class PartyRef(db.Record):
    """A party as shown beside a booking."""

    id: UUID
    name: str


class TermsRef(db.Record):
    """A version of a municipality's terms."""

    municipality: str
    version: str


class ExtraView(db.Record):
    """Something booked with the resource; of a pool, how many."""

    resource: ResourceCard
    role: ExtraRole
    count: int


class Held(db.Record):
    """A hold as its own page shows it."""

    id: UUID
    resource: ResourceCard
    start: datetime
    end: datetime
    expires_at: datetime
    extended: bool
    purpose: Purpose
    party_id: UUID | None
    price: billing.PriceView
    needs_login: bool
    cancel_free_until: datetime | None
    pay_methods: list[billing.Method]
    extras: list[ExtraView]
    unit: ResourceCard | None
    needs_approval: bool
    pending_holds: bool
    terms: TermsRef | None


class SeriesRef(db.Record):
    """Which of how many standing occurrences it is, the first being 1."""

    id: UUID
    position: int
    count: int


class TeamRef(db.Record):
    """The association's own group that has the time."""

    id: UUID
    name: str


class ProposalView(db.Record):
    """Another time or place on offer."""

    resource: ResourceCard
    start: datetime
    end: datetime
    price_ore: int


class MessageView(db.Record):
    """What one side said about a request."""

    id: int
    at: datetime
    by_staff: bool
    text: str
    proposal: ProposalView | None
    answered: Literal["accepted", "declined"] | None


class RequestView(db.Record):
    """A reservation that was asked for. `decision` is staff's reason, or `given_to_another`."""

    answer_by: datetime
    holds_time: bool
    decision: str | None
    messages: list[MessageView]


class ReservationCard(db.Record):
    """A reservation as lists show it."""

    id: UUID
    number: str
    resource: ResourceCard
    start: datetime
    end: datetime
    state: State
    purpose: Purpose
    title: str | None
    party: PartyRef | None
    price_ore: int
    payment_state: billing.MoneyState
    can: list[Deed]
    access_state: locks.State | None
    series: SeriesRef | None
    team: TeamRef | None
    request: RequestView | None
    used: Used | None


class Cancellation(db.Record):
    """How a reservation ended early, with what it cost and gave back (öre)."""

    at: datetime
    by: str
    fee_ore: int
    refund_ore: int


class FacilityHelp(db.Record):
    """Where to turn when the door stays shut."""

    on_call_phone: str
    access_text: str


class TripView(db.Record):
    """A vehicle's use. Meters in km, fuel or charge in per cent; `late_min` so far; `price` is that of the km."""

    out_at: datetime | None
    out_km: int | None
    out_pct: int | None
    in_at: datetime | None
    in_km: int | None
    in_pct: int | None
    late_min: int
    next_starts_at: datetime | None
    price: billing.PriceView | None


class LateBefore(db.Record):
    """Somebody else has the vehicle still; it was expected back at this time."""

    expected_at: datetime


class DoorEvidence(db.Record):
    """What the doors say of a booking that is over. Seconds; `doubt` is why they can't say whether it was used.

    `suggests` is what the list's rules make of it, for staff to note; `no_show_fee_ore` what unused time then costs.
    `overtime_fee_ore` is what the list asks for use without booking of that length; owed once staff have asked for it.
    """

    first_entry_at: datetime | None
    last_use_at: datetime | None
    never_used: bool | None
    overtime_s: int
    held_s: int
    forced: int
    is_final: bool
    doubt: locks.Doubt | None
    suggests: Used | None
    no_show_fee_ore: int
    overtime_fee_ore: int
    overtime_charged: bool


class ReservationPage(ReservationCard):
    """A reservation with everything its page shows, codes excepted (locks.access_of)."""

    price: billing.PriceView
    cancel_free_until: datetime | None
    cancel_fee_now_ore: int
    hold_expires_at: datetime | None
    payment: billing.Standing | None
    version: int
    facility: FacilityHelp
    cancellation: Cancellation | None
    extras: list[ExtraView]
    unit: ResourceCard | None
    needs_approval: bool
    pending_holds: bool
    terms: TermsRef | None
    trip: TripView | None
    late_before: LateBefore | None
    door_evidence: DoorEvidence | None


class ConflictView(db.Record):
    """A booking in the way of a request, as staff see it."""

    id: UUID
    title: str | None
    party_name: str | None
    start: datetime
    end: datetime
    state: str


class Rival(db.Record):
    """Somebody else who asks for some of the same times: for how many."""

    name: str
    count: int


class SeriesRequest(db.Record):
    """A requested series as one entry of the queue: its times that wait, or that were decided together.

    `first` and `last` are starts; `granted` counts those that were not refused, `taken` those that somebody has.
    """

    id: UUID
    rule_text_sv: str
    rule_text_en: str
    count: int
    first: datetime
    last: datetime
    total_ore: int
    granted: int
    taken: int
    rivals: list[Rival]


class RequestCard(ReservationCard):
    """A request in the staff's queue: what is in its way, and how many others ask for the same time.

    With `whole` it stands for all of that series' times, and is the first of them.
    """

    answer_by: datetime
    message: str | None
    conflicts: list[ConflictView]
    same_time: int
    whole: SeriesRequest | None


class TimelineBooking(db.Record):
    """A booking or block on the staff's day view; one that takes several resources is shown on each."""

    id: UUID
    resource_id: UUID
    start: datetime
    end: datetime
    state: State
    title: str | None
    party_name: str
    purpose: Purpose
    access_state: locks.State | None
    payment_state: billing.MoneyState
    kind: Literal["booking", "block"]
    block_id: UUID | None
    team: TeamRef | None
