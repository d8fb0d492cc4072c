"""The rules in force: read them for a day, and derive them again after a change."""

from collections import defaultdict
from datetime import date
from uuid import UUID

import msgspec

from booking import db
from booking.places.rules import RULE_FIELDS, Period, RuleChange, Rules, inherit

_RULE_COLUMNS = ", ".join(f"e.{name}" for name in Rules.__struct_fields__)


class _Found(db.Record):
    resource: UUID
    rules: Rules


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
    municipality: str


class _Change(RuleChange, frozen=True, kw_only=True):
    municipality: str | None
    facility: UUID | None
    resource: UUID | None


async def refresh_rules(municipality: str) -> None:
    """What is in force for every resource of a municipality follows from its rule sets, in this transaction."""
    nodes = await db.rows(
        _Node,
        "SELECT r.id, r.parent, r.facility, f.municipality FROM resource r JOIN facility f ON f.id = r.facility"
        " WHERE f.municipality = $1",
        municipality,
    )
    by_id = {one.id: one for one in nodes}
    changes: dict[object, list[RuleChange]] = defaultdict(list)
    for change in await _changes(municipality):
        changes[change.resource or change.facility or change.municipality].append(change)
    derived: list[tuple[object, ...]] = []
    for node in nodes:
        line = _line(node, by_id)
        chain = [changes[municipality], changes[node.facility], *(changes[one] for one in line)]
        for first, until, rules in inherit(chain, wholes=3):
            derived.append((node.id, first, until, *msgspec.structs.astuple(rules)))
    await _store(list(by_id), derived)


async def _changes(municipality: str) -> list[_Change]:
    columns = ", ".join(f"s.{name}" for name in RULE_FIELDS)
    return await db.rows(
        _Change,
        f"SELECT s.municipality, s.facility, s.resource, s.valid_from, {columns} FROM rule_set s"
        " LEFT JOIN resource r ON r.id = s.resource JOIN facility f ON f.id = coalesce(s.facility, r.facility)"
        " WHERE f.municipality = $1 UNION ALL"
        f" SELECT s.municipality, s.facility, s.resource, s.valid_from, {columns} FROM rule_set s"
        " WHERE s.municipality = $1",
        municipality,
    )


def _line(node: _Node, by_id: dict[UUID, _Node]) -> list[UUID]:
    """Return the resource's ancestors, the whole first, and itself last."""
    line = [node.id]
    while (parent := by_id[line[0]].parent) is not None:
        line.insert(0, parent)
    return line


async def _store(resources: list[UUID], derived: list[tuple[object, ...]]) -> None:
    async with db.transaction() as connection:
        await connection.execute("DELETE FROM effective_rule WHERE resource = ANY($1)", resources)
        await connection.copy_records_to_table(
            "effective_rule",
            records=derived,
            columns=["resource", "from_day", "until_day", *Rules.__struct_fields__],
        )
