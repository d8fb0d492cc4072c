"""What other packages and pages see of billing. Field names are those of the API."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking.billing.pricing import PriceLine, Quote
from booking.db import Record

Method = Literal["card", "invoice", "free"]
MoneyState = Literal[
    "none", "pending", "paid", "refund_pending", "refunded", "to_invoice", "invoiced", "failed"
]
InvoiceKind = Literal["invoice", "credit_note"]
InvoiceState = Literal["issued", "paid", "credited", "overdue"]


class PriceView(msgspec.Struct, frozen=True):
    """A price as pages show it."""

    total_ore: int
    net_ore: int
    vat_ore: int
    vat_text: str
    lines: tuple[PriceLine, ...]
    category: str
    category_text: str
    decision: str
    tariff: str
    assumptions: tuple[str, ...]
    assumptions_en: tuple[str, ...]


class Standing(Record):
    """Where the money of one source stands."""

    state: MoneyState
    method: Method
    amount_ore: int
    checkout_url: str | None
    receipt_text: str | None


class CancelOutcome(msgspec.Struct, frozen=True):
    """What a cancellation cost and gave back, in öre."""

    fee_ore: int
    refund_ore: int


class ChangeOutcome(msgspec.Struct, frozen=True):
    """What a change added to the price, cost as a fee and gave back, in öre."""

    difference_ore: int
    fee_ore: int
    refund_ore: int


class Name(Record):
    """A seller."""

    name: str


class PartyName(Record):
    """A customer."""

    id: UUID
    name: str


class InvoiceCard(Record):
    """An invoice as lists show it."""

    id: UUID
    number: str
    kind: InvoiceKind
    issuer: Name
    party: PartyName
    issued_on: date
    due_on: date
    total_ore: int
    state: InvoiceState
    ocr: str


class InvoiceLineView(Record):
    """One line of an invoice; amounts without VAT."""

    text: str
    detail: str
    quantity: str
    unit: str
    unit_ore: int
    net_ore: int
    vat_text: str


class VatView(Record):
    """One VAT group of an invoice."""

    text: str
    rate: int
    base_ore: int
    vat_ore: int


class InvoicePage(InvoiceCard):
    """An invoice line by line."""

    period: str
    bankgiro: str
    lines: list[InvoiceLineView]
    net_ore: int
    vat: list[VatView]
    rounding_ore: int
    refers: str | None
    pdf_url: str


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come."""

    done: int
    total: int


class RunResult(msgspec.Struct, frozen=True):
    """What an invoice run did: `issued` now, `already` by earlier runs of the same month; total of both in öre."""

    id: UUID
    state: str
    issued: int
    already: int
    total_ore: int
    progress: Progress


class RunView(Record):
    """A past run."""

    id: UUID
    month: str
    state: str
    issued: int
    total_ore: int
    started_at: datetime
    finished_at: datetime | None


class Runs(msgspec.Struct, frozen=True):
    """Past runs and the next date of the calendar."""

    runs: list[RunView]
    next_run_on: date | None


class UninvoicedParty(Record):
    """What one customer owes that is not invoiced."""

    party: PartyName
    charges: int
    total_ore: int


class Uninvoiced(msgspec.Struct, frozen=True):
    """What the month's run would invoice."""

    parties: list[UninvoicedParty]
    total_ore: int


class Side(Record):
    """A seller or a customer as it stood when the invoice was issued."""

    name: str
    org_number: str | None
    address: str | None
    email: str | None
    vat_number: str | None = None
    bankgiro: str | None = None


class Parties(Record):
    """Both sides of an invoice, copied: they may not change afterwards."""

    issuer: Side
    customer: Side


def snapshot(quote: Quote) -> str:
    """Return the quote as it is stored with a booking."""
    return msgspec.json.encode(quote).decode()


def read_snapshot(text: str) -> Quote:
    """Return a stored quote. Raises msgspec.ValidationError if it is none."""
    return msgspec.json.decode(text, type=Quote)


def shown(quote: Quote) -> PriceView:
    """Return what a page shows of a quote."""
    return PriceView(**{name: getattr(quote, name) for name in PriceView.__struct_fields__})
