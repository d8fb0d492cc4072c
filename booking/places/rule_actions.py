"""Write and take back rules. Each action derives what follows in the same transaction."""

from datetime import date, datetime

from booking import db, journal
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.places.levels import OWNED, Level, Scope, level
from booking.places.rulebook import refresh_rules
from booking.places.rules import RULE_FIELDS, RuleChange


async def write_rules(scope: Scope, place_id: str, change: RuleChange, *, by: Actor, now: datetime) -> None:
    """The level says this from the change's first day on; a set of the same day is replaced.

    Raises NotFound, Rejected (`unknown_terms`), Contradiction.
    """
    async with db.transaction():
        here = await writable(scope, place_id, by=by)
        if change.terms is not None:
            await _must_have_terms(here.municipality, change.terms)
        names = ("valid_from", *RULE_FIELDS, "changed_at")
        await db.run(
            f"INSERT INTO rule_set (id, municipality, facility, resource, {', '.join(names)})"
            f" VALUES ($1, $2, $3, $4, {', '.join(f'${n}' for n in range(5, 5 + len(names)))})"
            " ON CONFLICT ON CONSTRAINT rule_set_once DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in names),
            new_id(),
            *here.columns,
            change.valid_from,
            *(getattr(change, name) for name in RULE_FIELDS),
            now,
        )
        await refresh_rules(here.municipality)
        said = {name: value for name in RULE_FIELDS if (value := getattr(change, name)) is not None}
        await tell(here, "rules.written", by, now, valid_from=change.valid_from, rules=said)


async def delete_rules(scope: Scope, place_id: str, valid_from: date, *, by: Actor, now: datetime) -> None:
    """The level says nothing of its own from that day on. Raises NotFound if it did not, Contradiction."""
    async with db.transaction():
        here = await writable(scope, place_id, by=by)
        gone = await db.run(
            f"DELETE FROM rule_set WHERE {OWNED} AND valid_from = $4",
            *here.columns,
            valid_from,
        )
        if not gone:
            raise NotFound("no rules begin on that day here", code="unknown_rules")
        await refresh_rules(here.municipality)
        await tell(here, "rules.deleted", by, now, valid_from=valid_from)


async def writable(scope: Scope, place_id: str, *, by: Actor) -> Level:
    """Return the level with its municipality's places locked: who derives next sees what this one wrote."""
    here = await level(scope, place_id, by=by)
    await lock_places(here.municipality)
    return here


async def lock_places(municipality: str) -> None:
    """Nobody else changes what there is, the rules or the hours until the transaction ends. Taken first."""
    await db.take_locks("places", [municipality])


async def tell(here: Level, action: str, by: Actor, now: datetime, **facts: object) -> None:
    """The journal has it, and open day views of the municipality learn of it."""
    topics = [f"timeline:{here.municipality}"]
    level_facts = {"scope": here.scope, "level": here.id}
    await journal.record(action, about=here.uuid, by=by, now=now, topics=topics, **level_facts, **facts)


async def _must_have_terms(municipality: str, version: str) -> None:
    known = await db.value(
        str,
        "SELECT version FROM terms WHERE municipality = $1 AND version = $2",
        municipality,
        version,
    )
    if known is None:
        raise Rejected("publish these terms first, then ask for them", code="unknown_terms")
