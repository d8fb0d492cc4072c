"""Pure: the weekly windows of staff and cleaning, as instants. Local wall-clock time, so summer time is handled."""

from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from booking.clock import SWEDEN, at_local
from booking.span import Span

Clock = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", examples=["06:00"])]
Weekday = Annotated[int, Meta(ge=0, le=6, description="0 = Monday")]
MOST_WINDOWS = 60  # a grant carries 64 (lock protocol §5.3)
REACH = timedelta(days=15)  # what a controller must have when it goes dark: 14 days ahead, one back


class Weekly(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """On these weekdays, from one local minute to another; past midnight if `to` is not after `from`."""

    weekdays: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    from_: Clock
    to: Clock


def read(text: str) -> list[Weekly]:
    """Return the rule as it is stored."""
    return msgspec.json.decode(text, type=list[Weekly])


def expand(rule: list[Weekly], whole: Span) -> list[Span]:
    """Return the windows that touch the span, joined where they meet, earliest first, at most MOST_WINDOWS."""
    return _joined(sorted(_every(rule, whole)))[:MOST_WINDOWS]


def fits(rule: list[Weekly]) -> bool:
    """True if a grant carries the rule's windows of any fifteen days: the horizon, and the day before (§5.1)."""
    monday = at_local(2026, 1, 5, 0)
    spans = [Span(start, start + REACH) for start in (monday + timedelta(days=n) for n in range(7))]
    return all(len(_joined(sorted(_every(rule, one)))) <= MOST_WINDOWS for one in spans)


def _every(rule: list[Weekly], whole: Span) -> list[Span]:
    day = whole.start.astimezone(SWEDEN).date() - timedelta(days=1)
    last = min(whole.end.astimezone(SWEDEN).date(), day + timedelta(days=MOST_WINDOWS * 7 + 2))
    found: list[Span] = []
    while day <= last and len(found) < 28 * MOST_WINDOWS:
        found += [one for each in rule if day.weekday() in each.weekdays for one in _on(day, each)]
        day += timedelta(days=1)
    return [
        Span(max(one.start, whole.start), min(one.end, whole.end)) for one in found if one.overlaps(whole)
    ]


def _on(day: date, each: Weekly) -> list[Span]:
    """Return the day's window; none where the spring night skips all of it."""
    start, end = _minute(each.from_), _minute(each.to)
    until = day if end > start else day + timedelta(days=1)
    first, last = _instant(day, start), _instant(until, end)
    return [Span(first, last)] if first < last else []


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _instant(day: date, minute: int) -> datetime:
    """Return when it is that minute, or when the clock skips it: on the hour, as everywhere in Europe."""
    at = at_local(day.year, day.month, day.day, minute)
    is_skipped = at.astimezone(SWEDEN).hour != minute // 60 % 24
    return at.replace(minute=0) if is_skipped else at


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for one in spans:
        if joined and one.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    return joined
