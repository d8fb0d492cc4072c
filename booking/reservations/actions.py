"""Reserve, pay, cancel, complete. One public function = one transaction = one verb a clerk would use."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db, locks, messages, places
from booking.clock import SWEDEN
from booking.errors import NotFound, Rejected
from booking.people import Actor, Role
from booking.reservations import offers
from booking.reservations.errors import (
    NotCancellable,
    PriceChanged,
)
from booking.reservations.offers import Customer
from booking.reservations.releasing import release
from booking.reservations.rows import COLUMNS, Row, locked, own_hold, set_hold_until, tell

PAY = timedelta(minutes=30)


async def reserve(
    hold_id: UUID, *, method: str, expected_ore: int, by: Actor, now: datetime, return_url: str
) -> UUID:
    """A hold has become a reservation: confirmed with its charge and door, or waiting for its payment.

    Raises HoldExpired, PriceChanged, Rejected (`invoice_not_allowed`, `not_free`), NotAllowed.
    """
    account = by.must_be_known()
    async with db.transaction():
        held = await own_hold(hold_id, by, now)
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
        found = await locked(outcome.source)
        news = await billing.record_payment(outcome, now=now)
        if found is None or news != "paid":
            return
        if found.state == "awaiting_payment":
            await _confirm(found, billing.read_snapshot(found.price), by, now, payment=outcome.payment_id)
        else:  # too late, or paid twice: what no charge keeps goes back
            reason = "too_late" if found.state in ("expired", "cancelled") else "paid_twice"
            await billing.refund(found.id, reason=reason, now=now)
            await tell(found, f"payment.{reason}", by, now)


async def cancel(reservation_id: UUID, *, by: Actor, now: datetime, reason: str | None = None) -> None:
    """The time is free, the door will forget the code, and the money follows the list's rule for the notice given.

    Raises NotFound for a foreign reservation, NotCancellable once it has started.
    """
    async with db.transaction():
        found = await locked(reservation_id)
        if found is None or not _may_handle(found, by):
            raise NotFound("there is no such reservation")
        if found.state not in ("confirmed", "awaiting_payment") or found.starts_at <= now:
            raise NotCancellable("this booking can't be cancelled any more")
        await release(found, by=by, now=now, reason=reason)
        await messages.owe("booking_cancelled", account=found.account, party=found.party, about=found.id, municipality=found.municipality, data={"reason": reason}, now=now)  # fmt: skip


async def complete_due(now: datetime) -> int:
    """Confirmed reservations whose time is over are completed, and open pages know; returns how many."""
    async with db.transaction():
        over = await db.rows(
            Row,
            f"UPDATE reservation SET state = 'completed', version = version + 1 WHERE id IN ("
            " SELECT id FROM reservation WHERE state = 'confirmed' AND ends_at <= $1"
            f" ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING {COLUMNS}",
            now,
        )
        for one in over:
            await tell(one, "reservation.completed", Actor.system(), now)
    return len(over)


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
        await set_hold_until(held.id, now + PAY)
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
        await tell(held, "reservation.awaits_payment", by, now)
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
        resources=[row.resource],
        span=row.span,
        purpose=row.purpose,
        now=now,
    )
    await tell(row, "reservation.confirmed", by, now)
    await messages.owe("booking_confirmed", account=row.account, party=row.party, about=row.id, municipality=row.municipality, now=now)  # fmt: skip


async def _invoice_text(row: Row) -> str:
    resource = await places.resource(row.resource, in_use=False)
    start, end = (moment.astimezone(SWEDEN) for moment in (row.starts_at, row.ends_at))
    return f"{resource.facility.name}, {resource.name}, {start:%Y-%m-%d %H:%M}–{end:%H:%M}"


def _may_handle(row: Row, by: Actor) -> bool:
    return row.party in by.acts_for or by.has(row.municipality, Role.STAFF)
