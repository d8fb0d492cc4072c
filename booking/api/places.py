"""Municipalities, facilities, resources, pictures, terms, theme: what everybody may read."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter, QueryParameter

from booking import db, people, places
from booking.api.errors import responses
from booking.errors import NotFound
from booking.people import Actor
from booking.settings import Settings

FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
Slug = Annotated[str, PathParameter(pattern=r"^[a-z0-9-]{1,80}$")]


class Municipalities(msgspec.Struct, frozen=True):
    """Every municipality with its neighbours."""

    municipalities: list[people.Neighbourhood]


class MapTiles(msgspec.Struct, frozen=True):
    """Where street-level tiles come from; null means the shipped boundaries only."""

    tile_url: str | None
    attribution: str | None


class Theme(msgspec.Struct, frozen=True):
    """Name, colour and contacts of a municipality, or of the whole installation."""

    municipality: str | None
    name: str
    contact_email: str
    contact_phone: str
    on_call_phone: str
    brand: str | None
    map: MapTiles


class FacilityView(msgspec.Struct, frozen=True):
    """A facility's page."""

    id: UUID
    slug: str
    name: str
    municipality: places.MunicipalityRef
    address: str
    lat: float
    lon: float
    description: str
    on_call_phone: str
    access_text: str
    accessibility: str


class FacilityPage(msgspec.Struct, frozen=True):
    """A facility with what can be booked there, wholes before parts."""

    facility: FacilityView
    resources: list[places.ResourceCard]


class PlacesController(Controller):
    """Public facts about places."""

    tags = ("Places",)

    @get("/municipalities", operation_id="ListMunicipalities")
    async def municipalities(self) -> Municipalities:
        """Return every municipality with its neighbours."""
        return Municipalities(await people.municipalities())

    @get("/theme", operation_id="GetTheme", responses=responses(404))
    async def theme(
        self,
        settings: NamedDependency[Settings],
        actor: NamedDependency[Actor],
        municipality: Annotated[str | None, QueryParameter(pattern=r"^[0-9]{4}$", required=False)] = None,
    ) -> Theme:
        """Return how the pages look and whom to call; without a code, the caller's home municipality's contacts."""
        tiles = MapTiles(settings.map_tile_url, settings.map_attribution)
        found = await db.row(_Contact, _CONTACT, municipality or actor.home)
        if found is None:
            raise NotFound("there is no such municipality here", code="unknown_municipality")
        if municipality is None:
            found.name = "Boka"
        return Theme(
            municipality,
            found.name,
            found.contact_email,
            found.contact_phone,
            found.on_call_phone,
            found.brand,
            tiles,
        )

    @get("/facilities/{slug:str}", operation_id="GetFacility", responses=responses(404))
    async def facility(self, slug: Slug) -> FacilityPage:
        """Return a facility with its resources."""
        page, found = await places.facility(slug)
        if not found:
            raise NotFound("nothing can be booked there", code="unknown_facility")
        ref = found[0].facility
        view = FacilityView(
            **{name: getattr(ref, name) for name in ref.__struct_fields__},
            description=page.description,
            on_call_phone=page.on_call_phone,
            access_text=page.access_text,
            accessibility=page.accessibility,
        )
        return FacilityPage(view, [one.card for one in found])

    @get("/resources/{resource_id:uuid}", operation_id="GetResource", responses=responses(404))
    async def resource(
        self, resource_id: FromPath[UUID], now: NamedDependency[datetime]
    ) -> places.ResourcePage:
        """Return a resource with its parts or units, the equipment beside it, its rules and its hours."""
        return await places.resource_page(resource_id, now)

    @get("/images/{image_id:uuid}", operation_id="GetImage", media_type="image/*", responses=responses(404))
    async def image(self, image_id: FromPath[UUID]) -> Response[bytes]:
        """Return a picture; it never changes, so keep it."""
        found = await places.picture(image_id)
        return Response(found.content, media_type=found.media_type, headers=FOR_EVER)

    @get("/terms/{municipality:str}/{version:str}", operation_id="GetTerms", responses=responses(404))
    async def terms(
        self,
        municipality: Annotated[str, PathParameter(pattern=r"^[0-9]{4}$")],
        version: Annotated[str, PathParameter(pattern=r"^[0-9A-Za-z._-]{1,20}$")],
    ) -> places.TermsView:
        """Return a version of a municipality's terms in Swedish and English."""
        return await places.terms(municipality, version)


class _Contact(db.Record):
    name: str
    contact_email: str
    contact_phone: str
    on_call_phone: str
    brand: str | None


_CONTACT = """
SELECT name, contact_email, contact_phone, on_call_phone, brand FROM municipality
WHERE code = $1 OR $1::text IS NULL ORDER BY name LIMIT 1
"""
