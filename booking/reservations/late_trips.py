"""Vehicles that are not back in time: they keep their time, and those who must know are told."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import db, places
from booking.people import Actor
from booking.reservations.rows import Row, locked, seen, tell
from booking.reservations.telling import owe_customer, owe_staff
from booking.reservations.trip_rows import door_closes_before, leave_door_open, lock_its_leaves, trip_meter

KEPT = timedelta(hours=1)  # a vehicle that is late is taken for another hour at a time
WARNED = timedelta(hours=24)  # who comes next is warned when their time is this near


async def watch_trips(now: datetime) -> int:
    """Vehicles that are not back keep their time, hour by hour up to the next booking; staff know, and so does
    whoever comes next, with another vehicle that is free. Their booking stands. Returns how many are late."""
    late = await db.column(
        UUID,
        "SELECT t.reservation FROM trip t JOIN reservation r ON r.id = t.reservation"
        " WHERE t.out_at IS NOT NULL AND t.in_at IS NULL AND r.ends_at <= $1 ORDER BY r.ends_at LIMIT 200",
        now,
    )
    for one in late:
        await _keep(one, now)
    return len(late)


_NEXT = """
FROM reservation WHERE resource = $1 AND starts_at >= $2 AND id <> $3 AND kind = 'booking'
AND state IN ('confirmed', 'awaiting_payment', 'requested') ORDER BY starts_at LIMIT 1
"""


async def next_start(resource: UUID, after: datetime, reservation: UUID) -> datetime | None:
    """Return when the vehicle is somebody's next."""
    return await db.value(datetime, "SELECT starts_at" + _NEXT, resource, after, reservation)


async def _next_of(row: Row) -> Row | None:
    found = await db.value(UUID, "SELECT id" + _NEXT, row.resource, row.ends_at, row.id)
    return None if found is None else await seen(found)


async def _keep(reservation_id: UUID, now: datetime) -> None:
    async def act() -> None:
        async with db.transaction():
            await lock_its_leaves(reservation_id)
            row = await locked(reservation_id)
            trip = await trip_meter(reservation_id)
            if row is None or trip is None or trip.in_at is not None or row.party is None:
                return
            await _stretch(row.id, now + KEPT, now)
            # Also past the next booking's start: whoever is late puts the key back when they come.
            if await door_closes_before(row.id, now + KEPT / 2):
                await leave_door_open(row, now + KEPT, now)
            if await db.run(
                "UPDATE trip SET late_told_at = $2 WHERE reservation = $1 AND late_told_at IS NULL",
                row.id,
                now,
            ):
                await tell(row, "trip.late", Actor.system(), now)
                await owe_staff(row, "Ett fordon är inte återlämnat i tid", now)
            follower = await _next_of(row)
            if follower is not None and follower.starts_at <= now + WARNED:
                await _warn(follower, now)

    await db.retried(act)


async def _warn(follower: Row, now: datetime) -> None:
    """Whoever has the vehicle next knows, once, and what they could take instead."""
    if await db.value(
        bool,
        "SELECT true FROM journal WHERE about = $1 AND action = 'reservation.late_before' LIMIT 1",
        follower.id,
    ):
        return
    await tell(follower, "reservation.late_before", Actor.system(), now)
    other = await _another(follower, now)
    await owe_customer(follower, "vehicle_late", now, alternative=other)


async def _another(row: Row, now: datetime) -> str | None:
    """Return the name of a vehicle of the municipality that is free at that time, the same house first."""
    wanted = await places.resource(row.resource, in_use=False)
    found = await places.resources(municipalities=[row.municipality], kind=wanted.kind, as_taken=True)
    found = [one for one in found if one.id != wanted.id and one.leaves]
    found.sort(
        key=lambda one: (one.facility.id != wanted.facility.id, one.tariff_class != wanted.tariff_class)
    )
    for one in found:
        taken = await db.value(
            bool,
            "SELECT true FROM occupancy WHERE leaf = ANY($1) AND starts_at < $3 AND ends_at > $2"
            " AND (hold_until IS NULL OR hold_until > $4) LIMIT 1",
            one.leaves,
            row.starts_at,
            row.ends_at,
            now,
        )
        if not taken:
            return f"{one.facility.name}, {one.name}"
    return None


async def _stretch(reservation: UUID, until: datetime, now: datetime) -> None:
    """The vehicle is taken until then, or up to the next booking. Done when half of what was kept has passed, not at every look."""
    await db.run(
        "UPDATE occupancy o SET ends_at = n.until FROM (SELECT m.id, least($2, (SELECT min(a.starts_at)"
        " FROM occupancy a WHERE a.leaf = m.leaf AND a.starts_at >= m.ends_at)) AS until"
        " FROM occupancy m WHERE m.reservation = $1) n WHERE o.id = n.id AND n.until > o.ends_at AND o.ends_at <= $3",
        reservation,
        until,
        now + KEPT / 2,
    )
