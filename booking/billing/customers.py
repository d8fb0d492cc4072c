"""What a municipality knows about a customer, and the decisions it rests on."""

from datetime import date, datetime
from uuid import UUID

from booking import db
from booking.billing.conditions import CustomerFacts
from booking.ids import new_id


class _Known(db.Record):
    kind: str
    home: str | None
    categories: list[str]
    values: list[int | None]


async def customer_facts(party: UUID | None, municipality: str, on: date, home: str | None) -> CustomerFacts:
    """Return what prices may depend on, as decided by the municipality and valid on the date.

    A visitor is a person from `home`; a party's own home municipality beats `home`.
    """
    found = await db.row(
        _Known,
        "SELECT p.kind, p.home_municipality AS home,"
        " coalesce(array_agg(e.category ORDER BY e.id) FILTER (WHERE e.id IS NOT NULL), '{}') AS categories,"
        " coalesce(array_agg(e.value ORDER BY e.id) FILTER (WHERE e.id IS NOT NULL), '{}') AS values"
        " FROM party p LEFT JOIN customer_evidence e ON e.party = p.id AND e.municipality = $2"
        "  AND e.valid_from <= $3 AND (e.valid_to IS NULL OR e.valid_to >= $3)"
        " WHERE p.id = $1 GROUP BY p.id",
        party,
        municipality,
        on,
    )
    if found is None:
        return CustomerFacts("person", home)
    measures = {
        name: value for name, value in zip(found.categories, found.values, strict=True) if value is not None
    }
    return CustomerFacts(found.kind, found.home or home, frozenset(found.categories), measures)


async def record_evidence(
    *,
    party: UUID,
    municipality: str,
    category: str,
    valid_from: date,
    valid_to: date | None = None,
    value: int | None = None,
    reason: str = "",
    decided_by: UUID | None = None,
    now: datetime,
) -> UUID:
    """The municipality counts the party in the category within the dates; `value` is a measure such as activities."""
    evidence = new_id()
    await db.run(
        "INSERT INTO customer_evidence (id, municipality, party, category, value, valid_from, valid_to, reason,"
        " decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        evidence,
        municipality,
        party,
        category,
        value,
        valid_from,
        valid_to,
        reason,
        decided_by,
        now,
    )
    return evidence
