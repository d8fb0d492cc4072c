"""Doors as staff see them: board, page, orders, alarms, the log."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from booking import locks
from booking.api.errors import responses
from booking.api.shapes import NO_CONTROLS, CodeRequired, Instant, LimitQuery, Line, Note, OffsetQuery
from booking.people import Actor

DoorId = Annotated[str, PathParameter(pattern=r"^[a-z0-9-]{1,60}$")]
DoorQuery = Annotated[
    str | None, QueryParameter(name="door_id", pattern=r"^[a-z0-9-]{1,60}$", required=False)
]
KindQuery = Annotated[str | None, QueryParameter(pattern=r"^[a-z_]{1,32}$", required=False)]
FromInstant = Annotated[datetime | None, QueryParameter(name="from", required=False)]
ToInstant = Annotated[datetime | None, QueryParameter(name="to", required=False)]
OpenQuery = Annotated[bool, QueryParameter(name="open", required=False, description="Only open alarms.")]
Reason = Annotated[str, Meta(min_length=3, max_length=500, pattern=NO_CONTROLS)]


class Doors(msgspec.Struct, frozen=True):
    """The doors of a municipality."""

    doors: list[locks.DoorView]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a door is to do and why. `until` belongs to `unlock`."""

    op: locks.Op
    reason: Reason
    until: Instant | None = None


class DoorChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be otherwise about a door; seconds as in the snapshot."""

    name: Line | None = None
    hint: Note | None = None
    kind: locks.DoorKind | None = None
    unlock_s: Annotated[int, Meta(ge=1, le=60)] | None = None
    held_s: Annotated[int, Meta(ge=10, le=1800)] | None = None


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`force`: also while bookings to come open it."""

    force: bool = False


class Removed(msgspec.Struct, frozen=True):
    """How many bookings to come the door had; those that booked are told."""

    bookings: int


class Alarms(msgspec.Struct, frozen=True):
    """Alarms, the open and newest first."""

    alarms: list[locks.AlarmView]
    total: int


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was done about it."""

    note: Note | None = None


class DoorEvents(msgspec.Struct, frozen=True):
    """Events, the newest first."""

    events: list[locks.EventView]
    total: int


class DoorController(Controller):
    """Doors, and orders to them."""

    path = "/doors"
    tags = ("Doors",)

    @get("/", operation_id="ListDoors", responses=responses(404))
    async def index(
        self, municipality: CodeRequired, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Doors:
        """Return the doors of a municipality where the caller is staff."""
        return Doors(await locks.doors(municipality, by=actor, now=now))

    @get("/{door_id:str}", operation_id="GetDoor", responses=responses(404))
    async def read(
        self, door_id: DoorId, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> locks.DoorPage:
        """Return a door with its codes now and next, its last events and orders."""
        return await locks.door(door_id, by=actor, now=now)

    @patch("/{door_id:str}", operation_id="ChangeDoor", responses=responses(404, 422))
    async def change(
        self,
        door_id: DoorId,
        data: JSONBody[DoorChange],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> locks.DoorPage:
        """Change a door's name, hint for bookers, kind or times. For administrators."""
        given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not None}
        await locks.change_door(door_id, given, by=actor, now=now)
        return await locks.door(door_id, by=actor, now=now)

    @post("/{door_id:str}/remove", operation_id="RemoveDoor", status_code=200, responses=responses(404, 409))
    async def remove(
        self,
        door_id: DoorId,
        data: JSONBody[Removal],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Removed:
        """Take a door away from its controller; no code or rule leads through it any more. For administrators."""
        return Removed(await locks.remove_door(door_id, force=data.force, by=actor, now=now))

    @post("/{door_id:str}/commands", operation_id="OrderCommand", responses=responses(404, 422))
    async def order(
        self,
        door_id: DoorId,
        data: JSONBody[Order],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> locks.CommandView:
        """Order a door to open once, lock down, stay unlocked or be normal again; to be confirmed within 2 minutes."""
        return await locks.order(door_id, data.op, data.reason, until=data.until, by=actor, now=now)

    @post(
        "/{door_id:str}/commands/{command_id:uuid}/confirm",
        operation_id="ConfirmCommand",
        status_code=200,
        responses=responses(404, 409),
    )
    async def confirm(
        self,
        door_id: DoorId,
        command_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> locks.CommandView:
        """Confirm an order: it is sent now, once."""
        return await locks.confirm(door_id, command_id, by=actor, now=now)

    @get("/{door_id:str}/commands/{command_id:uuid}", operation_id="GetCommand", responses=responses(404))
    async def command(
        self,
        door_id: DoorId,
        command_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> locks.CommandView:
        """Return an order with what became of it."""
        return await locks.command_of(door_id, command_id, by=actor, now=now)


class AlarmController(Controller):
    """Alarms of doors."""

    path = "/door-alarms"
    tags = ("Doors",)

    @get("/", operation_id="ListAlarms", responses=responses(404))
    async def index(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        open_only: OpenQuery = True,
        limit: LimitQuery = 50,
        offset: OffsetQuery = 0,
    ) -> Alarms:
        """Return the alarms of a municipality where the caller is staff."""
        found, total = await locks.alarms_of(
            municipality, open_only=open_only, by=actor, limit=limit, offset=offset
        )
        return Alarms(found, total)

    @post(
        "/{alarm_id:uuid}/acknowledge",
        operation_id="AcknowledgeAlarm",
        status_code=200,
        responses=responses(404, 422),
    )
    async def acknowledge(
        self,
        alarm_id: FromPath[UUID],
        data: JSONBody[Acknowledgement],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> locks.AlarmView:
        """Say that somebody sees to it; the alarm stays until it is cured."""
        return await locks.acknowledge(alarm_id, data.note, by=actor, now=now)


def search_of(
    municipality: CodeRequired,
    door_id: DoorQuery = None,
    kind: KindQuery = None,
    start: FromInstant = None,
    end: ToInstant = None,
) -> locks.Search:
    """Return which events are asked for."""
    return locks.Search(municipality, door_id, kind, start, end)


WHAT = {"what": Provide(search_of, sync_to_thread=False)}


class DoorEventController(Controller):
    """The log of the doors."""

    tags = ("Doors",)

    @get("/door-events", operation_id="ListDoorEvents", responses=responses(404, 422), dependencies=WHAT)
    async def index(
        self,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        what: NamedDependency[locks.Search],
        limit: LimitQuery = 50,
        offset: OffsetQuery = 0,
    ) -> DoorEvents:
        """Return what happened at the doors; the reading is journalled."""
        found, total = await locks.search(what, by=actor, now=now, limit=limit, offset=offset)
        return DoorEvents(found, total)

    @get(
        "/door-events.csv",
        operation_id="ExportDoorEvents",
        media_type="text/csv",
        responses=responses(404, 422),
        dependencies=WHAT,
    )
    async def export(
        self,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        what: NamedDependency[locks.Search],
    ) -> Response[bytes]:
        """Return the same as a table for a spreadsheet, at most 50,000 lines."""
        table = await locks.export(what, by=actor, now=now)
        name = f"attachment; filename=dorrar-{what.municipality}.csv"
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return Response(table, media_type="text/csv; charset=utf-8", headers=headers)
