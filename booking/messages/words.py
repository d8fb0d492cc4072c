"""Times and money as a Swedish or English sentence says them."""

from datetime import datetime

from booking.clock import SWEDEN, local_date
from booking.people import Language

_DAYS: dict[Language, list[str]] = {
    "sv": ["måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
_MONTHS: dict[Language, list[str]] = {
    "sv": [
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}


def moment(at: datetime, language: Language) -> str:
    """Return "måndag 23 november kl. 18:00" in Swedish local time."""
    local = at.astimezone(SWEDEN)
    clock = f"kl. {local:%H:%M}" if language == "sv" else f"at {local:%H:%M}"
    return f"{_day(local, language)} {clock}"


def period(start: datetime, end: datetime, language: Language) -> str:
    """Return "måndag 23 november kl. 18:00–19:30", or both days where it ends on another one."""
    last = end.astimezone(SWEDEN)
    if last.date() == local_date(start):
        return f"{moment(start, language)}–{last:%H:%M}"
    return f"{moment(start, language)} – {moment(end, language)}"


def money(ore: int) -> str:
    """Return "1 234,50 kr" of an amount in öre; no decimals where there are none."""
    crowns, rest = divmod(abs(ore), 100)
    whole = f"{crowns:,}".replace(",", "\u00a0")
    return f"{'−' if ore < 0 else ''}{whole}{f',{rest:02d}' if rest else ''}\u00a0kr"


def _day(local: datetime, language: Language) -> str:
    return f"{_DAYS[language][local.weekday()]} {local.day} {_MONTHS[language][local.month - 1]}"
