"""Controllers: enrolled, replaced, re-keyed, retired; the restore quarantine. For administrators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
import segno
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from booking import db, locks
from booking.api.access import NO_STORE
from booking.api.errors import responses
from booking.api.shapes import CodeRequired, Line
from booking.people import Actor

ControllerId = Annotated[str, PathParameter(pattern=r"^[a-z0-9-]{1,32}$")]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,31}$")]
WireId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,15}$", examples=["d1"])]


class NewDoor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A door as the controller calls it."""

    wire_id: WireId
    name: Line
    kind: locks.DoorKind = "door"


class NewController(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A controller and its doors."""

    name: Name
    facility_id: UUID
    doors: Annotated[list[NewDoor], Meta(min_length=1, max_length=32)]
    driver: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,20}$")] = "native"


class Retirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`force`: also while bookings to come open by it."""

    force: bool = False


class Retired(msgspec.Struct, frozen=True):
    """The controller, and how many bookings to come it had to open; those that booked are told."""

    controller: locks.ControllerView
    bookings: int


class Enrolled(msgspec.Struct, frozen=True):
    """What is carried to the device, told this once: `key_file` is its controller.json, `qr_svg` the same to scan."""

    controller: str
    gen: int
    key_file: str
    qr_svg: str

    def __repr__(self) -> str:
        return f"Enrolled(controller={self.controller!r}, gen={self.gen})"


class Controllers(msgspec.Struct, frozen=True):
    """The controllers of a municipality."""

    controllers: list[locks.ControllerView]


class ControllerController(Controller):
    """Door controllers."""

    path = "/controllers"
    tags = ("Doors",)

    @get("/", operation_id="ListControllers", responses=responses(404))
    async def index(
        self, municipality: CodeRequired, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Controllers:
        """Return the controllers of a municipality where the caller is staff."""
        return Controllers(await locks.controllers_of(municipality, by=actor, now=now))

    @post("/", operation_id="EnrolController", responses=responses(404, 409, 422))
    async def enrol(
        self, data: JSONBody[NewController], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[Enrolled]:
        """Make a controller and its doors known. The key is told this once; the name of a live one is refused."""
        async with db.transaction():
            made = await locks.enrol(
                data.name, facility=data.facility_id, by=actor, now=now, driver=data.driver
            )
            for one in data.doors:
                await locks.add_door(data.name, one.wire_id, one.name, kind=one.kind)
        return _told(made)

    @post("/{controller_id:str}/replace", operation_id="ReplaceController", responses=responses(404))
    async def replace(
        self, controller_id: ControllerId, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[Enrolled]:
        """Give new hardware the place of a controller: another key at once, doors and codes stay."""
        return _told(await locks.replace(controller_id, by=actor, now=now))

    @post("/{controller_id:str}/key", operation_id="StageKey", responses=responses(404))
    async def stage(
        self, controller_id: ControllerId, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[Enrolled]:
        """Make the next key of a controller; the present one stays in force until it is activated."""
        return _told(await locks.stage_key(controller_id, by=actor, now=now))

    @post(
        "/{controller_id:str}/key/activate",
        operation_id="ActivateKey",
        status_code=200,
        responses=responses(404, 422),
    )
    async def activate(
        self, controller_id: ControllerId, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> locks.ControllerView:
        """Put the next key in force, when it has been carried to the controller."""
        await locks.activate_key(controller_id, by=actor, now=now)
        return await locks.controller_of(controller_id, by=actor, now=now)

    @post(
        "/{controller_id:str}/retire",
        operation_id="RetireController",
        status_code=200,
        responses=responses(404, 409),
    )
    async def retire(
        self,
        controller_id: ControllerId,
        data: JSONBody[Retirement],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Retired:
        """Empty a controller of its codes and take its account away; who has booked its doors is told."""
        ahead = await locks.retire(controller_id, force=data.force, by=actor, now=now)
        return Retired(await locks.controller_of(controller_id, by=actor, now=now), ahead)

    @post("/{controller_id:str}/doors", operation_id="AddDoor", responses=responses(404, 409, 422))
    async def add_door(
        self,
        controller_id: ControllerId,
        data: JSONBody[NewDoor],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> locks.ControllerView:
        """Add a door to a live controller, or one that was taken away from it."""
        await locks.attach_door(controller_id, data.wire_id, data.name, kind=data.kind, by=actor, now=now)
        return await locks.controller_of(controller_id, by=actor, now=now)

    @get("/{controller_id:str}/quarantine", operation_id="GetQuarantine", responses=responses(404))
    async def quarantine(
        self, controller_id: ControllerId, actor: NamedDependency[Actor]
    ) -> locks.QuarantineView:
        """Return what a controller holds that this database, restored from a backup, knows nothing of."""
        return await locks.quarantine_of(controller_id, by=actor)

    @post(
        "/{controller_id:str}/quarantine/confirm",
        operation_id="EndQuarantine",
        status_code=200,
        responses=responses(404),
    )
    async def end_quarantine(
        self, controller_id: ControllerId, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> locks.ControllerView:
        """Take the server's side: what the controller held is replaced by what this database knows."""
        await locks.end_quarantine(controller_id, by=actor, now=now)
        return await locks.controller_of(controller_id, by=actor, now=now)


def _told(made: locks.Enrolment) -> Response[Enrolled]:
    text = made.key_file.decode()
    picture = segno.make_qr(text, error="m").svg_inline(scale=4, border=4)
    return Response(Enrolled(made.controller, made.gen, text, picture), status_code=201, headers=NO_STORE)
