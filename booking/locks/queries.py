"""Reads of doors and codes."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import clock, db, journal, people
from booking.errors import NotFound
from booking.locks import states, vault
from booking.locks.states import Facts, State
from booking.lockwire.messages import Report
from booking.people import Actor, Role

ONLINE_FOR = timedelta(minutes=45)  # three missed reports (§12.3)
GRACE = timedelta(seconds=30)


class AccessDoor(msgspec.Struct, frozen=True):
    """One door of a booking, with where its code stands."""

    id: str
    name: str
    state: State
    opens_at: datetime
    closes_at: datetime
    confirmed_at: datetime | None
    offline: bool
    flags: list[str]


class AccessView(msgspec.Struct, frozen=True):
    """The code of a booking. `confirmed_at` is when every door had proved to have it."""

    pin: str | None
    state: State
    confirmed_at: datetime | None
    opens_at: datetime
    closes_at: datetime
    alarm: str | None
    doors: list[AccessDoor]
    reserve_pin: str | None
    on_call_phone: str

    def __repr__(self) -> str:
        return f"AccessView(state={self.state!r}, doors={len(self.doors)})"


class _Line(db.Record):
    """One door of one grant with the facts of its controller."""

    grant_id: UUID
    reservation: UUID
    holder: UUID
    pin: bytes | None
    door: str
    door_name: str
    opens_at: datetime
    closes_at: datetime
    nb: datetime
    na: datetime
    first_epoch: int | None
    first_ver: int | None
    gone_epoch: int | None
    gone_ver: int | None
    in_log: bool
    logged_epoch: int
    logged_ver: int
    broker_epoch: int
    broker_ver: int
    rep_epoch: int
    rep_ver: int
    rejected: str | None
    used_at: datetime | None
    gone_at: datetime | None
    applied_at: datetime | None
    last_seen: datetime | None
    offline_at: datetime | None
    clock: str
    quarantine: bool
    municipality: str
    on_call_phone: str

    @property
    def facts(self) -> Facts:
        """What decides the state."""
        return Facts(
            self.nb,
            self.na,
            _version(self.first_epoch, self.first_ver),
            _version(self.gone_epoch, self.gone_ver),
            self.in_log,
            (self.logged_epoch, self.logged_ver),
            (self.broker_epoch, self.broker_ver),
            (self.rep_epoch, self.rep_ver),
            self.rejected,
            self.used_at,
            self.gone_at,
        )


def _version(epoch: int | None, ver: int | None) -> tuple[int, int] | None:
    return None if epoch is None or ver is None else (epoch, ver)


_LINES = """
SELECT g.id AS grant_id, g.reservation, g.holder, g.pin, d.id AS door, d.name AS door_name,
  w.nb AS opens_at, w.na AS closes_at, g.nb, g.na, g.first_epoch, g.first_ver, g.gone_epoch, g.gone_ver,
  g.in_log, c.logged_epoch, c.logged_ver, c.broker_epoch, c.broker_ver, c.rep_epoch, c.rep_ver, g.rejected,
  g.used_at, g.gone_at, g.applied_at, c.last_seen, c.offline_at, c.clock, c.quarantine, f.municipality,
  coalesce(f.on_call_phone, m.on_call_phone) AS on_call_phone
FROM access_grant g JOIN controller c ON c.id = g.controller JOIN facility f ON f.id = c.facility
  JOIN municipality m ON m.code = f.municipality
  JOIN grant_window w ON w.access_grant = g.id JOIN door d ON d.id = w.door
"""


async def access_of(reservation: UUID, *, by: Actor, now: datetime) -> AccessView:
    """Return the code with where it stands in each door.

    The holder sees it, and staff of the municipality, whose look is journalled (§14.6). Raises NotFound where
    the booking opens no door.
    """
    lines = await db.rows(_Line, _LINES + " WHERE g.reservation = $1 ORDER BY d.name, w.nb", reservation)
    if not lines or not _may_see(lines[0], by):
        raise NotFound("this booking opens no door", code="no_access")
    found = {line.door: states.state_of(line.facts, now) for line in lines}
    state = states.together(found.values())
    pin = _shown_pin(lines[0], state)
    if pin is not None and lines[0].holder not in by.acts_for:
        await journal.record("access.shown", about=reservation, by=by, now=now)
    unsure = any(states.is_unconfirmed(line.facts, now) for line in lines)
    return AccessView(
        pin=pin,
        state=state,
        confirmed_at=_confirmed_at(lines, state),
        opens_at=min(line.opens_at for line in lines),
        closes_at=max(line.closes_at for line in lines),
        alarm="unconfirmed" if unsure else None,
        doors=[_door_of(line, now) for line in lines],
        reserve_pin=None,
        on_call_phone=lines[0].on_call_phone,
    )


def _may_see(line: _Line, by: Actor) -> bool:
    return line.holder in by.acts_for or by.has(line.municipality, Role.STAFF)


def _shown_pin(line: _Line, state: State) -> str | None:
    """A code that no longer opens is not shown."""
    if line.pin is None or state in ("ended", "removing", "removed_confirmed"):
        return None
    return vault.unseal(line.pin, f"pin:{line.grant_id}").decode()


def _confirmed_at(lines: list[_Line], state: State) -> datetime | None:
    """When the last of the doors confirmed what the state says."""
    if state in ("applied", "active", "used", "ended"):
        times = [line.applied_at for line in lines]
    elif state == "removed_confirmed":
        times = [line.gone_at for line in lines]
    else:
        return None
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(lines) else None


def _door_of(line: _Line, now: datetime) -> AccessDoor:
    state = states.state_of(line.facts, now)
    offline = not is_online(line.last_seen, line.offline_at, now)
    flags = {
        "unconfirmed": states.is_unconfirmed(line.facts, now),
        "offline": offline,
        "clock_untrusted": line.clock == "untrusted",
        "clock_drift": line.clock == "drift",
        "quarantine": line.quarantine,
    }
    return AccessDoor(
        id=line.door,
        name=line.door_name,
        state=state,
        opens_at=line.opens_at,
        closes_at=line.closes_at,
        confirmed_at=_confirmed_at([line], state),
        offline=offline,
        flags=[name for name, holds in flags.items() if holds],
    )


def is_online(last_seen: datetime | None, offline_at: datetime | None, now: datetime) -> bool:
    """True unless its will is 30 s old or three of its reports are missing; a hint, nothing more (§10)."""
    if last_seen is None or last_seen < now - ONLINE_FOR:
        return False
    return offline_at is None or now < offline_at + GRACE


async def states_of(reservations: list[UUID], *, now: datetime | None = None) -> dict[UUID, State]:
    """Return the state of each booking's code, one query for all; those without doors are absent.

    Not filtered by actor: it tells no code, and callers have filtered the bookings.
    """
    if not reservations:
        return {}
    lines = await db.rows(_Line, _LINES + " WHERE g.reservation = ANY($1)", reservations)
    at = now or clock.utc_now()
    found: dict[UUID, list[State]] = {}
    for line in lines:
        found.setdefault(line.reservation, []).append(states.state_of(line.facts, at))
    return {reservation: states.together(each) for reservation, each in found.items()}


class FacilityName(msgspec.Struct, frozen=True):
    """Where a door is."""

    id: UUID
    name: str


class DoorView(msgspec.Struct, frozen=True):
    """A door as staff see it. Versions are epoch.ver; `in_sync` means that the door proved to have the wanted one."""

    id: str
    name: str
    facility: FacilityName
    controller: str
    online: bool
    last_seen: datetime | None
    lock: Literal["locked", "unlocked", "unknown"]
    pos: Literal["open", "closed", "unknown"]
    mode: Literal["normal", "lockdown", "unlocked"]
    clock: Literal["ok", "drift", "untrusted"]
    applied_version: str | None
    wanted_version: str
    in_sync: bool
    codes_now: int
    alarms: list[str]
    simulated: bool


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
    mode: str


_DOORS = """
SELECT d.id, d.name, d.wire_id, d.mode, f.id AS facility_id, f.name AS facility_name, f.municipality,
  c.id AS controller, c.simulated, c.last_seen, c.offline_at, c.report, c.clock, c.quarantine, c.epoch,
  c.want_ver, c.rep_epoch, c.rep_ver, c.rep_boot, c.broker_reason,
  (SELECT s.horizon_end FROM snapshot_log s WHERE s.controller = c.id AND s.epoch = c.rep_epoch
    AND s.ver = c.rep_ver) AS horizon_end,
  (SELECT count(*) FROM grant_window w JOIN access_grant g ON g.id = w.access_grant WHERE w.door = d.id
    AND g.gone_ver IS NULL AND w.nb <= $1 AND w.na > $1) AS codes_now,
  (SELECT count(*) FROM grant_window w JOIN access_grant g ON g.id = w.access_grant WHERE w.door = d.id
    AND w.na > $1 AND ((g.gone_ver IS NULL AND g.alarmed_at IS NOT NULL AND g.applied_at IS NULL)
      OR (g.gone_ver IS NOT NULL AND g.gone_at IS NULL))) AS unconfirmed
FROM door d JOIN controller c ON c.id = d.controller JOIN facility f ON f.id = c.facility
"""


async def doors(municipality: str, *, by: Actor, now: datetime) -> list[DoorView]:
    """Return the doors of a municipality where the actor is staff; elsewhere it looks absent."""
    by.must_have(municipality, Role.STAFF)
    rows = await db.rows(
        _DoorRow, _DOORS + " WHERE f.municipality = $2 ORDER BY f.name, d.name", now, municipality
    )
    return [_view(row, now) for row in rows]


def _view(row: _DoorRow, now: datetime) -> DoorView:
    report = msgspec.json.decode(row.report, type=Report) if row.report else None
    said = report.doors.get(row.wire_id) if report else None
    online = is_online(row.last_seen, row.offline_at, now)
    in_sync = (row.rep_epoch, row.rep_ver) == (row.epoch, row.want_ver)
    values = {
        "id": row.id,
        "name": row.name,
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
    return [name for name, holds in found.items() if holds]


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
    """A door with its codes now and next and its last events."""

    grants: list[DoorGrant]
    events: list[DoorLogLine]


class _EventRow(db.Record):
    at: datetime
    kind: str
    why: str | None
    holder: UUID | None


async def door(door_id: str, *, by: Actor, now: datetime) -> DoorPage:
    """Return a door with its codes of the next two days and its last 50 events; reading them is journalled.

    Raises NotFound unless the actor is staff of its municipality.
    """
    row = await db.row(_DoorRow, _DOORS + " WHERE d.id = $2", now, door_id)
    if row is None or not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such door")
    lines = await db.rows(
        _Line,
        _LINES
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
    )


class DoorPlace(db.Record):
    """A door with what a simulated keypad needs to be found."""

    id: str
    name: str
    facility_name: str
    municipality: str
    controller: str
    wire_id: str


async def door_places() -> list[DoorPlace]:
    """Return every door of simulated hardware (the demonstration's keypads)."""
    return await db.rows(
        DoorPlace,
        "SELECT d.id, d.name, f.name AS facility_name, f.municipality, c.id AS controller, d.wire_id"
        " FROM door d JOIN controller c ON c.id = d.controller JOIN facility f ON f.id = c.facility"
        " WHERE c.simulated ORDER BY f.name, d.name",
    )


class _Rule(db.Record):
    resource: UUID
    door: str


async def doors_of_resources(resources: list[UUID]) -> dict[UUID, list[str]]:
    """Return the ids of the doors that a booking of each resource opens."""
    rules = await db.rows(
        _Rule,
        "WITH RECURSIVE up (leaf, id, depth) AS (SELECT id, id, 0 FROM resource WHERE id = ANY($1)"
        " UNION ALL SELECT up.leaf, r.parent, depth + 1 FROM up JOIN resource r ON r.id = up.id"
        " WHERE r.parent IS NOT NULL), nearest AS (SELECT DISTINCT ON (up.leaf) up.leaf, up.id FROM up"
        " WHERE EXISTS (SELECT FROM access_rule a WHERE a.resource = up.id) ORDER BY up.leaf, depth)"
        " SELECT DISTINCT n.leaf AS resource, a.door FROM nearest n JOIN access_rule a ON a.resource = n.id"
        " ORDER BY 1, 2",
        resources,
    )
    found: dict[UUID, list[str]] = {}
    for rule in rules:
        found.setdefault(rule.resource, []).append(rule.door)
    return found
