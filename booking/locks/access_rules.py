"""Access rules: which doors a booking of a resource opens, and with which grace, as administrators write them."""

from datetime import datetime
from typing import Final, get_args
from uuid import UUID

import msgspec

from booking import db, journal, outbox
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.locks.windows import RULED, Purpose
from booking.people import Actor, Role

RELAY: Final = "access.relay"  # the debt "the codes of the bookings ahead of resource `key` follow its rules"
LONGEST_S: Final = 86_400


class AccessRuleView(db.Record):
    """A door that bookings of a resource open. Grace in whole minutes; `purpose` null: whatever they are for.

    `resource_*` is where the rule is written: the resource, or the whole that it is a part of.
    """

    id: UUID
    resource_id: UUID
    resource_name: str
    door_id: str
    door_name: str
    purpose: Purpose | None
    before_min: int
    after_min: int


class AccessRules(msgspec.Struct, frozen=True):
    """The rules of a resource, and those of its wholes that hold for it too."""

    resource_id: UUID
    own: list[AccessRuleView]
    inherited: list[AccessRuleView]


async def allow(
    resource: UUID, door: str, *, before_s: int = 900, after_s: int = 900, purpose: str | None = None
) -> None:
    """Who books the resource may open the door, with this grace in seconds. Allowing again changes the grace.

    Bookings already made keep the doors they have; `write_rule` takes them along.
    """
    await db.run(
        "INSERT INTO access_rule (id, resource, door, before_s, after_s, purpose) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT ON CONSTRAINT access_rule_once DO UPDATE SET before_s = $4, after_s = $5",
        new_id(),
        resource,
        door,
        before_s,
        after_s,
        purpose,
    )


_VIEW = (
    " SELECT a.id, a.resource AS resource_id, r.name AS resource_name, a.door AS door_id, d.name AS door_name,"
    " a.purpose, (a.before_s + 59) / 60 AS before_min, (a.after_s + 59) / 60 AS after_min"
)
_NAMED = " JOIN resource r ON r.id = a.resource JOIN door d ON d.id = a.door"
_ORDER = " ORDER BY d.name, a.door, a.purpose NULLS FIRST"


async def rules_of(resource: UUID, *, by: Actor) -> AccessRules:
    """Return what opens for bookings of the resource; absent to those who are not staff of its municipality."""
    await _town_of(resource, by, Role.STAFF)
    found = await db.rows(
        AccessRuleView, f"WITH {RULED} {_VIEW} FROM ruled a {_NAMED} {_ORDER}, a.depth", [resource]
    )
    own = [one for one in found if one.resource_id == resource]
    spoken = {(one.door_id, one.purpose) for one in own}
    above = [one for one in found if one.resource_id != resource and (one.door_id, one.purpose) not in spoken]
    return AccessRules(resource, own, above)


async def write_rule(
    resource: UUID,
    door: str,
    *,
    before_s: int,
    after_s: int,
    purpose: str | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """Who books the resource for this purpose, or for any, may open the door with this grace in seconds.

    A rule for the same door and purpose is changed. Bookings ahead are owed their new doors and times. Raises
    Rejected for a purpose or grace there is not, or a door of another municipality or a retired controller.
    """
    if purpose is not None and purpose not in get_args(Purpose):
        raise Rejected(f"the purposes are: {', '.join(get_args(Purpose))}", code="unknown_purpose")
    if not (0 <= before_s <= LONGEST_S and 0 <= after_s <= LONGEST_S):
        raise Rejected("the grace is at most a day", code="bad_grace")
    async with db.transaction():
        town = await _town_of(resource, by, Role.ADMIN)
        known = await db.value(
            bool,
            "SELECT true FROM door d JOIN controller c ON c.id = d.controller JOIN facility f ON f.id = c.facility"
            " WHERE d.id = $1 AND f.municipality = $2 AND c.retired_at IS NULL"
            " AND d.removed_at IS NULL FOR KEY SHARE OF d",
            door,
            town,
        )
        if not known:
            raise Rejected("there is no such door in this municipality", code="unknown_door")
        await allow(resource, door, before_s=before_s, after_s=after_s, purpose=purpose)
        await outbox.put(RELAY, key=str(resource), now=now)
        facts = {"door": door, "purpose": purpose, "before_s": before_s, "after_s": after_s}
        topics = [f"doors:{town}"]
        await journal.record("access_rule.written", about=resource, by=by, now=now, topics=topics, **facts)


class _Rule(db.Record):
    resource: UUID
    door: str
    purpose: str | None


async def delete_rule(rule: UUID, *, by: Actor, now: datetime) -> tuple[UUID, Purpose | None]:
    """The rule is gone, and bookings ahead are owed the doors that remain; returns its resource and purpose."""
    async with db.transaction():
        resource = await db.value(UUID, "SELECT resource FROM access_rule WHERE id = $1", rule)
        if resource is None:
            raise NotFound("there is no such rule")
        town = await _town_of(resource, by, Role.ADMIN)
        gone = await db.row(
            _Rule, "DELETE FROM access_rule WHERE id = $1 RETURNING resource, door, purpose", rule
        )
        if gone is None:
            raise NotFound("there is no such rule")
        await outbox.put(RELAY, key=str(resource), now=now)
        facts = {"door": gone.door, "purpose": gone.purpose}
        topics = [f"doors:{town}"]
        await journal.record("access_rule.deleted", about=resource, by=by, now=now, topics=topics, **facts)
    return resource, msgspec.convert(gone.purpose, Purpose | None)


async def _town_of(resource: UUID, by: Actor, role: Role) -> str:
    town = await db.value(
        str,
        "SELECT f.municipality FROM resource r JOIN facility f ON f.id = r.facility WHERE r.id = $1",
        resource,
    )
    if town is None:
        raise NotFound("there is no such resource", code="unknown_resource")
    by.must_have(town, role)
    return town


class _Leads(db.Record):
    resource: UUID
    door: str


async def doors_of_resources(resources: list[UUID]) -> dict[UUID, list[str]]:
    """Return the ids of the doors that a booking of each resource opens, whatever it is for."""
    rules = await db.rows(
        _Leads, f"WITH {RULED} SELECT DISTINCT leaf AS resource, door FROM ruled ORDER BY 1, 2", resources
    )
    found: dict[UUID, list[str]] = {}
    for rule in rules:
        found.setdefault(rule.resource, []).append(rule.door)
    return found
