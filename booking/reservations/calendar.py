"""Pure: opening hours, free time, and why a wish can't be had. All spans are UTC; days are Swedish."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from booking.clock import SWEDEN, at_local, local_date
from booking.places import OpenDays, Rules, join
from booking.span import Span


@dataclass(frozen=True, slots=True)
class Who:
    """What rules ask about the one who books. None is not known: a visitor is asked again when they log in."""

    kind: str | None = None
    is_own: bool = False  # lives, or has its seat, in the owner's municipality
    born: date | None = None
    drives: bool | None = None


def day_span(day: date) -> Span:
    """Return the local day: 23 hours in the spring night's, 25 in the autumn night's."""
    return Span(at_local(day.year, day.month, day.day, 0), at_local(day.year, day.month, day.day, 1440))


def open_around(opening: OpenDays, span: Span) -> list[Span]:
    """Return the opening spans of every local day that the span touches, midnight joined over."""
    day, last = local_date(span.start), local_date(span.end)
    if day == last:
        return opening.get(day, [])
    spans: list[Span] = []
    while day <= last:
        spans.extend(opening.get(day, ()))
        day += timedelta(days=1)
    return join(spans)


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


def opens_for(rules: Rules, who: Who) -> datetime | None:
    """Return from when a time can be booked where a date decides, or None for a rolling horizon."""
    if rules.opens_on is None:
        return None
    first = rules.opens_on if who.is_own else rules.opens_on + timedelta(days=rules.own_first_days)
    return at_local(first.year, first.month, first.day, 0)


def horizon(rules: Rules, who: Who) -> timedelta:
    """Return how long before its start a time can be booked: neighbours wait for the days that residents have first."""
    return timedelta(days=max(rules.horizon_days - (0 if who.is_own else rules.own_first_days), 0))


def refusal(
    rules: Rules, opening: OpenDays, span: Span, now: datetime, who: Who, purpose: str | None = None
) -> str | None:
    """Return the code of the first rule that the wish breaks, or None. Occupation and quotas are not looked at."""
    return (
        _too_soon_or_late(rules, span, now, who)
        or _misfit(rules, opening, span)
        or not_for(rules, local_day(span), who, purpose)
    )


def local_day(span: Span) -> date:
    """Return the Swedish date on which the use starts."""
    return local_date(span.start)


def _too_soon_or_late(rules: Rules, span: Span, now: datetime, who: Who) -> str | None:
    if span.start <= now:
        return "past"
    if span.start < now + timedelta(minutes=rules.notice_min):
        return "too_late"
    opens = opens_for(rules, who)
    if (opens is not None and now < opens) or (opens is None and span.start > now + horizon(rules, who)):
        return "not_open_yet"
    return None


def _misfit(rules: Rules, opening: OpenDays, span: Span) -> str | None:
    if span.minutes < rules.min_min:
        return "too_short"
    if span.minutes > rules.max_min:
        return "too_long"
    if not on_raster(span.start, rules.step_min) or span.length % timedelta(minutes=5):
        return "off_raster"
    if not any(one.start <= span.start and span.end <= one.end for one in open_around(opening, span)):
        return "outside_hours"
    return None


def not_for(rules: Rules, day: date, who: Who, purpose: str | None) -> str | None:
    """Return the code of the rule that keeps these people, or this purpose, from using it on a day."""
    if rules.kinds is not None and who.kind is not None and who.kind not in rules.kinds:
        return "not_for_you"
    if (
        rules.min_age
        and who.kind == "person"
        and who.born is not None
        and _age(who.born, day) < rules.min_age
    ):
        return "too_young"
    if rules.min_age and who.kind == "person" and who.born is None:
        return "age_unknown"
    if rules.purposes is not None and purpose is not None and purpose not in rules.purposes:
        return "wrong_purpose"
    if rules.needs_driver and who.drives is False:
        return "driver_unknown"
    return None


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_free(span: Span, busy: Sequence[Span], gap_min: int) -> bool:
    """True if the span with the gap behind it meets nothing busy (busy spans carry their own gap)."""
    end = span.end + timedelta(minutes=gap_min)
    return not any(one.start < end and span.start < one.end for one in busy)
