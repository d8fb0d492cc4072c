"""A resource's page, its pictures and terms for everybody, and the tree of what there is for staff."""

from datetime import date, datetime
from uuid import UUID

from booking import db
from booking.clock import local_date
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.places.hour_pages import Different, WeekStretch, different_ahead, ordinary_hours
from booking.places.queries import Kind, Resource, ResourceCard, equipment, parts, resource
from booking.places.rule_pages import RulesView, rules_shown_on


class ImageRef(db.Record):
    """A picture, with words for those who don't see it."""

    id: UUID
    url: str
    alt: str


class ResourcePage(ResourceCard):
    """A resource with what can be chosen in it or beside it, its rules today and its hours."""

    description: str
    accessibility: str
    images: list[ImageRef]
    parts: list[ResourceCard]
    units: list[ResourceCard]
    equipment: list[ResourceCard]
    rules: RulesView
    hours: list[WeekStretch]
    exceptions_ahead: list[Different]


class _Words(db.Record):
    description: str
    accessibility: str


async def resource_page(resource_id: UUID, now: datetime, *, in_use: bool = True) -> ResourcePage:
    """Return a resource's page (public); with `in_use` false also of one out of use. Raises NotFound."""
    found = await resource(resource_id, in_use=in_use)
    words = await db.row(_Words, "SELECT description, accessibility FROM resource WHERE id = $1", resource_id)
    assert words is not None  # read a moment ago, and resources stay
    inside = [one.card for one in await parts(resource_id)]
    beside = [] if found.kind == "equipment" else await equipment(found.facility.id)
    today = local_date(now)
    return ResourcePage(
        **{name: getattr(found, name) for name in ResourceCard.__struct_fields__},
        description=words.description,
        accessibility=words.accessibility,
        images=await _images(resource_id),
        parts=[] if found.picks_unit else inside,
        units=inside if found.picks_unit else [],
        equipment=[one.card for one in beside],
        rules=await rules_shown_on(resource_id, today),
        hours=await ordinary_hours(found.facility.municipality.code, await _heard(found), today),
        exceptions_ahead=await different_ahead(found.calendar, now),
    )


async def _images(resource_id: UUID) -> list[ImageRef]:
    return await db.rows(
        ImageRef,
        "SELECT id, '/api/images/' || id AS url, alt FROM resource_image WHERE resource = $1 ORDER BY position, id",
        resource_id,
    )


async def _heard(found: Resource) -> list[str]:
    """Return the levels whose hours the resource follows, the most general first."""
    line = await db.column(
        str,
        "WITH RECURSIVE up (id, parent, depth) AS (SELECT id, parent, 0 FROM resource WHERE id = $1"
        " UNION ALL SELECT r.id, r.parent, depth + 1 FROM up JOIN resource r ON r.id = up.parent)"
        " SELECT id::text FROM up ORDER BY depth DESC",
        found.id,
    )
    return [found.facility.municipality.code, str(found.facility.id), *line]


class Picture(db.Record):
    """A picture's bytes."""

    media_type: str
    content: bytes


async def picture(image_id: UUID) -> Picture:
    """Return a picture (public); it never changes. Raises NotFound."""
    found = await db.row(Picture, "SELECT media_type, content FROM resource_image WHERE id = $1", image_id)
    if found is None:
        raise NotFound("there is no such picture", code="unknown_image")
    return found


class ResourceSettings(ResourcePage):
    """A resource as its staff see it: also what only those who have booked read, and what it shares its floor with."""

    instructions: str
    tariff_class: str
    is_bookable: bool
    shares_floor_with: list[UUID]


class _Own(db.Record):
    instructions: str
    tariff_class: str
    is_bookable: bool
    shares_floor_with: list[UUID]


async def resource_settings(resource_id: UUID, *, by: Actor, now: datetime) -> ResourceSettings:
    """Return a resource as staff see it. Raises NotFound, also for another municipality's."""
    page = await resource_page(resource_id, now, in_use=False)
    by.must_have(page.facility.municipality.code, Role.STAFF)
    own = await db.row(
        _Own,
        "SELECT r.instructions, r.tariff_class, r.is_bookable, ARRAY(SELECT DISTINCT o.resource"
        " FROM resource_leaf l JOIN resource_leaf o ON o.leaf = l.leaf AND o.resource <> l.resource"
        " WHERE l.resource = r.id ORDER BY 1) AS shares_floor_with FROM resource r WHERE r.id = $1",
        resource_id,
    )
    assert own is not None
    known = {name: getattr(page, name) for name in ResourcePage.__struct_fields__}
    return ResourceSettings(**known, **{name: getattr(own, name) for name in _Own.__struct_fields__})


class TreeResource(db.Record):
    """A resource in the tree; `parent_id` is the whole or the pool that it belongs to."""

    id: UUID
    name: str
    kind: Kind
    parent_id: UUID | None
    is_bookable: bool
    picks_unit: bool


class TreeFacility(db.Record):
    """A facility with everything in it, wholes before parts."""

    id: UUID
    name: str
    resources: list[TreeResource]


class _Node(TreeResource):
    facility: UUID


async def tree(municipality: str, *, by: Actor) -> list[TreeFacility]:
    """Return everything a municipality has, also what is out of use. Raises NotFound for another's."""
    by.must_have(municipality, Role.STAFF)
    facilities = await db.rows(
        TreeFacility,
        "SELECT id, name, '{}'::text[] AS resources FROM facility WHERE municipality = $1 ORDER BY name",
        municipality,
    )
    nodes = await db.rows(
        _Node,
        "SELECT r.id, r.name, r.kind, r.parent AS parent_id, r.is_bookable, r.picks_unit, r.facility"
        " FROM resource r JOIN facility f ON f.id = r.facility WHERE f.municipality = $1"
        " ORDER BY r.parent IS NOT NULL, length(r.name), r.name",
        municipality,
    )
    for one in facilities:
        one.resources = [
            TreeResource(node.id, node.name, node.kind, node.parent_id, node.is_bookable, node.picks_unit)
            for node in nodes
            if node.facility == one.id
        ]
    return facilities


class TermsView(db.Record):
    """What a municipality asks everybody to accept; a version never changes."""

    municipality: str
    version: str
    text_sv: str
    text_en: str
    published_at: datetime


async def terms(municipality: str, version: str) -> TermsView:
    """Return a version of the terms (public). Raises NotFound."""
    found = await db.row(
        TermsView,
        "SELECT municipality, version, text_sv, text_en, published_at FROM terms"
        " WHERE municipality = $1 AND version = $2",
        municipality,
        version,
    )
    if found is None:
        raise NotFound("there are no such terms", code="unknown_terms")
    return found


class TermsRef(db.Record):
    """A published version."""

    version: str
    published_at: datetime


async def published_terms(municipality: str, *, by: Actor) -> list[TermsRef]:
    """Return the versions of a municipality's terms, the latest first."""
    by.must_have(municipality, Role.STAFF)
    return await db.rows(
        TermsRef,
        "SELECT version, published_at FROM terms WHERE municipality = $1 ORDER BY published_at DESC",
        municipality,
    )


class BreakView(db.Record):
    """School is out from one day to another, both included."""

    id: UUID
    name: str
    from_day: date
    to_day: date


async def breaks(municipality: str, *, since: date) -> list[BreakView]:
    """Return a municipality's school breaks that end on the day or later (public), in order."""
    return await db.rows(
        BreakView,
        "SELECT id, name, from_day, to_day FROM school_break WHERE municipality = $1 AND to_day >= $2"
        " ORDER BY from_day",
        municipality,
        since,
    )
