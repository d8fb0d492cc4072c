"""The log of the doors for staff: searched, exported, forgotten by rule. Reading it is journalled (§15.12)."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from booking import db, journal, people
from booking.errors import Rejected
from booking.people import Actor, Role

LONGEST_EXPORT = 50_000
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would calculate with it


class Search(msgspec.Struct, frozen=True):
    """Which events: of one door, of one kind, within a time."""

    municipality: str
    door: str | None = None
    kind: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class EventView(msgspec.Struct, frozen=True):
    """Something that happened at a door. `at` is the door's clock, `received_at` ours; `how` never holds digits."""

    id: int
    at: datetime | None
    received_at: datetime
    controller: str
    door_id: str | None
    door_name: str | None
    kind: str
    how: str | None
    why: str | None
    party_name: str | None
    reservation_id: UUID | None
    held_s: int | None
    lost: int | None


class _Row(db.Record):
    id: int
    at: datetime | None
    received_at: datetime
    controller: str
    door: str | None
    door_name: str | None
    kind: str
    how: str | None
    why: str | None
    holder: UUID | None
    label: str | None
    reservation: UUID | None
    dur_s: int | None
    lost: int | None


_FROM = """
FROM door_event e JOIN controller c ON c.id = e.controller JOIN facility f ON f.id = c.facility
  LEFT JOIN door d ON d.id = e.door LEFT JOIN access_grant g ON g.id = e.access_grant
  LEFT JOIN access_credential cr ON cr.id = g.credential
WHERE """


async def search(
    what: Search, *, by: Actor, now: datetime, limit: int, offset: int
) -> tuple[list[EventView], int]:
    """Return events of a municipality where the actor is staff, the newest first, and how many there are."""
    by.must_have(what.municipality, Role.STAFF)
    for moment in (what.start, what.end):
        if moment is not None and (moment.tzinfo is None or not 2000 <= moment.year <= 2100):
            raise Rejected("times need a UTC offset and a year of this century", code="bad_time")
    asked, args = db.where(
        ("f.municipality = {}", what.municipality),
        ("e.door = {}", what.door),
        ("e.kind = {}", what.kind),
        ("coalesce(e.at, e.received_at) >= {}", what.start),
        ("coalesce(e.at, e.received_at) < {}", what.end),
    )
    rows = await db.rows(
        _Row,
        "SELECT e.id, e.at, e.received_at, e.controller, e.door, d.name AS door_name, e.kind, e.how, e.why,"
        " g.holder, cr.label, g.reservation, e.dur_s, e.lost"
        + f"{_FROM}{asked} ORDER BY e.id DESC LIMIT ${len(args) + 1} OFFSET ${len(args) + 2}",
        *args,
        limit,
        offset,
    )
    total = await db.value(int, f"SELECT count(*) {_FROM}{asked}", *args)
    names = await people.party_names(sorted({row.holder for row in rows if row.holder}), by)
    topic = {"municipality": what.municipality, "door": what.door, "kind": what.kind, "rows": len(rows)}
    await journal.record("door.events_read", about=None, by=by, now=now, search=topic)
    return [_view(row, names) for row in rows], total or 0


def _view(row: _Row, names: dict[UUID, str]) -> EventView:
    named = names.get(row.holder) if row.holder else None
    return EventView(
        row.id,
        row.at,
        row.received_at,
        row.controller,
        row.door,
        row.door_name,
        row.kind,
        row.how,
        row.why,
        named or row.label,
        row.reservation,
        row.dur_s,
        row.lost,
    )


async def export(what: Search, *, by: Actor, now: datetime) -> bytes:
    """Return the events as a table for a spreadsheet: UTF-8, semicolons, UTC, at most 50,000 lines."""
    found, _ = await search(what, by=by, now=now, limit=LONGEST_EXPORT, offset=0)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    names = EventView.__struct_fields__
    writer.writerow(names)
    for one in found:
        writer.writerow([_cell(getattr(one, name)) for name in names])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(_RISKY) else text


async def forget_events(now: datetime) -> int:
    """Events are kept as long as the municipality has decided (90 days without a decision); returns how many went."""
    return await db.run(
        "DELETE FROM door_event WHERE id IN (SELECT e.id FROM door_event e JOIN controller c ON c.id = e.controller"
        " JOIN facility f ON f.id = c.facility LEFT JOIN access_policy p ON p.municipality = f.municipality"
        " WHERE e.received_at < $1::timestamptz - coalesce(p.events_kept_days, 90) * interval '1 day'"
        " ORDER BY e.id LIMIT 20000)",
        now,
    )
