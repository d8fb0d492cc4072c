"""Stripe's events: verified, stored once, and then read again from Stripe, whatever their order or number."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from booking import db
from booking.billing import configured
from booking.billing.payments import COLUMNS, CREATE_LIMIT, Payment, PaymentOutcome
from booking.billing.stripe_gateway import BadSignature, verify
from booking.errors import NotFound, Refusal

log = logging.getLogger("booking.billing")
LEASE = timedelta(seconds=20)  # one question to Stripe; handling an event twice is harmless
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=10)


class Event(db.Record):
    """A stored event. `payment` is ours, if the object told us; an unknown one stays visible in the table."""

    id: int
    entity: str
    event_id: str
    type: str
    object_id: str
    payment: UUID | None
    attempts: int


async def store_event(municipality: str, raw: bytes, signature: str, *, now: datetime) -> bool:
    """The event is stored, once; False if it was known. Raises NotFound, or BadSignature and stores nothing."""
    secrets = configured.secrets_of(municipality)
    if not secrets:
        raise NotFound("there is no such webhook")
    facts = verify(raw, signature, secrets, now=now)
    if facts.livemode != configured.gateway().is_live(municipality):
        raise BadSignature("the event's mode (live or test) is not this municipality's", code="wrong_mode")
    known = await db.value(
        UUID,
        "SELECT id FROM payment WHERE entity = $1 AND (id = $2 OR intent = $3 OR session_id = $4) LIMIT 1",
        municipality,
        _uuid(facts.payment_id),
        facts.payment_intent,
        facts.object_id,
    )
    fresh = await db.run(
        "INSERT INTO stripe_event (entity, event_id, type, object_id, payment, created_at, received_at, due_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (entity, event_id) DO NOTHING",
        municipality,
        facts.id,
        facts.type[:60],
        facts.object_id[:120],
        known,
        datetime.fromtimestamp(facts.created, UTC),
        now,
    )
    if fresh:
        await db.run(
            "SELECT pg_notify('outbox', 'stripe_event')"
        )  # a worker looks at once, not at its next tick
    return bool(fresh)


async def claim_event(now: datetime) -> Event | None:
    """Return one stored event that nobody handles yet, leased, or None."""
    return await db.row(
        Event,
        "UPDATE stripe_event SET due_at = $1, attempts = attempts + 1 WHERE id = ("
        " SELECT id FROM stripe_event WHERE handled_at IS NULL AND due_at <= $2"
        " ORDER BY due_at FOR NO KEY UPDATE SKIP LOCKED LIMIT 1"
        ") RETURNING id, entity, event_id, type, object_id, payment, attempts",
        now + LEASE,
        now,
    )


async def finish_event(event: Event, now: datetime) -> None:
    """The event is done with."""
    await db.run("UPDATE stripe_event SET handled_at = $2 WHERE id = $1", event.id, now)


async def fail_event(event: Event, why: str, now: datetime) -> None:
    """The event is tried again after a wait that doubles each time."""
    wait = min(FIRST_WAIT * 2 ** min(event.attempts - 1, 12), LONGEST_WAIT)
    await db.run(
        "UPDATE stripe_event SET due_at = $2, last_error = $3 WHERE id = $1", event.id, now + wait, why[:500]
    )


async def read_outcome(event: Event) -> PaymentOutcome | None:
    """Return what Stripe says now of the payment an event is about, or None while that is undecided.

    Asks Stripe, so never inside a transaction. The event's own words are not believed.
    """
    if event.payment is None:
        return None
    payment = await db.row(
        Payment, f"SELECT {COLUMNS} FROM payment WHERE id = $1 AND entity = $2", event.payment, event.entity
    )
    if payment is None or payment.state == "paid":  # paid is final: there is nothing to ask
        return None
    session = payment.session_id or (event.object_id if event.object_id.startswith("cs_") else None)
    return None if session is None else await look_up(payment, session)


async def reconcile_payments(now: datetime) -> list[PaymentOutcome]:
    """Ask Stripe about payments that have waited a while, so that a lost webhook is found. Not in a transaction."""
    await db.run(
        "UPDATE payment SET state = 'failed' WHERE state = 'created' AND session_id IS NULL AND created_at < $1",
        now - CREATE_LIMIT,
    )
    waiting = await db.rows(
        Payment,
        "UPDATE payment SET looked_at = $1 WHERE id IN (SELECT id FROM payment WHERE state IN ('created', 'pending')"
        "  AND session_id IS NOT NULL AND created_at < $1::timestamptz - interval '15 s'"
        "  AND coalesce(looked_at, '-infinity') < $1::timestamptz - least(interval '10 min',"
        "   greatest(interval '15 s', ($1::timestamptz - created_at) / 4))"
        f"  ORDER BY looked_at NULLS FIRST LIMIT 20 FOR NO KEY UPDATE SKIP LOCKED) RETURNING {COLUMNS}",
        now,
    )
    found = [await _look_up_alone(one, one.session_id) for one in waiting if one.session_id]
    return [outcome for outcome in found if outcome is not None]


async def _look_up_alone(payment: Payment, session: str) -> PaymentOutcome | None:
    """One municipality's missing key or unreachable account must not keep the others' payers waiting."""
    try:
        return await look_up(payment, session)
    except Refusal as error:
        log.warning("payment %s can't be looked up: %s", payment.id, error.detail)
        return None


async def look_up(payment: Payment, session: str) -> PaymentOutcome | None:
    """Return what Stripe says of a session, or None while it is open. Raises Unavailable."""
    checkout = await configured.gateway().read_checkout(payment.entity, session)
    if checkout.state == "pending" or checkout.payment_id != str(payment.id):
        return None
    return PaymentOutcome(
        payment.id,
        payment.source,
        payment.entity,
        checkout.state,
        session,
        checkout.intent,
        checkout.amount_ore,
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
