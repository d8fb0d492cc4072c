"""Doors as they are set up: their names and times, and their simulated keypads."""

from datetime import datetime

from booking import db, journal
from booking.errors import Conflict, NotFound, Rejected
from booking.locks.versions import raise_versions
from booking.lockwire import ids
from booking.people import Actor, Role


class DoorTaken(Conflict):
    """Another door has this id: another controller's, or one called `a-b` beside `a_b`."""

    code = "door_taken"


async def add_door(
    controller: str,
    wire_id: str,
    name: str,
    *,
    unlock_s: int | None = None,
    held_s: int | None = None,
    kind: str | None = None,
    hint: str | None = None,
) -> str:
    """The controller has the door; returns its id. Adding it again renames it, and keeps what is not given.

    Seconds as in the snapshot. Raises Rejected for a name that the wire doesn't know, DoorTaken.
    """
    if ids.DOOR.match(wire_id) is None:
        raise Rejected("a door is called d1, d2, … on the wire", code="bad_door_name")
    id = await db.value(
        str,
        "INSERT INTO door (id, controller, wire_id, name, unlock_s, held_s, kind, hint)"
        " VALUES ($1, $2, $3, $4, coalesce($5, 5), coalesce($6, 300), coalesce($7, 'door'), coalesce($8, ''))"
        " ON CONFLICT (id) DO UPDATE SET name = $4, unlock_s = coalesce($5, door.unlock_s),"
        " held_s = coalesce($6, door.held_s), kind = coalesce($7, door.kind), hint = coalesce($8, door.hint),"
        " removed_at = NULL"
        " WHERE door.controller = $2 AND door.wire_id = $3 RETURNING id",
        f"{controller}-{wire_id}".replace("_", "-"),
        controller,
        wire_id,
        name,
        unlock_s,
        held_s,
        kind,
        hint,
    )
    if id is None:
        raise DoorTaken("another door has this id: choose another name on the wire, or for the controller")
    return id


class _Owner(db.Record):
    controller: str
    municipality: str


async def change_door(door_id: str, given: dict[str, object], *, by: Actor, now: datetime) -> None:
    """The door has these values (name, hint, kind, unlock_s, held_s); its controller is told of new times.

    Raises NotFound unless the actor is admin of its municipality.
    """
    async with db.transaction():
        row = await db.row(
            _Owner,
            "SELECT d.controller, f.municipality FROM door d JOIN controller c ON c.id = d.controller"
            " JOIN facility f ON f.id = c.facility WHERE d.id = $1 AND d.removed_at IS NULL"
            " FOR NO KEY UPDATE OF d",
            door_id,
        )
        if row is None or not by.has(row.municipality, Role.ADMIN):
            raise NotFound("there is no such door")
        known = ("name", "hint", "kind", "unlock_s", "held_s")
        await db.run(
            "UPDATE door SET name = coalesce($2, name), hint = coalesce($3, hint), kind = coalesce($4, kind),"
            " unlock_s = coalesce($5, unlock_s), held_s = coalesce($6, held_s) WHERE id = $1",
            door_id,
            *(given.get(name) for name in known),
        )
        if "unlock_s" in given or "held_s" in given:
            await raise_versions([row.controller], now=now)
        topics = [f"doors:{row.municipality}"]
        await journal.record("door.changed", about=None, by=by, now=now, topics=topics, door=door_id, **given)


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
        " WHERE c.simulated AND d.removed_at IS NULL ORDER BY f.name, d.name",
    )
