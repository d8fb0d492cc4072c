"""Staff press the button: what isn't locked is shared out anew, and every wish that misses something says why."""

import asyncio
import threading
import time
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db
from booking.errors import Rejected, Unavailable
from booking.ids import new_id
from booking.people import Actor
from booking.reservations.seasons import highs
from booking.reservations.seasons.allocating import Choice, allocate
from booking.reservations.seasons.explaining import Missing, missing_of
from booking.reservations.seasons.ground import Fixed, Ground, Slot
from booking.reservations.seasons.rounds import RoundRow, RoundState, staff_round, tell
from booking.reservations.seasons.weeks import ground_of
from booking.reservations.seasons.wishes import allocations_of, as_wishes, wishes_of

_SOLVING = threading.Lock()  # one solver a process: two on one core would both run out of time

FINISHING = 0.5  # seconds kept for what follows the search


class ProposalFacts(msgspec.Struct, frozen=True):
    """How a proposal came about: when, in how many seconds, and which goals nobody has proven."""

    at: datetime
    seconds: float
    unproven: list[str]


async def propose(round_id: UUID, *, seconds: float, by: Actor, now: datetime) -> None:
    """Every time that isn't locked is shared out anew within so many seconds. No transaction is open meanwhile.

    Raises RoundState (`round_still_open`, `round_final`, `round_changed`), NotFound, Rejected (`no_wishes`),
    Unavailable (`season_busy`).
    """
    row = await staff_round(round_id, by)
    _must_be_over(row, now)
    rows = await wishes_of(row)
    if not rows:
        raise Rejected("nobody has applied", code="no_wishes")
    given = await allocations_of(round_id)
    kept = [one.fixed for one in given if one.state != "proposed"]
    ground, wishes = await ground_of(row, now), as_wishes(rows, row)
    if not _SOLVING.acquire(blocking=False):
        raise Unavailable(
            "another round is being shared out", code="season_busy", retry_after_s=int(seconds) + 1
        )
    try:
        begin = time.monotonic()

        def left() -> float:
            return seconds - FINISHING - (time.monotonic() - begin)

        choice = await asyncio.to_thread(allocate, ground, wishes, kept, solve=highs.solve, left=left)
        took = time.monotonic() - begin
    finally:
        _SOLVING.release()
    slots = [*kept, *(Fixed(wishes[one.wish].id, one.slot) for one in choice.chosen)]
    missing = await asyncio.to_thread(missing_of, wishes, slots, ground)
    facts = ProposalFacts(now, round(took, 1), list(choice.unproven))
    async with db.transaction():
        again = await staff_round(round_id, by, lock=True)
        if again.version != row.version or again.state != row.state:
            raise RoundState("the round was changed meanwhile: propose again", code="round_changed")
        await db.run("DELETE FROM season_allocation WHERE round = $1 AND state = 'proposed'", round_id)
        await _write(row, choice, ground, now)
        await store_outcomes([one.id for one in rows], missing)
        await db.run(
            "UPDATE season_round SET proposal = $2, version = version + 1 WHERE id = $1",
            round_id,
            msgspec.json.encode(facts).decode(),
        )
        await tell(
            "season.proposed", round_id, row.municipality, by, now, times=len(slots), proven=choice.proven
        )


def _must_be_over(row: RoundRow, now: datetime) -> None:
    if row.state == "final":
        raise RoundState("the round is decided", code="round_final")
    if row.state == "draft":
        raise RoundState("the round has not been opened", code="round_not_open")
    if row.accepts(now):
        raise RoundState("associations can still apply: close the round first", code="round_still_open")


async def _write(row: RoundRow, choice: Choice, ground: Ground, now: datetime) -> None:
    for one in choice.chosen:
        await insert(row.id, choice.model.wishes[one.wish].id, one.slot, ground, now)


async def insert(
    round_id: UUID,
    wish: UUID,
    slot: Slot,
    ground: Ground,
    now: datetime,
    *,
    by: Actor | None = None,
    reason: str = "",
) -> UUID:
    """The wish has the time; by somebody's hand it is locked. The database refuses a leaf that is given already."""
    made = new_id()
    await db.run(
        "INSERT INTO season_allocation (id, round, wish, resource, weekday, opens, closes, state, by_hand, reason,"
        " decided_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        made,
        round_id,
        wish,
        slot.place,
        slot.weekday,
        slot.opens,
        slot.closes,
        "proposed" if by is None else "locked",
        by is not None,
        reason,
        by.account if by is not None else None,
        now,
    )
    await keep_leaves(made, round_id, slot, ground)
    return made


async def keep_leaves(allocation: UUID, round_id: UUID, slot: Slot, ground: Ground) -> None:
    """The allocation has these leaves every week and no others."""
    place = ground.places[slot.place]
    await db.run("DELETE FROM season_cell WHERE allocation = $1", allocation)
    await db.run(
        "INSERT INTO season_cell (allocation, round, leaf, weekday, opens, until)"
        " SELECT $1, $2, l, $4, $5, $6 FROM unnest($3::int[]) l",
        allocation,
        round_id,
        list(place.leaves),
        slot.weekday,
        slot.opens,
        slot.closes + place.gap_min,
    )


async def store_outcomes(wishes: list[UUID], missing: list[Missing]) -> None:
    """Each of the wishes says what it misses and why, or that it misses nothing."""
    await db.run("UPDATE season_wish SET outcome = NULL WHERE id = ANY($1)", wishes)
    await db.run_many(
        "UPDATE season_wish SET outcome = $2 WHERE id = $1",
        [(one.wish, msgspec.json.encode(one).decode()) for one in missing],
    )


async def explain_again(row: RoundRow, ground: Ground) -> None:
    """The reasons fit what is given now. In the caller's transaction."""
    rows = await wishes_of(row)
    slots = [one.fixed for one in await allocations_of(row.id)]
    await store_outcomes([one.id for one in rows], missing_of(as_wishes(rows, row), slots, ground))
