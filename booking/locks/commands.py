"""Commands to controllers: numbered, sent once, answered or unknown (§8). What staff order: orders.py."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET

from booking import db, journal, outbox
from booking.ids import new_id
from booking.locks import snapshots
from booking.locks.packets import Packet
from booking.locks.snapshots import Publish
from booking.lockwire import ids
from booking.lockwire.messages import Command, Result
from booking.people import Actor

SEND = "locks.command"  # the debt "command `key` is to be sent"
OTHERS = timedelta(seconds=120)


class Row(db.Record):
    """A command; without `op` of staff's it is one of our own."""

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


COMMANDS = (
    "SELECT m.id, m.controller, f.municipality, m.door, d.wire_id, m.op, m.reason, m.until, m.asked_at,"
    " m.confirmed_at, m.n, m.expires_at, m.sent_at, m.answered_at, m.ok, m.why FROM door_command m"
    " JOIN controller c ON c.id = m.controller JOIN facility f ON f.id = c.facility"
    " LEFT JOIN door d ON d.id = m.door"
)


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
    """The command is with the broker, never retained; one that is too late, or not `list` in quarantine, is refused."""
    row = await db.row(Row, f"{COMMANDS} WHERE m.id = $1", id)
    owed = None if row is None else await snapshots.owed(row.controller)
    if row is None or owed is None or row.n is None or row.expires_at is None or row.sent_at is not None:
        return
    why = (
        "expired" if now >= row.expires_at else "quarantine" if owed.quarantine and row.op != "list" else None
    )
    if why is not None:
        refuse = "UPDATE door_command SET answered_at = $2, ok = false, why = $3 WHERE id = $1"
        await db.run(refuse, id, now, why)
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
            Row, f"{COMMANDS} WHERE m.id = $1 AND m.controller = $2 FOR NO KEY UPDATE OF m", id, controller
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
    known = await db.value(str, "SELECT listing FROM controller WHERE id = $1 FOR NO KEY UPDATE", controller)
    listed: dict[str, object] = msgspec.json.decode(known) if known else {}
    if result.grants is not UNSET:
        listed |= {one.id: one.w for one in result.grants}
    await db.run(
        "UPDATE controller SET listing = $2 WHERE id = $1 AND quarantine",
        controller,
        msgspec.json.encode(listed).decode(),
    )


async def _tell(row: Row, now: datetime) -> None:
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
