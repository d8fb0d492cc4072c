"""Hold, reserve, pay, cancel. One public function = one transaction = one verb a clerk would use."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import ExclusionViolationError

from booking import billing, db, journal, locks, places
from booking.clock import SWEDEN
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor, Role
from booking.places import Resource
from booking.reservations import offers
from booking.reservations.calendar import refusal
from booking.reservations.errors import (
    RULES,
    AlreadyExtended,
    BreaksRule,
    HoldExpired,
    NotCancellable,
    PriceChanged,
    SlotTaken,
    TooManyHolds,
)
from booking.reservations.offers import Customer
from booking.span import Span

HOLD, PAY, MOST_HOLDS = timedelta(minutes=10), timedelta(minutes=30), 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to book."""

    resource_id: UUID
    span: Span
    purpose: str = "private"
    customer: Customer = field(default_factory=Customer)
    title: str | None = None


class Row(db.Record):
    """A reservation as the actions need it."""

    id: UUID
    resource: UUID
    municipality: str
    party: UUID | None
    account: UUID | None
    session: UUID | None
    home: str | None
    state: str
    starts_at: datetime
    ends_at: datetime
    hold_until: datetime | None
    extended: bool
    purpose: str
    title: str | None
    price_ore: int
    price: str

    @property
    def span(self) -> Span:
        """When it is."""
        return Span(self.starts_at, self.ends_at)


_COLUMNS = ", ".join(Row.__struct_fields__)


async def hold(wish: Wish, *, by: Actor, now: datetime) -> UUID:
    """The time is the actor's for ten minutes, against everybody else. Returns the hold.

    Raises BreaksRule, SlotTaken, TooManyHolds, NotAllowed for a foreign party, billing.NotPriced.
    """
    if wish.customer.party is not None:
        by.must_act_for(wish.customer.party)
    resource = await places.resource(wish.resource_id)
    await _must_follow_rules(resource, wish.span, now)
    quote = await offers.price(resource, wish.span, wish.purpose, wish.customer)
    try:
        async with db.transaction():
            await db.take_locks("leaf", resource.leaves)  # the losers queue here instead of deadlocking
            await _must_have_few_holds(by, now)
            await _expire_on(resource, wish.span, now)
            return await _insert_hold(resource, wish, quote, by, now)
    except ExclusionViolationError as error:
        raise SlotTaken("this time is already booked") from error


async def change_hold(
    hold_id: UUID, customer: Customer | None, purpose: str | None, *, by: Actor, now: datetime
) -> None:
    """The hold has the price of another identity or purpose; None keeps what it has.

    Raises NotFound, HoldExpired, NotAllowed.
    """
    async with db.transaction():
        held = await _own_hold(hold_id, by, now)
        party = held.party or by.party
        customer = customer or Customer(party, None if party else held.home)
        purpose = purpose or held.purpose
        if customer.party is not None:
            by.must_act_for(customer.party)
        resource = await places.resource(held.resource)
        quote = await offers.price(resource, held.span, purpose, customer)
        await db.run(
            "UPDATE reservation SET party = $2, home = $3, purpose = $4, price_ore = $5, price = $6,"
            " account = coalesce(account, $7), version = version + 1 WHERE id = $1",
            hold_id,
            customer.party,
            customer.home,
            purpose,
            quote.total_ore,
            billing.snapshot(quote),
            by.account,
        )


async def extend_hold(hold_id: UUID, *, by: Actor, now: datetime) -> None:
    """The hold lasts ten minutes from now, once. Raises NotFound, HoldExpired, AlreadyExtended."""
    async with db.transaction():
        held = await _own_hold(hold_id, by, now)
        if held.extended:
            raise AlreadyExtended("this hold has been extended already")
        await _set_hold_until(held.id, now + HOLD)
        await db.run("UPDATE reservation SET extended = true WHERE id = $1", held.id)


async def release_hold(hold_id: UUID, *, by: Actor, now: datetime) -> None:
    """The time is free again. Releasing a hold that is gone is a no-op."""
    async with db.transaction():
        held = await _locked(hold_id)
        if held is not None and held.state == "held" and _is_own(held, by):
            await _free(held, "expired", by, now)


async def adopt_holds(session: UUID, *, by: Actor) -> None:
    """Holds of a visitor belong to the account that logged in from the same browser; another account's don't."""
    await db.run(
        "UPDATE reservation SET account = $2, session = $3 WHERE session = $1 AND state = 'held'"
        " AND account IS NULL",
        session,
        by.account,
        by.session,
    )


async def reserve(
    hold_id: UUID, *, method: str, expected_ore: int, by: Actor, now: datetime, return_url: str
) -> UUID:
    """A hold has become a reservation: confirmed with its charge and door, or waiting for its payment.

    Raises HoldExpired, PriceChanged, Rejected (`invoice_not_allowed`, `not_free`), NotAllowed.
    """
    account = by.must_be_known()
    async with db.transaction():
        held = await _own_hold(hold_id, by, now)
        party = held.party or by.party
        if party is None:
            raise Rejected("choose for whom you book", code="party_missing")
        by.must_act_for(party)
        resource = await places.resource(held.resource, in_use=False)
        quote = await offers.price(resource, held.span, held.purpose, Customer(party))
        if quote.total_ore != expected_ore:
            raise PriceChanged("the price is another for this customer", price=billing.shown(quote))
        await db.run(
            "UPDATE reservation SET party = $2, account = $3, method = $4, price_ore = $5, price = $6,"
            " version = version + 1 WHERE id = $1",
            held.id,
            party,
            account,
            method,
            quote.total_ore,
            billing.snapshot(quote),
        )
        held.party = party
        await _by_method(held, method, quote, by, now, return_url)
    return held.id


async def settle_payment(outcome: billing.PaymentOutcome, *, now: datetime) -> None:
    """What Stripe says is now true here: confirmed with code and charge, refunded if nothing needs it, or still open.

    Safe to run any number of times for the same outcome.
    """
    by = Actor.system()
    async with db.transaction():
        found = await _locked(outcome.source)
        news = await billing.record_payment(outcome, now=now)
        if found is None or news != "paid":
            return
        if found.state == "awaiting_payment":
            await _confirm(found, billing.read_snapshot(found.price), by, now, payment=outcome.payment_id)
        else:  # too late, or paid twice: what no charge keeps goes back
            reason = "too_late" if found.state in ("expired", "cancelled") else "paid_twice"
            await billing.refund(found.id, reason=reason, now=now)
            await _tell(found, f"payment.{reason}", by, now)


async def cancel(reservation_id: UUID, *, by: Actor, now: datetime, reason: str | None = None) -> None:
    """The time is free, the door will forget the code, and the money follows the list's rule for the notice given.

    Raises NotFound for a foreign reservation, NotCancellable once it has started.
    """
    async with db.transaction():
        found = await _locked(reservation_id)
        if found is None or not _may_handle(found, by):
            raise NotFound("there is no such reservation")
        if found.state not in ("confirmed", "awaiting_payment") or found.starts_at <= now:
            raise NotCancellable("this booking can't be cancelled any more")
        by_owner = found.party not in by.acts_for
        outcome = await _cancel_money(found, by_owner, now)
        await locks.revoke(found.id, now=now)
        await db.run(
            "UPDATE reservation SET cancelled_at = $2, cancelled_by = $3, cancel_fee_ore = $4, refund_ore = $5"
            " WHERE id = $1",
            found.id,
            now,
            "municipality" if by_owner else "party",
            outcome.fee_ore,
            outcome.refund_ore,
        )
        await _free(found, "cancelled", by, now, reason=reason)


async def expire_due(now: datetime) -> int:
    """Holds and unpaid reservations that have run out are free again; returns how many."""
    count = 0
    async with db.transaction():
        due = await db.rows(
            Row,
            f"SELECT {_COLUMNS} FROM reservation WHERE state IN ('held', 'awaiting_payment')"
            " AND hold_until <= $1 ORDER BY hold_until LIMIT 100 FOR UPDATE SKIP LOCKED",
            now,
        )
        for one in due:
            await _expire(one, now)
            count += 1
    return count


async def complete_due(now: datetime) -> int:
    """Confirmed reservations whose time is over are completed; returns how many."""
    return await db.run(
        "UPDATE reservation SET state = 'completed', version = version + 1"
        " WHERE state = 'confirmed' AND ends_at <= $1",
        now,
    )


# Below: steps of the actions above, all inside their transaction.


async def _must_follow_rules(resource: Resource, span: Span, now: datetime) -> None:
    weeks = await places.weeks([resource.facility.id])
    code = refusal(resource, weeks[resource.facility.id], span, now)
    if code is not None:
        raise BreaksRule(RULES[code], code=code)


async def _must_have_few_holds(by: Actor, now: datetime) -> None:
    if by.is_system:
        return
    live = await db.value(
        int,
        "SELECT count(*) FROM reservation WHERE state = 'held' AND hold_until > $3"
        " AND (session = $1 OR account = $2)",
        by.session,
        by.account,
        now,
    )
    if live and live >= MOST_HOLDS:
        raise TooManyHolds(f"at most {MOST_HOLDS} times can be held at once")


async def _insert_hold(
    resource: Resource, wish: Wish, quote: billing.Quote, by: Actor, now: datetime
) -> UUID:
    hold_id = new_id()
    await db.run(
        "WITH r AS (INSERT INTO reservation (id, resource, municipality, party, account, session, home, state,"
        "  starts_at, ends_at, hold_until, purpose, title, price_ore, price, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'held', $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id)"
        " INSERT INTO occupancy (leaf, reservation, starts_at, ends_at, hold_until)"
        " SELECT leaf, r.id, $8, $16, $10 FROM r, unnest($17::int[]) AS leaf ORDER BY leaf",
        hold_id,
        resource.id,
        resource.facility.municipality.code,
        wish.customer.party,
        by.account,
        by.session,
        wish.customer.home,
        wish.span.start,
        wish.span.end,
        now + HOLD,
        wish.purpose,
        wish.title,
        quote.total_ore,
        billing.snapshot(quote),
        now,
        wish.span.end + timedelta(minutes=resource.gap_min),
        resource.leaves,
    )
    return hold_id


async def _by_method(
    held: Row, method: str, quote: billing.Quote, by: Actor, now: datetime, return_url: str
) -> None:
    if quote.total_ore == 0:
        await _confirm(held, quote, by, now)
    elif method == "invoice":
        if not await db.value(bool, "SELECT may_be_invoiced FROM party WHERE id = $1", held.party):
            raise Rejected("this customer pays when booking", code="invoice_not_allowed")
        await _confirm(held, quote, by, now)
    elif method == "card" and held.party is not None:
        await db.run("UPDATE reservation SET state = 'awaiting_payment' WHERE id = $1", held.id)
        await _set_hold_until(held.id, now + PAY)
        await billing.begin_payment(
            source=held.id,
            party=held.party,
            municipality=held.municipality,
            quote=quote,
            text=await _invoice_text(held),
            return_url=return_url.format(id=held.id),
            expires_at=now + PAY,
            now=now,
        )
        await _tell(held, "reservation.awaits_payment", by, now)
    else:
        raise Rejected("this booking is not free of charge", code="not_free")


async def _confirm(
    row: Row, quote: billing.Quote, by: Actor, now: datetime, payment: UUID | None = None
) -> None:
    """Confirmed, charged and promised at its door, all in the caller's transaction."""
    if row.party is None:
        raise Rejected("choose for whom you book", code="party_missing")
    await db.run(
        "UPDATE reservation SET state = 'confirmed', confirmed_at = $2, hold_until = NULL,"
        " version = version + 1 WHERE id = $1",
        row.id,
        now,
    )
    await db.run("UPDATE occupancy SET hold_until = NULL WHERE reservation = $1", row.id)
    await billing.charge(
        source=row.id,
        party=row.party,
        municipality=row.municipality,
        kind="usage",
        quote=quote,
        service_at=row.starts_at,
        text=await _invoice_text(row),
        paid_by=payment,
        now=now,
    )
    await locks.grant(
        reservation=row.id,
        holder=row.party,
        resource_id=row.resource,
        span=row.span,
        purpose=row.purpose,
        now=now,
    )
    await _tell(row, "reservation.confirmed", by, now)


async def _invoice_text(row: Row) -> str:
    resource = await places.resource(row.resource, in_use=False)
    start, end = (moment.astimezone(SWEDEN) for moment in (row.starts_at, row.ends_at))
    return f"{resource.facility.name}, {resource.name}, {start:%Y-%m-%d %H:%M}–{end:%H:%M}"


async def _cancel_money(row: Row, by_owner: bool, now: datetime) -> billing.CancelOutcome:
    if row.state == "awaiting_payment":
        await billing.expire_payment(row.id, now=now)
        return billing.CancelOutcome(0, 0)
    paid = billing.read_snapshot(row.price)
    tariff = await billing.tariff_of(paid)  # the terms that were shown when it was booked
    fee = billing.cancellation_fee(tariff, paid, lead_time=row.starts_at - now, by_municipality=by_owner)
    return await billing.cancel(row.id, fee=fee, by_municipality=by_owner, now=now)


async def _expire_on(resource: Resource, span: Span, now: datetime) -> None:
    """Holds that have run out no longer stand in the way of this wish (a predicate can't use now())."""
    # The outer hold_until is read again after a wait for the row: one that was just extended or booked stays.
    stale = await db.rows(
        Row,
        f"SELECT {_COLUMNS} FROM reservation WHERE id IN (SELECT reservation FROM occupancy"
        " WHERE leaf = ANY($1) AND starts_at < $3 AND ends_at > $2 AND hold_until <= $4)"
        " AND state IN ('held', 'awaiting_payment') AND hold_until <= $4 ORDER BY id FOR UPDATE",
        resource.leaves,
        span.start,
        span.end + timedelta(minutes=resource.gap_min),
        now,
    )
    for one in stale:
        await _expire(one, now)


async def _expire(row: Row, now: datetime) -> None:
    if row.state == "awaiting_payment":
        await billing.expire_payment(row.id, now=now)
    await _free(row, "expired", Actor.system(), now)


async def _free(row: Row, state: str, by: Actor, now: datetime, **facts: object) -> None:
    await db.run("DELETE FROM occupancy WHERE reservation = $1", row.id)
    await db.run("UPDATE reservation SET state = $2, version = version + 1 WHERE id = $1", row.id, state)
    await _tell(row, f"reservation.{state}", by, now, **facts)


async def _set_hold_until(reservation: UUID, until: datetime) -> None:
    await db.run("UPDATE reservation SET hold_until = $2 WHERE id = $1", reservation, until)
    await db.run("UPDATE occupancy SET hold_until = $2 WHERE reservation = $1", reservation, until)


async def _locked(reservation: UUID) -> Row | None:
    return await db.row(Row, f"SELECT {_COLUMNS} FROM reservation WHERE id = $1 FOR UPDATE", reservation)


async def _own_hold(hold_id: UUID, by: Actor, now: datetime) -> Row:
    held = await _locked(hold_id)
    if held is None or not _is_own(held, by):
        raise NotFound("there is no such hold")
    if held.state != "held" or held.hold_until is None or held.hold_until <= now:
        raise HoldExpired("the hold has run out")
    return held


def _is_own(row: Row, by: Actor) -> bool:
    same_session = by.session is not None and row.session == by.session
    return by.is_system or same_session or (by.account is not None and row.account == by.account)


def _may_handle(row: Row, by: Actor) -> bool:
    return row.party in by.acts_for or by.has(row.municipality, Role.STAFF)


async def _tell(row: Row, action: str, by: Actor, now: datetime, **facts: object) -> None:
    topics = [f"reservation:{row.id}", f"timeline:{row.municipality}"]
    await journal.record(action, about=row.id, by=by, now=now, topics=topics, **facts)
