"""Access rules have changed: the codes of bookings ahead get the doors and times that hold now."""

import logging
from datetime import datetime
from uuid import UUID

from booking import db, locks
from booking.errors import Refusal
from booking.outbox import Debt
from booking.people import Actor
from booking.reservations.confirming import resources_of
from booking.reservations.rows import code_of, locked, tell
from booking.span import Span

log = logging.getLogger("booking.reservations")

# Bookings not over yet of a resource and its parts, also where it is booked with another.
_AHEAD = """
WITH RECURSIVE down (id) AS (
  SELECT id FROM resource WHERE id = $1
  UNION ALL SELECT r.id FROM down JOIN resource r ON r.parent = down.id
)
SELECT {what} FROM reservation r WHERE r.kind = 'booking' AND r.state = 'confirmed' AND r.party IS NOT NULL
  AND r.ends_at > $2 AND (r.resource IN (SELECT id FROM down) OR EXISTS (
    SELECT FROM reservation_extra x WHERE x.reservation = r.id AND x.resource IN (SELECT id FROM down)))
"""


async def bookings_ahead(resource: UUID, purpose: str | None, *, now: datetime) -> int:
    """Return how many bookings not over yet a rule for this purpose, or for any, is about."""
    count = _AHEAD.format(what="count(*)") + " AND ($3::varchar IS NULL OR r.purpose = $3)"
    return await db.value(int, count, resource, now, purpose) or 0


async def relay(debt: Debt, now: datetime) -> None:
    """Every booking ahead of the resource opens what its rules say now; those that do already are left alone.

    A booking whose doors can't be given a code keeps what it has, and the journal says so.
    """
    ids = await db.column(
        UUID, _AHEAD.format(what="r.id") + " ORDER BY r.starts_at, r.id", UUID(debt.key), now
    )
    for one in ids:
        try:
            await _lay(one, now)
        except Refusal as error:
            log.warning("booking %s keeps its doors: %s", one, error.code)
            await _note(one, error.code, now)


async def _lay(reservation: UUID, now: datetime) -> None:
    async def act() -> None:
        async with db.transaction():
            row = await locked(reservation)
            if row is None or row.party is None or row.state != "confirmed" or row.ends_at <= now:
                return
            span, resources = (
                Span(row.starts_at, await _promised_end(row.id, row.ends_at)),
                await resources_of(row),
            )
            if await locks.stands_as_ruled(row.id, resources, span, row.purpose):
                return
            await locks.move(
                reservation=row.id,
                holder=row.party,
                resources=resources,
                span=span,
                purpose=row.purpose,
                credential=await code_of(row.series),
                now=now,
            )
            await tell(row, "access.relaid", Actor.system(), now)

    await db.retried(act)


async def _promised_end(reservation: UUID, ends_at: datetime) -> datetime:
    """A vehicle that is late keeps its key cabinet open beyond the booking's end."""
    later = await db.value(
        datetime,
        "SELECT max(ends_at) FROM access_grant WHERE reservation = $1 AND role = 'leader' AND gone_ver IS NULL",
        reservation,
    )
    return max(ends_at, later or ends_at)


async def _note(reservation: UUID, why: str, now: datetime) -> None:
    async with db.transaction():
        row = await locked(reservation)
        if row is not None:
            await tell(row, "access.not_relaid", Actor.system(), now, why=why)
