"""Orders to doors: asked with a reason, confirmed within two minutes, sent once, answered or unknown (§8)."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from booking import db, journal, outbox
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.locks import snapshots
from booking.locks.packets import Packet
from booking.locks.snapshots import Publish
from booking.locks.versions import raise_versions
from booking.lockwire import ids
from booking.lockwire.messages import Command, Result
from booking.people import Actor, Role

SEND = "locks.command"  # the debt "command `key` is to be sent"
Op = Literal["open", "lockdown", "unlock", "release", "identify"]
MODES = {"lockdown": "lockdown", "unlock": "unlocked", "release": "normal"}
TO_CONFIRM = timedelta(minutes=2)
LIVES = {"open": timedelta(seconds=15)}  # at most 30 s for `open` (§8)
OTHERS = timedelta(seconds=120)
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


class _Row(db.Record):
    id: UUID
    controller: str
    municipality: str
    door: str | None
    wire_id: str | None
    op: str
    reason: str
    until: datetime | None
    asked_at: datetime
    confirmed_at: datetime | None
    n: int | None
    expires_at: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None
    ok: bool | None
    why: str | None


_COMMANDS = (
    "SELECT m.id, m.controller, f.municipality, m.door, d.wire_id, m.op, m.reason, m.until, m.asked_at,"
    " m.confirmed_at, m.n, m.expires_at, m.sent_at, m.answered_at, m.ok, m.why FROM door_command m"
    " JOIN controller c ON c.id = m.controller JOIN facility f ON f.id = c.facility"
    " LEFT JOIN door d ON d.id = m.door"
)


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
        " JOIN facility f ON f.id = c.facility WHERE d.id = $1 AND c.retired_at IS NULL",
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


async def _send_later(row: _Row, by: Actor, now: datetime) -> None:
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


async def ask_listing(controller: str, now: datetime) -> None:
    """The controller is asked which grants it holds, without their PINs; for the restore quarantine (§12.5)."""
    async with db.transaction():
        id = new_id()
        number = await next_number(controller, now)
        await db.run(
            "INSERT INTO door_command (id, controller, op, reason, asked_at, confirmed_at, n, expires_at)"
            " VALUES ($1, $2, 'list', 'restore quarantine', $3, $3, $4, $5)",
            id,
            controller,
            now,
            number,
            now + OTHERS,
        )
        await outbox.put(SEND, key=str(id), now=now)


async def ask_report(controller: str, now: datetime) -> Packet | None:
    """Return what asks a controller for a report now; None in quarantine, where only `list` may be said (§12.5)."""
    row = await snapshots.owed(controller)
    if row is None or row.quarantine:
        return None
    number = await next_number(controller, now)
    command = Command(id=new_id().hex, n=number, exp=int(now.timestamp()) + 60, op="resync")
    return snapshots.sealed(row, "cmd", msgspec.json.encode(command))


async def send(id: UUID, publish: Publish, now: datetime) -> None:
    """The command is with the broker, never retained; one that is too late is not sent at all."""
    row = await db.row(_Row, f"{_COMMANDS} WHERE m.id = $1", id)
    owed = None if row is None else await snapshots.owed(row.controller)
    if row is None or owed is None or row.n is None or row.expires_at is None or row.sent_at is not None:
        return
    if now >= row.expires_at:
        await db.run(
            "UPDATE door_command SET answered_at = $2, ok = false, why = 'expired' WHERE id = $1", id, now
        )
        await _tell(row, now)
        return
    body = Command(
        id=id.hex,
        n=row.n,
        exp=int(row.expires_at.timestamp()),
        op=row.op,
        d=row.wire_id or UNSET,
        until=int(row.until.timestamp()) if row.until else UNSET,
    )
    packet = snapshots.sealed(owed, "cmd", msgspec.json.encode(body))
    expiry = max(1, int((row.expires_at - now).total_seconds()))
    await db.run("UPDATE door_command SET sent_at = $2 WHERE id = $1", id, now)
    answer = ids.up(row.controller, "res")
    packet = Packet(packet.topic, packet.payload, 1, False, id.hex.encode(), expiry, answer)
    try:
        await publish(packet)
    except Exception:
        await db.run("UPDATE door_command SET sent_at = NULL WHERE id = $1", id)
        raise
    await _tell(row, now)


async def take_result(controller: str, result: Result, now: datetime) -> None:
    """The order has its answer; the first one counts. What a listing says is kept for the operator."""
    try:
        id = UUID(result.id)
    except ValueError:
        return
    async with db.transaction():
        row = await db.row(
            _Row, f"{_COMMANDS} WHERE m.id = $1 AND m.controller = $2 FOR UPDATE OF m", id, controller
        )
        if row is None or row.n != result.n:
            return
        if row.op == "list" and result.grants is not UNSET:
            await _keep_listing(controller, result)
        if row.answered_at is not None:
            return
        await db.run(
            "UPDATE door_command SET answered_at = $2, ok = $3, why = $4 WHERE id = $1",
            id,
            now,
            result.ok,
            result.why,
        )
        await _tell(row, now)
        await journal.record(
            "door.command_answered",
            about=id,
            by=Actor.system(),
            now=now,
            door=row.door,
            op=row.op,
            ok=result.ok,
            why=result.why,
        )


async def _keep_listing(controller: str, result: Result) -> None:
    """Parts may come in any order and twice: by id."""
    known = await db.value(str, "SELECT listing FROM controller WHERE id = $1 FOR UPDATE", controller)
    listed: dict[str, object] = msgspec.json.decode(known) if known else {}
    if result.grants is not UNSET:
        listed |= {one.id: one.w for one in result.grants}
    await db.run(
        "UPDATE controller SET listing = $2 WHERE id = $1 AND quarantine",
        controller,
        msgspec.json.encode(listed).decode(),
    )


async def _tell(row: _Row, now: datetime) -> None:
    topics = [f"doors:{row.municipality}"]
    await journal.record("door.command", about=row.id, by=Actor.system(), now=now, topics=topics)


async def next_number(controller: str, now: datetime) -> int:
    """Return a command number above every earlier one, also after a restored backup: it follows the clock."""
    number = await db.value(
        int,
        "UPDATE controller SET last_n = greatest(last_n + 1, $2) WHERE id = $1 RETURNING last_n",
        controller,
        int(now.timestamp() * 1_000),
    )
    return number or 1


async def _must(id: UUID, by: Actor, *, lock: bool = False) -> _Row:
    row = await db.row(_Row, f"{_COMMANDS} WHERE m.id = $1" + (" FOR UPDATE OF m" if lock else ""), id)
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
    rows = await db.rows(_Row, f"{_COMMANDS} WHERE m.door = $1 ORDER BY m.asked_at DESC, m.id LIMIT 20", door)
    return [_view(row, now) for row in rows if by.has(row.municipality, Role.STAFF)]


def _view(row: _Row, now: datetime) -> CommandView:
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


def _state(row: _Row, now: datetime) -> State:
    """A missing answer is unknown, never a failure: the door may have opened (§8.2)."""
    if row.confirmed_at is None:
        return "awaiting_confirmation" if now < row.asked_at + TO_CONFIRM else "lapsed"
    if row.answered_at is not None:
        return "done" if row.ok else "refused"
    return "sent" if now < row.confirmed_at + UNKNOWN_AFTER else "unknown"
