"""What there is, on the wire, as staff describe and divide it: resources and pictures."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from booking import billing, places, reservations
from booking.api.auth import IdempotencyKey, once
from booking.api.errors import responses
from booking.api.shapes import NO_CONTROLS, CodeRequired, HTTPRequest, Line
from booking.clock import local_date
from booking.errors import NotFound, Rejected
from booking.people import Actor

IMAGE_BODY = 1_000_000  # 600 kB in base64, and its words


Words = Annotated[str, Meta(max_length=4000, pattern=r"^[^\x00]*$")]


Feature = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$", examples=["scoreboard"])]


Size = Annotated[int, Meta(ge=0, le=1_000_000)]


class TariffClass(msgspec.Struct, frozen=True):
    """What the municipality's price list calls a kind of resource."""

    code: str
    kind: str
    sv: str
    en: str


class Tree(msgspec.Struct, frozen=True):
    """Everything a municipality has, with the words of its price list."""

    facilities: list[places.TreeFacility]
    tariff_classes: list[TariffClass]


class ResourceWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a resource; what is left out stays."""

    name: Line | UnsetType = UNSET
    description: Words | UnsetType = UNSET
    instructions: Words | UnsetType = UNSET
    accessibility: Words | UnsetType = UNSET
    features: Annotated[tuple[Feature, ...], Meta(max_length=40)] | UnsetType = UNSET
    surface: Feature | UnsetType | None = UNSET
    capacity: Size | UnsetType | None = UNSET
    area_m2: Size | UnsetType | None = UNSET
    is_bookable: bool | UnsetType = UNSET


class NewThing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to add to a facility: of `leaves_of` (whole parts it consists of) and `own_leaf` one, or a pool's `units`.

    With `own_leaf` it lies in its parent and touches no other part but those it `overlaps`.
    """

    name: Line
    kind: places.Kind
    tariff_class: Annotated[str, Meta(min_length=1, max_length=60, pattern=NO_CONTROLS)]
    parent_id: UUID | None = None
    leaves_of: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()
    own_leaf: bool = False
    overlaps: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()
    picks_unit: bool = False
    units: Annotated[int, Meta(ge=0, le=200)] = 0


class NewImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture of at most 600 kB in base64, with words for those who don't see it."""

    media_type: Literal["image/jpeg", "image/png", "image/webp"]
    alt: Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_CONTROLS)]
    content: bytes


class ResourceController(Controller):
    """Resources as staff see them."""

    path = "/settings"
    tags = ("Settings",)

    @get("/tree", operation_id="GetTree", responses=responses(404))
    async def tree(
        self, municipality: CodeRequired, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Tree:
        """Return everything a municipality has, also what is out of use."""
        facilities = await places.tree(municipality, by=actor)
        return Tree(facilities, await _classes(municipality, local_date(now)))

    @get("/{level:str}/{place_id:uuid}", operation_id="GetResourceSettings", responses=responses(404))
    async def read(
        self,
        level: FromPath[Literal["resources"]],
        place_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> places.ResourceSettings:
        """Return a resource as its staff see it, with instructions and what it shares its floor with."""
        del level
        return await places.resource_settings(place_id, by=actor, now=now)

    @patch("/{level:str}/{place_id:uuid}", operation_id="ChangeResource", responses=responses(403, 404, 409))
    async def change(
        self,
        level: FromPath[Literal["resources"]],
        place_id: FromPath[UUID],
        data: JSONBody[ResourceWords],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> places.ResourcePage:
        """Describe a resource; out of use, it keeps the bookings it has."""
        del level
        facts = {name: getattr(data, name) for name in data.__struct_fields__}
        await places.change_resource(place_id, places.ResourceChange(**facts), by=actor, now=now)
        return await places.resource_page(place_id, now, in_use=False)

    @post(
        "/{level:str}/{place_id:uuid}/resources",
        operation_id="AddResource",
        responses=responses(403, 404, 409, 422),
    )
    async def add(
        self,
        request: HTTPRequest,
        level: FromPath[Literal["facilities"]],
        place_id: FromPath[UUID],
        data: JSONBody[NewThing],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[places.ResourcePage]:
        """Add a resource, a part of one, or a pool; bookings ahead of a divided hall keep all of it."""
        here = await places.level(level, str(place_id), by=actor)
        await _must_have_a_price(here.municipality, data, local_date(now))
        facts = {name: getattr(data, name) for name in data.__struct_fields__ if name != "parent_id"}
        new = places.NewResource(**facts, parent=data.parent_id)

        async def act() -> places.ResourcePage:
            made = await reservations.add_resource(place_id, new, by=actor, now=now)
            return await places.resource_page(made, now)

        return await once(request, idempotency_key, now, act)

    @post(
        "/{level:str}/{place_id:uuid}/images",
        operation_id="AddImage",
        responses=responses(403, 404, 409, 422),
        request_max_body_size=IMAGE_BODY,
    )
    async def show(
        self,
        request: HTTPRequest,
        level: FromPath[Literal["resources"]],
        place_id: FromPath[UUID],
        data: JSONBody[NewImage],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[places.ResourcePage]:
        """Add a picture; what the camera noted (where, when, by whom) is taken out of it."""
        del level

        async def act() -> places.ResourcePage:
            await places.add_image(place_id, data.media_type, data.alt, data.content, by=actor, now=now)
            return await places.resource_page(place_id, now, in_use=False)

        return await once(request, idempotency_key, now, act)

    @delete(
        "/{level:str}/{place_id:uuid}",
        operation_id="DeleteImage",
        status_code=200,
        responses=responses(403, 404),
    )
    async def hide(
        self,
        level: FromPath[Literal["images"]],
        place_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> places.ResourcePage:
        """Take a picture away."""
        del level
        resource = await places.delete_image(place_id, by=actor, now=now)
        return await places.resource_page(resource, now, in_use=False)


async def _must_have_a_price(municipality: str, new: NewThing, day: date) -> None:
    """Raise Rejected for a class that the price list lacks; equipment that it does not name is free."""
    if new.kind != "equipment" and new.tariff_class not in {
        one.code for one in await _classes(municipality, day)
    }:
        raise Rejected("the price list has no such class", code="unknown_tariff_class")


async def _classes(municipality: str, day: date) -> list[TariffClass]:
    try:
        classes = await billing.resource_classes(municipality, day)
    except NotFound:  # it has published no list yet
        return []
    return [TariffClass(code, one.kind, one.sv, one.en) for code, one in sorted(classes.items())]
