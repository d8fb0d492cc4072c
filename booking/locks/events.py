"""What happened at the doors: stored once, acknowledged after commit, gaps asked for again (lock protocol §7)."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from booking import db
from booking.ids import new_id
from booking.locks import ignored
from booking.locks.commands import next_number
from booking.locks.grants import tell
from booking.locks.packets import Packet
from booking.locks.reports import tell_doors
from booking.locks.snapshots import Owed, sealed
from booking.lockwire.messages import Command, Event, EventAck, Report

log = logging.getLogger("booking.locks")

Position = tuple[int, int]
PATIENCE = timedelta(seconds=5)
# What came after the gap is asked for too: it was not kept, and the controller thinks it under way.
EVERYTHING: Position = (2**32 - 1, 2**53 - 1)

_asked: dict[str, datetime] = {}  # when each controller was last asked to replay, by this process


class _Where(db.Record):
    gen: int
    old_gen: int | None
    ev_boot: int
    ev_seq: int


async def store(row: Owed, arrived: list[Event], now: datetime) -> list[Packet]:
    """Each event is stored once and its effects are committed; returns the acknowledgement, or a replay.

    Positions run seq + 1 by seq + 1, and a lost buffer starts again at 1 in a later boot (§7.1, §7.5).
    """
    gap: tuple[Position, Position] | None = None
    async with db.transaction():
        at = await db.row(
            _Where,
            "SELECT gen, old_gen, ev_boot, ev_seq FROM controller WHERE id = $1 FOR NO KEY UPDATE",
            row.id,
        )
        if at is None or row.gen not in (at.gen, at.old_gen):
            return []
        position: Position = (at.ev_boot, at.ev_seq)
        for event in arrived:
            here = (event.boot, event.seq)
            if here <= position:
                ignored.note(row.id, "evt", "older")
                continue
            if not _follows(position, event) and here != _oldest_kept(row):
                gap = (_after(position), EVERYTHING)
                break
            await _keep(row, event, now)
            position = here
        await db.run(
            "UPDATE controller SET ev_boot = $2, ev_seq = $3, last_seen = $4 WHERE id = $1",
            row.id,
            *position,
            now,
        )
    answers = [_ack(row, position)] if position > (0, 0) else []
    if gap is not None and _may_ask(row.id, now):
        log.warning("events missing: controller=%s from=%s", row.id, gap[0])
        answers.append(await _replay(row, gap, now))
    return answers


def _may_ask(controller: str, now: datetime) -> bool:
    """A long replay is under way for some seconds; live events in between must not start it over."""
    if now - _asked.get(controller, now - PATIENCE) < PATIENCE:
        return False
    _asked[controller] = now
    return True


def _follows(position: Position, event: Event) -> bool:
    """`lost` says that what is missing cannot be replayed."""
    boot, seq = position
    next_one = event.seq == seq + 1 and event.boot >= boot > 0
    return next_one or (event.seq == 1 and event.boot > boot) or isinstance(event.lost, int)


def _oldest_kept(row: Owed) -> Position | None:
    """Return where the controller's memory begins; what lies before it cannot be replayed and is lost."""
    return msgspec.json.decode(row.report, type=Report).ev.first if row.report else None


def _after(position: Position) -> Position:
    return max(1, position[0]), position[1] + 1


async def _keep(row: Owed, event: Event, now: datetime) -> None:
    grant = _grant_id(event)
    door = await db.value(
        str, "SELECT id FROM door WHERE controller = $1 AND wire_id = $2", row.id, event.d or ""
    )
    await db.run(
        "INSERT INTO door_event (controller, gen, boot, seq, at, clock, door, kind, how, why, access_grant,"
        " lost, received_at, dur_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT DO NOTHING",
        row.id,
        row.gen,
        event.boot,
        event.seq,
        datetime.fromtimestamp(event.t, UTC) if event.t is not None else None,
        event.clk,
        door,
        event.e,
        event.k or None,
        event.why or None,
        grant,
        event.lost or None,
        now,
        event.dur_s if isinstance(event.dur_s, int) else None,
    )
    if event.e in ("granted", "denied", "lockout", "mode", "forced", "held", "tamper"):
        await tell_doors("door.event", row.id, now)
    if event.e == "granted" and grant is not None:
        await _mark_used(row.id, grant, event, now)


class _Used(db.Record):
    reservation: UUID | None
    municipality: str


async def _mark_used(controller: str, grant: UUID, event: Event, now: datetime) -> None:
    """The code has opened within its window."""
    used = await db.row(
        _Used,
        "UPDATE access_grant g SET used_at = $3 FROM controller c JOIN facility f ON f.id = c.facility"
        " WHERE c.id = g.controller AND g.id = $1 AND g.controller = $2 AND g.used_at IS NULL"
        " AND $3 >= g.nb AND $3 < g.na RETURNING g.reservation, f.municipality",
        grant,
        controller,
        datetime.fromtimestamp(event.t, UTC) if event.t is not None else now,
    )
    if used is not None:
        await tell("access.used", used.reservation, used.municipality, now)


def _grant_id(event: Event) -> UUID | None:
    if not isinstance(event.g, str):
        return None
    try:
        return UUID(event.g)
    except ValueError:
        return None


def _ack(row: Owed, position: Position) -> Packet:
    return sealed(row, "evack", msgspec.json.encode(EventAck(*position)))


async def _replay(row: Owed, gap: tuple[Position, Position], now: datetime) -> Packet:
    """Ask for what is missing, under the next command number (§8)."""
    number = await next_number(row.id, now)
    command = Command(
        id=new_id().hex, n=number, exp=int(now.timestamp()) + 60, op="replay", from_=gap[0], to=gap[1]
    )
    return sealed(row, "cmd", msgspec.json.encode(command))
