"""What a municipality knows about a customer, and the decisions it rests on."""

from dataclasses import dataclass
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


class _Evidence(db.Record):
    category: str
    value: int | None
    valid_from: date
    valid_to: date | None


class _Party(db.Record):
    kind: str
    home: str | None


@dataclass(frozen=True, slots=True)
class History:
    """What a municipality knows about a customer over time."""

    kind: str
    home: str | None
    evidence: tuple[_Evidence, ...] = ()

    def on(self, day: date) -> CustomerFacts:
        """Return what prices may depend on, as decided and valid on the date."""
        valid = [one for one in self.evidence if one.valid_from <= day <= (one.valid_to or day)]
        measures = {one.category: one.value for one in valid if one.value is not None}
        return CustomerFacts(self.kind, self.home, frozenset(one.category for one in valid), measures)


async def customer_history(party: UUID | None, municipality: str, home: str | None) -> History:
    """Return customer_facts of every day at once."""
    found = await db.row(_Party, "SELECT kind, home_municipality AS home FROM party WHERE id = $1", party)
    if found is None:
        return History("person", home)
    evidence = await db.rows(
        _Evidence,
        "SELECT category, value, valid_from, valid_to FROM customer_evidence"
        " WHERE party = $1 AND municipality = $2 ORDER BY id",
        party,
        municipality,
    )
    return History(found.kind, found.home or home, tuple(evidence))


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
