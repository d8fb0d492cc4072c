"""Direct payments: asked for, settled by what Stripe says, refunded. No network here: debts go to the outbox."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import db, journal, outbox
from booking.billing import ledger
from booking.billing.messages import CHECKOUT, EXPIRE, REFUND, PaymentDebt, RefundDebt
from booking.billing.pricing import Quote
from booking.billing.stripe_gateway import LEAST_ORE, PaymentState
from booking.billing.views import MoneyState, Standing
from booking.clock import SWEDEN
from booking.errors import Rejected
from booking.ids import new_id
from booking.money import kronor
from booking.people import Actor

CREATE_LIMIT = timedelta(
    hours=23
)  # Stripe forgets idempotency keys after 24 h: never repeat a call later than this
News = Literal["paid", "expired", "failed", "known"]


@dataclass(frozen=True, slots=True)
class PaymentOutcome:
    """What Stripe says of a payment of ours now. Amount in öre."""

    payment_id: UUID
    source: UUID
    municipality: str
    state: PaymentState
    session_id: str
    intent: str | None
    amount_ore: int


class Payment(db.Record):
    """A payment as its handlers need it."""

    id: UUID
    entity: str
    source: UUID
    amount_ore: int
    refunded_ore: int
    text: str
    return_url: str
    state: str
    session_id: str | None
    intent: str | None
    created_at: datetime


COLUMNS = ", ".join(Payment.__struct_fields__)


async def begin_payment(
    *,
    source: UUID,
    party: UUID,
    municipality: str,
    quote: Quote,
    text: str,
    return_url: str,
    expires_at: datetime,
    now: datetime,
) -> UUID:
    """A payment is asked for; its checkout page follows within moments. Returns the payment.

    In the caller's transaction. Raises Rejected for less than 3 kr, which no card takes.
    """
    del expires_at  # the caller expires it by expire_payment; Stripe's own shortest life is 30 minutes
    if quote.total_ore < LEAST_ORE:
        raise Rejected("the amount is too small for a card payment", code="too_small_for_card")
    payment = new_id()
    await db.run(
        "INSERT INTO payment (id, entity, party, source, amount_ore, text, return_url, state, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'created', $8)",
        payment,
        municipality,
        party,
        source,
        quote.total_ore,
        text[:200],
        return_url,
        now,
    )
    await outbox.put(CHECKOUT, key=str(payment), payload=PaymentDebt(payment), now=now)
    return payment


async def expire_payment(source: UUID, *, now: datetime) -> None:
    """Stripe will be told that this can't be paid any more. A no-op when nothing waits to be paid."""
    waiting = await db.column(
        UUID, "SELECT id FROM payment WHERE source = $1 AND state IN ('created', 'pending')", source
    )
    for payment in waiting:
        await outbox.put(EXPIRE, key=str(payment), payload=PaymentDebt(payment), now=now)


async def renew_payment(source: UUID, *, now: datetime) -> None:
    """What could not be paid in time is asked for again, at the same price; in the caller's transaction."""
    payment = new_id()
    asked = await db.run(
        "INSERT INTO payment (id, entity, party, source, amount_ore, text, return_url, state, created_at)"
        " SELECT $1, entity, party, source, amount_ore, text, return_url, 'created', $3 FROM payment"
        " WHERE source = $2 ORDER BY created_at DESC LIMIT 1",
        payment,
        source,
        now,
    )
    if asked:
        await outbox.put(CHECKOUT, key=str(payment), payload=PaymentDebt(payment), now=now)


async def record_payment(outcome: PaymentOutcome, *, now: datetime) -> News:
    """Our row says what Stripe says, and money received is booked; in the caller's transaction.

    Returns the news once; "known" ever after. Paid is final: no later event undoes it.
    """
    found = await db.row(
        Payment, f"SELECT {COLUMNS} FROM payment WHERE id = $1 FOR NO KEY UPDATE", outcome.payment_id
    )
    if found is None or outcome.state == "pending" or found.state in ("paid", outcome.state):
        return "known"
    if outcome.state == "paid" and outcome.amount_ore != found.amount_ore:
        raise Rejected(f"payment {found.id}: Stripe took {outcome.amount_ore}, asked were {found.amount_ore}")
    await db.run(
        "UPDATE payment SET state = $2, session_id = $3, intent = $4, paid_at = $5 WHERE id = $1",
        found.id,
        outcome.state,
        outcome.session_id,
        outcome.intent,
        now if outcome.state == "paid" else None,
    )
    if outcome.state == "paid":
        sides = [(ledger.STRIPE, found.amount_ore), (ledger.CUSTOMER, -found.amount_ore)]
        await ledger.post(found.entity, f"payment:{found.id}", "Betalning via Stripe", sides, now)
    return outcome.state


async def refund(source: UUID, *, reason: str, now: datetime, amount_ore: int | None = None) -> int:
    """Money paid for the source that no charge keeps will go back, or just `amount_ore` of it; returns öre.

    In the caller's transaction: the row comes first, Stripe is asked later. Raises Rejected for more than is left.
    """
    found = await db.rows(
        Payment,
        f"SELECT {COLUMNS} FROM payment WHERE source = $1 AND state = 'paid' ORDER BY id FOR NO KEY UPDATE",
        source,
    )
    given = 0
    for payment in found:
        kept = await db.value(
            int,
            "SELECT coalesce(sum(total_ore), 0)::bigint FROM charge WHERE payment = $1 AND state = 'paid_direct'",
            payment.id,
        )
        left = payment.amount_ore - payment.refunded_ore - (kept or 0)
        amount = left if amount_ore is None else min(left, amount_ore - given)
        if amount > 0:
            await _promise(payment, amount, reason, now)
            given += amount
    if amount_ore is not None and given < amount_ore:
        raise Rejected(f"only {given} öre are left to refund", code="over_refund")
    return given


async def standing(sources: Iterable[UUID]) -> dict[UUID, Standing]:
    """Return where the money of each source stands; sources without any are left out.

    For callers who have already decided that the actor may see the source.
    """
    found = await db.rows(_Standing, _STANDING, list(sources))
    return {one.source: _shown(one) for one in found}


async def tell(payment: Payment, action: str, now: datetime) -> None:
    """Pages that show the source learn that its payment changed."""
    await journal.record(
        action, about=payment.source, by=Actor.system(), now=now, topics=[f"reservation:{payment.source}"]
    )


async def _promise(payment: Payment, amount: int, reason: str, now: datetime) -> None:
    refund_id = new_id()
    await db.run("UPDATE payment SET refunded_ore = refunded_ore + $2 WHERE id = $1", payment.id, amount)
    await db.run(
        "INSERT INTO refund (id, payment, amount_ore, reason, state, created_at)"
        " VALUES ($1, $2, $3, $4, 'queued', $5)",
        refund_id,
        payment.id,
        amount,
        reason,
        now,
    )
    await outbox.put(REFUND, key=str(refund_id), payload=RefundDebt(refund_id), now=now)


class _Standing(db.Record):
    source: UUID
    seller: str
    charge_state: str | None
    charge_ore: int | None
    payment_state: str | None
    amount_ore: int | None
    refunded_ore: int | None
    url: str | None
    paid_at: datetime | None
    queued: bool


_STANDING = """
SELECT s.source, e.name AS seller, c.state AS charge_state, c.total_ore AS charge_ore, p.state AS payment_state,
  p.amount_ore, p.refunded_ore, p.url, p.paid_at,
  EXISTS (SELECT FROM refund r WHERE r.payment = p.id AND r.state <> 'done') AS queued
FROM unnest($1::uuid[]) AS s(source)
LEFT JOIN LATERAL (SELECT * FROM payment WHERE source = s.source ORDER BY state = 'paid' DESC, created_at DESC LIMIT 1) p ON true
LEFT JOIN LATERAL (
  SELECT state, entity, CASE WHEN bool_or(stands) THEN sum(total_ore) FILTER (WHERE stands) ELSE max(total_ore) END::bigint AS total_ore
  FROM (SELECT *, state IN ('open', 'free', 'invoiced', 'paid_direct') AS stands FROM charge
        WHERE source = s.source AND kind = 'usage') u
  GROUP BY state, entity, created_at ORDER BY bool_or(stands) DESC, created_at DESC, state = 'free' LIMIT 1
) c ON true
JOIN legal_entity e ON e.id = coalesce(p.entity, c.entity)
"""
_BY_CHARGE: dict[str, MoneyState] = {"open": "to_invoice", "invoiced": "invoiced"}


def _shown(one: _Standing) -> Standing:
    if one.payment_state is None:
        free = one.charge_state == "free"
        state = _BY_CHARGE.get(one.charge_state or "", "none")
        return Standing(state, "free" if free else "invoice", one.charge_ore or 0, None, None)
    state = _payment_standing(one)
    waiting = one.payment_state == "pending"
    return Standing(state, "card", one.amount_ore or 0, one.url if waiting else None, _receipt(one))


def _payment_standing(one: _Standing) -> MoneyState:
    if one.payment_state != "paid":
        return "pending" if one.payment_state in ("created", "pending") else "failed"
    if one.queued:
        return "refund_pending"
    return "refunded" if one.refunded_ore else "paid"


def _receipt(one: _Standing) -> str | None:
    if one.paid_at is None:
        return None
    day = one.paid_at.astimezone(SWEDEN)
    back = f", återbetalat {kronor(one.refunded_ore)} kr" if one.refunded_ore else ""
    return f"Betalt {kronor(one.amount_ore or 0)} kr till {one.seller} {day:%Y-%m-%d %H:%M}{back}"
