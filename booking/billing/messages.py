"""What the worker may be asked by billing: outbox kinds and their payloads."""

from uuid import UUID

import msgspec

CHECKOUT, EXPIRE, REFUND, PDF = "stripe.checkout", "stripe.expire", "stripe.refund", "invoice.pdf"


class PaymentDebt(msgspec.Struct, frozen=True):
    """Which payment."""

    payment: UUID


class RefundDebt(msgspec.Struct, frozen=True):
    """Which refund."""

    refund: UUID


class DocumentDebt(msgspec.Struct, frozen=True):
    """Which invoice's document."""

    invoice: UUID
