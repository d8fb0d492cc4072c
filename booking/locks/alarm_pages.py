"""Alarms as staff see them, and the word of whoever sees to one."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, journal
from booking.errors import NotFound
from booking.locks.alarms import WARNINGS, Kind
from booking.people import Actor, Role


class AlarmView(msgspec.Struct, frozen=True):
    """An alarm as staff see it. `acknowledged_by` is the name of who sees to it."""

    id: UUID
    kind: Kind
    severity: Literal["alarm", "warning"]
    controller: str | None
    facility_name: str | None
    door_id: str | None
    door_name: str | None
    reservations: list[UUID]
    opened_at: datetime
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None


class _AlarmRow(db.Record):
    id: UUID
    kind: Kind
    controller: str | None
    municipality: str | None
    facility_name: str | None
    door_id: str | None
    door_name: str | None
    reservations: list[UUID]
    opened_at: datetime
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None


_ALARMS = """
SELECT a.id, a.kind, a.controller, f.municipality, f.name AS facility_name, d.id AS door_id, d.name AS door_name,
  a.reservations, a.opened_at, a.closed_at, a.acknowledged_at, p.name AS acknowledged_by, a.note
FROM door_alarm a LEFT JOIN controller c ON c.id = a.controller LEFT JOIN facility f ON f.id = c.facility
  LEFT JOIN door d ON d.id = a.door
  LEFT JOIN account k ON k.id = a.acknowledged_by LEFT JOIN party p ON p.id = k.party
"""


async def alarms_of(
    municipality: str, *, open_only: bool, by: Actor, limit: int, offset: int
) -> tuple[list[AlarmView], int]:
    """Return alarms of a municipality where the actor is staff, the newest first, and how many there are."""
    by.must_have(municipality, Role.STAFF)
    where = " WHERE (f.municipality = $1 OR a.controller IS NULL) AND (NOT $2 OR a.closed_at IS NULL)"
    rows = await db.rows(
        _AlarmRow,
        _ALARMS + where + " ORDER BY a.closed_at IS NOT NULL, a.opened_at DESC, a.id LIMIT $3 OFFSET $4",
        municipality,
        open_only,
        limit,
        offset,
    )
    total = await db.value(
        int,
        "SELECT count(*) FROM door_alarm a LEFT JOIN controller c ON c.id = a.controller"
        " LEFT JOIN facility f ON f.id = c.facility" + where,
        municipality,
        open_only,
    )
    return [_view(row) for row in rows], total or 0


async def acknowledge(alarm: UUID, note: str | None, *, by: Actor, now: datetime) -> AlarmView:
    """Somebody has seen it and says so; it stays open until it is cured, if it is not already. Raises NotFound."""
    async with db.transaction():
        row = await db.row(_AlarmRow, _ALARMS + " WHERE a.id = $1 FOR NO KEY UPDATE OF a", alarm)
        if row is None or not _is_staff(row, by):
            raise NotFound("there is no such alarm")
        await db.run(
            "UPDATE door_alarm SET acknowledged_at = $2, acknowledged_by = $3, note = coalesce($4, note)"
            " WHERE id = $1",
            alarm,
            now,
            by.account,
            note,
        )
        topics = [f"doors:{row.municipality}"] if row.municipality else []
        await journal.record("alarm.acknowledged", about=alarm, by=by, now=now, topics=topics, kind=row.kind)
        again = await db.row(_AlarmRow, _ALARMS + " WHERE a.id = $1", alarm)
    return _view(again or row)


def _is_staff(row: _AlarmRow, by: Actor) -> bool:
    if row.municipality is None:
        return by.is_system or bool(by.where(Role.STAFF))
    return by.has(row.municipality, Role.STAFF)


def _view(row: _AlarmRow) -> AlarmView:
    return AlarmView(
        row.id,
        row.kind,
        "warning" if row.kind in WARNINGS else "alarm",
        row.controller,
        row.facility_name,
        row.door_id,
        row.door_name,
        row.reservations,
        row.opened_at,
        row.closed_at,
        row.acknowledged_at,
        row.acknowledged_by,
        row.note,
    )
