"""Reserve, pay, cancel, complete, tell how it was used. One public function = one transaction = one verb."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import billing, db
from booking.errors import NotFound, Rejected
from booking.people import Actor, Role
from booking.reservations import offers
from booking.reservations.allowing import (
    Allowed,
    may_waive,
    must_accept,
    must_be_allowed,
    must_book_for,
    must_have_quota,
    note_waiver,
    was_waived,
)
from booking.reservations.confirming import by_method, confirm, invoice_text, must_be_payable
from booking.reservations.errors import NotCancellable, NotYetUsed, PriceChanged
from booking.reservations.freeing import give_up, note_taken
from booking.reservations.offers import Customer
from booking.reservations.ordering import order_of
from booking.reservations.releasing import release
from booking.reservations.rows import COLUMNS, Row, locked, may_handle, own_hold, tell
from booking.reservations.telling import owe_customer, owe_staff

REPAY = timedelta(minutes=35)  # a payment page lives half an hour at least


async def reserve(
    hold_id: UUID,
    *,
    method: str,
    expected_ore: int,
    by: Actor,
    now: datetime,
    return_url: str,
    terms_version: str | None = None,
    reason: str | None = None,
) -> UUID:
    """A hold has become a reservation: confirmed with its charge and doors, waiting for payment, or a request.

    All rules are asked again, now that it is known who books. Raises HoldExpired, PriceChanged, BreaksRule,
    QuotaFull, TermsNotAccepted, Rejected (`invoice_not_allowed`, `not_free`), NotAllowed.
    """
    by.must_be_known()

    async def act() -> None:
        async with db.transaction():
            held = await own_hold(hold_id, by, now)
            await _reserve(held, method, expected_ore, by, now, return_url, terms_version, reason)

    await db.retried(act)
    return hold_id


async def _reserve(
    held: Row,
    method: str,
    expected_ore: int,
    by: Actor,
    now: datetime,
    return_url: str,
    terms_version: str | None,
    reason: str | None,
) -> None:
    party = held.party or by.party
    if party is None:
        raise Rejected("choose for whom you book", code="party_missing")
    waive = may_waive(by, held.municipality, reason)
    if waive and reason is not None:
        await note_waiver(held.id, held.municipality, reason, by, now)
    waive = waive or (by.has(held.municipality, Role.STAFF) and await was_waived(held.id, by))
    must_book_for(by, party, held.municipality, waive=waive)
    order, customer = await order_of(held), Customer(party)
    allowed = await must_be_allowed(order, held.span, held.purpose, customer, at=held.created_at, waive=waive)
    must_accept(allowed.rules, terms_version, municipality=held.municipality)
    if not waive:
        wanted = [(held.span, allowed.rules)]
        await must_have_quota(party, order.main.facility.id, wanted, now=now, without=[held.id])
    quote = await offers.price_of(order, held.span, held.purpose, customer)
    if quote.total_ore != expected_ore:
        raise PriceChanged("the price is another for this customer", price=billing.shown(quote))
    await must_be_payable(party, method, quote)
    await db.run(
        "UPDATE reservation SET party = $2, account = $3, method = $4, price_ore = $5, price = $6, terms = $7,"
        " version = version + 1 WHERE id = $1",
        held.id,
        party,
        by.account,
        method,
        quote.total_ore,
        billing.snapshot(quote),
        terms_version,
    )
    held.party = party
    await note_taken(held.id)
    if allowed.needs_approval and not waive:  # staff who book for a reason have decided already
        await _request(held, allowed, by, now)
    else:
        await by_method(held, method, quote, by, now, return_url)


async def _request(held: Row, allowed: Allowed, by: Actor, now: datetime) -> None:
    """Staff will decide. The time is kept until then, or not at all, as the resource's rules say."""
    answer_by = now + timedelta(days=allowed.answer_days)
    await db.run(
        "UPDATE reservation SET state = 'requested', hold_until = NULL, answer_by = $2 WHERE id = $1",
        held.id,
        answer_by,
    )
    if allowed.rules.pending_holds:
        await db.run("UPDATE occupancy SET hold_until = NULL WHERE reservation = $1", held.id)
    else:
        await give_up([held.id], now)
    await tell(held, "reservation.requested", by, now)
    await owe_customer(held, "request_received", now, answer_by_at=answer_by)
    await owe_staff(held, "Ny bokningsförfrågan", now)


@db.retrying
async def settle_payment(outcome: billing.PaymentOutcome, *, now: datetime) -> None:
    """What Stripe says is now true here: confirmed with code and charge, refunded if nothing needs it, or still open.

    A page that ran out while the time is still kept is replaced. Safe to run any number of times for one outcome.
    """
    by = Actor.system()
    async with db.transaction():
        found = await locked(outcome.source)
        news = await billing.record_payment(outcome, now=now)
        if found is None or news not in ("paid", "expired"):
            return
        waits = found.state == "awaiting_payment"
        if news == "expired":
            if waits and found.hold_until is not None and found.hold_until > now + REPAY:
                await billing.renew_payment(found.id, now=now)
        elif waits:
            await confirm(found, billing.read_snapshot(found.price), by, now, payment=outcome.payment_id)
        else:  # too late, or paid twice: what no charge keeps goes back
            reason = "too_late" if found.state in ("expired", "cancelled") else "paid_twice"
            await billing.refund(found.id, reason=reason, now=now)
            await tell(found, f"payment.{reason}", by, now)


@db.retrying
async def cancel(reservation_id: UUID, *, by: Actor, now: datetime, reason: str | None = None) -> None:
    """The time is free, the door will forget the code, and the money follows the list's rule for the notice given.

    A request that is cancelled is withdrawn. Raises NotFound for a foreign reservation, NotCancellable once it has
    started.
    """
    async with db.transaction():
        found = await locked(reservation_id)
        if found is None or not may_handle(found, by):
            raise NotFound("there is no such reservation")
        alive = found.state in ("confirmed", "awaiting_payment", "requested")
        if not alive or found.starts_at <= now:
            raise NotCancellable("this booking can't be cancelled any more")
        await release(found, by=by, now=now, reason=reason)
        await owe_customer(found, "booking_cancelled", now, reason=reason)


@db.retrying
async def complete_due(now: datetime) -> int:
    """Confirmed reservations whose time is over are completed, and open pages know; returns how many."""
    async with db.transaction():
        over = await db.rows(
            Row,
            f"UPDATE reservation SET state = 'completed', version = version + 1 WHERE id IN ("
            " SELECT id FROM reservation WHERE state = 'confirmed' AND ends_at <= $1"
            f" ORDER BY id LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED) RETURNING {COLUMNS}",
            now,
        )
        for one in over:
            await tell(one, "reservation.completed", Actor.system(), now)
    return len(over)


@db.retrying
async def note_usage(
    reservation_id: UUID,
    used: Literal["used", "no_show"],
    *,
    by: Actor,
    now: datetime,
    reason: str | None = None,
) -> None:
    """It stands whether the time was used. Unused time costs what the list says; taking it back takes that back.

    Raises NotFound for others than the owner's staff, NotYetUsed before the start.
    """
    async with db.transaction():
        found = await locked(reservation_id)
        if found is None or found.kind != "booking":
            raise NotFound("there is no such reservation")
        by.must_have(found.municipality, Role.STAFF)
        if found.state not in ("confirmed", "completed") or found.starts_at > now or found.party is None:
            raise NotYetUsed("it can be told when it has begun")
        if used == found.used:
            return
        await db.run("UPDATE reservation SET used = $2, version = version + 1 WHERE id = $1", found.id, used)
        if used == "no_show":
            paid = billing.read_snapshot(found.price)
            fee = billing.no_show_fee(await billing.tariff_of(paid), paid)
            text = f"Ej utnyttjad tid: {await invoice_text(found)}"
            await billing.charge_fee(
                found.id, found.party, found.municipality, "no_show", fee, found.starts_at, text, now
            )
        elif found.used == "no_show":
            await billing.drop_fee(found.id, "no_show", now=now)
        await tell(found, f"reservation.{used}", by, now, reason=reason)
