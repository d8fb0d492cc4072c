"""Staff's orders to doors: asked with a reason, confirmed within two minutes; then commands.py sends them (§8)."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, journal, outbox
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.locks.commands import COMMANDS, OTHERS, SEND, Row, next_number
from booking.locks.versions import raise_versions
from booking.people import Actor, Role

Op = Literal["open", "lockdown", "unlock", "release", "identify"]
MODES = {"lockdown": "lockdown", "unlock": "unlocked", "release": "normal"}
TO_CONFIRM = timedelta(minutes=2)
LIVES = {"open": timedelta(seconds=15)}  # at most 30 s for `open` (§8)
UNKNOWN_AFTER = timedelta(seconds=10)
LONGEST_UNLOCK = timedelta(hours=24)
State = Literal["awaiting_confirmation", "sent", "done", "refused", "unknown", "lapsed"]


class ConfirmationExpired(Conflict):
    """Two minutes have passed since the order; give it again."""

    code = "confirmation_expired"


class AlreadyConfirmed(Conflict):
    """The order has been confirmed; one confirmation opens once."""

    code = "already_confirmed"


class CommandView(msgspec.Struct, frozen=True):
    """An order to a door. `unknown`: nothing was heard within ten seconds; it may have been carried out."""

    id: UUID
    door_id: str
    op: Op
    reason: str
    state: State
    why: str | None
    asked_at: datetime
    confirmed_at: datetime | None
    answered_at: datetime | None
    until: datetime | None


class _Place(db.Record):
    controller: str
    municipality: str


async def order(
    door: str, op: Op, reason: str, *, until: datetime | None = None, by: Actor, now: datetime
) -> CommandView:
    """The order waits for its confirmation. Raises NotFound for a foreign door, Rejected."""
    place = await db.row(
        _Place,
        "SELECT d.controller, f.municipality FROM door d JOIN controller c ON c.id = d.controller"
        " JOIN facility f ON f.id = c.facility WHERE d.id = $1 AND c.retired_at IS NULL AND d.removed_at IS NULL",
        door,
    )
    if place is None or not by.has(place.municipality, Role.STAFF):
        raise NotFound("there is no such door")
    if (op == "unlock") != (until is not None):
        raise Rejected("say until when the door stays unlocked, and only then", code="until_missing")
    if until is not None and not now < until <= now + LONGEST_UNLOCK:
        raise Rejected("a door stays unlocked for a day at most", code="bad_until")
    id = new_id()
    async with db.transaction():
        await db.run(
            "INSERT INTO door_command (id, controller, door, op, reason, until, asked_by, asked_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            id,
            place.controller,
            door,
            op,
            reason,
            until,
            by.account,
            now,
        )
        await journal.record("door.command_asked", about=id, by=by, now=now, door=door, op=op, reason=reason)
    return _view(await _must(id, by), now)


async def confirm(door: str, id: UUID, *, by: Actor, now: datetime) -> CommandView:
    """The order is on its way; a mode also stands in the next snapshot, so that it survives a lost command (§8.3).

    Raises NotFound, ConfirmationExpired, AlreadyConfirmed.
    """
    async with db.transaction():
        row = await _must(id, by, lock=True)
        if row.door != door:
            raise NotFound("there is no such order")
        if row.confirmed_at is not None:
            raise AlreadyConfirmed("this order has been confirmed already")
        if now >= row.asked_at + TO_CONFIRM:
            raise ConfirmationExpired("two minutes have passed; give the order again")
        await _send_later(row, by, now)
        topics = [f"doors:{row.municipality}"]
        await journal.record(
            "door.command_confirmed", about=id, by=by, now=now, topics=topics, door=door, op=row.op
        )
    return _view(await _must(id, by), now)


async def _send_later(row: Row, by: Actor, now: datetime) -> None:
    number = await next_number(row.controller, now)
    await db.run(
        "UPDATE door_command SET confirmed_at = $2, confirmed_by = $3, n = $4, expires_at = $5 WHERE id = $1",
        row.id,
        now,
        by.account,
        number,
        now + LIVES.get(row.op, OTHERS),
    )
    if row.op in MODES:
        await db.run(
            "UPDATE door SET mode = $2, mode_n = $3, mode_until = $4 WHERE id = $1",
            row.door,
            MODES[row.op],
            number,
            row.until,
        )
        await raise_versions([row.controller], now=now)
    await outbox.put(SEND, key=str(row.id), now=now)


async def _must(id: UUID, by: Actor, *, lock: bool = False) -> Row:
    row = await db.row(Row, f"{COMMANDS} WHERE m.id = $1" + (" FOR NO KEY UPDATE OF m" if lock else ""), id)
    if row is None or row.door is None or not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such order")
    return row


async def command_of(door: str, id: UUID, *, by: Actor, now: datetime) -> CommandView:
    """Return one order of a door to staff of its municipality."""
    row = await _must(id, by)
    if row.door != door:
        raise NotFound("there is no such order")
    return _view(row, now)


async def commands_of(door: str, *, by: Actor, now: datetime) -> list[CommandView]:
    """Return the last twenty orders of a door; none to those who are not staff of its municipality."""
    rows = await db.rows(Row, f"{COMMANDS} WHERE m.door = $1 ORDER BY m.asked_at DESC, m.id LIMIT 20", door)
    return [_view(row, now) for row in rows if by.has(row.municipality, Role.STAFF)]


def _view(row: Row, now: datetime) -> CommandView:
    return CommandView(
        row.id,
        row.door or "",
        msgspec.convert(row.op, Op),
        row.reason,
        _state(row, now),
        row.why,
        row.asked_at.astimezone(UTC),
        row.confirmed_at,
        row.answered_at,
        row.until,
    )


def _state(row: Row, now: datetime) -> State:
    """A missing answer is unknown, never a failure: the door may have opened (§8.2)."""
    if row.confirmed_at is None:
        return "awaiting_confirmation" if now < row.asked_at + TO_CONFIRM else "lapsed"
    if row.answered_at is not None:
        return "done" if row.ok else "refused"
    return "sent" if now < row.confirmed_at + UNKNOWN_AFTER else "unknown"
