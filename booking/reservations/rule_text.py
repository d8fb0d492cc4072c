"""Pure: a recurrence as a sentence, in Swedish and in English."""

from datetime import date
from typing import Literal

from booking.reservations.recurrence import Pattern, Rule, Wall

Language = Literal["sv", "en"]
_DAYS = {
    "sv": ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "sv": (
        "januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober",
        "november", "december",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ),
}  # fmt: skip
_NTH = {
    "sv": {1: "första", 2: "andra", 3: "tredje", 4: "fjärde", 5: "femte", -1: "sista", -2: "näst sista"},
    "en": {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "second last"},
}
_AND = {"sv": "och", "en": "and"}


def rule_text(pattern: Pattern, language: Language, *, skips_breaks: bool = False) -> str:
    """Return a sentence such as `Varje tisdag 18.00–20.00 till 15 december`."""
    how_often = _swedish(pattern) if language == "sv" else _english(pattern)
    text = f"{how_often} {_clocks(pattern.first, language)}{_end(pattern, language)}"
    besides = _besides(pattern, language, skips_breaks)
    return text + (", " + ", ".join(besides) if besides else "")


def _swedish(pattern: Pattern) -> str:
    rule, n = pattern.rule, pattern.rule.interval
    if rule.freq == "DAILY":
        return "Varje dag" if n == 1 else "Varannan dag" if n == 2 else f"Var {_ordinal(n, 'sv')} dag"
    if rule.freq == "WEEKLY":
        days = _listed(_weekdays(pattern, "sv"), "sv")
        if n <= 2 and len(_weekdays(pattern, "sv")) == 1:
            return f"{'Varje' if n == 1 else 'Varannan'} {days}"
        if n == 1:
            return f"Varje {days}"
        which = "Varannan" if n == 2 else f"Var {_ordinal(n, 'sv')}"
        return f"{which} vecka på {days}"
    if rule.freq == "MONTHLY":
        each = "varje månad" if n == 1 else "varannan månad" if n == 2 else f"var {_ordinal(n, 'sv')} månad"
        return f"{_capital(_listed(_month_days(pattern, 'sv'), 'sv'))} {each}"
    each = "Varje år" if n == 1 else "Vartannat år" if n == 2 else f"Vart {_ordinal(n, 'sv')} år"
    return f"{each} den {pattern.first.day.day} {_MONTHS['sv'][pattern.first.day.month - 1]}"


def _english(pattern: Pattern) -> str:
    rule, n = pattern.rule, pattern.rule.interval
    every = "Every" if n == 1 else "Every other" if n == 2 else f"Every {_ordinal(n, 'en')}"
    if rule.freq == "DAILY":
        return f"{every} day"
    if rule.freq == "WEEKLY":
        days = _weekdays(pattern, "en")
        if n == 1 or (n == 2 and len(days) == 1):
            return f"{every} {_listed(days, 'en')}"
        return f"{every} week on {_listed(days, 'en')}"
    if rule.freq == "MONTHLY":
        return f"{_capital(_listed(_month_days(pattern, 'en'), 'en'))} of {every.lower()} month"
    return f"{every} year on {pattern.first.day.day} {_MONTHS['en'][pattern.first.day.month - 1]}"


def _weekdays(pattern: Pattern, language: Language) -> list[str]:
    days = sorted({day for _, day in pattern.rule.byday}) or [pattern.first.day.weekday()]
    return [_DAYS[language][day] for day in days]


def _month_days(pattern: Pattern, language: Language) -> list[str]:
    rule = pattern.rule
    if rule.bymonthday or not rule.byday:
        return [_month_day(day, language) for day in rule.bymonthday or (pattern.first.day.day,)]
    chosen = [(nth, day) for nth, day in rule.byday if nth]
    if rule.bysetpos and len(rule.byday) > 1:
        among = _listed([_DAYS[language][day] for _, day in rule.byday], language).replace(
            f" {_AND[language]} ", " eller " if language == "sv" else " or "
        )
        what = f"dagen som är {among}" if language == "sv" else among
        return [_nth(nth, what, language) for nth in rule.bysetpos]
    if rule.bysetpos:
        chosen = [(nth, rule.byday[0][1]) for nth in rule.bysetpos]
    if not chosen:
        return [
            f"varje {day}" if language == "sv" else f"every {day}" for day in _weekdays(pattern, language)
        ]
    ending = "en" if language == "sv" else ""
    return [_nth(nth, _DAYS[language][day] + ending, language) for nth, day in chosen]


def _month_day(day: int, language: Language) -> str:
    if day == -1:
        return "sista dagen" if language == "sv" else "the last day"
    if day < 0:
        return f"{-day} dagar från slutet" if language == "sv" else f"day {-day} from the end"
    return f"den {day}" if language == "sv" else f"day {day}"


def _nth(nth: int, what: str, language: Language) -> str:
    the = "" if language == "sv" else "the "
    if nth in _NTH[language]:
        return f"{the}{_NTH[language][nth]} {what}"
    return f"{the}{_NTH[language][-nth]} {what} {'från slutet' if language == 'sv' else 'from the end'}"


def _ordinal(n: int, language: Language) -> str:
    if language == "sv":
        return f"{n}:{'a' if n % 10 in (1, 2) and n % 100 not in (11, 12) else 'e'}"
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _clocks(wall: Wall, language: Language) -> str:
    dot = "." if language == "sv" else ":"
    return "–".join(f"{m // 60 % 24:02}{dot}{m % 60:02}" for m in (wall.opens, wall.closes))


def _end(pattern: Pattern, language: Language) -> str:
    rule: Rule = pattern.rule
    if rule.count is not None:
        times = ("gång", "gånger") if language == "sv" else ("time", "times")
        return f", {rule.count} {times[rule.count != 1]}"
    until = rule.until.date() if rule.until is not None else pattern.first.day
    return (" till " if language == "sv" else " until ") + _date(until, pattern.first.day, language)


def _date(day: date, from_: date, language: Language) -> str:
    year = "" if day.year == from_.year else f" {day.year}"
    return f"{day.day} {_MONTHS[language][day.month - 1]}{year}"


def _besides(pattern: Pattern, language: Language, skips_breaks: bool) -> list[str]:
    said = []
    if skips_breaks:
        said.append("inte på lov" if language == "sv" else "not in school breaks")
    if pattern.exdates:
        said.append(
            ("utom " if language == "sv" else "except ") + _dates(sorted(pattern.exdates), pattern, language)
        )
    if pattern.rdates:
        added = [one.day for one in sorted(pattern.rdates)]
        said.append(("även " if language == "sv" else "also ") + _dates(added, pattern, language))
    return said


def _dates(days: list[date], pattern: Pattern, language: Language) -> str:
    if len(days) > 3:
        return f"{len(days)} {'datum' if language == 'sv' else 'dates'}"
    return _listed([_date(day, pattern.first.day, language) for day in days], language)


def _listed(words: list[str], language: Language) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {_AND[language]} {words[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
