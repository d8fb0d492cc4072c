"""Bookings that new opening hours have left outside: nobody loses them, but staff must know."""

from datetime import datetime
from uuid import UUID

from booking import db
from booking.people import Actor
from booking.places import Level, resources_at

MOST = 100


class Outside(db.Record):
    """A confirmed booking that is not within the opening hours."""

    id: UUID
    number: str
    start: datetime
    party_name: str | None


# The union of the open spans of every local day that the booking touches, so that midnight joins.
_OUTSIDE = """
FROM reservation r JOIN resource q ON q.id = r.resource LEFT JOIN party p ON p.id = r.party
WHERE r.resource = ANY($1) AND r.kind = 'booking' AND r.state = 'confirmed' AND r.starts_at > $2
  AND NOT coalesce(tstzrange(r.starts_at, r.ends_at) <@ (SELECT range_agg(o.spans) FROM open_day o
    WHERE o.calendar = q.calendar AND o.day BETWEEN (r.starts_at AT TIME ZONE 'Europe/Stockholm')::date
      AND (r.ends_at AT TIME ZONE 'Europe/Stockholm')::date), false)
"""


async def outside_hours(here: Level, *, by: Actor, now: datetime) -> tuple[list[Outside], int]:
    """Return the first hundred confirmed bookings ahead that lie outside the hours of a level, and how many."""
    resources = await resources_at(here, by=by)
    total = await db.value(int, "SELECT count(*)" + _OUTSIDE, resources, now)
    found = await db.rows(
        Outside,
        "SELECT r.id, 'B-' || lpad(r.number::text, 6, '0') AS number, r.starts_at AS start,"
        f" p.name AS party_name {_OUTSIDE} ORDER BY r.starts_at LIMIT {MOST}",
        resources,
        now,
    )
    return found, total or 0
