"""A trip's rows as pick-up, return and delay handle them, in the caller's transaction."""

from datetime import datetime
from uuid import UUID

from booking import db, locks
from booking.reservations.confirming import resources_of
from booking.reservations.rows import Row, code_of
from booking.reservations.writing import lock_leaves
from booking.span import Span


class Meter(db.Record):
    """A trip as stored."""

    out_at: datetime | None
    out_km: int | None
    in_at: datetime | None
    in_km: int | None


async def door_closes_before(reservation: UUID, moment: datetime) -> bool:
    """True if the reservation opens a door, and the time that it does so for ends before this moment."""
    closing = (
        "SELECT true FROM access_grant WHERE reservation = $1 AND role = 'leader' AND gone_ver IS NULL"
        " AND ends_at < $2 LIMIT 1"
    )
    return bool(await db.value(bool, closing, reservation, moment))


async def leave_door_open(row: Row, until: datetime, now: datetime) -> None:
    """The code still opens the key cabinet, so that the key can be put back."""
    granted = "SELECT true FROM access_grant WHERE reservation = $1 AND gone_ver IS NULL LIMIT 1"
    if row.party is not None and await db.value(bool, granted, row.id):
        await locks.move(
            reservation=row.id,
            holder=row.party,
            resources=await resources_of(row),
            span=Span(row.starts_at, max(until, row.ends_at)),
            purpose=row.purpose,
            credential=await code_of(row.series),
            now=now,
        )


async def lock_its_leaves(reservation_id: UUID) -> None:
    """The reservation's leaves are locked, before its row is, as everywhere."""
    await lock_leaves(
        await db.column(int, "SELECT leaf FROM occupancy WHERE reservation = $1", reservation_id)
    )


async def trip_meter(reservation: UUID) -> Meter | None:
    """Return the trip of a reservation, locked, if the vehicle has been picked up."""
    return await db.row(
        Meter,
        "SELECT out_at, out_km, in_at, in_km FROM trip WHERE reservation = $1 FOR NO KEY UPDATE",
        reservation,
    )
