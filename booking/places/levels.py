"""Where rules and hours are written: a municipality, a facility or a resource. Each hears those above it."""

from typing import Literal
from uuid import UUID

from booking import db
from booking.errors import NotFound
from booking.people import Actor, Role

OWNED = (
    "(municipality, facility, resource) IS NOT DISTINCT FROM ($1::varchar, $2::uuid, $3::uuid)"  # by columns
)
Scope = Literal["municipalities", "facilities", "resources"]


class LevelRef(db.Record):
    """A level as a link shows it; `id` is the municipality's code or a UUID."""

    scope: Scope
    id: str
    name: str


class Level(LevelRef):
    """A level with its municipality, whose staff may write at it."""

    municipality: str
    path: list[LevelRef]  # the levels above it, the municipality first

    @property
    def columns(self) -> tuple[str | None, UUID | None, UUID | None]:
        """The columns (municipality, facility, resource) of rows that belong to this level."""
        return (
            self.id if self.scope == "municipalities" else None,
            UUID(self.id) if self.scope == "facilities" else None,
            UUID(self.id) if self.scope == "resources" else None,
        )

    @property
    def uuid(self) -> UUID | None:
        """The id, where it is a UUID."""
        return None if self.scope == "municipalities" else UUID(self.id)


# The municipality, its facility, then the resource and what it is a part of, the whole first.
_LINE = """
WITH RECURSIVE up (id, parent, name, facility, depth) AS (
  SELECT id, parent, name, facility, 0 FROM resource WHERE $1 = 'resources' AND id = $3
  UNION ALL SELECT r.id, r.parent, r.name, r.facility, up.depth + 1 FROM up JOIN resource r ON r.id = up.parent),
place AS (SELECT f.id, f.name, f.municipality FROM facility f WHERE ($1 = 'facilities' AND f.id = $3)
  OR f.id = (SELECT facility FROM up WHERE depth = 0))
SELECT scope, id, name FROM (
  SELECT 'municipalities' AS scope, m.code::text AS id, m.name, 1000000 AS nth FROM municipality m
  WHERE ($1 = 'municipalities' AND m.code = $2) OR m.code = (SELECT municipality FROM place)
  UNION ALL SELECT 'facilities', id::text, name, 100000 FROM place
  UNION ALL SELECT 'resources', id::text, name, depth FROM up) line ORDER BY nth DESC
"""


async def level(scope: Scope, place_id: str, *, by: Actor) -> Level:
    """Return the level. Raises NotFound if there is none, or if it is another municipality's."""
    line = await db.rows(LevelRef, _LINE, scope, place_id, _uuid(place_id))
    if not line or line[-1].scope != scope:
        raise NotFound("there is no such thing here")
    town, here = line[0].id, line[-1]
    by.must_have(town, Role.STAFF)
    return Level(here.scope, here.id, here.name, municipality=town, path=line[:-1])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def below(here: Level, *, by: Actor) -> list[LevelRef]:
    """Return the levels next below, by name."""
    by.must_have(here.municipality, Role.STAFF)
    code, facility, resource = here.columns
    return await db.rows(
        LevelRef,
        "SELECT 'facilities' AS scope, id::text AS id, name FROM facility WHERE municipality = $1"
        " UNION ALL SELECT 'resources', id::text, name FROM resource WHERE parent = $3"
        " OR (facility = $2 AND parent IS NULL) ORDER BY name",
        code,
        facility,
        resource,
    )


async def resources_at(here: Level, *, by: Actor) -> list[UUID]:
    """Return every resource at the level and below it."""
    by.must_have(here.municipality, Role.STAFF)
    code, facility, resource = here.columns
    return await db.column(
        UUID,
        "WITH RECURSIVE down (id) AS (SELECT id FROM resource WHERE id = $3"
        " UNION ALL SELECT r.id FROM down JOIN resource r ON r.parent = down.id)"
        " SELECT id FROM down UNION SELECT r.id FROM resource r JOIN facility f ON f.id = r.facility"
        " WHERE f.municipality = $1 OR f.id = $2",
        code,
        facility,
        resource,
    )
