"""Pure: opening hours, free time, and why a wish can't be had. All spans are UTC; days are Swedish."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from booking.clock import SWEDEN, at_local
from booking.places import Resource, Week
from booking.span import Span


def day_span(day: date) -> Span:
    """Return the local day: 23 hours in the spring night's, 25 in the autumn night's."""
    return Span(at_local(day.year, day.month, day.day, 0), at_local(day.year, day.month, day.day, 1440))


def open_spans(week: Week, day: date) -> list[Span]:
    """Return when the place is open on a local day, touching spans joined."""
    return list(_open_spans(tuple(week.get(day.weekday(), ())), day))


@lru_cache(4096)
def _open_spans(hours: tuple[tuple[int, int], ...], day: date) -> tuple[Span, ...]:
    spans = []
    for opens, closes in hours:
        start, end = (at_local(day.year, day.month, day.day, minute) for minute in (opens, closes))
        if start < end:
            spans.append(Span(start, end))
    return tuple(join(spans))


def open_around(week: Week, span: Span) -> list[Span]:
    """Return the opening spans of every local day that the span touches, midnight joined over."""
    day, last = span.start.astimezone(SWEDEN).date(), span.end.astimezone(SWEDEN).date()
    if day == last:
        return open_spans(week, day)
    spans: list[Span] = []
    while day <= last:
        spans.extend(open_spans(week, day))
        day += timedelta(days=1)
    return join(spans)


def join(spans: Iterable[Span]) -> list[Span]:
    """Return the union as separate spans in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def subtract(whole: Iterable[Span], busy: Sequence[Span]) -> list[Span]:
    """Return what is left of `whole` when the busy spans are cut out."""
    free: list[Span] = []
    taken = join(busy)
    for span in whole:
        start = span.start
        for block in taken:
            if block.end <= start or block.start >= span.end:
                continue
            if block.start > start:
                free.append(Span(start, block.start))
            start = max(start, block.end)
            if start >= span.end:
                break
        if start < span.end:
            free.append(Span(start, span.end))
    return free


@lru_cache(1024)
def raster(day: date, step_min: int) -> tuple[datetime, ...]:
    """Return the possible starts of a local day, each once, without the minutes that the spring night lacks."""
    starts: list[datetime] = []
    for minute in range(0, 1440, step_min):
        start = at_local(day.year, day.month, day.day, minute)
        wall = start.astimezone(SWEDEN)
        if wall.hour * 60 + wall.minute == minute and start not in starts[-1:]:
            starts.append(start)
    return tuple(starts)


def on_raster(start: datetime, step_min: int) -> bool:
    """True if the start lies on the raster of its local day."""
    wall = start.astimezone(SWEDEN)
    whole = wall.second == 0 and wall.microsecond == 0
    return whole and (wall.hour * 60 + wall.minute) % step_min == 0


def refusal(resource: Resource, week: Week, span: Span, now: datetime) -> str | None:
    """Return the code of the first rule that the wish breaks, or None. Occupation is not looked at."""
    if span.start <= now:
        return "past"
    if span.start < now + timedelta(minutes=resource.notice_min):
        return "too_late"
    if span.start > now + timedelta(days=resource.horizon_days):
        return "not_open_yet"
    if span.minutes < resource.min_min:
        return "too_short"
    if span.minutes > resource.max_min:
        return "too_long"
    if not on_raster(span.start, resource.step_min) or span.length % timedelta(minutes=5):
        return "off_raster"
    if not any(one.start <= span.start and span.end <= one.end for one in open_around(week, span)):
        return "outside_hours"
    return None


def is_free(span: Span, busy: Sequence[Span], gap_min: int) -> bool:
    """True if the span with the gap behind it meets nothing busy (busy spans carry their own gap)."""
    end = span.end + timedelta(minutes=gap_min)
    return not any(one.start < end and span.start < one.end for one in busy)
