"""Which kind of day a Swedish date is, by the municipality's own definition."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """Return the Swedish public holidays of a year; Sundays are not among them by being Sundays."""
    import holidays  # slow to import, and only lists with day classes need it

    return frozenset(holidays.country_holidays("SE", years=year, include_sundays=False))


def day_class(classes: Mapping[str, tuple[str, ...]], day: date) -> str | None:
    """Return the list's class for a date: a named date beats a public holiday beats a weekday."""
    tokens = [day.isoformat()]
    if day in public_holidays(day.year):
        tokens.append("public_holiday")
    tokens.append(WEEKDAYS[day.weekday()])
    return next((name for token in tokens for name, holds in classes.items() if token in holds), None)
