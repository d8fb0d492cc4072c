"""A hall with bookings is divided anew: who has booked it has its new leaves too, in the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import ExclusionViolationError

from booking import db, places
from booking.errors import Conflict
from booking.people import Actor


class BookingsCollide(Conflict):
    """Bookings ahead of two parts that would overlap are at the same time.

    While parts lie within their wholes this can't be; the constraint has the last word all the same.
    """

    code = "bookings_collide"


async def add_resource(facility: UUID, new: places.NewResource, *, by: Actor, now: datetime) -> UUID:
    """The facility has the resource, and no booking ahead has become freer or is in another's way. Returns its id.

    Raises what places.add_resource does, and BookingsCollide.
    """

    async def occupy(gained: Sequence[places.Gained]) -> None:
        for one in gained:
            await _occupy(one, now)

    try:
        return await places.add_resource(facility, new, occupy=occupy, by=by, now=now)
    except ExclusionViolationError as error:
        raise BookingsCollide(
            "bookings ahead of the parts that it would overlap are at the same time: move them first"
        ) from error


async def _occupy(gained: places.Gained, now: datetime) -> None:
    """Who has one of the resources has the leaf for as long, its distance to the next included."""
    await db.run(
        "INSERT INTO occupancy (leaf, reservation, starts_at, ends_at, hold_until)"
        " SELECT $1, o.reservation, min(o.starts_at), max(o.ends_at), max(o.hold_until)"
        " FROM (SELECT id AS reservation, resource FROM reservation UNION ALL"
        "   SELECT reservation, resource FROM reservation_extra) r"
        " JOIN resource_leaf l ON l.resource = r.resource AND l.leaf <> $1"
        " JOIN occupancy o ON o.reservation = r.reservation AND o.leaf = l.leaf"
        " WHERE r.resource = ANY($2) AND o.ends_at > $3 GROUP BY o.reservation",
        gained.leaf,
        list(gained.resources),
        now,
    )


async def wrong_leaves(now: datetime) -> list[str]:
    """Return one text per booking ahead that does not have every leaf of what it has booked; empty as it should be."""
    return await db.column(
        str,
        "SELECT DISTINCT 'calendar ' || r.municipality || ': B-' || lpad(r.number::text, 6, '0')"
        " || ' does not have all of its place'"
        " FROM reservation r JOIN (SELECT id AS reservation, resource FROM reservation UNION ALL"
        "   SELECT reservation, resource FROM reservation_extra) p ON p.reservation = r.id"
        " JOIN resource_leaf l ON l.resource = p.resource"
        " WHERE r.ends_at > $1 AND EXISTS (SELECT FROM occupancy o WHERE o.reservation = r.id)"
        "  AND NOT EXISTS (SELECT FROM occupancy o WHERE o.reservation = r.id AND o.leaf = l.leaf) ORDER BY 1",
        now,
    )
