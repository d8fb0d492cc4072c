"""Reads of invoices. Each takes the actor; another party's or municipality's invoices look absent."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from booking import db
from booking.billing import vat
from booking.billing.invoices import month_bounds
from booking.billing.invoicing_calendar import next_run_on
from booking.billing.tariff_data import VatRule
from booking.billing.views import (
    InvoiceCard,
    InvoiceKind,
    InvoiceLineView,
    InvoicePage,
    InvoiceState,
    Name,
    Parties,
    PartyName,
    Runs,
    RunView,
    Uninvoiced,
    UninvoicedParty,
    VatView,
)
from booking.clock import local_date
from booking.errors import NotFound
from booking.people import Actor, Role


class InvoiceFacts(msgspec.Struct, frozen=True):
    """Everything a document shows."""

    page: InvoicePage
    parties: Parties


class _Row(db.Record):
    id: UUID
    entity: str
    kind: InvoiceKind
    number: str
    party: UUID
    parties: str
    month: str | None
    issued_on: date
    due_on: date
    net_ore: int
    vat_ore: int
    rounding_ore: int
    total_ore: int
    ocr: str
    refers: str | None
    state: InvoiceState


class _Line(db.Record):
    text: str
    detail: str
    net_ore: int
    vat_rule: VatRule


class _Vat(db.Record):
    vat_rule: VatRule
    percent: int
    base_ore: int
    vat_ore: int


_STATE = (
    "CASE WHEN i.state = 'issued' AND i.kind = 'invoice' AND i.due_on < $1 THEN 'overdue' ELSE i.state END"
)
_SELECT = f"""
SELECT i.id, i.entity, i.kind, i.number, i.party, i.parties, i.month, i.issued_on, i.due_on, i.net_ore, i.vat_ore,
  i.rounding_ore, i.total_ore, i.ocr, o.number AS refers,
  {_STATE} AS state
FROM invoice i LEFT JOIN invoice o ON o.id = i.refers
"""


async def invoices(
    *,
    by: Actor,
    party: UUID | None,
    municipality: str | None,
    state: str | None,
    now: datetime,
    limit: int,
    offset: int,
) -> tuple[list[InvoiceCard], int]:
    """Return invoices newest first and how many there are: of parties the actor acts for, or of a municipality
    where they handle finance (raises NotFound elsewhere)."""
    if municipality is not None:
        by.must_have(municipality, Role.FINANCE)
    parties = sorted(by.acts_for if party is None else by.acts_for & {party})
    where, args = db.where(
        ("i.entity = {}", municipality),
        ("i.party = {}", party if municipality else None),
        ("i.party = ANY({})", None if municipality else parties),
        (f"{_STATE} = {{}}", state),
        first=2,
    )
    known = (local_date(now), *args)
    total = await db.value(
        int, f"SELECT count(*) FROM invoice i WHERE $1::date IS NOT NULL AND {where}", *known
    )
    order = (
        f" ORDER BY i.issued_on DESC, i.number DESC, i.id LIMIT ${len(known) + 1} OFFSET ${len(known) + 2}"
    )
    found = await db.rows(_Row, f"{_SELECT} WHERE {where}{order}", *known, limit, offset)
    return [_card(row) for row in found], total or 0


async def invoice(invoice_id: UUID, *, by: Actor, now: datetime) -> InvoicePage:
    """Return one invoice line by line. Raises NotFound, also for somebody else's."""
    return (await facts(invoice_id, by=by, now=now)).page


async def facts(invoice_id: UUID, *, by: Actor, now: datetime) -> InvoiceFacts:
    """Return all that the invoice's document shows. Raises NotFound, also for somebody else's."""
    row = await db.row(_Row, _SELECT + " WHERE i.id = $2", local_date(now), invoice_id)
    if row is None or not (row.party in by.acts_for or by.has(row.entity, Role.FINANCE)):
        raise NotFound("there is no such invoice")
    lines = await db.rows(
        _Line,
        "SELECT text, detail, net_ore, vat_rule FROM invoice_line WHERE invoice = $1 ORDER BY position",
        invoice_id,
    )
    groups = await db.rows(
        _Vat,
        "SELECT vat_rule, percent, base_ore, vat_ore FROM invoice_vat WHERE invoice = $1 ORDER BY vat_rule",
        invoice_id,
    )
    parties = msgspec.json.decode(row.parties, type=Parties)
    return InvoiceFacts(_page(row, parties, lines, groups), parties)


async def runs(municipality: str, *, by: Actor, now: datetime) -> Runs:
    """Return past runs, newest month first, and the next date of the calendar. Raises NotFound."""
    by.must_have(municipality, Role.FINANCE)
    found = await db.rows(
        RunView,
        "SELECT id, month, state, issued, total_ore, started_at, finished_at FROM invoice_run WHERE entity = $1"
        " ORDER BY month DESC LIMIT 60",
        municipality,
    )
    return Runs(found, await next_run_on(municipality, now))


async def uninvoiced(municipality: str, month: str, *, by: Actor) -> Uninvoiced:
    """Return what the month's run would invoice, largest first. Raises NotFound."""
    by.must_have(municipality, Role.FINANCE)
    found = await db.rows(
        _Open,
        "SELECT p.id, p.name, count(*) AS charges, sum(c.total_ore)::bigint AS total_ore FROM charge c"
        " JOIN party p ON p.id = c.party WHERE c.entity = $1 AND c.state = 'open' AND c.service_at < $2"
        " GROUP BY p.id ORDER BY 4 DESC, p.name",
        municipality,
        month_bounds(month)[1],
    )
    shown = [UninvoicedParty(PartyName(one.id, one.name), one.charges, one.total_ore) for one in found]
    return Uninvoiced(shown, sum(one.total_ore for one in found))


class _Open(db.Record):
    id: UUID
    name: str
    charges: int
    total_ore: int


def _card(row: _Row) -> InvoiceCard:
    parties = msgspec.json.decode(row.parties, type=Parties)
    return InvoiceCard(
        row.id,
        row.number,
        row.kind,
        Name(parties.issuer.name),
        PartyName(row.party, parties.customer.name),
        row.issued_on,
        row.due_on,
        row.total_ore,
        row.state,
        row.ocr,
    )


def _page(row: _Row, parties: Parties, lines: list[_Line], groups: list[_Vat]) -> InvoicePage:
    card = {name: getattr(_card(row), name) for name in InvoiceCard.__struct_fields__}
    return InvoicePage(
        **card,
        period=row.month or "",
        bankgiro=parties.issuer.bankgiro or "",
        lines=[
            InvoiceLineView(
                one.text, one.detail, "1", "st", one.net_ore, one.net_ore, vat.RULES[one.vat_rule].sv
            )
            for one in lines
        ],
        net_ore=row.net_ore,
        vat=[VatView(vat.RULES[one.vat_rule].sv, one.percent, one.base_ore, one.vat_ore) for one in groups],
        rounding_ore=row.rounding_ore,
        refers=row.refers,
        pdf_url=f"/api/invoices/{row.id}/pdf",
    )
