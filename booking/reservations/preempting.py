"""A match comes before training: staff give a training's time to it, early enough and where nothing else is free."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from booking import billing, db, journal, locks, places
from booking.clock import local_date
from booking.errors import NotFound
from booking.ids import new_id
from booking.people import Actor, Role
from booking.places import Resource
from booking.reservations.blocks import STANDING
from booking.reservations.calendar import local_day
from booking.reservations.displacing import Cause, Decision, NotDisplaceable, give_way
from booking.reservations.judging import Alternative, at_the_same_time
from booking.reservations.offers import Customer
from booking.reservations.outlook import Outlook, look_ahead
from booking.reservations.pooling import Case
from booking.reservations.rows import Row, locked
from booking.reservations.series_booking import must_pay_so
from booking.reservations.series_writing import use_text
from booking.reservations.writing import NewRow, lock_leaves, part_of, take
from booking.span import Span

FIRST = ("match", "event")  # what training gives way to


@dataclass(frozen=True, slots=True)
class Match:
    """What comes instead: when and where (the same resource if none is named), for whom, how it is paid."""

    span: Span
    party: UUID
    purpose: str
    title: str | None = None
    resource_id: UUID | None = None
    method: str = "invoice"


async def preempt(
    decision: Decision, match: Match, reason: str, *, by: Actor, now: datetime, although_free: bool = False
) -> UUID:
    """The match has the time, and the training is moved or cancelled free of charge, with the reason on record.

    Allowed by the resource's `preempt_days`, counted in local days, and unless `although_free` only where no like
    resource is free at that time (Söderhamn); what was found free is journalled. Returns the match's reservation.
    Raises NotFound for others than the owner's staff, NotDisplaceable, SlotTaken.
    """
    row = await db.value(UUID, "SELECT resource FROM reservation WHERE id = $1", decision.reservation)
    resource = await places.resource(match.resource_id or row or UUID(int=0))
    by.must_have(resource.facility.municipality.code, Role.STAFF)
    customer = Customer(match.party)
    outlook = await look_ahead([resource], [match.span], customer, match.purpose, now)
    (free,) = await at_the_same_time(resource, [match.span], outlook, customer)
    if free is not None and not although_free:
        shown = msgspec.to_builtins(free)
        raise NotDisplaceable("a like place is free at that time", code="other_time_free", alternative=shown)
    quote = outlook.quote(resource, match.span)
    await must_pay_so(match.method, match.party, quote.total_ore)
    new = _row(resource, match, quote, outlook, by, now)

    async def act() -> None:
        async with db.transaction():
            await lock_leaves([*resource.leaves, *await _leaves(decision)])
            training = await locked(decision.reservation)
            if training is None or training.municipality != resource.facility.municipality.code:
                raise NotFound("there is no such reservation")
            await _must_give_way(training, match, now)
            cause = Cause(reason, by_reservation=new.id)
            await give_way([(training, decision)], cause, by=by, now=now)
            await _book(new, Case(resource, match.span), quote, now)
            await _note(training, new, free, reason, by, now)

    await db.retried(act)
    return new.id


async def _leaves(decision: Decision) -> list[int]:
    return await db.column(
        int,
        "SELECT leaf FROM occupancy WHERE reservation = $1 UNION SELECT l.leaf FROM resource_leaf l"
        " JOIN reservation r ON r.resource = l.resource WHERE r.id = $1"
        " UNION SELECT leaf FROM resource_leaf WHERE resource = $2",
        decision.reservation,
        decision.resource_id,
    )


async def _must_give_way(training: Row, match: Match, now: datetime) -> None:
    if training.state not in STANDING or training.starts_at <= now or training.party is None:
        raise NotDisplaceable("this booking can't give way any more")
    if training.purpose != "training" or match.purpose not in FIRST:
        raise NotDisplaceable("only training gives way, to a match or an event", code="preempt_purpose")
    day = local_day(training.span)
    rules = (await places.rules_on([training.resource], day))[training.resource]
    if rules.preempt_days is None:
        raise NotDisplaceable("bookings of this resource don't give way", code="preempt_not_here")
    if (day - local_date(now)).days < rules.preempt_days:
        raise NotDisplaceable(
            f"training gives way until {rules.preempt_days} days before", code="preempt_too_late"
        )


def _row(
    resource: Resource, match: Match, quote: billing.Quote, outlook: Outlook, by: Actor, now: datetime
) -> NewRow:
    return NewRow(
        id=new_id(),
        parts=(part_of(resource, outlook.rules_of(resource, match.span)),),
        span=match.span,
        municipality=resource.facility.municipality.code,
        state="confirmed",
        purpose=match.purpose,
        created_at=now,
        party=match.party,
        account=by.account,
        title=match.title,
        method="free" if quote.total_ore == 0 else match.method,
        price_ore=quote.total_ore,
        price=billing.snapshot(quote),
        confirmed_at=now,
    )


async def _book(new: NewRow, case: Case, quote: billing.Quote, now: datetime) -> None:
    await take([new], now=now)
    if new.party is None:
        return
    await billing.charge(
        source=new.id,
        party=new.party,
        municipality=new.municipality,
        kind="usage",
        quote=quote,
        service_at=new.span.start,
        text=use_text(case),
        now=now,
    )
    await locks.grant(
        reservation=new.id,
        holder=new.party,
        resources=[case.resource.id],
        span=new.span,
        purpose=new.purpose,
        now=now,
    )


async def _note(
    training: Row, new: NewRow, free: Alternative | None, reason: str, by: Actor, now: datetime
) -> None:
    """The journal says what gave way to what, why, and what else was free."""
    other = None if free is None else {"resource": free.resource.id, "start": free.start, "end": free.end}
    facts: dict[str, object] = {"reason": reason, "other_time_free": other}
    topics = [f"reservation:{training.id}", f"timeline:{training.municipality}"]
    await journal.record_many(
        [
            journal.Note("reservation.displaced", training.id, topics, {**facts, "by": new.id}),
            journal.Note(
                "reservation.confirmed",
                new.id,
                [f"reservation:{new.id}", topics[1]],
                {"displaced": training.id},
            ),
        ],
        by=by,
        now=now,
    )
