"""A reservation gives its time up: door, money and row, in the caller's transaction. Who is told is the caller's."""

from datetime import datetime

from booking import billing, db, locks
from booking.people import Actor
from booking.reservations.rows import Row, free


async def release(
    row: Row, *, by: Actor, now: datetime, reason: str | None = None, by_owner: bool | None = None
) -> billing.CancelOutcome:
    """The time is free, the door will forget the code, and the money follows the list's rule for the notice given.

    `by_owner` says that the municipality ended it, which costs the customer nothing; by default it did when the
    actor doesn't act for the party.
    """
    owner = row.party not in by.acts_for if by_owner is None else by_owner
    outcome = await _money(row, owner, now)
    await locks.revoke(row.id, now=now)
    await db.run(
        "UPDATE reservation SET cancelled_at = $2, cancelled_by = $3, cancel_fee_ore = $4, refund_ore = $5"
        " WHERE id = $1",
        row.id,
        now,
        "municipality" if owner else "party",
        outcome.fee_ore,
        outcome.refund_ore,
    )
    await free(row, "cancelled", by, now, reason=reason)
    return outcome


async def fee_now(row: Row, by_owner: bool, now: datetime) -> billing.Quote | None:
    """Return what ending it now would cost the customer; None while nothing is charged yet."""
    if row.state != "confirmed":
        return None
    paid = billing.read_snapshot(row.price)
    tariff = await billing.tariff_of(paid)  # the terms that were shown when it was booked
    return billing.cancellation_fee(
        tariff, paid, billing.notice(row.starts_at, now), by_municipality=by_owner
    )


async def _money(row: Row, by_owner: bool, now: datetime) -> billing.CancelOutcome:
    if row.state == "awaiting_payment":
        await billing.expire_payment(row.id, now=now)
    fee = await fee_now(row, by_owner, now)
    if fee is None:
        return billing.CancelOutcome(0, 0)
    return await billing.cancel(row.id, fee=fee, by_municipality=by_owner, now=now)
