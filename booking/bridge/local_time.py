"""UTC windows as the wall clock of a lock that knows no zone shows them. The only place that converts.

A lock with local time opens while `start <= its clock < end`. In the doubled hour of an autumn night one reading
is two instants: the window is widened so that nobody is locked out, and says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.bridge.contract import Window

DAY = 86_400
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- a wall clock has no zone


@dataclass(frozen=True, slots=True)
class LocalWindow:
    """Wall clock from `start` to before `end`; `is_widened` if the lock also opens outside the window."""

    start: datetime
    end: datetime
    is_widened: bool


def to_local(window: Window, zone: ZoneInfo, step_s: int = 1) -> LocalWindow:
    """Return the smallest wall-clock window, in steps of the lock, that admits every instant of this one."""
    nb, na = window
    pieces = list(_pieces(nb, na, zone))
    low = min(since + offset for since, _, offset in pieces)
    high = max(until + offset for _, until, offset in pieces)
    admitted = sum(min(until, high - offset) - max(since, low - offset) for since, until, offset in
                   _pieces(nb - DAY, na + DAY, zone)
                   if min(until, high - offset) > max(since, low - offset))  # fmt: skip
    return LocalWindow(
        start=_EPOCH + timedelta(seconds=low // step_s * step_s),
        end=_EPOCH + timedelta(seconds=-(-high // step_s) * step_s),
        is_widened=admitted > na - nb,
    )


def caveat(windows: Iterable[Window], zone: ZoneInfo) -> str | None:
    """Return what staff should know of these windows at a lock with a wall clock, None if they are exact."""
    widened = [local for local in (to_local(window, zone) for window in windows) if local.is_widened]
    if not widened:
        return None
    first = widened[0]
    return (
        f"the clocks change that night: the lock opens {first.start:%Y-%m-%d %H:%M}-{first.end:%H:%M} by its own"
        " clock, in both of the doubled hours; the bridge takes the code out at the true end"
    )


def _pieces(since: int, until: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Yield the parts of [since, until) between changes of the clock, each with its offset in seconds."""
    at = since
    while at < until:
        offset = _offset(at, zone)
        end = at
        while end < until and _offset(min(end + DAY, until), zone) == offset:
            end = min(end + DAY, until)
        if end < until:
            end = _change(end, min(end + DAY, until), zone)
        yield at, end, offset
        at = end


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """Return the first second in (before, after] with another offset than `before`."""
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
    return after


def _offset(at: int, zone: ZoneInfo) -> int:
    there = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    return int(there.total_seconds()) if there is not None else 0
