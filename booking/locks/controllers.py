"""Reads of controllers, for administrators and the operator's command line."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db
from booking.errors import NotFound
from booking.locks.lines import is_online
from booking.locks.staff import DoorKind, FacilityName
from booking.lockwire.messages import Report
from booking.people import Actor, Role


class ControllerDoor(msgspec.Struct, frozen=True):
    """A door of a controller."""

    id: str
    name: str
    kind: DoorKind


class ControllerView(msgspec.Struct, frozen=True):
    """A controller. `new`: never heard; `retiring`: has not proved yet that it holds no code any more.

    `next_gen`: a key has been made that is not in force. `account_known`: the broker has been told its account.
    """

    id: str
    facility: FacilityName
    driver: str
    gen: int
    next_gen: int | None
    state: Literal["new", "online", "offline", "quarantine", "retiring", "retired"]
    doors: list[ControllerDoor]
    enrolled_at: datetime
    last_seen: datetime | None
    firmware: str | None
    applied_version: str | None
    wanted_version: str
    in_sync: bool
    account_known: bool


class _Row(db.Record):
    id: str
    facility_id: UUID
    facility_name: str
    municipality: str
    driver: str
    gen: int
    next_gen: int | None
    enrolled_at: datetime
    last_seen: datetime | None
    offline_at: datetime | None
    report: str | None
    epoch: int
    want_ver: int
    rep_epoch: int
    rep_ver: int
    rep_boot: int
    quarantine: bool
    retired_at: datetime | None
    account_secret: bytes | None


_ROWS = (
    "SELECT c.id, f.id AS facility_id, f.name AS facility_name, f.municipality, c.driver, c.gen, c.next_gen,"
    " c.enrolled_at, c.last_seen, c.offline_at, c.report, c.epoch, c.want_ver, c.rep_epoch, c.rep_ver,"
    " c.rep_boot, c.quarantine, c.retired_at, c.account_secret FROM controller c"
    " JOIN facility f ON f.id = c.facility"
)


class _Door(db.Record):
    controller: str
    id: str
    name: str
    kind: DoorKind


async def controllers_of(municipality: str, *, by: Actor, now: datetime) -> list[ControllerView]:
    """Return the controllers of a municipality where the actor is staff, retired ones last."""
    by.must_have(municipality, Role.STAFF)
    rows = await db.rows(
        _Row,
        _ROWS + " WHERE f.municipality = $1 ORDER BY c.retired_at IS NOT NULL, f.name, c.id",
        municipality,
    )
    return await _views(rows, now)


async def controller_of(controller: str, *, by: Actor, now: datetime) -> ControllerView:
    """Return one controller; absent to those who are not staff of its municipality."""
    row = await db.row(_Row, _ROWS + " WHERE c.id = $1", controller)
    if row is None or not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such controller")
    return (await _views([row], now))[0]


async def _views(rows: list[_Row], now: datetime) -> list[ControllerView]:
    found = await db.rows(
        _Door,
        "SELECT controller, id, name, kind FROM door WHERE controller = ANY($1)"
        " AND removed_at IS NULL ORDER BY controller, wire_id",
        [row.id for row in rows],
    )
    doors: dict[str, list[ControllerDoor]] = {}
    for one in found:
        doors.setdefault(one.controller, []).append(ControllerDoor(one.id, one.name, one.kind))
    return [_view(row, doors.get(row.id, []), now) for row in rows]


def _view(row: _Row, doors: list[ControllerDoor], now: datetime) -> ControllerView:
    report = msgspec.json.decode(row.report, type=Report) if row.report else None
    return ControllerView(
        id=row.id,
        facility=FacilityName(row.facility_id, row.facility_name),
        driver=row.driver,
        gen=row.gen,
        next_gen=row.next_gen,
        state=_state(row, report.pw.src if report else None, now),
        doors=doors,
        enrolled_at=row.enrolled_at,
        last_seen=row.last_seen,
        firmware=report.fw if report else None,
        applied_version=f"{row.rep_epoch}.{row.rep_ver}" if row.rep_ver else None,
        wanted_version=f"{row.epoch}.{row.want_ver}",
        in_sync=(row.rep_epoch, row.rep_ver) == (row.epoch, row.want_ver),
        account_known=row.account_secret is None,
    )


def _state(
    row: _Row, power: str | None, now: datetime
) -> Literal["new", "online", "offline", "quarantine", "retiring", "retired"]:
    if row.retired_at is not None:
        empty = row.rep_boot == 0 or (row.rep_epoch, row.rep_ver) == (row.epoch, row.want_ver)
        return "retired" if empty else "retiring"
    if row.quarantine:
        return "quarantine"
    if row.rep_boot == 0 and row.report is None:
        return "new"
    return "online" if is_online(row.last_seen, row.offline_at, power, now) else "offline"
