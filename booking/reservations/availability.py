"""What is free: one indexed look per leaf, then pure subtraction. Reads only; the constraint decides writes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db, places
from booking.clock import SWEDEN
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


def busy_of(resource: Resource, by_leaf: dict[int, list[Span]]) -> list[Span]:
    """Return what is taken of any leaf of the resource."""
    return sorted({span for leaf in resource.leaves for span in by_leaf.get(leaf, ())})


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


def starts_of_day(ground: Ground, taken: list[Span], day: date, minutes: int, now: datetime) -> list[Start]:
    """Return every start of the local day at which the place is open for the whole length."""
    result = []
    for start in raster(day, ground.rules.step_min):
        if not any(one.start <= start < one.end for one in ground.opening.get(day, ())):
            continue
        span = Span(start, start + timedelta(minutes=minutes))
        reason = refusal(ground.rules, ground.opening, span, now, ground.who, ground.purpose)
        if reason is None and not is_free(span, taken, ground.rules.gap_min):
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
    first, last = (end.astimezone(SWEDEN).date() for end in (window.start, window.end))
    return await places.open_days(sorted({one.calendar for one in resources}), first, last)


async def next_free(
    resource: Resource,
    who: Who,
    purpose: str,
    first: date,
    minutes: int,
    now: datetime,
    *,
    horizon_days: int = 28,
) -> Span | None:
    """Return the first free start from a local day on, looking a week at a time; None within the horizon."""
    for offset in range(0, horizon_days, 7):
        begin = first + timedelta(days=offset)
        window = search_window(begin, 7, minutes)
        taken = busy_of(resource, await busy(resource.leaves, window, now))
        opening = (await open_days_around([resource], window))[resource.calendar]
        for day in (begin + timedelta(days=n) for n in range(7)):
            rules = (await places.rules_on([resource.id], day))[resource.id]
            for start in starts_of_day(Ground(opening, rules, who, purpose), taken, day, minutes, now):
                if start.reason is None:
                    return start.span
    return None
