"""Doors of a live controller: added, and taken away with what they opened."""

from datetime import datetime
from typing import Final
from uuid import UUID

from booking import db, journal, outbox
from booking.errors import Conflict, NotFound, Rejected
from booking.locks import grants
from booking.locks.access_rules import RELAY
from booking.locks.door_setup import DoorTaken, add_door
from booking.locks.enrolment import StillBooked
from booking.locks.telling import doorless, tell_doorless
from booking.locks.versions import raise_versions
from booking.people import Actor, Role

MOST_DOORS: Final = 32  # a snapshot holds no more


class LastDoor(Conflict):
    """A controller without doors would keep its codes: retire it instead."""

    code = "last_door"


class _Controller(db.Record):
    municipality: str
    doors: int
    has_it: bool


async def attach_door(
    controller: str, wire_id: str, name: str, *, kind: str = "door", by: Actor, now: datetime
) -> str:
    """The live controller has one door more, told to it at once; returns its id.

    A door that was taken away comes back with its log and times. Raises NotFound, Rejected, DoorTaken.
    """
    async with db.transaction():
        await raise_versions([controller], now=now)
        row = await db.row(
            _Controller,
            "SELECT f.municipality, (SELECT count(*) FROM door WHERE controller = c.id AND removed_at IS NULL)"
            " AS doors, EXISTS (SELECT FROM door WHERE controller = c.id AND wire_id = $2 AND removed_at IS NULL)"
            " AS has_it FROM controller c JOIN facility f ON f.id = c.facility"
            " WHERE c.id = $1 AND c.retired_at IS NULL",
            controller,
            wire_id,
        )
        if row is None or not by.has(row.municipality, Role.ADMIN):
            raise NotFound("there is no such controller")
        if row.has_it:
            raise DoorTaken("the controller has this door already")
        if row.doors >= MOST_DOORS:
            raise Rejected(f"a controller has at most {MOST_DOORS} doors", code="too_many_doors")
        door = await add_door(controller, wire_id, name, kind=kind)
        topics = [f"doors:{row.municipality}"]
        await journal.record("door.added", about=None, by=by, now=now, topics=topics, door=door, name=name)
    return door


class _Door(db.Record):
    controller: str
    municipality: str
    others: int


async def remove_door(door: str, *, force: bool, by: Actor, now: datetime) -> int:
    """The controller has the door no more, and no code or rule leads through it; returns how many bookings it had.

    Those that booked are told. What the device holds ends when it hears of it. The door's log stays. Raises
    NotFound, LastDoor, and StillBooked where bookings to come open it, unless forced.
    """
    async with db.transaction():
        row = await _locked(door, by, now)
        if row.others == 0:
            raise LastDoor("this is the controller's only door: retire the controller")
        ahead = await doorless("w.door = $2", now, door)
        if ahead and not force:
            raise StillBooked(f"{len(ahead)} bookings to come open this door", bookings=len(ahead))
        await db.run("UPDATE door SET removed_at = $2 WHERE id = $1", door, now)
        resources = await db.column(UUID, "DELETE FROM access_rule WHERE door = $1 RETURNING resource", door)
        for resource in sorted(set(resources)):  # also for a booking that is being made meanwhile
            await outbox.put(RELAY, key=str(resource), now=now)
        await _close(door, row.controller, now)
        await tell_doorless(ahead, [door], row.municipality, now)
        topics = [f"doors:{row.municipality}"]
        await journal.record(
            "door.removed", about=None, by=by, now=now, topics=topics, door=door, bookings=len(ahead)
        )
    return len(ahead)


async def _locked(door: str, by: Actor, now: datetime) -> _Door:
    """The controller's row is locked before the door's, as when a booking is made."""
    query = (
        "SELECT d.controller, f.municipality, (SELECT count(*) FROM door o WHERE o.controller = d.controller"
        " AND o.id <> d.id AND o.removed_at IS NULL) AS others FROM door d JOIN controller c"
        " ON c.id = d.controller JOIN facility f ON f.id = c.facility"
        " WHERE d.id = $1 AND d.removed_at IS NULL AND c.retired_at IS NULL"
    )
    row = await db.row(_Door, query, door)
    if row is not None and by.has(row.municipality, Role.ADMIN):
        await raise_versions([row.controller], now=now)
        row = await db.row(_Door, f"{query} FOR UPDATE OF d", door)
    if row is None or not by.has(row.municipality, Role.ADMIN):
        raise NotFound("there is no such door")
    return row


async def _close(door: str, controller: str, now: datetime) -> None:
    """Grants of this door alone are taken back, the others keep their other doors; PINs stay taken to their end."""
    await grants.remove(
        "gone_ver IS NULL AND controller = $2 AND id IN (SELECT access_grant FROM grant_window WHERE door = $3)"
        " AND id NOT IN (SELECT access_grant FROM grant_window w JOIN door d ON d.id = w.door"
        "  WHERE d.controller = $2 AND d.id <> $3 AND w.access_grant IS NOT NULL)",
        controller,
        door,
        now=now,
    )
    await db.run(
        "UPDATE grant_window w SET access_grant = NULL FROM access_grant g"
        " WHERE g.id = w.access_grant AND g.gone_ver IS NULL AND w.door = $1",
        door,
    )
