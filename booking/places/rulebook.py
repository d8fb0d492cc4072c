"""The rules in force: read them for a day, and derive them again after a change."""

from collections import defaultdict
from datetime import date
from uuid import UUID

import msgspec

from booking import db
from booking.errors import Rejected
from booking.places.hour_sources import line_of
from booking.places.rules import RULE_FIELDS, Period, RuleChange, Rules, inherit

_RULE_COLUMNS = ", ".join(f"e.{name}" for name in Rules.__struct_fields__)


async def rules_on(resources: list[UUID], day: date) -> dict[UUID, Rules]:
    """Return what is in force for the use of each resource on a local day."""
    async with db.connected() as connection:
        found = await connection.fetch(
            f"SELECT e.resource, {_RULE_COLUMNS} FROM effective_rule e"
            " WHERE e.resource = ANY($1) AND e.from_day <= $2 AND e.until_day > $2",
            resources,
            day,
        )
    result = {one: Rules() for one in resources}
    for row in found:
        facts = dict(row)
        result[facts.pop("resource")] = _rules(facts)
    return result


async def rules_through(resources: list[UUID], first: date, last: date) -> dict[UUID, list[Period]]:
    """Return the periods of rules that touch the local days, both included, for the use of each resource."""
    async with db.connected() as connection:
        found = await connection.fetch(
            f"SELECT e.resource, e.from_day, e.until_day, {_RULE_COLUMNS} FROM effective_rule e"
            " WHERE e.resource = ANY($1) AND e.from_day <= $3 AND e.until_day > $2 ORDER BY e.from_day",
            resources,
            first,
            last,
        )
    result: dict[UUID, list[Period]] = {one: [] for one in resources}
    for row in found:
        facts = dict(row)
        period = (facts.pop("from_day"), facts.pop("until_day"))
        result[facts.pop("resource")].append((*period, _rules(facts)))
    return result


def _rules(facts: dict[str, object]) -> Rules:
    for name in ("kinds", "purposes"):
        listed = facts[name]
        facts[name] = tuple(listed) if isinstance(listed, list) else None
    return msgspec.convert(facts, Rules, builtin_types=(date,))


class _Node(db.Record):
    id: UUID
    parent: UUID | None
    facility: UUID


class _Change(RuleChange, frozen=True, kw_only=True):
    municipality: str | None
    facility: UUID | None
    resource: UUID | None


class Contradiction(Rejected):
    """Rules that together let nobody book; `resource` says where."""

    code = "rules_contradict"


async def refresh_rules(municipality: str) -> None:
    """What is in force for every resource of a municipality follows from its rule sets, in this transaction.

    Raises Contradiction where the shortest booking would be longer than the longest.
    """
    derived = await derived_rules(municipality)
    _must_be_bookable(derived)
    async with db.transaction() as connection:
        await connection.execute(
            "DELETE FROM effective_rule e USING resource r, facility f WHERE r.id = e.resource"
            " AND f.id = r.facility AND f.municipality = $1",
            municipality,
        )
        await connection.copy_records_to_table(
            "effective_rule",
            records=[
                (one, first, until, *msgspec.structs.astuple(rules)) for one, first, until, rules in derived
            ],
            columns=["resource", "from_day", "until_day", *Rules.__struct_fields__],
        )


Derived = tuple[UUID, date, date, Rules]  # the resource, from, until (exclusive), what is in force


async def derived_rules(municipality: str) -> list[Derived]:
    """Return what follows from the rule sets of a municipality, for every resource and all of time."""
    nodes = await db.rows(
        _Node,
        "SELECT r.id, r.parent, r.facility FROM resource r JOIN facility f ON f.id = r.facility"
        " WHERE f.municipality = $1 ORDER BY r.id",
        municipality,
    )
    parents = {one.id: one.parent for one in nodes}
    changes = await changes_of(municipality)
    return [
        (node.id, *period)
        for node in nodes
        for period in inherit(
            [changes[one] for one in (municipality, str(node.facility), *map(str, line_of(node.id, parents)))]
        )
    ]


async def stored_rules(municipality: str) -> list[Derived]:
    """Return what stands in the table of derived rules for a municipality."""
    async with db.connected() as connection:
        found = await connection.fetch(
            f"SELECT e.resource, e.from_day, e.until_day, {_RULE_COLUMNS} FROM effective_rule e"
            " JOIN resource r ON r.id = e.resource JOIN facility f ON f.id = r.facility"
            " WHERE f.municipality = $1 ORDER BY e.resource, e.from_day",
            municipality,
        )
    rows = (dict(row) for row in found)
    return [(one.pop("resource"), one.pop("from_day"), one.pop("until_day"), _rules(one)) for one in rows]


async def changes_of(municipality: str) -> dict[str, list[RuleChange]]:
    """Return the rule sets written in a municipality, by the level's id (its code, or a UUID as text)."""
    columns = ", ".join(f"s.{name}" for name in RULE_FIELDS)
    found = await db.rows(
        _Change,
        f"SELECT s.municipality, s.facility, s.resource, s.valid_from, {columns} FROM rule_set s"
        " LEFT JOIN resource r ON r.id = s.resource LEFT JOIN facility f ON f.id = coalesce(s.facility, r.facility)"
        " WHERE coalesce(s.municipality, f.municipality) = $1 ORDER BY s.valid_from",
        municipality,
    )
    changes: dict[str, list[RuleChange]] = defaultdict(list)
    for change in found:
        changes[str(change.resource or change.facility or change.municipality)].append(change)
    return changes


def _must_be_bookable(derived: list[Derived]) -> None:
    for resource, first, _, rules in derived:
        if rules.min_min > rules.max_min:
            raise Contradiction(
                f"from {first} a booking would have to last at least {rules.min_min} and at most"
                f" {rules.max_min} minutes",
                resource=str(resource),
            )
