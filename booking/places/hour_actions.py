"""Write and take back opening hours. Each action derives the open days in the same transaction."""

from datetime import date, datetime
from itertools import pairwise
from uuid import UUID

import msgspec
from asyncpg import UniqueViolationError

from booking import db
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.places.hour_pages import WeekStretch
from booking.places.hours import minute_of
from booking.places.levels import OWNED, Level, Scope
from booking.places.open_days import refresh_hours
from booking.places.rule_actions import tell, writable


class ScheduleExists(Conflict):
    """Another schedule of this level begins on the same day."""

    code = "schedule_exists"


class ExceptionExists(Conflict):
    """The level has an exception for the very same days that says something else."""

    code = "exception_exists"


class NewSchedule(msgspec.Struct, frozen=True):
    """Weekly hours within dates, both included; no `valid_to`: until further notice."""

    name: str
    valid_from: date
    valid_to: date | None
    week: tuple[WeekStretch, ...]


class NewException(msgspec.Struct, frozen=True):
    """Other hours on these days, both included, or closed (both None), and why."""

    from_day: date
    to_day: date
    opens: str | None
    closes: str | None
    reason: str


async def write_schedule(
    scope: Scope, place_id: str, schedule: UUID | None, new: NewSchedule, *, by: Actor, now: datetime
) -> UUID:
    """The level has these weekly hours; None writes a new schedule. Returns its id.

    Raises NotFound, ScheduleExists, Rejected (`end_before_start`, `hours_overlap`).
    """
    _must_be_in_order(new.valid_from, new.valid_to)
    hours = _minutes(new.week)
    try:
        async with db.transaction():
            here = await writable(scope, place_id, by=by)
            written = await _put_schedule(here, schedule, new)
            await db.run("DELETE FROM opening_hours WHERE schedule = $1", written)
            await db.run_many(
                "INSERT INTO opening_hours (id, schedule, weekday, opens_min, closes_min)"
                " VALUES ($1, $2, $3, $4, $5)",
                [(new_id(), written, *one) for one in hours],
            )
            await refresh_hours(here.municipality, now)
            await tell(here, "hours.written", by, now, schedule=written, hours=new)
            return written
    except UniqueViolationError as error:
        raise ScheduleExists("another schedule begins on that day here") from error


async def delete_schedule(scope: Scope, place_id: str, schedule: UUID, *, by: Actor, now: datetime) -> None:
    """The level no longer has these weekly hours. Raises NotFound."""
    async with db.transaction():
        here = await writable(scope, place_id, by=by)
        if not await db.run(
            f"DELETE FROM opening_schedule WHERE {OWNED} AND id = $4", *here.columns, schedule
        ):
            raise _unknown()
        await refresh_hours(here.municipality, now)
        await tell(here, "hours.deleted", by, now, schedule=schedule)


async def add_exception(scope: Scope, place_id: str, new: NewException, *, by: Actor, now: datetime) -> UUID:
    """On these days the level has other hours, or is closed; several for the same days are its stretches.

    Raises NotFound, ExceptionExists, Rejected (`end_before_start`, `half_an_exception`).
    """
    _must_be_in_order(new.from_day, new.to_day)
    if (new.opens is None) != (new.closes is None):
        raise Rejected("say both when it opens and when it closes, or neither", code="half_an_exception")
    opens, closes = (None if one is None else minute_of(one) for one in (new.opens, new.closes))
    if opens is not None and closes is not None and closes <= opens:
        raise Rejected("it must close after it opens", code="end_before_start")
    async with db.transaction():
        here = await writable(scope, place_id, by=by)
        await _must_agree(here, new, opens, closes)
        written = new_id()
        await db.run(
            "INSERT INTO opening_exception (id, municipality, facility, resource, from_day, to_day, opens_min,"
            " closes_min, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            written,
            *here.columns,
            new.from_day,
            new.to_day,
            opens,
            closes,
            new.reason,
        )
        await refresh_hours(here.municipality, now, new.from_day, new.to_day)
        await tell(here, "exception.added", by, now, exception=written, hours=new)
        return written


class _Days(db.Record):
    from_day: date
    to_day: date


async def delete_exception(scope: Scope, place_id: str, exception: UUID, *, by: Actor, now: datetime) -> None:
    """On its days the level is open as usual again. Raises NotFound."""
    async with db.transaction():
        here = await writable(scope, place_id, by=by)
        gone = await db.row(
            _Days,
            f"DELETE FROM opening_exception WHERE {OWNED} AND id = $4 RETURNING from_day, to_day",
            *here.columns,
            exception,
        )
        if gone is None:
            raise _unknown()
        await refresh_hours(here.municipality, now, gone.from_day, gone.to_day)
        await tell(here, "exception.deleted", by, now, exception=exception)


async def _put_schedule(here: Level, schedule: UUID | None, new: NewSchedule) -> UUID:
    if schedule is None:
        schedule = new_id()
        await db.run(
            "INSERT INTO opening_schedule (id, municipality, facility, resource, name, valid_from, valid_to)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            schedule,
            *here.columns,
            new.name,
            new.valid_from,
            new.valid_to,
        )
    elif not await db.run(
        f"UPDATE opening_schedule SET name = $5, valid_from = $6, valid_to = $7 WHERE {OWNED} AND id = $4",
        *here.columns,
        schedule,
        new.name,
        new.valid_from,
        new.valid_to,
    ):
        raise _unknown()
    return schedule


def _minutes(week: tuple[WeekStretch, ...]) -> list[tuple[int, int, int]]:
    hours = sorted((one.weekday, minute_of(one.opens), minute_of(one.closes)) for one in week)
    if any(closes <= opens for _, opens, closes in hours):
        raise Rejected("it must close after it opens", code="end_before_start")
    if any(one[0] == other[0] and other[1] < one[2] for one, other in pairwise(hours)):
        raise Rejected("two stretches of the same weekday overlap", code="hours_overlap")
    return hours


def _must_be_in_order(first: date, last: date | None) -> None:
    if last is not None and last < first:
        raise Rejected("the last day must not come before the first", code="end_before_start")


class _Stretch(db.Record):
    opens_min: int | None
    closes_min: int | None


async def _must_agree(here: Level, new: NewException, opens: int | None, closes: int | None) -> None:
    """Raise ExceptionExists if the same days are closed and open, or a stretch is there already."""
    there = await db.rows(
        _Stretch,
        f"SELECT opens_min, closes_min FROM opening_exception WHERE {OWNED} AND from_day = $4 AND to_day = $5",
        *here.columns,
        new.from_day,
        new.to_day,
    )
    for one in there:
        both_open = None not in (opens, closes, one.opens_min, one.closes_min)
        if not both_open or ((one.opens_min or 0) < (closes or 0) and (opens or 0) < (one.closes_min or 0)):
            raise ExceptionExists("there is another exception for these days; take that one back first")


def _unknown() -> NotFound:
    return NotFound("there are no such hours here", code="unknown_hours")
