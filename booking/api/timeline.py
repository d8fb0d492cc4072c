"""The staff's day: resources, bookings and doors of one municipality in one answer."""

from collections import defaultdict
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from booking import locks, places, reservations
from booking.api.errors import responses
from booking.api.search import bounded
from booking.api.shapes import CodeRequired
from booking.clock import local_date
from booking.people import Actor


class RowFacility(msgspec.Struct, frozen=True):
    """The facility of a row."""

    id: UUID
    name: str


class TimelineRow(msgspec.Struct, frozen=True):
    """A resource of the day view: its opening (instants), its doors, and the resources it shares floor with."""

    id: UUID
    name: str
    facility: RowFacility
    part_of: str | None
    parent_id: UUID | None
    kind: places.Kind
    door_ids: list[str]
    shares: list[UUID]
    opens: datetime | None
    closes: datetime | None


class Timeline(msgspec.Struct, frozen=True):
    """A local day of a municipality."""

    date: date
    municipality: str
    resources: list[TimelineRow]
    bookings: list[reservations.TimelineBooking]
    doors: list[locks.DoorView]


class TimelineController(Controller):
    """What happens today."""

    tags = ("Staff",)

    @get("/timeline", operation_id="GetTimeline", responses=responses(404))
    async def read(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        day: Annotated[date | None, QueryParameter(name="date", required=False)] = None,
    ) -> Timeline:
        """Return the day of a municipality where the caller is staff; elsewhere it is absent."""
        day = bounded(day or local_date(now))
        bookings = await reservations.timeline(municipality, day, actor)
        found = await places.resources(municipalities=[municipality], as_taken=True)
        opening_of = await places.open_days(sorted({one.calendar for one in found}), day, day)
        doors_of = await locks.doors_of_resources([one.id for one in found])
        on_leaf: dict[int, set[UUID]] = defaultdict(set)
        for one in found:
            for leaf in one.leaves:
                on_leaf[leaf].add(one.id)
        rows = []
        for one in found:
            opening = opening_of[one.calendar].get(day, [])
            rows.append(
                TimelineRow(
                    one.id,
                    one.name,
                    RowFacility(one.facility.id, one.facility.name),
                    one.part_of,
                    one.parent_id,
                    one.kind,
                    doors_of.get(one.id, []),
                    sorted({other for leaf in one.leaves for other in on_leaf[leaf]} - {one.id}),
                    opening[0].start if opening else None,
                    opening[-1].end if opening else None,
                )
            )
        return Timeline(day, municipality, rows, bookings, await locks.doors(municipality, by=actor, now=now))
