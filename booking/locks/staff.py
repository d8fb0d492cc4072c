"""Reads of doors: what staff see."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, journal, people
from booking.errors import NotFound
from booking.locks import states
from booking.locks.lines import LINES, Line, is_online
from booking.locks.orders import CommandView, commands_of
from booking.locks.states import State
from booking.lockwire.messages import Report
from booking.people import Actor, Role

DoorKind = Literal["door", "compartment"]


class FacilityName(msgspec.Struct, frozen=True):
    """Where a door is."""

    id: UUID
    name: str


class DoorView(msgspec.Struct, frozen=True):
    """A door as staff see it. Versions are epoch.ver; `in_sync` means that the door proved to have the wanted one.

    `live_only`: its lock knows no windows, so the server must reach it at start and end. Battery in per cent.
    `alarms`: what is wrong now and every alarm that staff have open about it; `mode_until`: the end of `unlocked`.
    """

    id: str
    name: str
    kind: DoorKind
    facility: FacilityName
    municipality: str
    controller: str
    online: bool
    last_seen: datetime | None
    lock: Literal["locked", "unlocked", "unknown"]
    pos: Literal["open", "closed", "unknown"]
    mode: Literal["normal", "lockdown", "unlocked"]
    mode_until: datetime | None
    clock: Literal["ok", "drift", "untrusted"]
    applied_version: str | None
    wanted_version: str
    in_sync: bool
    codes_now: int
    alarms: list[str]
    simulated: bool
    battery: int | None
    power: str | None
    firmware: str | None
    open_alarms: int
    live_only: bool


class _DoorRow(db.Record):
    id: str
    name: str
    wire_id: str
    facility_id: UUID
    facility_name: str
    municipality: str
    controller: str
    simulated: bool
    last_seen: datetime | None
    offline_at: datetime | None
    report: str | None
    clock: str
    quarantine: bool
    epoch: int
    want_ver: int
    rep_epoch: int
    rep_ver: int
    rep_boot: int
    broker_reason: int | None
    horizon_end: datetime | None
    codes_now: int
    unconfirmed: int
    open_alarms: list[str]
    mode: str
    mode_until: datetime | None
    kind: DoorKind
    hint: str
    unlock_s: int
    held_s: int


_DOORS = """
SELECT d.id, d.name, d.wire_id, d.mode, d.mode_until, d.kind, d.hint, d.unlock_s, d.held_s, f.id AS facility_id, f.name AS facility_name, f.municipality,
  c.id AS controller, c.simulated, c.last_seen, c.offline_at, c.report, c.clock, c.quarantine, c.epoch,
  c.want_ver, c.rep_epoch, c.rep_ver, c.rep_boot, c.broker_reason,
  (SELECT s.horizon_end FROM snapshot_log s WHERE s.controller = c.id AND s.epoch = c.rep_epoch
    AND s.ver = c.rep_ver) AS horizon_end,
  (SELECT count(*) FROM grant_window w JOIN access_grant g ON g.id = w.access_grant WHERE w.door = d.id
    AND g.gone_ver IS NULL AND w.nb <= $1 AND w.na > $1) AS codes_now,
  (SELECT count(*) FROM grant_window w JOIN access_grant g ON g.id = w.access_grant WHERE w.door = d.id
    AND w.na > $1 AND ((g.gone_ver IS NULL AND g.alarmed_at IS NOT NULL AND g.applied_at IS NULL)
      OR (g.gone_ver IS NOT NULL AND g.gone_at IS NULL))) AS unconfirmed,
  ARRAY(SELECT DISTINCT a.kind FROM door_alarm a WHERE a.controller = c.id AND a.closed_at IS NULL
    AND (a.door IS NULL OR a.door = d.id) ORDER BY 1) AS open_alarms
FROM door d JOIN controller c ON c.id = d.controller JOIN facility f ON f.id = c.facility
"""


async def doors(municipality: str, *, by: Actor, now: datetime) -> list[DoorView]:
    """Return the doors of a municipality where the actor is staff; elsewhere it looks absent."""
    by.must_have(municipality, Role.STAFF)
    rows = await db.rows(
        _DoorRow,
        _DOORS
        + " WHERE f.municipality = $2 AND c.retired_at IS NULL AND d.removed_at IS NULL ORDER BY f.name, d.name",
        now,
        municipality,
    )
    return [_view(row, now) for row in rows]


def _view(row: _DoorRow, now: datetime) -> DoorView:
    report = msgspec.json.decode(row.report, type=Report) if row.report else None
    said = report.doors.get(row.wire_id) if report else None
    online = is_online(row.last_seen, row.offline_at, report.pw.src if report else None, now)
    in_sync = (row.rep_epoch, row.rep_ver) == (row.epoch, row.want_ver)
    values = {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "facility": {"id": row.facility_id, "name": row.facility_name},
        "controller": row.controller,
        "online": online,
        "last_seen": row.last_seen,
        "lock": said.lock if said and said.lock in ("locked", "unlocked") else "unknown",
        "pos": said.pos if said and said.pos in ("open", "closed") else "unknown",
        "mode": said.mode if said and said.mode in ("normal", "lockdown", "unlocked") else row.mode,
        "clock": row.clock,
        "applied_version": f"{row.rep_epoch}.{row.rep_ver}" if row.rep_ver else None,
        "wanted_version": f"{row.epoch}.{row.want_ver}",
        "in_sync": in_sync,
        "codes_now": row.codes_now,
        "alarms": _alarms(row, report, online, now),
        "simulated": row.simulated,
        "battery": report.pw.bat if report else None,
        "power": report.pw.src if report else None,
        "firmware": report.fw if report else None,
        "open_alarms": len(row.open_alarms),
        "mode_until": row.mode_until,
        "municipality": row.municipality,
        "live_only": report is not None and "live" in report.cap.feat,
    }
    return msgspec.convert(values, DoorView, builtin_types=(UUID, datetime))


def _alarms(row: _DoorRow, report: Report | None, online: bool, now: datetime) -> list[str]:
    bad = report.bad.why if report and report.bad else None
    short = row.horizon_end is not None and row.horizon_end < now + timedelta(hours=72)
    found = {
        "offline": not online,
        "quarantine": row.quarantine,
        "clock_untrusted": row.clock == "untrusted",
        "clock_drift": row.clock == "drift",
        "unconfirmed": row.unconfirmed > 0,
        f"bad_{bad}": bad in ("conflict", "decrypt"),
        "horizon_short": short,
        "broker_refuses": row.broker_reason is not None and row.broker_reason >= 0x80,
    }
    derived = [name for name, holds in found.items() if holds]
    return [*derived, *(kind for kind in row.open_alarms if kind not in derived)]


class DoorGrant(msgspec.Struct, frozen=True):
    """A code of a door, its PIN left out."""

    reservation_id: UUID | None
    party_name: str
    opens_at: datetime
    closes_at: datetime
    state: State


class DoorLogLine(msgspec.Struct, frozen=True):
    """Something that happened at the door."""

    at: datetime
    kind: str
    why: str | None
    party_name: str | None


class DoorPage(DoorView, frozen=True):
    """A door with its codes now and next, its last events and orders. `hint` is what bookers read; seconds as in
    the snapshot."""

    grants: list[DoorGrant]
    events: list[DoorLogLine]
    commands: list[CommandView]
    hint: str
    unlock_s: int
    held_s: int


class _EventRow(db.Record):
    at: datetime
    kind: str
    why: str | None
    holder: UUID | None


async def door(door_id: str, *, by: Actor, now: datetime) -> DoorPage:
    """Return a door with its codes of the next two days and its last 50 events; reading them is journalled.

    Raises NotFound unless the actor is staff of its municipality.
    """
    row = await db.row(_DoorRow, _DOORS + " WHERE d.id = $2 AND d.removed_at IS NULL", now, door_id)
    if row is None or not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such door")
    lines = await db.rows(
        Line,
        LINES
        + " WHERE w.door = $1 AND w.na > $2 AND w.nb < $3 AND g.gone_at IS NULL ORDER BY w.nb LIMIT 100",
        door_id,
        now,
        now + timedelta(days=2),
    )
    events = await db.rows(
        _EventRow,
        "SELECT coalesce(e.at, e.received_at) AS at, e.kind, e.why, g.holder FROM door_event e"
        " LEFT JOIN access_grant g ON g.id = e.access_grant WHERE e.door = $1 ORDER BY e.id DESC LIMIT 50",
        door_id,
    )
    holders = {line.holder for line in lines} | {event.holder for event in events if event.holder}
    names = await people.party_names(sorted(holders), by)
    if events:
        await journal.record("door.events_read", about=None, by=by, now=now, door=door_id)
    view = _view(row, now)
    return DoorPage(
        **{name: getattr(view, name) for name in DoorView.__struct_fields__},
        grants=[
            DoorGrant(
                line.reservation,
                names.get(line.holder, ""),
                line.opens_at,
                line.closes_at,
                states.state_of(line.facts, now),
            )
            for line in lines
        ],
        events=[
            DoorLogLine(event.at, event.kind, event.why, names.get(event.holder) if event.holder else None)
            for event in events
        ],
        commands=await commands_of(door_id, by=by, now=now),
        hint=row.hint,
        unlock_s=row.unlock_s,
        held_s=row.held_s,
    )
