"""By hand: staff lock a proposed time, move it, take it away, or give one that nobody proposed. Each with its reason."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import ExclusionViolationError, UniqueViolationError

from booking import db
from booking.errors import Conflict, NotFound, Rejected
from booking.people import Actor
from booking.reservations.seasons.ground import DAY, QUARTER, Ground, Slot
from booking.reservations.seasons.proposing import explain_again, insert, keep_leaves
from booking.reservations.seasons.rounds import RoundRow, RoundState, staff_round, tell
from booking.reservations.seasons.weeks import ground_of
from booking.reservations.seasons.wishes import ALLOCATIONS, AllocationRow, wishes_of


class PlaceGiven(Conflict):
    """Another allocation has a part of the place then, or the wish has a time that day."""

    code = "place_given"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an allocation; None stays."""

    slot: Slot | None = None
    locked: bool | None = None
    reason: str = ""


async def give(round_id: UUID, wish: UUID, slot: Slot, reason: str, *, by: Actor, now: datetime) -> UUID:
    """The wish has the time, locked. Raises PlaceGiven, RoundState, NotFound, Rejected (`outside_round`)."""
    row = await staff_round(round_id, by)
    ground = await ground_of(row, now)
    _must_fit(slot, ground)
    async with db.transaction():
        row = await _undecided(round_id, by)
        if wish not in {one.id for one in await wishes_of(row)}:
            raise NotFound("there is no such wish")
        try:
            made = await insert(round_id, wish, slot, ground, now, by=by, reason=reason)
        except (ExclusionViolationError, UniqueViolationError) as error:
            raise PlaceGiven("somebody has this place then") from error
        await _changed(row, ground, "season.given", by, now, allocation=made, reason=reason)
    return made


async def change_allocation(allocation: UUID, wanted: Change, *, by: Actor, now: datetime) -> None:
    """The allocation is moved (and then locked), locked or let go, and says why.

    Raises PlaceGiven, RoundState, NotFound, Rejected (`outside_round`).
    """
    found = await _allocation(allocation)
    row = await staff_round(found.round, by)
    ground = await ground_of(row, now)
    slot = wanted.slot or found.slot
    _must_fit(slot, ground)
    async with db.transaction():
        row = await _undecided(found.round, by)
        found = await _allocation(allocation)
        if found.state == "final":
            raise RoundState("the time is booked: change its series", code="allocation_final")
        moved = slot != found.slot
        locked = wanted.locked if wanted.locked is not None else moved or found.state == "locked"
        try:
            await db.run(
                "UPDATE season_allocation SET resource = $2, weekday = $3, opens = $4, closes = $5, state = $6,"
                " by_hand = by_hand OR $7, reason = CASE $8 WHEN '' THEN reason ELSE $8 END, decided_by = $9,"
                " changed_at = $10, problem = NULL WHERE id = $1",
                allocation,
                slot.place,
                slot.weekday,
                slot.opens,
                slot.closes,
                "locked" if locked else "proposed",
                moved,
                wanted.reason,
                by.account,
                now,
            )
            await keep_leaves(allocation, found.round, slot, ground)
        except (ExclusionViolationError, UniqueViolationError) as error:
            raise PlaceGiven("somebody has this place then") from error
        action = "season.moved" if moved else "season.locked" if locked else "season.unlocked"
        await _changed(row, ground, action, by, now, allocation=allocation, reason=wanted.reason)


async def remove_allocation(allocation: UUID, *, by: Actor, now: datetime) -> UUID:
    """Nobody has the time. Returns the round. Raises RoundState (`allocation_final`), NotFound."""
    found = await _allocation(allocation)
    row = await staff_round(found.round, by)
    ground = await ground_of(row, now)
    async with db.transaction():
        row = await _undecided(found.round, by)
        found = await _allocation(allocation)
        if found.state == "final":
            raise RoundState("the time is booked: cancel its series", code="allocation_final")
        await db.run("DELETE FROM season_allocation WHERE id = $1", allocation)
        facts = {
            "wish": found.wish,
            "resource": found.resource,
            "weekday": found.weekday,
            "opens": found.opens,
        }
        await _changed(row, ground, "season.removed", by, now, **facts)
    return found.round


async def round_of(allocation: UUID) -> UUID:
    """Return the round of an allocation. Raises NotFound."""
    return (await _allocation(allocation)).round


async def _allocation(allocation: UUID) -> AllocationRow:
    found = await db.row(AllocationRow, ALLOCATIONS + " WHERE id = $1", allocation)
    if found is None:
        raise NotFound("there is no such allocation")
    return found


async def _undecided(round_id: UUID, by: Actor) -> RoundRow:
    row = await staff_round(round_id, by, lock=True)
    if row.state == "final":
        raise RoundState("the round is decided", code="round_final")
    return row


def _must_fit(slot: Slot, ground: Ground) -> None:
    """Raise Rejected unless the slot is in a place of the round and open on some of the season's dates."""
    good = 0 <= slot.opens < slot.closes <= DAY and not (slot.opens % QUARTER or slot.closes % QUARTER)
    if not good or slot.place not in ground.places or not ground.dates_free(slot):
        raise Rejected("the place is not free then on any date of the season", code="outside_round")


async def _changed(
    row: RoundRow, ground: Ground, action: str, by: Actor, now: datetime, **facts: object
) -> None:
    await db.run("UPDATE season_round SET version = version + 1 WHERE id = $1", row.id)
    await explain_again(row, ground)
    await tell(action, row.id, row.municipality, by, now, **facts)
