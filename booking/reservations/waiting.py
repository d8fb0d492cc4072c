"""Join and leave the waiting list. One public function = one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import db, journal, outbox, places
from booking.errors import Conflict, NotAllowed, NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.places import Kind
from booking.reservations.calendar import local_day, not_for
from booking.reservations.errors import RULES, BreaksRule
from booking.reservations.freeing import TIME_FREED, Freed
from booking.reservations.offers import Customer
from booking.reservations.outlook import look_ahead
from booking.reservations.rows import free, locked
from booking.span import Span

WaitingKind = Literal["queue", "watch"]
MOST_OPEN = 20
LONGEST, LONGEST_ANYWHERE = timedelta(days=60), timedelta(days=31)


class AlreadyWaiting(Conflict):
    """The account waits for this already."""

    code = "already_waiting"


class TooManyWaits(NotAllowed):
    """An account waits for a few times at once."""

    code = "too_many_waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingWish:
    """What somebody waits for: `minutes` anywhere in the window, in one resource, facility or municipality."""

    kind: WaitingKind
    party: UUID
    window: Span
    minutes: int
    purpose: str = "private"
    resource: UUID | None = None
    facility: UUID | None = None
    municipality: str | None = None
    resource_kind: Kind | None = None


async def join(wish: WaitingWish, *, by: Actor, now: datetime) -> UUID:
    """The party is last in line, or is told of every such time; a time that is free already is offered at once.

    Raises NotFound, NotAllowed, BreaksRule where they could never book it, AlreadyWaiting, TooManyWaits.
    """
    account = by.must_be_known()
    by.must_act_for(wish.party)
    _must_be_sane(wish, now)
    municipality = await _owner(wish)
    if wish.resource is not None:
        await _must_be_possible(wish.resource, wish, now)
    waiting = new_id()
    async with db.transaction():
        await db.take_locks("waits", [account])
        await _must_be_new(wish, account, now)
        await db.run(
            "INSERT INTO waiting (id, kind, party, account, municipality, facility, resource, resource_kind, from_at,"
            " to_at, minutes, purpose, state, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'waiting', $13)",
            waiting,
            wish.kind,
            wish.party,
            account,
            municipality,
            wish.facility,
            wish.resource,
            wish.resource_kind,
            wish.window.start,
            wish.window.end,
            wish.minutes,
            wish.purpose,
            now,
        )
        # Closes the gap to a time that is being freed in a transaction that can't see us yet.
        await outbox.put(TIME_FREED, payload=Freed(waiting=waiting), now=now)
        await note("waiting.joined", waiting, municipality, by, now)
    return waiting


async def leave(waiting_id: UUID, *, by: Actor, now: datetime) -> None:
    """The account waits no longer; what was offered goes to the next. Raises NotFound for a foreign entry."""

    async def act() -> None:
        async with db.transaction():
            owner = await db.value(
                str,
                "SELECT municipality FROM waiting WHERE id = $1 AND account = $2 AND state <> 'withdrawn'",
                waiting_id,
                by.account,
            )
            if owner is None:
                raise NotFound("there is no such entry")
            await lock_queue(owner)
            offer = await db.value(
                UUID, "SELECT offer FROM waiting WHERE id = $1 AND state = 'offered'", waiting_id
            )
            held = await locked(offer) if offer is not None else None
            if held is not None and held.state == "held":
                await free(held, "expired", by, now)
            await db.run(
                "UPDATE waiting SET state = 'withdrawn' WHERE id = $1 AND state <> 'taken'", waiting_id
            )
            await note("waiting.left", waiting_id, owner, by, now)

    await db.retried(act)


async def end_waiting(now: datetime) -> int:
    """Entries whose window has passed wait no longer; returns how many."""
    return await db.run(
        "UPDATE waiting SET state = 'lapsed' WHERE state = 'waiting'"
        " AND to_at - make_interval(mins => minutes) <= $1",
        now,
    )


async def lock_queue(municipality: str) -> None:
    """Nobody else offers time there until the transaction ends. Taken before every other lock."""
    await db.take_locks("waiting", [municipality])


async def note(action: str, waiting: UUID, municipality: str, by: Actor, now: datetime) -> None:
    """The journal has it, and the staff's pages learn of it."""
    await journal.record(action, about=waiting, by=by, now=now, topics=[f"timeline:{municipality}"])


def _must_be_sane(wish: WaitingWish, now: datetime) -> None:
    window, minutes = wish.window, wish.minutes
    if sum(one is not None for one in (wish.resource, wish.facility, wish.municipality)) != 1:
        raise Rejected("say one resource, facility or municipality", code="waiting_scope")
    longest = LONGEST if wish.resource is not None else LONGEST_ANYWHERE
    if window.minutes < minutes or window.length > longest:
        raise Rejected(f"the window holds the time, and at most {longest.days} days", code="waiting_window")
    if window.end - timedelta(minutes=minutes) <= now:
        raise BreaksRule(RULES["past"], code="past")
    if window.end > now + timedelta(days=3650):
        raise Rejected("the time is outside the calendar", code="bad_time")


async def _owner(wish: WaitingWish) -> str:
    if wish.resource is not None:
        return (await places.resource(wish.resource)).facility.municipality.code
    found = await db.value(
        str,
        "SELECT municipality FROM facility WHERE id = $1 UNION SELECT code FROM municipality WHERE code = $2",
        wish.facility,
        wish.municipality,
    )
    if found is None:
        raise NotFound("there is no such place", code="unknown_place")
    return found


async def _must_be_possible(resource_id: UUID, wish: WaitingWish, now: datetime) -> None:
    """Raise BreaksRule for those who could never book it: nobody is offered what they can't have."""
    resource = await places.resource(resource_id)
    if resource.kind == "equipment":
        raise Rejected("equipment is booked with a place", code="equipment_alone")
    first = Span(wish.window.start, wish.window.start + timedelta(minutes=wish.minutes))
    outlook = await look_ahead([resource], [first], Customer(wish.party), wish.purpose, now)
    ground = outlook.ground(resource, first)
    code = not_for(ground.rules, local_day(first), ground.who, wish.purpose)
    if code is None and wish.minutes < ground.rules.min_min:
        code = "too_short"
    if code is None and wish.minutes > ground.rules.max_min:
        code = "too_long"
    if code is not None:
        raise BreaksRule(RULES[code], code=code)


async def _must_be_new(wish: WaitingWish, account: UUID, now: datetime) -> None:
    where = "FROM waiting WHERE account = $1 AND state IN ('waiting', 'offered') AND to_at > $2"
    if await db.value(
        bool,
        f"SELECT true {where} AND kind = $3 AND party = $4 AND from_at = $5 AND to_at = $6 AND minutes = $7"
        " AND resource IS NOT DISTINCT FROM $8 AND facility IS NOT DISTINCT FROM $9"
        " AND resource_kind IS NOT DISTINCT FROM $10 AND ($11::text IS NULL OR municipality = $11) LIMIT 1",
        account,
        now,
        wish.kind,
        wish.party,
        wish.window.start,
        wish.window.end,
        wish.minutes,
        wish.resource,
        wish.facility,
        wish.resource_kind,
        wish.municipality,
    ):
        raise AlreadyWaiting("you wait for this time already")
    count = await db.value(int, f"SELECT count(*) {where}", account, now)
    if count is not None and count >= MOST_OPEN:
        raise TooManyWaits(f"at most {MOST_OPEN} times can be waited for at once")
