"""Which doors a booking opens, and from when to when: access rules applied to a booked time."""

from datetime import timedelta
from uuid import UUID

from booking import db
from booking.span import Span


class Opening(db.Record):
    """A door that a booking opens, with its grace in seconds."""

    door: str
    controller: str
    driver: str
    municipality: str
    before_s: int
    after_s: int

    def around(self, span: Span) -> Span:
        """Return the booked time with this door's grace."""
        return span.widened(before=timedelta(seconds=self.before_s), after=timedelta(seconds=self.after_s))


# For each resource the rules of the nearest part upwards that has any; a rule for this purpose beats the one
# for all. Where several resources lead through one door, the widest grace holds.
_OPENINGS = """
WITH RECURSIVE up (leaf, id, parent, depth) AS (
  SELECT id, id, parent, 0 FROM resource WHERE id = ANY($1)
  UNION ALL SELECT up.leaf, r.id, r.parent, up.depth + 1 FROM resource r JOIN up ON r.id = up.parent
), ruled AS (
  SELECT DISTINCT ON (leaf) leaf, id FROM up
  WHERE EXISTS (SELECT FROM access_rule a WHERE a.resource = up.id) ORDER BY leaf, depth
), each_door AS (
  SELECT DISTINCT ON (ruled.leaf, a.door) a.door, a.before_s, a.after_s
  FROM ruled JOIN access_rule a ON a.resource = ruled.id
  WHERE a.purpose IS NULL OR a.purpose = $2
  ORDER BY ruled.leaf, a.door, a.purpose NULLS LAST
)
SELECT e.door, d.controller, c.driver, f.municipality, max(e.before_s) AS before_s, max(e.after_s) AS after_s
FROM each_door e JOIN door d ON d.id = e.door JOIN controller c ON c.id = d.controller
  JOIN facility f ON f.id = c.facility
WHERE c.retired_at IS NULL AND NOT EXISTS (SELECT FROM access_grant WHERE reservation = $3)
GROUP BY e.door, d.controller, c.driver, f.municipality ORDER BY e.door
"""


async def openings_of(
    resources: list[UUID], purpose: str, *, unless_granted: UUID | None = None
) -> list[Opening]:
    """Return the doors that a booking of these resources for this purpose opens, each once.

    None where the reservation `unless_granted` has been promised its doors already.
    """
    return await db.rows(Opening, _OPENINGS, resources, purpose, unless_granted)
