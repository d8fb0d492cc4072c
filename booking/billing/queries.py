"""Reads of billing, gathered: invoices and runs live in invoice_pages, the standing of a source in payments."""

from datetime import datetime
from uuid import UUID

from booking import db
from booking.billing import documents, invoice_pages
from booking.people import Actor, Role


class _Broken(db.Record):
    """A rule of the books that does not hold, with where."""

    rule: str
    entity: str
    detail: str


_INVARIANTS = """
SELECT 'trial_balance' AS rule, entity, sum(amount_ore)::text AS detail FROM posting
  WHERE entity = ANY($1) GROUP BY entity HAVING sum(amount_ore) <> 0
UNION ALL
SELECT 'invoice_sum', i.entity, i.number FROM invoice i WHERE i.entity = ANY($1) AND i.total_ore <> i.rounding_ore
  + (SELECT coalesce(sum(net_ore), 0) FROM invoice_line WHERE invoice = i.id)
  + (SELECT coalesce(sum(vat_ore), 0) FROM invoice_vat WHERE invoice = i.id)
UNION ALL
SELECT 'series_gap', s.entity, s.kind || ' ' || s.year FROM number_series s WHERE s.entity = ANY($1) AND s.next - 1 <>
  (SELECT count(*) FROM invoice i WHERE i.entity = s.entity AND i.kind = s.kind AND i.year = s.year AND i.seq < s.next)
UNION ALL
SELECT 'invoice_not_booked', i.entity, i.number FROM invoice i WHERE i.entity = ANY($1) AND i.total_ore <>
  (SELECT coalesce(sum(p.amount_ore), 0) FROM ledger_entry e JOIN posting p ON p.entry = e.id
   WHERE e.entity = i.entity AND e.cause_key = 'invoice:' || i.id AND p.account = 1510)
UNION ALL
SELECT 'payment_not_booked', p.entity, p.id::text FROM payment p WHERE p.entity = ANY($1) AND p.state = 'paid'
  AND NOT EXISTS (SELECT FROM ledger_entry e WHERE e.entity = p.entity AND e.cause_key = 'payment:' || p.id)
UNION ALL
SELECT 'charge_invoiced_twice', c.entity, c.id::text FROM charge c JOIN invoice_line l ON l.charge = c.id AND NOT l.is_credit
  WHERE c.entity = ANY($1) GROUP BY c.entity, c.id HAVING count(*) > 1
UNION ALL
SELECT 'refund_refused', p.entity, r.id::text FROM refund r JOIN payment p ON p.id = r.payment
  WHERE p.entity = ANY($1) AND r.state = 'refused'
"""


async def invariants(*, by: Actor | None = None) -> list[str]:
    """Return one text per rule of the books that is broken; empty as it should be.

    Everywhere for the system itself (the default), otherwise where the actor handles finance.
    """
    by = by or Actor.system()
    entities = await db.column(str, "SELECT id FROM legal_entity ORDER BY id")
    found = await db.rows(_Broken, _INVARIANTS, [one for one in entities if by.has(one, Role.FINANCE)])
    return [f"{one.rule} {one.entity}: {one.detail}" for one in found]


async def invoice_pdf(invoice_id: UUID, *, by: Actor, now: datetime) -> tuple[str, bytes]:
    """Return a file name and the invoice's PDF. Raises NotFound (also for somebody else's), NoDocument."""
    page = await invoice_pages.invoice(invoice_id, by=by, now=now)
    return f"{page.kind}-{page.number}", await documents.store(invoice_id, now)
