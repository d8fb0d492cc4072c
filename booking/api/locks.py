"""Doors and codes on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from booking import locks, reservations
from booking.api.errors import responses
from booking.api.shapes import CodeRequired
from booking.people import Actor

DoorId = Annotated[str, PathParameter(pattern=r"^[a-z0-9-]{1,60}$")]


class Doors(msgspec.Struct, frozen=True):
    """The doors of a municipality."""

    doors: list[locks.DoorView]


class LockController(Controller):
    """Doors, and the code of a booking."""

    tags = ("Doors",)

    @get("/reservations/{reservation_id:uuid}/access", operation_id="GetAccess", responses=responses(404))
    async def access(
        self, reservation_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[locks.AccessView]:
        """Return the code with where it stands: sent, confirmed in the door, taken back. Never cached."""
        await reservations.must_see(reservation_id, actor)
        view = await locks.access_of(reservation_id, by=actor, now=now)
        return Response(view, headers={"Cache-Control": "no-store"})

    @get("/doors", operation_id="ListDoors", responses=responses(404))
    async def index(
        self, municipality: CodeRequired, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Doors:
        """Return the doors of a municipality where the caller is staff."""
        return Doors(await locks.doors(municipality, by=actor, now=now))

    @get("/doors/{door_id:str}", operation_id="GetDoor", responses=responses(404))
    async def read(
        self, door_id: DoorId, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> locks.DoorPage:
        """Return a door with its codes now and next and its last events."""
        return await locks.door(door_id, by=actor, now=now)
