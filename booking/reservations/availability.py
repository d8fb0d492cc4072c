"""What is free of one resource, start by start, each with its reason. Reads only; the constraint decides writes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db, places
from booking.clock import local_date
from booking.places import OpenDays, Resource, Rules
from booking.reservations.calendar import Who, day_span, is_free, raster, refusal
from booking.span import Span

# The last row that starts before the window reaches into it or nothing does: the constraint forbids overlaps.
_BUSY = """
SELECT l.leaf, o.starts_at, o.ends_at
FROM unnest($1::int[]) AS l(leaf) CROSS JOIN LATERAL (
  SELECT * FROM (SELECT starts_at, ends_at, hold_until FROM occupancy
                 WHERE leaf = l.leaf AND starts_at < $2 ORDER BY starts_at DESC LIMIT 1) before
  WHERE before.ends_at > $2
  UNION ALL
  SELECT starts_at, ends_at, hold_until FROM occupancy
  WHERE leaf = l.leaf AND starts_at >= $2 AND starts_at < $3
) o WHERE o.hold_until IS NULL OR o.hold_until > $4
"""


class _Busy(db.Record):
    leaf: int
    starts_at: datetime
    ends_at: datetime


async def busy(leaves: Iterable[int], window: Span, now: datetime) -> dict[int, list[Span]]:
    """Return what is taken of each leaf in the window, gaps included; holds that have run out are not."""
    found = await db.rows(_Busy, _BUSY, sorted(set(leaves)), window.start, window.end, now)
    result: dict[int, list[Span]] = defaultdict(list)
    for one in found:
        result[one.leaf].append(Span(one.starts_at, one.ends_at))
    return result


@dataclass(frozen=True, slots=True)
class Start:
    """A possible start of a booking of the wished length, and why it can't be had (None = free)."""

    span: Span
    reason: str | None


@dataclass(frozen=True, slots=True)
class Ground:
    """What decides about a wish besides occupation: the rules of the day, the open days, and who asks."""

    opening: OpenDays
    rules: Rules
    who: Who
    purpose: str


def starts_of_day(
    ground: Ground, units: list[list[Span]], day: date, minutes: int, now: datetime
) -> list[Start]:
    """Return every start of the local day at which the place is open for the whole length.

    `units`: what is taken of each unit; a time is free if it is free in any of them.
    """
    result = []
    for start in raster(day, ground.rules.step_min):
        if not any(one.start <= start < one.end for one in ground.opening.get(day, ())):
            continue
        span = Span(start, start + timedelta(minutes=minutes))
        reason = refusal(ground.rules, ground.opening, span, now, ground.who, ground.purpose)
        if reason is None and not any(is_free(span, taken, ground.rules.gap_min) for taken in units):
            reason = "booked"
        if reason != "outside_hours":
            result.append(Start(span, reason))
    return result


def search_window(first: date, days: int, minutes: int) -> Span:
    """Return the instants that bookings of `minutes` from these local days can touch: a day more at each end."""
    end = day_span(first + timedelta(days=days)).end + timedelta(minutes=minutes)
    return Span(day_span(first - timedelta(days=1)).start, end)


async def open_days_around(resources: Iterable[Resource], window: Span) -> dict[UUID, OpenDays]:
    """Return the open days of the resources' calendars that bookings in the window can touch."""
    first, last = (local_date(end) for end in (window.start, window.end))
    return await places.open_days(sorted({one.calendar for one in resources}), first, last)


async def rules_of_days(resource: UUID, first: date, last: date) -> dict[date, Rules]:
    """Return what is in force for the use of a resource on each local day from `first` to `last`, both included."""
    changes = await db.column(
        date,
        "SELECT from_day FROM effective_rule WHERE resource = $1 AND from_day > $2 AND from_day <= $3 ORDER BY 1",
        resource,
        first,
        last,
    )
    result: dict[date, Rules] = {}
    for start, end in zip([first, *changes], [*changes, last + timedelta(days=1)], strict=True):
        rules = (await places.rules_on([resource], start))[resource]
        result |= {start + timedelta(days=n): rules for n in range((end - start).days)}
    return result


async def taken_of(resource: Resource, window: Span, now: datetime) -> list[list[Span]]:
    """Return what is taken of each unit that a booking may get: one for most things, several for a pool."""
    units = [(resource.id, resource.leaves)]
    if resource.picks_unit:
        found = await db.rows(_Unit, _UNITS, resource.id)
        units = [(one.id, one.leaves) for one in found]
    by_leaf = await busy([leaf for _, leaves in units for leaf in leaves], window, now)
    return [sorted({span for leaf in leaves for span in by_leaf.get(leaf, ())}) for _, leaves in units]


class _Unit(db.Record):
    id: UUID
    leaves: list[int]


_UNITS = """
SELECT r.id, ARRAY(SELECT l.leaf FROM resource_leaf l WHERE l.resource = r.id) AS leaves FROM resource r
WHERE r.parent = $1 AND r.is_bookable
"""
