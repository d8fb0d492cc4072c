"""How a reservation becomes confirmed: by its method of payment, with its charge and its doors. In the caller's
transaction."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db, locks, places
from booking.clock import SWEDEN
from booking.errors import Rejected
from booking.people import Actor
from booking.reservations.ordering import extras_of
from booking.reservations.rows import Row, code_of, set_hold_until, tell
from booking.reservations.telling import owe_customer
from booking.span import Span

PAY = timedelta(minutes=30)


async def must_be_payable(party: UUID, method: str, quote: billing.Quote) -> None:
    """Raise Rejected where the method can't pay this price for this customer."""
    if quote.total_ore == 0:
        return
    if method == "invoice":
        if not await may_owe(party):
            raise Rejected("this customer pays when booking", code="invoice_not_allowed")
    elif method != "card":
        raise Rejected("this booking is not free of charge", code="not_free")


async def may_owe(party: UUID) -> bool:
    """Return True if the customer may be invoiced."""
    return bool(await db.value(bool, "SELECT may_be_invoiced FROM party WHERE id = $1", party))


async def by_method(
    row: Row,
    method: str,
    quote: billing.Quote,
    by: Actor,
    now: datetime,
    return_url: str,
    *,
    pay_within: timedelta = PAY,
) -> None:
    """The reservation is confirmed, or waits so long for its card payment."""
    if row.party is None:
        raise Rejected("choose for whom you book", code="party_missing")
    if quote.total_ore == 0 or method == "invoice":
        await confirm(row, quote, by, now)
        return
    until = now + pay_within
    await set_hold_until(row.id, until)
    await db.run("UPDATE reservation SET state = 'awaiting_payment' WHERE id = $1", row.id)
    await billing.begin_payment(
        source=row.id,
        party=row.party,
        municipality=row.municipality,
        quote=quote,
        text=await invoice_text(row),
        return_url=return_url.format(id=row.id),
        expires_at=until,
        now=now,
    )
    await tell(row, "reservation.awaits_payment", by, now)


async def confirm(
    row: Row, quote: billing.Quote, by: Actor, now: datetime, payment: UUID | None = None
) -> None:
    """Confirmed, charged and promised at its doors."""
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
        text=await invoice_text(row),
        paid_by=payment,
        now=now,
    )
    await locks.grant(
        reservation=row.id,
        holder=row.party,
        resources=await resources_of(row),
        span=row.span,
        purpose=row.purpose,
        credential=await code_of(row.series),
        now=now,
    )
    await tell(row, "reservation.confirmed", by, now)
    await owe_customer(row, "booking_confirmed", now)


async def resources_of(row: Row) -> list[UUID]:
    """Return everything that the reservation occupies: its resource and what is booked with it."""
    extras = (await extras_of([row.id]))[row.id]
    return [row.resource, *(one.resource for one in extras)]


async def invoice_text(row: Row) -> str:
    """Return what an invoice calls the use: place and local time."""
    return use_of(await places.resource(row.resource, in_use=False), row.span)


def use_of(resource: places.Resource, span: Span) -> str:
    """Return what an invoice calls a use of the resource: place and local time."""
    start, end = (moment.astimezone(SWEDEN) for moment in (span.start, span.end))
    return f"{resource.facility.name}, {resource.name}, {start:%Y-%m-%d %H:%M}–{end:%H:%M}"
