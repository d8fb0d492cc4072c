"""Issuing one invoice or credit note: number, rows and voucher in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, journal, messages, outbox
from booking.billing import ledger
from booking.billing.invoices import Line, Sums, add_up, number, ocr_number, postings
from booking.billing.messages import PDF, DocumentDebt
from booking.billing.views import Parties, Side
from booking.clock import local_date
from booking.errors import NotFound
from booking.ids import new_id
from booking.people import Actor


class Issued(db.Record):
    """What became of it."""

    id: UUID
    number: str
    total_ore: int


async def issue(
    *,
    entity: str,
    party: UUID,
    lines: Sequence[Line],
    month: str | None,
    now: datetime,
    by: Actor,
    refers: UUID | None = None,
) -> Issued:
    """The document is issued, booked and owed a PDF. With `refers` it is a credit note (kreditfaktura).

    A number is taken only together with its document. The caller holds the charges, so nobody else invoices them.
    """
    sums, kind = add_up(lines), "invoice" if refers is None else "credit_note"
    if refers is not None:
        sums = replace(sums, rounding_ore=await _rounding_back(refers, sums))
    invoice_id, issued_on = new_id(), local_date(now)
    parties, days = await _parties(entity, party)
    seq = await _next_number(entity, kind, issued_on.year)
    shown = number(issued_on.year, seq)
    await db.run(
        "INSERT INTO invoice (id, entity, kind, year, seq, number, party, parties, month, part, issued_on, due_on, net_ore,"
        " vat_ore, rounding_ore, total_ore, ocr, refers, state, created_at) VALUES"
        " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        invoice_id,
        entity,
        kind,
        issued_on.year,
        seq,
        shown,
        party,
        msgspec.json.encode(parties).decode(),
        month,
        await _part(entity, party, month),
        issued_on,
        issued_on + timedelta(days=days),
        sums.net_ore,
        sums.vat_ore,
        sums.rounding_ore,
        sums.total_ore,
        ocr_number(entity, shown),
        refers,
        "issued",
        now,
    )
    await _write_lines(invoice_id, lines, is_credit=refers is not None)
    await db.run_many(
        "INSERT INTO invoice_vat (invoice, vat_rule, percent, base_ore, vat_ore) VALUES ($1, $2, $3, $4, $5)",
        [(invoice_id, g.rule, g.percent, g.base_ore, g.vat_ore) for g in sums.groups],
    )
    text = f"{'Faktura' if refers is None else 'Kreditfaktura'} {shown}"
    await ledger.post(entity, f"invoice:{invoice_id}", text, postings(lines, sums), now)
    await outbox.put(PDF, key=str(invoice_id), payload=DocumentDebt(invoice_id), now=now)
    topics = [f"invoices:{entity}", f"party:{party}"]
    await journal.record(
        f"{kind}.issued", about=invoice_id, by=by, now=now, topics=topics, total_ore=sums.total_ore
    )
    if refers is None:
        await messages.owe("invoice_issued", party=party, about=invoice_id, municipality=entity, now=now)
    return Issued(invoice_id, shown, sums.total_ore)


class _Left(db.Record):
    total_ore: int
    lines: int


async def _rounding_back(invoice: UUID, sums: Sums) -> int:
    """Return the rounding of a credit note: none, but the last one of an invoice settles what all of them left.

    Were each rounded by itself, two halves of 70,50 kr would give back 142 kr of 141. Holds the invoice's row.
    """
    await db.run("SELECT FROM invoice WHERE id = $1 FOR NO KEY UPDATE", invoice)
    left = await db.row(
        _Left,
        "SELECT (sum(i.total_ore))::bigint AS total_ore, (SELECT count(*) FROM charge WHERE invoice = $1"
        " AND state = 'invoiced') AS lines FROM invoice i WHERE i.id = $1 OR i.refers = $1",
        invoice,
    )
    if left is None or left.lines > 1:
        return 0
    return max(-50, min(50, -left.total_ore - sums.net_ore - sums.vat_ore))


async def _write_lines(invoice_id: UUID, lines: Sequence[Line], *, is_credit: bool) -> None:
    await db.run_many(
        "INSERT INTO invoice_line (invoice, position, charge, is_credit, text, detail, net_ore, vat_rule)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (invoice_id, n, line.charge, is_credit, line.text, line.detail, line.net_ore, line.vat_rule)
            for n, line in enumerate(lines, 1)
        ],
    )


async def _part(entity: str, party: UUID, month: str | None) -> int:
    """Return 1 for the month's first invoice, 2 for what was charged after it, and so on."""
    found = await db.value(
        int,
        "SELECT count(*) FROM invoice WHERE entity = $1 AND party = $2 AND month = $3 AND kind = 'invoice'",
        entity,
        party,
        month,
    )
    return 1 + (found or 0)


async def _next_number(entity: str, kind: str, year: int) -> int:
    await db.run(
        "INSERT INTO number_series (entity, kind, year, next) VALUES ($1, $2, $3, 1) ON CONFLICT DO NOTHING",
        entity,
        kind,
        year,
    )
    taken = await db.value(
        int,
        "UPDATE number_series SET next = next + 1 WHERE entity = $1 AND kind = $2 AND year = $3 RETURNING next - 1",
        entity,
        kind,
        year,
    )
    if taken is None:
        raise NotFound(f"{entity} has no number series for {kind}")
    return taken


class _Entity(db.Record):
    name: str
    org_number: str
    vat_number: str
    bankgiro: str
    address: str
    email: str
    payment_days: int


async def _parties(entity: str, party: UUID) -> tuple[Parties, int]:
    seller = await db.row(
        _Entity, f"SELECT {', '.join(_Entity.__struct_fields__)} FROM legal_entity WHERE id = $1", entity
    )
    buyer = await db.row(Side, "SELECT name, org_number, address, email FROM party WHERE id = $1", party)
    if seller is None or buyer is None:
        raise NotFound(f"municipality {entity} has no legal entity to invoice with, or the customer is gone")
    issuer = Side(
        seller.name, seller.org_number, seller.address, seller.email, seller.vat_number, seller.bankgiro
    )
    return Parties(issuer, buyer), seller.payment_days
