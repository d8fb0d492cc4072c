"""Season rounds: staff make, change, open and close them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from booking import db, journal, places
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor, Role
from booking.reservations.seasons.rules import RoundRules, must_make_sense

MOST_RESOURCES = 60


class RoundState(Conflict):
    """The round is not in a state that allows it; `code` says why."""


@dataclass(frozen=True, slots=True)
class NewRound:
    """What a round is about. The season's days are both included."""

    name: str
    starts_on: date
    ends_on: date
    applies_from: datetime
    applies_to: datetime
    drop_in_from: date | None
    resources: tuple[UUID, ...]
    rules: RoundRules


class RoundRow(db.Record):
    """A round as it is stored."""

    id: UUID
    municipality: str
    name: str
    starts_on: date
    ends_on: date
    applies_from: datetime
    applies_to: datetime
    drop_in_from: date | None
    rules: str
    state: str
    version: int
    proposal: str | None
    decided_at: datetime | None
    resources: list[UUID]

    @property
    def terms(self) -> RoundRules:
        """The rules as values."""
        return msgspec.json.decode(self.rules, type=RoundRules)

    def accepts(self, now: datetime) -> bool:
        """True while one can apply."""
        return self.state == "open" and self.applies_from <= now < self.applies_to


ROUND = """
SELECT s.id, s.municipality, s.name, s.starts_on, s.ends_on, s.applies_from, s.applies_to, s.drop_in_from, s.rules,
  s.state, s.version, s.proposal, s.decided_at,
  ARRAY(SELECT r.resource FROM season_resource r WHERE r.round = s.id ORDER BY r.id) AS resources
FROM season_round s
"""


async def round_row(round_id: UUID, by: Actor, *, lock: bool = False) -> RoundRow:
    """Return a round; a draft only to the owner's staff. With `lock` nobody else changes it. Raises NotFound."""
    row = await db.row(
        RoundRow, ROUND + " WHERE s.id = $1" + (" FOR NO KEY UPDATE OF s" if lock else ""), round_id
    )
    if row is None or (row.state == "draft" and not by.has(row.municipality, Role.STAFF)):
        raise NotFound("there is no such round")
    return row


async def staff_round(round_id: UUID, by: Actor, *, lock: bool = False) -> RoundRow:
    """Return a round to the owner's staff. Raises NotFound for everybody else."""
    row = await round_row(round_id, by, lock=lock)
    by.must_have(row.municipality, Role.STAFF)
    return row


async def create_round(municipality: str, wanted: NewRound, *, by: Actor, now: datetime) -> UUID:
    """The municipality has a round that nobody sees yet. Raises NotFound, Rejected."""
    by.must_have(municipality, Role.STAFF)
    await _must_make_sense(municipality, wanted)
    made = new_id()
    async with db.transaction():
        await db.run(
            "INSERT INTO season_round (id, municipality, name, starts_on, ends_on, applies_from, applies_to,"
            " drop_in_from, rules, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            made,
            municipality,
            *_facts(wanted),
            by.account,
            now,
        )
        await _share_out(made, wanted.resources)
        await tell("season.round_created", made, municipality, by, now)
    return made


async def change_round(round_id: UUID, wanted: NewRound, *, by: Actor, now: datetime) -> None:
    """The round is as wanted, and what was proposed by its old rules is gone, but for what is locked.

    Raises RoundState (`round_final`), NotFound, Rejected.
    """
    async with db.transaction():
        row = await staff_round(round_id, by, lock=True)
        _must_not_be_final(row)
        await _must_make_sense(row.municipality, wanted)
        await db.run(
            "UPDATE season_round SET name = $2, starts_on = $3, ends_on = $4, applies_from = $5, applies_to = $6,"
            " drop_in_from = $7, rules = $8, version = version + 1, proposal = NULL WHERE id = $1",
            round_id,
            *_facts(wanted),
        )
        await db.run("DELETE FROM season_allocation WHERE round = $1 AND state = 'proposed'", round_id)
        used = await db.value(
            bool,
            "SELECT EXISTS (SELECT FROM season_allocation WHERE round = $1 AND resource <> ALL($2))",
            round_id,
            list(wanted.resources),
        )
        if used:
            raise RoundState(
                "a resource with a locked time can't leave the round", code="round_resource_used"
            )
        await _share_out(round_id, wanted.resources)
        await tell("season.round_changed", round_id, row.municipality, by, now)


async def open_round(round_id: UUID, *, by: Actor, now: datetime) -> None:
    """Associations see the round, and apply between its dates. Raises RoundState (`round_final`), NotFound."""
    await _become(round_id, "open", by, now)


async def close_round(round_id: UUID, *, by: Actor, now: datetime) -> None:
    """Nobody applies any more, whatever the dates say. Raises RoundState (`round_final`), NotFound."""
    await _become(round_id, "closed", by, now)


async def _become(round_id: UUID, state: str, by: Actor, now: datetime) -> None:
    async with db.transaction():
        row = await staff_round(round_id, by, lock=True)
        _must_not_be_final(row)
        if state == "closed" and row.state == "draft":
            raise RoundState("the round has not been opened", code="round_not_open")
        begun = await db.value(
            bool,
            "SELECT EXISTS (SELECT FROM season_allocation WHERE round = $1 AND state = 'final')",
            round_id,
        )
        if begun and state == "open":
            raise RoundState("some of its times are booked already", code="round_final")
        await db.run("UPDATE season_round SET state = $2 WHERE id = $1", round_id, state)
        await tell(
            f"season.round_{'opened' if state == 'open' else 'closed'}", round_id, row.municipality, by, now
        )


def _must_not_be_final(row: RoundRow) -> None:
    if row.state == "final":
        raise RoundState("the round is decided", code="round_final")


async def _must_make_sense(municipality: str, wanted: NewRound) -> None:
    must_make_sense(wanted.rules)
    days = (wanted.ends_on - wanted.starts_on).days
    if not 0 <= days <= 400 or wanted.applies_to <= wanted.applies_from:
        raise Rejected("a season lasts 1 to 401 days, and one applies before it ends", code="round_days")
    found = await places.resources_by_id(list(wanted.resources))
    if not 1 <= len(set(wanted.resources)) <= MOST_RESOURCES or len(found) != len(set(wanted.resources)):
        raise Rejected(f"a round shares out 1 to {MOST_RESOURCES} resources", code="round_resources")
    for one in found.values():
        if one.facility.municipality.code != municipality or not one.leaves:
            raise Rejected("only own places that can be occupied are shared out", code="round_resources")


def _facts(wanted: NewRound) -> tuple[object, ...]:
    rules = msgspec.json.encode(wanted.rules).decode()
    return (
        wanted.name,
        wanted.starts_on,
        wanted.ends_on,
        wanted.applies_from,
        wanted.applies_to,
        wanted.drop_in_from,
        rules,
    )


async def _share_out(round_id: UUID, resources: Sequence[UUID]) -> None:
    await db.run(
        "DELETE FROM season_resource WHERE round = $1 AND resource <> ALL($2)", round_id, list(resources)
    )
    await db.run(
        "INSERT INTO season_resource (round, resource) SELECT $1, r FROM unnest($2::uuid[]) r ON CONFLICT DO NOTHING",
        round_id,
        list(dict.fromkeys(resources)),
    )


async def tell(
    action: str, about: UUID, municipality: str, by: Actor, now: datetime, **facts: object
) -> None:
    """The journal has what was done in a round, and the owner's open pages learn of it."""
    topics = [f"timeline:{municipality}"]
    await journal.record(action, about=about, by=by, now=now, topics=topics, **facts)
