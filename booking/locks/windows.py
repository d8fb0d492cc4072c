"""Which doors a booking opens, and from when to when: access rules applied to a booked time."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import db
from booking.span import Span

Purpose = Literal["training", "match", "meeting", "event", "private", "other"]


class Opening(db.Record):
    """A door that a booking opens, with its grace in seconds."""

    door: str
    controller: str
    driver: str
    report: str | None
    municipality: str
    before_s: int
    after_s: int

    def around(self, span: Span) -> Span:
        """Return the booked time with this door's grace."""
        return span.widened(before=timedelta(seconds=self.before_s), after=timedelta(seconds=self.after_s))


# For each resource the rules of the nearest part upwards that has any for all purposes, and those for one purpose
# of that part and the parts below it. A rule for one purpose speaks for its own door and hides no other.
RULED = """
RECURSIVE up (leaf, id, parent, depth) AS (
  SELECT id, id, parent, 0 FROM resource WHERE id = ANY($1)
  UNION ALL SELECT up.leaf, r.id, r.parent, up.depth + 1 FROM resource r JOIN up ON r.id = up.parent
), ruled AS (
  SELECT * FROM (
    SELECT up.leaf, up.depth, a.*, min(up.depth) FILTER (WHERE a.purpose IS NULL) OVER (PARTITION BY up.leaf) AS nearest
    FROM up CROSS JOIN LATERAL (SELECT * FROM access_rule WHERE resource = up.id OFFSET 0) a) every
  WHERE depth <= coalesce(nearest, depth)
)
"""
# Of several rules for a door the nearest part's speaks, and there the one for this purpose. Where several resources
# lead through one door, the widest grace holds.
_OPENINGS = f"""
WITH {RULED}, each_door AS (
  SELECT DISTINCT ON (leaf, door) door, before_s, after_s FROM ruled
  WHERE purpose IS NULL OR purpose = $2 ORDER BY leaf, door, depth, purpose NULLS LAST
)
SELECT e.door, d.controller, d.driver, d.report, d.municipality, max(e.before_s) AS before_s, max(e.after_s) AS after_s
FROM each_door e CROSS JOIN LATERAL (  -- door by door: a plan for any number of doors would read them all
  SELECT d.controller, c.driver, c.report, f.municipality
  FROM door d JOIN controller c ON c.id = d.controller JOIN facility f ON f.id = c.facility
  WHERE d.id = e.door AND c.retired_at IS NULL AND d.removed_at IS NULL OFFSET 0) d
WHERE NOT EXISTS (SELECT FROM access_grant WHERE reservation = $3)
GROUP BY e.door, d.controller, d.driver, d.report, d.municipality ORDER BY e.door
"""


async def openings_of(
    resources: list[UUID], purpose: str, *, unless_granted: UUID | None = None
) -> list[Opening]:
    """Return the doors that a booking of these resources for this purpose opens, each once.

    None where the reservation `unless_granted` has been promised its doors already.
    """
    return await db.rows(Opening, _OPENINGS, resources, purpose, unless_granted)


class _Window(db.Record):
    door: str
    nb: datetime
    na: datetime


async def stands_as_ruled(reservation: UUID, resources: list[UUID], span: Span, purpose: str) -> bool:
    """True if the reservation's own codes have the doors and times that the rules give it now."""
    around = [(one.door, one.around(span)) for one in await openings_of(resources, purpose)]
    present = await db.rows(
        _Window,
        "SELECT DISTINCT w.door, w.nb, w.na FROM grant_window w JOIN access_grant g ON g.id = w.access_grant"
        " WHERE g.reservation = $1 AND g.role = 'leader' AND g.gone_ver IS NULL",
        reservation,
    )
    return {(door, one.start, one.end) for door, one in around} == {
        (one.door, one.nb, one.na) for one in present
    }
