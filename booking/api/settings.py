"""Rules and opening hours on the wire, as staff write them at a municipality, a facility or a resource."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from msgspec import Meta

from booking import places, reservations
from booking.api.auth import IdempotencyKey, once
from booking.api.errors import responses
from booking.api.shapes import NO_CONTROLS, Clock, HTTPRequest, Line, must_be_a_day
from booking.clock import local_date
from booking.errors import NotFound
from booking.people import Actor
from booking.people.queries import PartyKind
from booking.places import Scope
from booking.reservations import Purpose

PlaceId = Annotated[str, PathParameter(pattern=r"^([0-9]{4}|[0-9a-fA-F-]{36})$", description="Code or UUID.")]
Minutes = Annotated[int, Meta(ge=0, le=44_640)]  # at most a month
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=NO_CONTROLS)]
Count = Annotated[int, Meta(ge=1, le=1000)]
Days = Annotated[int, Meta(ge=0, le=365)]


class NewRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules from a day on; what is left out or null inherits. `preempt_days` -1: never."""

    valid_from: date
    gap_min: Annotated[int, Meta(ge=0, le=1440)] | None = None
    step_min: Annotated[int, Meta(ge=5, le=1440)] | None = None
    min_min: Annotated[int, Meta(ge=5, le=44_640)] | None = None
    max_min: Annotated[int, Meta(ge=5, le=44_640)] | None = None
    notice_min: Minutes | None = None
    horizon_days: Annotated[int, Meta(ge=0, le=730)] | None = None
    opens_on: date | None = None
    own_first_days: Days | None = None
    kinds: Annotated[tuple[PartyKind, ...], Meta(min_length=1, max_length=4)] | None = None
    min_age: Annotated[int, Meta(ge=0, le=120)] | None = None
    quota_week: Count | None = None
    quota_open: Count | None = None
    approval: Literal["none", "required"] | None = None
    pending_holds: bool | None = None
    answer_days: Annotated[int, Meta(ge=0, le=60)] | None = None
    terms: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z._-]+$")] | None = None
    purposes: Annotated[tuple[Purpose, ...], Meta(min_length=1, max_length=6)] | None = None
    preempt_days: Annotated[int, Meta(ge=-1, le=365)] | None = None
    needs_driver: bool | None = None


class WeekHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open on a weekday (0 = Monday, 7 = public holiday) between two local clock times."""

    weekday: Annotated[int, Meta(ge=0, le=7)]
    opens: Clock
    closes: Clock


class NewHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weekly hours within dates, both included; without `valid_to` until further notice."""

    name: Name
    valid_from: date
    week: Annotated[list[WeekHours], Meta(max_length=64)]
    valid_to: date | None = None


class OtherHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other hours on these days, both included; without clock times it is closed."""

    from_day: date
    to_day: date
    reason: Line
    opens: Clock | None = None
    closes: Clock | None = None


class Hours(places.HoursPage, frozen=True):
    """The hours at a level, with the confirmed bookings ahead that lie outside them (the first hundred)."""

    outside: list[reservations.Outside]
    outside_total: int


class RuleController(Controller):
    """Rules of a municipality, a facility or a resource."""

    path = "/settings/{level:str}/{place_id:str}/rules"
    tags = ("Settings",)

    @get("/", operation_id="GetRules", responses=responses(404))
    async def read(
        self,
        level: FromPath[Scope],
        place_id: PlaceId,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> places.RulesPage:
        """Return the rules as the level wrote them, what they amount to today and what they inherit."""
        return await places.rules_page(level, place_id, by=actor, today=local_date(now))

    @put("/", operation_id="WriteRules", responses=responses(403, 404, 422))
    async def write(
        self,
        level: FromPath[Scope],
        place_id: PlaceId,
        data: JSONBody[NewRules],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> places.RulesPage:
        """Write the rules that hold from a day on; a set that begins the same day is replaced."""
        must_be_a_day(data.valid_from, data.opens_on)
        change = places.RuleChange(**msgspec.structs.asdict(data))
        await places.write_rules(level, place_id, change, by=actor, now=now)
        return await places.rules_page(level, place_id, by=actor, today=local_date(now))

    @delete(
        "/{valid_from:date}", operation_id="DeleteRules", status_code=200, responses=responses(403, 404, 422)
    )
    async def remove(
        self,
        level: FromPath[Scope],
        place_id: PlaceId,
        valid_from: FromPath[date],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> places.RulesPage:
        """Take back the rules that begin on a day."""
        await places.delete_rules(level, place_id, valid_from, by=actor, now=now)
        return await places.rules_page(level, place_id, by=actor, today=local_date(now))


class HourController(Controller):
    """Opening hours of a municipality, a facility or a resource."""

    path = "/settings/{level:str}/{place_id:str}/hours"
    tags = ("Settings",)

    @get("/", operation_id="GetHours", responses=responses(404))
    async def read(
        self,
        level: FromPath[Scope],
        place_id: PlaceId,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Hours:
        """Return weekly hours and exceptions, the next four weeks, and the bookings that lie outside."""
        return await _hours(level, place_id, actor, now)

    @put("/schedules/{schedule:str}", operation_id="WriteSchedule", responses=responses(403, 404, 409, 422))
    async def write(
        self,
        level: FromPath[Scope],
        place_id: PlaceId,
        schedule: Annotated[
            str, PathParameter(pattern=r"^(new|[0-9a-fA-F-]{36})$", description="UUID or new.")
        ],
        data: JSONBody[NewHours],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Hours:
        """Write weekly hours within dates; `new` adds them."""
        must_be_a_day(data.valid_from, data.valid_to)
        week = tuple(places.WeekStretch(one.weekday, one.opens, one.closes) for one in data.week)
        new = places.NewSchedule(data.name, data.valid_from, data.valid_to, week)
        which = None if schedule == "new" else _uuid(schedule)
        await places.write_schedule(level, place_id, which, new, by=actor, now=now)
        return await _hours(level, place_id, actor, now)

    @delete(
        "/schedules/{schedule:uuid}",
        operation_id="DeleteSchedule",
        status_code=200,
        responses=responses(403, 404),
    )
    async def remove(
        self,
        level: FromPath[Scope],
        place_id: PlaceId,
        schedule: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Hours:
        """Take back weekly hours."""
        await places.delete_schedule(level, place_id, schedule, by=actor, now=now)
        return await _hours(level, place_id, actor, now)

    @post("/exceptions", operation_id="AddException", responses=responses(403, 404, 409, 422))
    async def add(
        self,
        request: HTTPRequest,
        level: FromPath[Scope],
        place_id: PlaceId,
        data: JSONBody[OtherHours],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[Hours]:
        """Open at other hours on some days, or close; several for the same days are its stretches."""
        must_be_a_day(data.from_day, data.to_day)
        new = places.NewException(data.from_day, data.to_day, data.opens, data.closes, data.reason)

        async def act() -> Hours:
            await places.add_exception(level, place_id, new, by=actor, now=now)
            return await _hours(level, place_id, actor, now)

        return await once(request, idempotency_key, now, act)

    @delete(
        "/exceptions/{exception:uuid}",
        operation_id="DeleteException",
        status_code=200,
        responses=responses(403, 404),
    )
    async def take_back(
        self,
        level: FromPath[Scope],
        place_id: PlaceId,
        exception: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Hours:
        """Open as usual again on the exception's days."""
        await places.delete_exception(level, place_id, exception, by=actor, now=now)
        return await _hours(level, place_id, actor, now)


async def _hours(level: Scope, place_id: str, by: Actor, now: datetime) -> Hours:
    page = await places.hours_page(level, place_id, by=by, today=local_date(now))
    outside, total = await reservations.outside_hours(
        await places.level(level, place_id, by=by), by=by, now=now
    )
    return Hours(page.schedules, page.exceptions, page.preview, outside, total)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("there are no such hours here", code="unknown_hours") from error
