"""Pure: the occurrences of a recurring booking, by RFC 5545 in Swedish wall-clock time.

The rule is expanded by dateutil on naive wall clocks, so 18:00 stays 18:00 all year round. Only rules that always
come to an end are let in: dateutil looks for the next match as far as the year 9999.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from dateutil import rrule as dateutil

from booking.clock import SWEDEN, at_local
from booking.errors import Rejected
from booking.span import Span

MOST, LONGEST = 400, timedelta(days=800)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES = {
    "DAILY": dateutil.DAILY,
    "WEEKLY": dateutil.WEEKLY,
    "MONTHLY": dateutil.MONTHLY,
    "YEARLY": dateutil.YEARLY,
}
_PARTS = {  # what each frequency may be narrowed by
    "DAILY": {"BYDAY"},
    "WEEKLY": {"BYDAY"},
    "MONTHLY": {"BYDAY", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": set[str](),
}
Clock = Literal["skipped", "repeated"]
LeftOut = Literal["exdate", "school_break"]


class BadRule(Rejected):
    """The recurrence rule can't be used; `code` says why."""

    code = "rule_unsupported"


@dataclass(frozen=True, slots=True, order=True)
class Wall:
    """A stretch of the Swedish wall clock, in minutes of the local day; `closes` may lie in the next day (> 1440)."""

    day: date
    opens: int
    closes: int

    def on(self, day: date) -> "Wall":
        """Return the same clock on another day."""
        return Wall(day, self.opens, self.closes)


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence rule, read and judged."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None  # naive wall clock, inclusive
    byday: tuple[tuple[int, int], ...] = ()  # (which in the month or 0, weekday)
    bymonthday: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()
    wkst: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """What recurs: the first time, the rule, dates left out and times added."""

    first: Wall
    rule: Rule
    exdates: frozenset[date] = frozenset()
    rdates: tuple[Wall, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a pattern.

    `span` is None where the spring night lacks all of it. `clock` says that the night of a clock change makes it
    shorter, or moves its start an hour (`skipped`), or makes it longer (`repeated`).
    """

    wall: Wall
    span: Span | None
    clock: Clock | None = None
    left_out: LeftOut | None = None


def read_rule(text: str) -> Rule:
    """Return an RRULE value such as `FREQ=WEEKLY;BYDAY=TU;UNTIL=20261215`. Raises BadRule."""
    parts: dict[str, str] = {}
    for piece in text.removeprefix("RRULE:").split(";"):
        name, equals, value = piece.partition("=")
        if not equals or name in parts:
            raise BadRule(f"the rule has a part that can't be read: {piece[:40]}")
        parts[name] = value
    freq = parts.pop("FREQ", "")
    if freq not in _FREQUENCIES:
        raise BadRule("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY")
    strange = parts.keys() - _PARTS[freq] - {"INTERVAL", "COUNT", "UNTIL", "WKST"}
    if strange:
        raise BadRule(f"a {freq} rule can't have {', '.join(sorted(strange))} here")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise BadRule("say how many times (COUNT) or until when (UNTIL), one of them", code="rule_endless")
    rule = Rule(
        freq,
        _whole(parts.get("INTERVAL", "1"), 1, 99),
        _whole(parts["COUNT"], 1, MOST) if "COUNT" in parts else None,
        _until(parts["UNTIL"]) if "UNTIL" in parts else None,
        tuple(_weekday(one, freq) for one in _listed(parts, "BYDAY")),
        tuple(_whole(one, -31, 31) for one in _listed(parts, "BYMONTHDAY")),
        tuple(_whole(one, -4, 4) for one in _listed(parts, "BYSETPOS")),
        _weekday(parts.get("WKST", "MO"), "WEEKLY")[1],
    )
    return _judged(rule)


def write_rule(rule: Rule) -> str:
    """Return the RRULE value that `read_rule` reads as this rule."""
    parts = {"FREQ": rule.freq, "INTERVAL": "" if rule.interval == 1 else str(rule.interval)}
    parts["COUNT"] = "" if rule.count is None else str(rule.count)
    if rule.until is not None:
        whole_day = rule.until.time() == time.max
        parts["UNTIL"] = f"{rule.until:%Y%m%d}" if whole_day else f"{rule.until:%Y%m%dT%H%M%S}"
    parts["BYDAY"] = ",".join(f"{nth or ''}{WEEKDAYS[day]}" for nth, day in rule.byday)
    parts["BYMONTHDAY"] = ",".join(map(str, rule.bymonthday))
    parts["BYSETPOS"] = ",".join(map(str, rule.bysetpos))
    parts["WKST"] = "" if rule.wkst == 0 else WEEKDAYS[rule.wkst]
    return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def shifted(rule: Rule, days: int) -> Rule:
    """Return the rule on other weekdays, less than a week away. Raises BadRule where that can't be said."""
    if days == 0:
        return rule
    if rule.freq not in ("DAILY", "WEEKLY"):
        raise BadRule("only daily and weekly series can be moved to another weekday")
    byday = tuple((0, (day + days) % 7) for _, day in rule.byday)
    wraps = any(not 0 <= day + days < 7 for _, day in rule.byday)
    if rule.interval > 1 and len(byday) > 1 and wraps:
        raise BadRule("a series with several days in some weeks only can't be moved over the weekend")
    until = None if rule.until is None else rule.until + timedelta(days=days)
    return replace(rule, byday=byday, until=until)


def _judged(rule: Rule) -> Rule:
    """Return a rule that is certain to match again and again; daily on weekdays is weekly."""
    if 0 in rule.bymonthday or 0 in rule.bysetpos:
        raise BadRule("days and positions are counted from 1, or from -1 backwards")
    if rule.bymonthday and rule.byday:
        raise BadRule("a monthly rule has days of the month or weekdays, not both")
    if rule.bysetpos and (not rule.byday or any(nth for nth, _ in rule.byday)):
        raise BadRule("BYSETPOS chooses among the weekdays of BYDAY")
    if rule.freq == "DAILY" and rule.byday:
        if rule.interval != 1:
            raise BadRule("a daily rule with weekdays has no INTERVAL")
        return Rule("WEEKLY", 1, rule.count, rule.until, rule.byday, wkst=rule.wkst)
    return rule


def _listed(parts: dict[str, str], name: str) -> list[str]:
    return parts[name].split(",") if name in parts else []


def _whole(text: str, least: int, most: int) -> int:
    digits = text.lstrip("+-")
    if len(text) > 5 or not (digits.isascii() and digits.isdigit()) or not least <= int(text) <= most:
        raise BadRule(f"{text[:20]} is not a whole number from {least} to {most}")
    return int(text)


def _weekday(text: str, freq: str) -> tuple[int, int]:
    nth, name = text[:-2], text[-2:]
    if name not in WEEKDAYS or (nth and freq != "MONTHLY"):
        raise BadRule(f"{text[:20]} is not a weekday that the rule can have")
    which = _whole(nth, -5, 5) if nth else 0
    if nth and which == 0:
        raise BadRule("weekdays of a month are counted from 1, or from -1 backwards")
    return which, WEEKDAYS.index(name)


def _until(text: str) -> datetime:
    try:
        if len(text) == 8 and text.isdigit():
            return datetime.combine(date.fromisoformat(text), time.max)
        if text.endswith("Z"):
            instant = datetime.strptime(text + "+0000", "%Y%m%dT%H%M%SZ%z")
            return instant.astimezone(SWEDEN).replace(tzinfo=None)
        return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 a wall clock has no zone
    except (ValueError, OverflowError) as error:
        raise BadRule(f"UNTIL={text[:20]} is not a date") from error


def expand(pattern: Pattern, breaks: Sequence[tuple[date, date]] = ()) -> list[Occurrence]:
    """Return every occurrence in order, those left out too. Raises BadRule where there are too many, or none.

    `breaks` are school breaks (both days included) that the rule skips; an added date stands in a break too.
    The first is on the first date or, where the rule doesn't fit it, on the next day that fits.
    """
    days = _days(pattern)
    by_start: dict[tuple[date, int], Occurrence] = {}
    for day in days:
        left_out: LeftOut | None = None
        if day in pattern.exdates:
            left_out = "exdate"
        elif any(first <= day <= last for first, last in breaks):
            left_out = "school_break"
        wall = pattern.first.on(day)
        by_start[day, wall.opens] = occurrence(wall, left_out)
    for wall in pattern.rdates:
        by_start[wall.day, wall.opens] = occurrence(wall, None)
    if len(by_start) > MOST:
        raise BadRule(f"a series has at most {MOST} times", code="rule_too_long")
    if not by_start:
        raise BadRule("the rule never comes true", code="rule_never")
    return [by_start[key] for key in sorted(by_start)]


def _days(pattern: Pattern) -> list[date]:
    rule, begin = pattern.rule, datetime.combine(pattern.first.day, time())
    begin += timedelta(minutes=pattern.first.opens)
    last = begin + LONGEST
    if any(not begin.date() <= wall.day <= last.date() for wall in pattern.rdates):
        raise BadRule("added dates lie between the first date and 800 days later", code="rule_too_long")
    if rule.until is not None and rule.until > last:
        raise BadRule("a series lasts at most 800 days", code="rule_too_long")
    found: list[date] = []
    for moment in _dateutil(rule, begin):
        if moment > last or len(found) == MOST:
            raise BadRule(f"a series has at most {MOST} times in 800 days", code="rule_too_long")
        found.append(moment.date())
    return found


def _dateutil(rule: Rule, begin: datetime) -> dateutil.rrule:
    days = [dateutil.weekday(weekday, nth or None) for nth, weekday in rule.byday]
    return dateutil.rrule(
        _FREQUENCIES[rule.freq],
        dtstart=begin,
        interval=rule.interval,
        wkst=rule.wkst,
        count=rule.count,
        until=rule.until,
        bysetpos=rule.bysetpos or None,
        bymonthday=rule.bymonthday or None,
        byweekday=days or None,
    )


def occurrence(wall: Wall, left_out: LeftOut | None = None) -> Occurrence:
    """Return when a stretch of the wall clock is; one that the spring night lacks begins an hour later (RFC 5545)."""
    start = at_local(wall.day.year, wall.day.month, wall.day.day, wall.opens)
    end = at_local(wall.day.year, wall.day.month, wall.day.day, wall.closes)
    if end <= start:
        return Occurrence(wall, None, "skipped", left_out)
    elapsed, meant = end - start, timedelta(minutes=wall.closes - wall.opens)
    shown = start.astimezone(SWEDEN)
    moved = shown.hour * 60 + shown.minute != wall.opens
    clock: Clock | None = "repeated" if elapsed > meant else None
    return Occurrence(wall, Span(start, end), "skipped" if moved or elapsed < meant else clock, left_out)
