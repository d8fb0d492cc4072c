"""Reads of places. Facilities and resources are public; who may book them is the calendar's matter."""

from typing import Literal
from uuid import UUID

from booking import db
from booking.errors import NotFound

Kind = Literal[
    "hall", "hall_part", "ice", "pitch", "premises", "vehicle", "pool", "court", "lane", "bike", "equipment"
]


class MunicipalityRef(db.Record):
    """A municipality as shown beside a name."""

    code: str
    name: str


class FacilityRef(db.Record):
    """A facility as shown on a card."""

    id: UUID
    slug: str
    name: str
    municipality: MunicipalityRef
    address: str
    lat: float
    lon: float


class FacilityPage(db.Record):
    """What the facility's own page says beside its card."""

    description: str
    on_call_phone: str
    access_text: str
    accessibility: str


class _Shown(db.Record):
    id: UUID
    slug: str
    name: str
    kind: Kind
    part_of: str | None
    parent_id: UUID | None
    capacity: int | None  # people; of a pool of equipment how many there are
    area_m2: int | None
    features: list[str]
    surface: str | None
    picks_unit: bool
    image: str | None


class ResourceCard(_Shown):
    """A bookable thing as lists show it."""

    facility: FacilityRef


class _Whole(_Shown):
    tariff_class: str
    calendar: UUID
    leaves: list[int]


class Resource(_Whole):
    """A bookable thing with the leaves it occupies and the calendar whose open days it follows.

    A pool (`picks_unit`) has no leaves of its own: the system books one of its children.
    """

    facility: FacilityRef

    @property
    def card(self) -> ResourceCard:
        """What lists show of it."""
        return ResourceCard(**{name: getattr(self, name) for name in ResourceCard.__struct_fields__})


class _Flat(_Whole):
    facility_id: UUID
    facility_slug: str
    facility_name: str
    municipality_code: str
    municipality_name: str
    address: str
    lat: float
    lon: float

    def resource(self) -> Resource:
        town = MunicipalityRef(self.municipality_code, self.municipality_name)
        facility = FacilityRef(
            self.facility_id, self.facility_slug, self.facility_name, town, self.address, self.lat, self.lon
        )
        return Resource(
            **{name: getattr(self, name) for name in Resource.__struct_fields__ if name != "facility"},
            facility=facility,
        )


_SELECT = """
SELECT r.id, r.slug, r.name, r.kind, p.name AS part_of, r.parent AS parent_id, r.area_m2,
  CASE WHEN r.kind = 'equipment' AND r.picks_unit
    THEN (SELECT count(*) FROM resource u WHERE u.parent = r.id AND u.is_bookable) ELSE r.capacity END AS capacity,
  r.features, r.surface, r.picks_unit, r.tariff_class, r.calendar,
  (SELECT '/api/images/' || i.id FROM resource_image i WHERE i.resource = r.id ORDER BY i.position, i.id LIMIT 1)
    AS image,
  ARRAY(SELECT l.leaf FROM resource_leaf l WHERE l.resource = r.id ORDER BY l.leaf) AS leaves,
  f.id AS facility_id, f.slug AS facility_slug, f.name AS facility_name, f.address, f.lat, f.lon,
  m.code AS municipality_code, m.name AS municipality_name
FROM resource r JOIN facility f ON f.id = r.facility JOIN municipality m ON m.code = f.municipality
  LEFT JOIN resource p ON p.id = r.parent
"""


_CHOSEN = "r.is_bookable AND p.picks_unit IS NOT TRUE"  # what people choose among: pools, not their units
_ALONE = "r.kind <> 'equipment'"


async def resource(resource_id: UUID, *, in_use: bool = True) -> Resource:
    """Return one resource; with `in_use` false also one that can't be booked any more. Raises NotFound."""
    found = await db.row(
        _Flat, _SELECT + " WHERE r.id = $1 AND (r.is_bookable OR NOT $2)", resource_id, in_use
    )
    if found is None:
        raise NotFound("there is no such resource", code="unknown_resource")
    return found.resource()


async def resources_by_id(ids: list[UUID]) -> dict[UUID, Resource]:
    """Return those of the resources that exist, also those out of use: their bookings stand."""
    flat = await db.rows(_Flat, _SELECT + " WHERE r.id = ANY($1)", ids)
    return {one.id: one.resource() for one in flat}


async def resources(
    *,
    municipalities: list[str],
    kind: str | None = None,
    text: str | None = None,
    min_area_m2: int | None = None,
    whole: bool | None = None,
    as_taken: bool = False,
) -> list[Resource]:
    """Return the resources of these municipalities that fit the wish, by name.

    Units are booked through their pool, and equipment as an extra: only its own kind finds it. With `as_taken`
    units stand there instead of their pools, which are never taken themselves. `text` is matched in the names of resource, facility, municipality and kind, each word anywhere.
    """
    flat = await db.rows(
        _Flat,
        _SELECT
        + " WHERE r.is_bookable AND f.municipality = ANY($1) AND ($2::text IS NULL OR r.kind = $2)"
        + f" AND ($2::text IS NOT NULL OR {_ALONE}) AND CASE WHEN $6 THEN NOT r.picks_unit ELSE {_CHOSEN} END"
        + " AND ($3::int IS NULL OR r.area_m2 >= $3)"
        + " AND ($4::bool IS NULL OR (r.parent IS NULL) = $4)"
        + " AND NOT EXISTS (SELECT FROM unnest($5::text[]) w WHERE position(w IN lower("
        + "   concat_ws(' ', r.name, r.kind, r.tariff_class, f.name, f.address, f.description, m.name))) = 0)"
        + " ORDER BY f.name, r.parent IS NOT NULL, r.name",
        municipalities,
        kind,
        min_area_m2,
        whole,
        text.lower().split() if text else [],
        as_taken,
    )
    return [one.resource() for one in flat]


class _FacilityRow(db.Record):
    id: UUID
    description: str
    on_call_phone: str
    access_text: str
    accessibility: str

    def page(self) -> FacilityPage:
        return FacilityPage(self.description, self.on_call_phone, self.access_text, self.accessibility)


_FACILITY = """
SELECT f.id, f.description, coalesce(f.on_call_phone, m.on_call_phone) AS on_call_phone, f.access_text, f.accessibility
FROM facility f JOIN municipality m ON m.code = f.municipality
"""


async def facility(slug: str) -> tuple[FacilityPage, list[Resource]]:
    """Return a facility's page and what people choose among there, wholes before parts. Raises NotFound."""
    found = await db.row(_FacilityRow, _FACILITY + " WHERE f.slug = $1", slug)
    if found is None:
        raise NotFound("there is no such facility", code="unknown_facility")
    chosen = f" WHERE {_CHOSEN} AND {_ALONE} AND f.id = $1"
    flat = await db.rows(_Flat, _SELECT + chosen + " ORDER BY r.parent IS NOT NULL, r.name", found.id)
    return found.page(), [one.resource() for one in flat]


async def facility_page(facility_id: UUID) -> FacilityPage:
    """Return what a facility says about itself. Raises NotFound."""
    found = await db.row(_FacilityRow, _FACILITY + " WHERE f.id = $1", facility_id)
    if found is None:
        raise NotFound("there is no such facility", code="unknown_facility")
    return found.page()


async def parts(resource_id: UUID) -> list[Resource]:
    """Return the parts of a resource in use, or the units of a pool, by name (public)."""
    flat = await db.rows(
        _Flat, _SELECT + " WHERE r.parent = $1 AND r.is_bookable ORDER BY length(r.name), r.name", resource_id
    )
    return [one.resource() for one in flat]


async def equipment(facility_id: UUID) -> list[Resource]:
    """Return the equipment of a facility that can be added to a booking, by name (public)."""
    flat = await db.rows(
        _Flat,
        _SELECT + f" WHERE {_CHOSEN} AND r.kind = 'equipment' AND f.id = $1 ORDER BY r.name",
        facility_id,
    )
    return [one.resource() for one in flat]


async def leaves_of(ids: list[UUID]) -> dict[UUID, list[int]]:
    """Return the leaves of each resource as they are now: read again under their locks, for halls get divided."""
    found = await db.rows(
        _Leaves,
        "SELECT resource, array_agg(leaf ORDER BY leaf) AS leaves FROM resource_leaf"
        " WHERE resource = ANY($1) GROUP BY resource",
        ids,
    )
    return {one: [] for one in ids} | {one.resource: one.leaves for one in found}


class _Leaves(db.Record):
    resource: UUID
    leaves: list[int]
