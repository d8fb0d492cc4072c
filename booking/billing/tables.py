"""Rows and constraints of billing. Triggers and composite keys are in migrations/0002_billing.sql."""

from piccolo.columns import (
    UUID,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.people.tables import Municipality, Party


class TariffListRow(Table, tablename="tariff_list"):
    """A published price list. Final: a trigger refuses changes."""

    id = Varchar(length=40, primary_key=True, default=None, help_text="municipality/version")
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    valid_from = Date(default=None)
    decision = Varchar(length=200, default=None)
    source_url = Text(default=None)
    sha256 = Varchar(length=64, default=None)
    head = Text(default=None, help_text="JSON: all of the list but its rules and examples.")
    published_at = Timestamptz(default=None)
    published_by = UUID(null=True, default=None)

    tariff_list_from = Unique([municipality, valid_from])


class TariffRuleRow(Table, tablename="tariff_rule"):
    """One row of a published list."""

    id = BigSerial(primary_key=True)
    list = ForeignKey(TariffListRow, null=False, on_delete=OnDelete.restrict, index=True)
    position = Integer(default=None)
    rule = Varchar(length=60, default=None)
    body = Text(default=None, help_text="JSON")

    tariff_rule_once = Unique([list, rule])


class TariffExampleRow(Table, tablename="tariff_example"):
    """One golden row that the list was proved with."""

    id = BigSerial(primary_key=True)
    list = ForeignKey(TariffListRow, null=False, on_delete=OnDelete.restrict, index=True)
    position = Integer(default=None)
    example = Varchar(length=40, default=None)
    body = Text(default=None, help_text="JSON")

    tariff_example_once = Unique([list, example])


class CustomerEvidence(Table, tablename="customer_evidence"):
    """Why a party counts as something in one municipality, and who decided it."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    category = Varchar(length=40, default=None)
    value = Integer(null=True, default=None, help_text="A measure, such as activities a year.")
    valid_from = Date(default=None)
    valid_to = Date(null=True, default=None)
    reason = Text(default="")
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(default=None)

    customer_evidence_order = Check("valid_to IS NULL OR valid_to >= valid_from")


class LegalEntity(Table, tablename="legal_entity"):
    """Who sells and invoices. One per municipality so far; its key is the municipality's code."""

    id = Varchar(length=4, primary_key=True, default=None)
    name = Varchar(length=120, default=None)
    org_number = Varchar(length=11, default=None)
    vat_number = Varchar(length=14, default=None)
    bankgiro = Varchar(length=9, default=None)
    address = Text(default=None)
    email = Varchar(length=120, default=None)
    payment_days = SmallInt(default=30)


class NumberSeries(Table, tablename="number_series"):
    """The next free number of a series. Taken by UPDATE … RETURNING in the issuing transaction: no gaps."""

    id = BigSerial(primary_key=True)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=12, default=None)
    year = SmallInt(default=None)
    next = Integer(default=1)

    number_series_once = Unique([entity, kind, year])


class Charge(Table, tablename="charge"):
    """Something a party owes a municipality for. The amounts never change; `cause_key` makes it happen once."""

    id = UUID(primary_key=True, default=None)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    source = UUID(default=None, index=True, help_text="What it is for; billing does not know more.")
    kind = Varchar(length=12, default=None)
    cause_key = Varchar(length=80, default=None, unique=True)
    text = Varchar(length=200, default=None)
    net_ore = BigInt(default=None)
    vat_ore = BigInt(default=None)
    total_ore = BigInt(default=None)
    vat_rule = Varchar(length=16, default=None)
    quote = Text(default=None, help_text="JSON: the price with its explanation, frozen.")
    service_at = Timestamptz(default=None)
    state = Varchar(length=12, default=None)
    payment = UUID(null=True, default=None)
    invoice = UUID(null=True, default=None, index=True)
    created_at = Timestamptz(default=None)

    charge_kind = Check("kind IN ('usage', 'cancel_fee', 'no_show', 'penalty', 'trip')")
    charge_state = Check("state IN ('open', 'free', 'invoiced', 'paid_direct', 'credited', 'waived')")
    charge_sum = Check("total_ore = net_ore + vat_ore AND total_ore >= 0")
    charge_linked = Check("state <> 'invoiced' OR invoice IS NOT NULL")


class PaymentRow(Table, tablename="payment"):
    """A direct payment through Stripe. `refunded_ore` counts refunds asked for, so it can't be overdrawn."""

    id = UUID(primary_key=True, default=None)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    source = UUID(default=None, index=True)
    amount_ore = BigInt(default=None)
    refunded_ore = BigInt(default=0)
    text = Varchar(length=200, default=None)
    return_url = Text(default=None)
    state = Varchar(length=10, default=None)
    session_id = Varchar(length=120, null=True, default=None)
    url = Text(null=True, default=None)
    intent = Varchar(length=80, null=True, default=None)
    created_at = Timestamptz(default=None)
    paid_at = Timestamptz(null=True, default=None)
    looked_at = Timestamptz(null=True, default=None, help_text="When Stripe was last asked by the sweep.")

    payment_state = Check("state IN ('created', 'pending', 'paid', 'failed', 'expired')")
    payment_amount = Check("amount_ore > 0")
    payment_refunded = Check("refunded_ore BETWEEN 0 AND amount_ore AND (refunded_ore = 0 OR state = 'paid')")


class RefundRow(Table, tablename="refund"):
    """Money to go back. The row commits before Stripe is asked."""

    id = UUID(primary_key=True, default=None)
    payment = ForeignKey(PaymentRow, null=False, on_delete=OnDelete.restrict, index=True)
    amount_ore = BigInt(default=None)
    reason = Varchar(length=40, default=None)
    state = Varchar(length=8, default=None)
    stripe_id = Varchar(length=80, null=True, default=None)
    created_at = Timestamptz(default=None)
    done_at = Timestamptz(null=True, default=None)

    refund_state = Check("state IN ('queued', 'done', 'refused')")
    refund_amount = Check("amount_ore > 0")


class StripeEvent(Table, tablename="stripe_event"):
    """An event Stripe sent, stored once. What it means is read from Stripe again."""

    id = BigSerial(primary_key=True)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    event_id = Varchar(length=80, default=None)
    type = Varchar(length=60, default=None)
    object_id = Varchar(length=120, default=None)
    payment = UUID(
        null=True, default=None, help_text="Ours, by the object's metadata; null = unknown, shown."
    )
    created_at = Timestamptz(default=None)
    received_at = Timestamptz(default=None)
    due_at = Timestamptz(default=None)
    attempts = SmallInt(default=0)
    last_error = Text(null=True, default=None)
    handled_at = Timestamptz(null=True, default=None)

    stripe_event_once = Unique([entity, event_id])


class InvoiceRun(Table, tablename="invoice_run"):
    """The invoicing of one month in one municipality."""

    id = UUID(primary_key=True, default=None)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    month = Varchar(length=7, default=None)
    state = Varchar(length=8, default=None)
    issued = Integer(default=0)
    total_ore = BigInt(default=0)
    started_at = Timestamptz(default=None)
    finished_at = Timestamptz(null=True, default=None)
    started_by = UUID(null=True, default=None)

    invoice_run_once = Unique([entity, month])
    invoice_run_state = Check("state IN ('running', 'done')")


class InvoicingDate(Table, tablename="invoicing_date"):
    """The day on which a municipality invoices a month."""

    id = BigSerial(primary_key=True)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    month = Varchar(length=7, default=None)
    run_on = Date(default=None, index=True)

    invoicing_date_once = Unique([entity, month])


class Invoice(Table, tablename="invoice"):
    """An issued invoice or credit note. Only `state` may change; parties are copied as they were."""

    id = UUID(primary_key=True, default=None)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=12, default=None)
    year = SmallInt(default=None)
    seq = Integer(default=None)
    number = Varchar(length=16, default=None)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    parties = Text(default=None, help_text="JSON: issuer and customer as they were.")
    month = Varchar(length=7, null=True, default=None)
    part = SmallInt(default=1, help_text="2 and up: what was charged after the month's first invoice.")
    issued_on = Date(default=None)
    due_on = Date(default=None)
    net_ore = BigInt(default=None)
    vat_ore = BigInt(default=None)
    rounding_ore = BigInt(default=None)
    total_ore = BigInt(default=None)
    ocr = Varchar(length=25, default=None)
    refers = UUID(null=True, default=None, index=True)
    state = Varchar(length=8, default=None)
    created_at = Timestamptz(default=None)

    invoice_number_once = Unique([entity, kind, year, seq])
    invoice_kind = Check("kind IN ('invoice', 'credit_note') AND (kind = 'invoice') = (refers IS NULL)")
    invoice_state = Check("state IN ('issued', 'paid', 'credited')")
    invoice_sum = Check("total_ore = net_ore + vat_ore + rounding_ore AND rounding_ore BETWEEN -50 AND 50")


class InvoiceLine(Table, tablename="invoice_line"):
    """One line of an invoice. A charge is invoiced once and credited at most once."""

    id = BigSerial(primary_key=True)
    invoice = ForeignKey(Invoice, null=False, on_delete=OnDelete.restrict, index=True)
    position = SmallInt(default=None)
    charge = ForeignKey(Charge, null=False, on_delete=OnDelete.restrict, index=True)
    is_credit = Boolean(default=False)
    text = Varchar(length=200, default=None)
    detail = Text(default="")
    net_ore = BigInt(default=None)
    vat_rule = Varchar(length=16, default=None)

    invoice_line_charge_once = Unique([charge, is_credit])


class InvoiceVat(Table, tablename="invoice_vat"):
    """The VAT of one group of an invoice's lines; reckoned per group, never per line."""

    id = BigSerial(primary_key=True)
    invoice = ForeignKey(Invoice, null=False, on_delete=OnDelete.restrict, index=True)
    vat_rule = Varchar(length=16, default=None)
    percent = SmallInt(default=None)
    base_ore = BigInt(default=None)
    vat_ore = BigInt(default=None)

    invoice_vat_once = Unique([invoice, vat_rule])


class InvoicePdf(Table, tablename="invoice_pdf"):
    """The document as it was rendered, with its hash."""

    invoice = ForeignKey(Invoice, primary_key=True, null=False, on_delete=OnDelete.restrict)
    sha256 = Varchar(length=64, default=None)
    body = Bytea(default=None)
    rendered_at = Timestamptz(default=None)


class LedgerAccount(Table, tablename="ledger_account"):
    """An account of one entity's ledger. Key (entity, number)."""

    id = BigSerial(primary_key=True)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    number = SmallInt(default=None)
    name = Varchar(length=80, default=None)

    ledger_account_once = Unique([entity, number])


class LedgerEntry(Table, tablename="ledger_entry"):
    """A voucher (verifikation). `cause_key` makes it happen once."""

    id = UUID(primary_key=True, default=None)
    entity = ForeignKey(LegalEntity, null=False, on_delete=OnDelete.restrict, index=True)
    cause_key = Varchar(length=100, default=None)
    text = Varchar(length=120, default=None)
    at = Timestamptz(default=None)

    ledger_entry_cause = Unique([entity, cause_key])
    ledger_entry_home = Unique([id, entity])


class Posting(Table, tablename="posting"):
    """One side of a voucher: debit above zero, credit below. A voucher's postings sum to zero at commit."""

    id = BigSerial(primary_key=True)
    entry = UUID(default=None, index=True)
    entity = Varchar(length=4, default=None)
    account = SmallInt(default=None)
    amount_ore = BigInt(default=None)
