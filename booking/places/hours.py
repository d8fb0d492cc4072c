"""Pure: when a calendar is open on a local day: the ordinary week, seasons, public holidays, exceptions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from booking.clock import SWEDEN, at_local
from booking.span import Span

HOLIDAY = 7  # the weekday under which a schedule may list hours for public holidays
Minutes = tuple[tuple[int, int], ...]  # (opens, closes) in minutes of the local day


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weekly hours within dates (inclusive)."""

    first: date
    last: date | None
    week: Mapping[int, Minutes]


@dataclass(frozen=True, slots=True)
class OtherHours:
    """On these days (inclusive) other hours, or closed (no minutes), and why."""

    first: date
    last: date
    hours: Minutes
    reason: str


@dataclass(slots=True)
class Owner:
    """What one owner (municipality, facility, resource) says of its hours."""

    schedules: list[Schedule] = field(default_factory=list)
    exceptions: list[OtherHours] = field(default_factory=list)


def opening_of(chain: Sequence[Owner], day: date) -> tuple[tuple[Span, ...], str | None]:
    """Return when it is open on a local day, and why that differs from the ordinary week.

    The most specific owner with an exception wins; else the most specific with a schedule, the latest begun first.
    """
    for owner in reversed(chain):
        found = [one for one in owner.exceptions if one.first <= day <= one.last]
        if found:
            narrowest = min(found, key=lambda one: one.last - one.first)
            return spans_of(narrowest.hours, day), narrowest.reason
    week = ordinary_week(chain, day)
    is_holiday = HOLIDAY in week and day in public_holidays(day.year)
    hours = week.get(HOLIDAY if is_holiday else day.weekday(), ())
    return spans_of(hours, day), public_holidays(day.year)[day] if is_holiday else None


def ordinary_week(chain: Sequence[Owner], day: date) -> Mapping[int, Minutes]:
    """Return the weekly hours in force: of the most specific owner that has any, those that began last."""
    for owner in reversed(chain):
        in_force = [one for one in owner.schedules if one.first <= day and (one.last or day) >= day]
        if in_force:
            return max(in_force, key=lambda one: one.first).week
    return {}


@lru_cache(64)
def public_holidays(year: int) -> dict[date, str]:
    """Return the Swedish public holidays of a year by date; Sundays are not among them by being Sundays."""
    import holidays  # slow to import

    return dict(holidays.country_holidays("SE", years=year, include_sundays=False, language="sv"))


@lru_cache(8192)
def spans_of(hours: Minutes, day: date) -> tuple[Span, ...]:
    """Return the instants of minutes of a local day, touching ones joined; the spring night's missing hour is not there."""
    spans = []
    for opens, closes in hours:
        start, end = (at_local(day.year, day.month, day.day, minute) for minute in (opens, closes))
        if start < end:
            spans.append(Span(start, end))
    return tuple(join(spans))


def join(spans: Iterable[Span]) -> list[Span]:
    """Return the union as separate spans in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def clock(minute: int) -> str:
    """Return a minute of the local day as HH:MM; 1440 is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def minute_of(text: str) -> int:
    """Return HH:MM as a minute of the local day."""
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def clocks_of(span: Span, day: date) -> tuple[str, str]:
    """Return a span of a local day by the clocks on the wall; the end of the day is 24:00."""
    start, end = span.start.astimezone(SWEDEN), span.end.astimezone(SWEDEN)
    return f"{start:%H:%M}", "24:00" if end.date() > day else f"{end:%H:%M}"
