"""The series' own row says what its times are: split in two, shortened, stored anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from booking import db
from booking.clock import SWEDEN, local_date
from booking.ids import new_id
from booking.people import Actor
from booking.reservations.recurrence import Pattern, Wall, expand, occurrence, shifted, write_rule
from booking.reservations.series_queries import SeriesRow
from booking.reservations.series_times import SeriesTime


@dataclass(frozen=True, slots=True)
class NewTimes:
    """What changes: place, wall clock (minutes of the day), weekday (by so many days); None stays."""

    resource_id: UUID | None = None
    opens: int | None = None
    closes: int | None = None
    weekday_shift: int = 0


async def split_off(
    row: SeriesRow, times: Sequence[SeriesTime], new: NewTimes, by: Actor, now: datetime
) -> UUID:
    """The rule says what the times ahead will be; where others are before them, in a series that follows this one."""
    begin = min(one.series_start for one in times)
    before = await db.value(
        bool,
        "SELECT true FROM reservation WHERE series = $1 AND series_start < $2"
        " AND state NOT IN ('cancelled', 'expired', 'rejected') LIMIT 1",
        row.id,
        begin,
    )
    after = _following(row.pattern, local_date(begin), new)
    if after is None:  # only added dates are left: they need no rule
        return row.id
    ids = [one.id for one in times]
    await db.run("UPDATE reservation SET series_start = NULL WHERE id = ANY($1)", ids)  # unique per series
    target = row.id
    if before:
        target = new_id()
        await shorten(row, local_date(begin))
        await db.run(
            "INSERT INTO series (id, municipality, resource, party, account, rrule, starts_local, minutes,"
            " skip_school_breaks, purpose, title, follows, created_at)"
            " SELECT $2, municipality, resource, party, $3, rrule, starts_local, minutes, skip_school_breaks,"
            " purpose, title, id, $4 FROM series WHERE id = $1",
            row.id,
            target,
            by.account,
            now,
        )
    await store(target, after, new.resource_id or row.resource)
    shift = timedelta(days=new.weekday_shift)
    await db.run_many(
        "UPDATE reservation SET series = $2, series_start = $3 WHERE id = $1",
        [(one.id, target, _given(one, shift, new)) for one in times],
    )
    return target


def _given(time: SeriesTime, shift: timedelta, new: NewTimes) -> datetime:
    """Return the start that the changed series gives a time."""
    local = time.series_start.astimezone(SWEDEN)
    opens = local.hour * 60 + local.minute if new.opens is None else new.opens
    when = occurrence(Wall(local.date() + shift, opens, opens + 60))
    return when.span.start if when.span is not None else time.series_start + shift


def _following(pattern: Pattern, day: date, new: NewTimes) -> Pattern | None:
    """Return the pattern from a day on, changed; None where the rule gives nothing more."""
    ruled = [one.wall.day for one in expand(replace(pattern, rdates=()))]
    left = [one for one in ruled if one >= day]
    if not left:
        return None
    shift, first = timedelta(days=new.weekday_shift), pattern.first
    opens = first.opens if new.opens is None else new.opens
    closes = opens + first.closes - first.opens if new.closes is None else new.closes
    begin = Wall(left[0] + shift, opens, closes if closes > opens else closes + 1440)
    rule = pattern.rule if pattern.rule.count is None else replace(pattern.rule, count=len(left))
    keeps = new.opens is None and new.closes is None
    added = [one for one in pattern.rdates if one.day >= day]
    return Pattern(
        begin,
        shifted(rule, new.weekday_shift),
        frozenset(one + shift for one in pattern.exdates if one >= day),
        tuple((one if keeps else begin).on(one.day + shift) for one in added),
    )


async def shorten(row: SeriesRow, day: date) -> None:
    """The series ends before the day."""
    pattern = row.pattern
    until = datetime.combine(day - timedelta(days=1), datetime.max.time())
    rule = replace(pattern.rule, count=None, until=until)
    exdates = frozenset(one for one in pattern.exdates if one < day)
    rdates = tuple(one for one in pattern.rdates if one.day < day)
    await store(row.id, Pattern(pattern.first, rule, exdates, rdates), row.resource)


async def store(series: UUID, pattern: Pattern, resource: UUID) -> None:
    """The series has this rule and this resource."""
    first = pattern.first
    await db.run(
        "UPDATE series SET rrule = $2, starts_local = $3, minutes = $4, exdates = $5, rdates = $6, resource = $7,"
        " version = version + 1 WHERE id = $1",
        series,
        write_rule(pattern.rule),
        f"{first.day:%Y-%m-%d}T{first.opens // 60:02}:{first.opens % 60:02}",
        first.closes - first.opens,
        msgspec.json.encode(sorted(pattern.exdates)).decode(),
        msgspec.json.encode(list(pattern.rdates)).decode(),
        resource,
    )
