"""Taking back what was invoiced: never an edit, always a credit note (kreditfaktura) that refers."""

from datetime import datetime
from uuid import UUID

from booking import db
from booking.billing.invoices import Line
from booking.billing.issuing import Issued, issue
from booking.billing.tariff_data import VatRule
from booking.people import Actor


class _Row(db.Record):
    charge: UUID
    kind: str
    text: str
    detail: str
    net_ore: int
    vat_rule: VatRule
    entity: str
    party: UUID
    invoice: UUID
    number: str


async def credit(charge: UUID, *, now: datetime) -> Issued | None:
    """The invoiced charge is credited by a note of its own; None if it was not invoiced. In the caller's transaction."""
    found = await db.row(
        _Row,
        "SELECT l.charge, c.kind, l.text, l.detail, l.net_ore, l.vat_rule, i.entity, i.party, i.id AS invoice, i.number"
        " FROM invoice_line l JOIN invoice i ON i.id = l.invoice JOIN charge c ON c.id = l.charge"
        " WHERE l.charge = $1 AND NOT l.is_credit AND c.state = 'invoiced'",
        charge,
    )
    if found is None:
        return None
    line = Line(
        charge,
        found.kind,
        found.text,
        f"Avser faktura {found.number} · {found.detail}",
        -found.net_ore,
        found.vat_rule,
    )
    note = await issue(
        entity=found.entity,
        party=found.party,
        lines=[line],
        month=None,
        now=now,
        by=Actor.system(),
        refers=found.invoice,
    )
    await db.run("UPDATE charge SET state = 'credited' WHERE id = $1", charge)
    left = await db.value(
        int, "SELECT count(*) FROM charge WHERE invoice = $1 AND state = 'invoiced'", found.invoice
    )
    if not left:
        await db.run(
            "UPDATE invoice SET state = 'credited' WHERE id = $1 AND state = 'issued'", found.invoice
        )
    return note
