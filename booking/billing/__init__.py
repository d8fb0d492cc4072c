"""Prices, charges, payments, invoices and the ledger. Knows no reservation and no lock: a `source` is just a UUID."""

from booking.billing.changes import Dearer, change, charge_fee, drop_fee, owes_fee
from booking.billing.charges import NewCharge, cancel, charge, charge_many
from booking.billing.combining import Item, capped, combined
from booking.billing.conditions import CustomerFacts, Usage
from booking.billing.configured import close, configure
from booking.billing.customers import customer_facts, record_evidence
from booking.billing.distance import distance_fee
from booking.billing.entities import found_entity, set_invoicing_date
from booking.billing.events import (
    claim_event,
    fail_event,
    finish_event,
    read_outcome,
    reconcile_payments,
    store_event,
)
from booking.billing.fees import (
    cancellation_fee,
    change_fee,
    free_until,
    is_forfeited,
    no_show_fee,
    notice,
    unbooked_use_fee,
)
from booking.billing.handlers import HANDLERS, SLOW
from booking.billing.invoice_pages import invoice, invoices, runs, uninvoiced
from booking.billing.invoice_run import run_invoices
from booking.billing.invoicing_calendar import due_runs
from booking.billing.payments import (
    PaymentOutcome,
    begin_payment,
    expire_payment,
    record_payment,
    refund,
    renew_payment,
    standing,
)
from booking.billing.price_book import PriceBook, price_book
from booking.billing.price_lists import publish, resource_classes, tariff_in_force, tariff_of
from booking.billing.pricing import NotPriced, Quote, Tariff, quote
from booking.billing.queries import invariants, invoice_pdf
from booking.billing.tariff_data import shipped
from booking.billing.views import (
    CancelOutcome,
    ChangeOutcome,
    InvoiceCard,
    InvoicePage,
    InvoiceState,
    Method,
    MoneyState,
    PriceView,
    RunResult,
    Runs,
    Standing,
    Uninvoiced,
    read_snapshot,
    shown,
    snapshot,
)

__all__ = [
    "HANDLERS",
    "SLOW",
    "CancelOutcome",
    "ChangeOutcome",
    "CustomerFacts",
    "Dearer",
    "InvoiceCard",
    "InvoicePage",
    "InvoiceState",
    "Item",
    "Method",
    "MoneyState",
    "NewCharge",
    "NotPriced",
    "PaymentOutcome",
    "PriceBook",
    "PriceView",
    "Quote",
    "RunResult",
    "Runs",
    "Standing",
    "Tariff",
    "Uninvoiced",
    "Usage",
    "begin_payment",
    "cancel",
    "cancellation_fee",
    "capped",
    "change",
    "change_fee",
    "charge",
    "charge_fee",
    "charge_many",
    "claim_event",
    "close",
    "combined",
    "configure",
    "customer_facts",
    "distance_fee",
    "drop_fee",
    "due_runs",
    "expire_payment",
    "fail_event",
    "finish_event",
    "found_entity",
    "free_until",
    "invariants",
    "invoice",
    "invoice_pdf",
    "invoices",
    "is_forfeited",
    "no_show_fee",
    "notice",
    "owes_fee",
    "price_book",
    "publish",
    "quote",
    "read_outcome",
    "read_snapshot",
    "reconcile_payments",
    "record_evidence",
    "record_payment",
    "refund",
    "renew_payment",
    "resource_classes",
    "run_invoices",
    "runs",
    "set_invoicing_date",
    "shipped",
    "shown",
    "snapshot",
    "standing",
    "store_event",
    "tariff_in_force",
    "tariff_of",
    "unbooked_use_fee",
    "uninvoiced",
]
