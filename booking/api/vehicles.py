"""Vehicles on the wire: trips, drivers, damages."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from booking import reservations
from booking.api.auth import IdempotencyKey, once, once_if_keyed
from booking.api.errors import responses
from booking.api.resources import IMAGE_BODY
from booking.api.shapes import (
    CodeRequired,
    Email,
    HTTPRequest,
    LimitQuery,
    MunicipalityCode,
    OffsetQuery,
    must_be_a_day,
)
from booking.people import Actor
from booking.reservations import Photo, Reading

Km = Annotated[int, Meta(ge=0, le=2_000_000)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Text = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


class PickUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The meter (km), fuel or charge (per cent), and a damage that was there before."""

    km: Km
    pct: Percent
    damage: Text | None = None


class BringBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The meter (km), fuel or charge (per cent), and what staff should know."""

    km: Km
    pct: Percent
    note: Text | None = None


class TripController(Controller):
    """A vehicle's pick-up and return."""

    path = "/reservations/{reservation_id:uuid}"
    tags = ("Vehicles",)

    @get("/trip", operation_id="GetTrip", responses=responses(404))
    async def read(
        self, reservation_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.TripView:
        """Return a vehicle booking's trip; its fields are null until it has begun."""
        return await reservations.trip(reservation_id, actor, now)

    @post(
        "/pickup", operation_id="PickUpVehicle", status_code=200, responses=responses(401, 403, 404, 409, 422)
    )
    async def pick_up(
        self,
        request: HTTPRequest,
        reservation_id: FromPath[UUID],
        data: JSONBody[PickUp],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.TripView]:
        """Pick the vehicle up, from half an hour before the booked time."""
        actor.must_be_known()

        async def act() -> reservations.TripView:
            reading = Reading(data.km, data.pct)
            await reservations.pick_up(reservation_id, reading, damage=data.damage, by=actor, now=now)
            return await reservations.trip(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)

    @post("/return", operation_id="ReturnVehicle", status_code=200, responses=responses(401, 404, 409, 422))
    async def bring_back(
        self,
        request: HTTPRequest,
        reservation_id: FromPath[UUID],
        data: JSONBody[BringBack],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.TripView]:
        """Bring the vehicle back; the km are charged by the list."""
        actor.must_be_known()

        async def act() -> reservations.TripView:
            reading = Reading(data.km, data.pct)
            await reservations.bring_back(reservation_id, reading, note=data.note, by=actor, now=now)
            return await reservations.trip(reservation_id, actor, now)

        return await once_if_keyed(request, idempotency_key, now, act)


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A licence that staff have seen; `valid_to` in the past ends it."""

    municipality: MunicipalityCode
    account_email: Email
    valid_to: date
    classes: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[A-Z0-9 ,]*$", examples=["B"])] = "B"


class Drivers(msgspec.Struct, frozen=True):
    """A page of drivers."""

    drivers: list[reservations.DriverView]
    total: int


class DriverController(Controller):
    """Who may drive a municipality's vehicles."""

    path = "/drivers"
    tags = ("Vehicles",)

    @get("/", operation_id="ListDrivers", responses=responses(404))
    async def index(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> Drivers:
        """Return the drivers of a municipality where the caller is staff."""
        return Drivers(
            *await reservations.drivers_of(actor, municipality=municipality, limit=limit, offset=offset)
        )

    @put("/", operation_id="RegisterDriver", responses=responses(404, 422))
    async def register(
        self, data: JSONBody[Licence], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.DriverView:
        """Note that the account's licence has been seen, or until when it counts."""
        must_be_a_day(data.valid_to)
        return await reservations.register_driver(
            data.municipality, data.account_email, data.classes, data.valid_to, by=actor, now=now
        )


class NewPhoto(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture of at most 600 kB in base64."""

    media_type: Literal["image/jpeg", "image/png", "image/webp"]
    content: bytes


class NewDamage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is broken."""

    text: Text
    photo: NewPhoto | None = None


class Damages(msgspec.Struct, frozen=True):
    """A resource's damages, those not mended first."""

    damage: list[reservations.DamageView]
    total: int


class DamageController(Controller):
    """Damages, reported by those who have booked the thing."""

    tags = ("Vehicles",)

    @get("/resources/{resource_id:uuid}/damage", operation_id="ListDamage", responses=responses(404))
    async def index(self, resource_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Damages:
        """Return a resource's damages to its owner's staff."""
        found = await reservations.damages(resource_id, by=actor)
        return Damages(found, len(found))

    @post(
        "/resources/{resource_id:uuid}/damage",
        operation_id="ReportDamage",
        responses=responses(401, 403, 404, 422),
        request_max_body_size=IMAGE_BODY,
    )
    async def report(
        self,
        request: HTTPRequest,
        resource_id: FromPath[UUID],
        data: JSONBody[NewDamage],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.DamageView]:
        """Report a damage, with a photo if you like; where and by whom it was taken is removed from it."""
        actor.must_be_known()
        photo = None if data.photo is None else Photo(data.photo.media_type, data.photo.content)

        async def act() -> reservations.DamageView:
            return await reservations.report_damage(resource_id, data.text, photo, by=actor, now=now)

        return await once(request, idempotency_key, now, act)

    @post(
        "/damage/{damage_id:uuid}/mended",
        operation_id="MendDamage",
        status_code=200,
        responses=responses(404),
    )
    async def mended(
        self, damage_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.DamageView:
        """Say that a damage is mended."""
        return await reservations.mend(damage_id, by=actor, now=now)

    @get(
        "/damage/{damage_id:uuid}/photo",
        operation_id="GetDamagePhoto",
        media_type="image/*",
        responses=responses(404),
    )
    async def photo(self, damage_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
        """Return the picture to staff and to the one who took it."""
        found = await reservations.damage_photo(damage_id, by=actor)
        return Response(found.content, media_type=found.media_type, headers=PRIVATE)
