"""What the doors tell of a booking that is over: evidence for no-show, overtime and doors left open."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, journal
from booking.people import Actor

SETTLED_AFTER = timedelta(minutes=10)  # past the last window
GIVEN_UP_AFTER = timedelta(days=7)  # a controller that is dark so long tells nothing any more
AT_ONCE = 200


class DoorFacts(msgspec.Struct, frozen=True):
    """What the doors prove. Seconds; `never_used` is None where nothing is proved either way.

    It is True only if the code was in the door, the clock could be trusted, and every event until after the end
    has arrived. `is_final`: nothing more is expected.
    """

    first_entry_at: datetime | None
    last_use_at: datetime | None
    never_used: bool | None
    overtime_s: int
    held_s: int
    forced: int
    is_final: bool


class _Row(DoorFacts, frozen=True):
    reservation: UUID


async def facts_of(reservations: list[UUID]) -> dict[UUID, DoorFacts]:
    """Return what is known of each booking that is over and opened a door; the others are absent."""
    rows = await db.rows(
        _Row,
        "SELECT reservation, first_entry_at, last_use_at, never_used, overtime_s, held_s, forced, is_final"
        " FROM door_fact WHERE reservation = ANY($1)",
        reservations,
    )
    names = DoorFacts.__struct_fields__
    return {row.reservation: DoorFacts(**{name: getattr(row, name) for name in names}) for row in rows}


_DUE = """
SELECT g.reservation FROM access_grant g
WHERE g.reservation IS NOT NULL AND g.role = 'leader' AND g.na < $1::timestamptz - $2::interval
  AND g.na > $1::timestamptz - $3::interval - interval '1 day'
  AND (g.gone_ver IS NULL OR g.gone_asked_at >= g.na)
  AND NOT EXISTS (SELECT FROM door_fact f WHERE f.reservation = g.reservation AND f.is_final)
GROUP BY g.reservation ORDER BY max(g.na) LIMIT $4
"""

# An event of a door belongs to the booking whose window it lies in, or follows, until the next one's begins.
_JUDGED = """
WITH mine AS (
  SELECT g.reservation, g.id, g.controller, g.role, g.applied_at, w.door, w.nb, w.na,
    coalesce(g.ends_at, g.na) AS ends_at,
    least(w.na + interval '4 hours', coalesce((SELECT min(n.nb) FROM grant_window n
      JOIN access_grant o ON o.id = n.access_grant AND o.role = 'leader'
      WHERE n.door = w.door AND n.nb >= w.na AND o.reservation <> g.reservation), 'infinity')) AS until
  FROM access_grant g JOIN grant_window w ON w.access_grant = g.id WHERE g.reservation = ANY($1)
), entries AS (
  SELECT m.reservation, min(coalesce(e.at, e.received_at)) AS first_at, max(coalesce(e.at, e.received_at)) AS last_at
  FROM (SELECT DISTINCT reservation, id FROM mine) m
  JOIN door_event e ON e.access_grant = m.id AND e.kind = 'granted' GROUP BY m.reservation
), passed AS (
  SELECT m.reservation, max(e.at) FILTER (WHERE e.kind IN ('opened', 'closed', 'rex')) AS last_at,
    sum(e.dur_s) FILTER (WHERE e.kind = 'closed') AS held_s, count(*) FILTER (WHERE e.kind = 'forced') AS forced
  FROM (SELECT DISTINCT reservation, door, nb, until FROM mine WHERE role = 'leader') m
  JOIN door_event e ON e.door = m.door AND e.at >= m.nb AND e.at < m.until
    AND e.kind IN ('opened', 'closed', 'rex', 'forced') GROUP BY m.reservation
), proof AS (
  SELECT m.reservation, max(m.na) AS over_at, max(m.ends_at) AS ends_at,
    bool_and(c.last_seen > m.na + interval '1 minute' AND c.rep_at > m.na AND (c.report::jsonb->'ev'->'last' = 'null'
      OR (c.ev_boot, c.ev_seq) >= ((c.report::jsonb->'ev'->'last'->>0)::bigint, (c.report::jsonb->'ev'->'last'->>1)::bigint))) AS heard,
    bool_or(m.applied_at IS NOT NULL AND m.applied_at < m.na) AS was_there,
    bool_and(c.clock = 'ok') AS clock_ok
  FROM mine m JOIN controller c ON c.id = m.controller WHERE m.role = 'leader' GROUP BY m.reservation
)
SELECT p.reservation, n.first_at AS first_entry_at, greatest(n.last_at, CASE WHEN n.first_at IS NOT NULL THEN x.last_at END) AS last_use_at,
  CASE WHEN n.first_at IS NOT NULL THEN false WHEN p.heard AND p.was_there AND p.clock_ok THEN true END AS never_used,
  coalesce(greatest(0, extract(epoch FROM greatest(n.last_at, x.last_at) - p.ends_at))
    * CASE WHEN n.first_at IS NULL THEN 0 ELSE 1 END, 0)::int AS overtime_s,
  coalesce(x.held_s, 0)::int AS held_s, coalesce(x.forced, 0)::int AS forced,
  coalesce(p.heard, false) OR p.over_at < $2::timestamptz - $3::interval AS is_final
FROM proof p LEFT JOIN entries n USING (reservation) LEFT JOIN passed x USING (reservation)
"""


async def settle_facts(now: datetime) -> int:
    """What the doors tell of every booking that is over is stored; returns how many became final.

    A booking at a controller that has not been heard since is judged again until it has, or for a week.
    """
    due = await db.column(UUID, _DUE, now, SETTLED_AFTER, GIVEN_UP_AFTER, AT_ONCE)
    if not due:
        return 0
    final = 0
    async with db.transaction():
        for row in await db.rows(_Row, _JUDGED, due, now, GIVEN_UP_AFTER):
            await _keep(row, now)
            final += row.is_final
    return final


async def _keep(row: _Row, now: datetime) -> None:
    await db.run(
        "INSERT INTO door_fact (reservation, first_entry_at, last_use_at, never_used, overtime_s, held_s, forced,"
        " is_final, settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (reservation) DO UPDATE"
        " SET first_entry_at = $2, last_use_at = $3, never_used = $4, overtime_s = $5, held_s = $6, forced = $7,"
        " is_final = $8, settled_at = $9",
        row.reservation,
        row.first_entry_at,
        row.last_use_at,
        row.never_used,
        row.overtime_s,
        row.held_s,
        row.forced,
        row.is_final,
        now,
    )
    if row.is_final:
        topics = [f"reservation:{row.reservation}"]
        await journal.record(
            "access.settled",
            about=row.reservation,
            by=Actor.system(),
            now=now,
            topics=topics,
            never_used=row.never_used,
            overtime_s=row.overtime_s,
        )
