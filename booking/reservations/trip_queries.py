"""What a vehicle's booker and staff see of its trip, and of the one before that is late."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db, places
from booking.errors import NotFound
from booking.people import Actor
from booking.places import Resource
from booking.reservations.late_trips import next_start
from booking.reservations.rows import may_handle, seen
from booking.reservations.views import LateBefore, TripView


class _Stored(db.Record):
    out_at: datetime | None
    out_km: int | None
    out_pct: int | None
    in_at: datetime | None
    in_km: int | None
    in_pct: int | None


async def trip(reservation_id: UUID, by: Actor, now: datetime) -> TripView:
    """Return the trip of a vehicle's booking. Raises NotFound for a foreign booking and for what is no vehicle."""
    row = await seen(reservation_id)
    if row is None or row.state == "held" or not may_handle(row, by):
        raise NotFound("there is no such reservation")
    resource = await places.resource(row.resource, in_use=False)
    found = await trip_of(row.id, resource, row.ends_at, now)
    if found is None:
        raise NotFound("this is no vehicle", code="not_a_vehicle")
    return found


async def trip_of(reservation: UUID, resource: Resource, ends_at: datetime, now: datetime) -> TripView | None:
    """Return the trip, empty before pick-up; None for what is no vehicle. The caller has checked the actor."""
    if resource.kind != "vehicle":
        return None
    stored = await db.row(
        _Stored,
        "SELECT out_at, out_km, out_pct, in_at, in_km, in_pct FROM trip WHERE reservation = $1",
        reservation,
    ) or _Stored(None, None, None, None, None, None)
    late = (stored.in_at or now) - ends_at if stored.out_at else timedelta(0)
    follower = await next_start(resource.id, ends_at, reservation)
    quote = await db.value(
        str, "SELECT quote FROM charge WHERE source = $1 AND kind = 'trip' LIMIT 1", reservation
    )
    return TripView(
        out_at=stored.out_at,
        out_km=stored.out_km,
        out_pct=stored.out_pct,
        in_at=stored.in_at,
        in_km=stored.in_km,
        in_pct=stored.in_pct,
        late_min=max(int(late.total_seconds() // 60), 0),
        next_starts_at=follower,
        price=billing.shown(billing.read_snapshot(quote)) if quote else None,
    )


async def late_before(resource: UUID, starts_at: datetime, now: datetime) -> LateBefore | None:
    """Return that the vehicle is not back from the booking just before this one, if it is late."""
    expected = await db.value(
        datetime,
        "SELECT r.ends_at FROM reservation r JOIN trip t ON t.reservation = r.id WHERE r.resource = $1"
        " AND t.out_at IS NOT NULL AND t.in_at IS NULL AND r.ends_at <= $2 AND r.ends_at <= $3"
        " AND NOT EXISTS (SELECT FROM reservation b WHERE b.resource = $1 AND b.starts_at >= r.ends_at"
        "  AND b.starts_at < $2 AND b.state IN ('confirmed', 'awaiting_payment', 'requested'))"
        " ORDER BY r.ends_at DESC LIMIT 1",
        resource,
        starts_at,
        now,
    )
    return None if expected is None else LateBefore(expected)
