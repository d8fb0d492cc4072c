"""The demonstration's simulated keypads. Absent in production."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from booking import locks
from booking.api.errors import responses
from booking.errors import NotFound, Unavailable
from booking.settings import Settings
from booking.simulated.keypad import socket_path


class SimulatedDoor(msgspec.Struct, frozen=True):
    """A door with a simulated keypad."""

    id: str
    name: str
    facility_name: str
    municipality: str
    controller: str


class SimulatedDoors(msgspec.Struct, frozen=True):
    """The doors with simulated keypads."""

    doors: list[SimulatedDoor]


class Typed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Digits typed at the keypad, now or (simulated keypads only) at another time."""

    pin: Annotated[str, Meta(pattern=r"^[0-9]{1,12}$")]
    at: Annotated[datetime, Meta(tz=True)] | None = None


class TryResult(msgspec.Struct, frozen=True):
    """What the simulated door did."""

    granted: bool
    event: str
    why: str | None
    unlock_s: int | None


class SimulationController(Controller):
    """Simulated hardware of the demonstration."""

    path = "/simulation"
    tags = ("Simulation",)

    @get("/doors", operation_id="ListSimulatedDoors", responses=responses(404))
    async def doors(self, settings: NamedDependency[Settings]) -> SimulatedDoors:
        """Return every simulated keypad."""
        _keypads(settings)
        found = await locks.door_places()
        return SimulatedDoors(
            [
                SimulatedDoor(one.id, one.name, one.facility_name, one.municipality, one.controller)
                for one in found
            ]
        )

    @post(
        "/doors/{door_id:str}/try",
        operation_id="TrySimulatedDoor",
        status_code=200,
        responses=responses(403, 404, 503),
    )
    async def type_pin(
        self,
        door_id: Annotated[str, PathParameter(pattern=r"^[a-z0-9-]{1,60}$")],
        data: JSONBody[Typed],
        settings: NamedDependency[Settings],
    ) -> TryResult:
        """Type a PIN at a simulated keypad; the reference controller decides exactly as for a real one."""
        keypads = _keypads(settings)
        found = next((one for one in await locks.door_places() if one.id == door_id), None)
        if found is None:
            raise NotFound("there is no such door")
        return await type_at_keypad(keypads / found.controller, found.wire_id, data.pin, data.at)


async def type_at_keypad(controller_state: Path, wire_id: str, pin: str, at: datetime | None) -> TryResult:
    """Return what the simulated door answered. Raises Unavailable if its controller isn't running."""
    message: dict[str, object] = {"door": wire_id, "pin": pin}
    if at is not None:
        message["at"] = int(at.timestamp())
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket_path(controller_state)))
        writer.write(msgspec.json.encode(message) + b"\n")
        await writer.drain()
        async with asyncio.timeout(5):
            line = await reader.readline()
        writer.close()
        return msgspec.json.decode(line, type=TryResult)
    except (OSError, TimeoutError, msgspec.DecodeError) as error:
        raise Unavailable("the simulated controller doesn't answer", code="controller_down") from error


def _keypads(settings: Settings) -> Path:
    if not settings.demo or settings.keypad_dir is None:
        raise NotFound("this is no demonstration")
    return settings.keypad_dir
