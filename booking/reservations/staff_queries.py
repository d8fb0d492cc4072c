"""The day, for the owner's staff. A foreign municipality's rows look absent."""

from datetime import date, timedelta

from booking import billing, db, locks
from booking.people import Actor, Role
from booking.reservations.calendar import day_span
from booking.reservations.ordering import extras_of
from booking.reservations.reading import SELECT, Booked
from booking.reservations.views import TeamRef, TimelineBooking


async def timeline(municipality: str, day: date, by: Actor) -> list[TimelineBooking]:
    """Return the local day's bookings and blocks where the actor is staff. Raises NotFound elsewhere."""
    by.must_have(municipality, Role.STAFF)
    span = day_span(day)
    found = await db.rows(
        Booked,
        SELECT + " WHERE r.municipality = $1 AND r.starts_at < $3 AND r.ends_at > $2 AND r.starts_at > $4"
        " AND r.state IN ('requested', 'confirmed', 'awaiting_payment', 'completed') ORDER BY r.starts_at",
        municipality,
        span.start,
        span.end,
        span.start - timedelta(days=31),
    )
    ids = [row.id for row in found]
    codes, money = await locks.states_of(ids), await billing.standing(ids)
    extras = await extras_of(ids)
    return [
        TimelineBooking(
            row.id,
            resource,
            row.starts_at,
            row.ends_at,
            row.state,
            row.title,
            row.party_name or "",
            row.purpose,
            codes.get(row.id),
            money[row.id].state if row.id in money else "none",
            row.kind,
            row.block,
            TeamRef(row.team, row.team_name) if row.team and row.team_name else None,
        )
        for row in found
        for resource in (row.resource, *(one.resource for one in extras[row.id]))
    ]
