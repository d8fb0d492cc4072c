"""Many days of a few resources at a glance: how many free starts each has, the first of them, or why there is none."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db, places
from booking.places import ResourceCard
from booking.reservations import free_starts
from booking.reservations.alternatives import NAMED
from booking.reservations.free_starts import FREE, WHY, FreeWish, ask, named, whole_day
from booking.reservations.offers import Customer


class DayFree(db.Record):
    """A local day of a resource: free starts of the wished length, the first one, or the reason for none."""

    resource: UUID
    date: date
    free_count: int
    first: datetime | None
    reason: str | None


class MonthDay(db.Record):
    """A local day: how many free starts, the first of them, or why there is none."""

    date: date
    free_count: int
    first: datetime | None
    reason: str | None


class Month(db.Record):
    """Every day of a calendar month, for one resource and one length."""

    resource: ResourceCard
    minutes: int
    days: list[MonthDay]


_DAYS = named(f"""
WITH {NAMED} {FREE},
counted AS MATERIALIZED (
  SELECT resource, day, sum(high - low + 1)::int AS n, min(base + make_interval(mins => low * step)) AS first
  FROM point GROUP BY resource, day),
dead AS MATERIALIZED (
  SELECT * FROM lawful WHERE ((resource, day) IN (SELECT resource, day FROM counted)) IS NOT TRUE)
SELECT resource, day AS date, n AS free_count, first, NULL AS reason FROM counted
UNION ALL
SELECT l.resource, l.day, 0, NULL, why.reason FROM dead l {WHY}
ORDER BY resource, date
""")


async def days_free(resources: Sequence[UUID], wish: FreeWish, now: datetime) -> list[DayFree]:
    """Return every wished day of every resource, ordered by resource and day."""
    values = free_starts.parameters(wish, now) | {"resources": list(resources)}
    return await ask(DayFree, _DAYS, values)


async def month(
    resource_id: UUID, first: date, minutes: int, customer: Customer, purpose: str, now: datetime
) -> Month:
    """Return the calendar month that `first` begins; 0 minutes mean the shortest booking. Raises NotFound."""
    resource = await places.resource(resource_id)
    minutes = minutes or (await places.rules_on([resource_id], first))[resource_id].min_min
    after = (first + timedelta(days=31)).replace(day=1)
    days = tuple(whole_day(first + timedelta(days=n)) for n in range((after - first).days))
    found = await days_free([resource_id], FreeWish(days, minutes, purpose, customer), now)
    shown = [MonthDay(one.date, one.free_count, one.first, one.reason) for one in found]
    return Month(resource.card, minutes, shown)
