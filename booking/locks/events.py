"""What happened at the doors: stored once, acknowledged after commit, gaps asked for again (lock protocol §7)."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET

from booking import db
from booking.ids import new_id
from booking.locks import ignored
from booking.locks.commands import next_number
from booking.locks.grants import tell
from booking.locks.packets import Packet
from booking.locks.reports import tell_doors
from booking.locks.snapshots import Owed, sealed
from booking.lockwire.messages import Command, Event, EventAck, Report, Unreadable

log = logging.getLogger("booking.locks")

Position = tuple[int, int]
PATIENCE = timedelta(seconds=5)
# What came after the gap is asked for too: it was not kept, and the controller thinks it under way.
EVERYTHING: Position = (2**32 - 1, 2**53 - 1)
MOST = 2**31 - 1  # what our columns hold; a controller may say any count
UNREADABLE = "unreadable"  # the kind of an event that breaks §7: only its position is known

_asked: dict[str, datetime] = {}  # when each controller was last asked to replay, by this process


class _Where(db.Record):
    gen: int
    old_gen: int | None
    ev_boot: int
    ev_seq: int


async def store(row: Owed, arrived: Sequence[Event | Unreadable], now: datetime) -> list[Packet]:
    """Each event is stored once and its effects are committed; returns the acknowledgement, or a replay.

    Positions run seq + 1 by seq + 1, and a lost buffer starts again at 1 in a later boot (§7.1, §7.5). What the
    controller keeps no more, or says so that nobody can read it, is recorded as lost.
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
            lost = event.lost if isinstance(event, Event) else UNSET
            if not _follows(position, here) and lost is UNSET:
                if here != _oldest_kept(row):
                    gap = (_after(position), EVERYTHING)
                    break
                lost = await _missing(row, position, here) or UNSET
            await _keep(row, event, min(lost, MOST) if isinstance(lost, int) else None, now)
            position = here
        await db.run(
            "UPDATE controller SET ev_boot = $2, ev_seq = $3, last_seen = $4 WHERE id = $1",
            row.id,
            *position,
            now,
        )
    answers = [_ack(row, position)] if position > (0, 0) else []
    if gap is not None and not row.quarantine and _may_ask(row.id, now):  # in quarantine only `list` (§12.5)
        log.warning("events missing: controller=%s from=%s", row.id, gap[0])
        answers.append(await _replay(row, gap, now))
    return answers


def _may_ask(controller: str, now: datetime) -> bool:
    """A long replay is under way for some seconds; live events in between must not start it over."""
    if now - _asked.get(controller, now - PATIENCE) < PATIENCE:
        return False
    _asked[controller] = now
    return True


def _follows(position: Position, here: Position) -> bool:
    (boot, seq), (next_boot, next_seq) = position, here
    return (next_seq == seq + 1 and next_boot >= boot > 0) or (next_seq == 1 and next_boot > boot)


async def _missing(row: Owed, position: Position, here: Position) -> int:
    """Return how many events lie between, which the controller no longer keeps.

    Numbers go on across reboots, and with the same hardware across generations; else its memory began anew at 1.
    """
    before = position[1]
    if position == (0, 0):
        before = (
            await db.value(
                int,
                "SELECT max(seq) FROM door_event WHERE controller = $1 AND gen < $2 AND (boot, seq) < ($3, $4)"
                " AND seq < $4",
                row.id,
                row.gen,
                *here,
            )
            or 0
        )
    return here[1] - 1 - (before if before < here[1] else 0)


def _oldest_kept(row: Owed) -> Position | None:
    """Return where the controller's memory begins; what lies before it cannot be replayed and is lost."""
    return msgspec.json.decode(row.report, type=Report).ev.first if row.report else None


def _after(position: Position) -> Position:
    return max(1, position[0]), position[1] + 1


async def _keep(row: Owed, event: Event | Unreadable, lost: int | None, now: datetime) -> None:
    if isinstance(event, Unreadable):
        ignored.note(row.id, "evt", "schema")
        log.warning("unreadable event: controller=%s boot=%d seq=%d", row.id, event.boot, event.seq)
        event = Event(boot=event.boot, seq=event.seq, t=None, mono=0, clk="none", d=None, e=UNREADABLE)
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
        lost,
        now,
        min(event.dur_s, MOST) if isinstance(event.dur_s, int) else None,
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
