"""Doing what the outbox owes: ask Stripe, render documents. Every handler may run twice."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from booking import db
from booking.billing import configured, documents, ledger, payments
from booking.billing.messages import CHECKOUT, EXPIRE, PDF, REFUND, DocumentDebt, PaymentDebt, RefundDebt
from booking.billing.payments import COLUMNS, CREATE_LIMIT, Payment
from booking.billing.stripe_gateway import Checkout, GatewayRefused, Wanted
from booking.errors import Unavailable
from booking.outbox import Debt, Handler, Postpone

log = logging.getLogger("booking.billing")
BUSY = timedelta(seconds=5)


class _Refund(db.Record):
    id: UUID
    payment: UUID
    amount_ore: int
    state: str
    entity: str
    intent: str | None
    source: UUID
    created_at: datetime


async def open_checkout(debt: Debt, now: datetime) -> None:
    """The payment has its checkout page. Repeating the call gives the same page: the key is our own id."""
    payment = await _payment(debt.read(PaymentDebt).payment)
    if payment is None or payment.state != "created" or payment.session_id is not None:
        return
    if payment.created_at < now - CREATE_LIMIT:
        return  # the sweep calls it failed: after a day the key no longer protects against a second session
    gateway = configured.gateway()
    wanted = Wanted(str(payment.id), payment.amount_ore, payment.text, payment.return_url, payment.created_at)
    try:
        checkout = await gateway.create_checkout(payment.entity, wanted, key=f"checkout:{payment.id}")
    except GatewayRefused:
        await _set_state(payment, "failed", now)
        return
    except Unavailable as error:
        raise Postpone(BUSY, error.detail) from error
    async with db.transaction():
        opened = await db.run(
            "UPDATE payment SET session_id = $2, url = $3, state = 'pending' WHERE id = $1 AND state = 'created'",
            payment.id,
            checkout.session_id,
            checkout.url,
        )
        if opened:
            await payments.tell(payment, "payment.ready", now)
    if not opened:  # given up while Stripe was being asked: nobody may pay it now
        await gateway.expire_checkout(payment.entity, checkout.session_id)


async def expire_checkout(debt: Debt, now: datetime) -> None:
    """The payment can't be made any more, unless it was made first: then its news come by the sweep."""
    payment = await _payment(debt.read(PaymentDebt).payment)
    if payment is None or payment.state not in ("created", "pending"):
        return
    if payment.session_id is None:
        await _set_state(payment, "expired", now)
        return
    try:
        checkout: Checkout = await configured.gateway().expire_checkout(payment.entity, payment.session_id)
    except Unavailable as error:
        raise Postpone(BUSY, error.detail) from error
    if checkout.state == "expired":
        await _set_state(payment, "expired", now)


async def pay_back(debt: Debt, now: datetime) -> None:
    """The money is on its way back, once: Stripe knows the refund by our id, also after its keys are forgotten."""
    found = await db.row(
        _Refund,
        "SELECT r.id, r.payment, r.amount_ore, r.state, p.entity, p.intent, p.source, r.created_at"
        " FROM refund r JOIN payment p ON p.id = r.payment WHERE r.id = $1",
        debt.read(RefundDebt).refund,
    )
    if found is None or found.state != "queued" or found.intent is None:
        return
    try:
        stripe_id = await configured.gateway().refund(
            found.entity, found.intent, found.amount_ore, refund_id=str(found.id), key=f"refund:{found.id}"
        )
    except GatewayRefused as error:
        await _not_paid_back(found, error.detail, now)
        return
    except Unavailable as error:
        raise Postpone(BUSY, error.detail) from error
    async with db.transaction():
        fresh = await db.run(
            "UPDATE refund SET state = 'done', stripe_id = $2, done_at = $3 WHERE id = $1 AND state = 'queued'",
            found.id,
            stripe_id,
            now,
        )
        sides = [(ledger.CUSTOMER, found.amount_ore), (ledger.STRIPE, -found.amount_ore)]
        await ledger.post(found.entity, f"refund:{found.id}", "Återbetalning via Stripe", sides, now)
        payment = await _payment(found.payment)
        if fresh and payment is not None:
            await payments.tell(payment, "payment.refunded", now)


async def _not_paid_back(found: _Refund, why: str, now: datetime) -> None:
    """Stripe will never pay this back: finance must. The ledger still owes it to the customer."""
    log.error("refund %s refused by Stripe: %s", found.id, why)
    async with db.transaction():
        await db.run("UPDATE refund SET state = 'refused' WHERE id = $1 AND state = 'queued'", found.id)
        payment = await _payment(found.payment)
        if payment is not None:
            await payments.tell(payment, "payment.refund_refused", now)


async def render_document(debt: Debt, now: datetime) -> None:
    """The invoice's PDF is stored. A renderer that fails or hangs leaves the invoice standing; it is tried again."""
    await documents.store(debt.read(DocumentDebt).invoice, now)


HANDLERS: dict[str, Handler] = {
    CHECKOUT: open_checkout,
    EXPIRE: expire_checkout,
    REFUND: pay_back,
    PDF: render_document,
}
SLOW = frozenset({PDF})  # a second each and by the hundred: pay them where nobody waits behind them


async def _payment(payment: UUID) -> Payment | None:
    return await db.row(Payment, f"SELECT {COLUMNS} FROM payment WHERE id = $1", payment)


async def _set_state(payment: Payment, state: str, now: datetime) -> None:
    async with db.transaction():
        changed = await db.run(
            "UPDATE payment SET state = $2 WHERE id = $1 AND state IN ('created', 'pending')",
            payment.id,
            state,
        )
        if changed:
            await payments.tell(payment, f"payment.{state}", now)
