"""Pure: what is asked of a price list, and whether a row's conditions hold for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from booking.billing.tariff_data import When

EMPTY = When()


@dataclass(frozen=True, slots=True)
class Usage:
    """What is used and for what. Instants are aware; quantities are whole units."""

    resource_class: str
    starts_at: datetime
    ends_at: datetime
    purpose: str = "other"
    tags: frozenset[str] = frozenset()
    age: int | None = None
    km: int = 0
    m2: int = 0
    nights: int = 0
    years: int = 0


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What one municipality knows about a customer on a day; `categories` rest on evidence rows."""

    kind: str = "person"
    home_municipality: str | None = None
    categories: frozenset[str] = frozenset()
    measures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A usage and a customer, with what the conditions ask about worked out once."""

    usage: Usage
    customer: CustomerFacts
    own_home: bool
    local: datetime
    seconds: int
    day: str | None


def holds(when: When, case: Case) -> bool:
    """Tell whether every given condition is true."""
    return when == EMPTY or (
        _who_holds(when, case)
        and _what_holds(when, case.usage)
        and _length_holds(when, case)
        and _clock_holds(when, case)
    )


def _who_holds(when: When, case: Case) -> bool:
    known = case.customer
    return (
        (not when.kind or known.kind in when.kind)
        and (when.home is None or (when.home == "own") == case.own_home)
        and (not when.evidence or known.categories.issuperset(when.evidence))
        and all(known.measures.get(name, 0) >= least for name, least in when.measured.items())
    )


def _what_holds(when: When, usage: Usage) -> bool:
    return (
        (not when.purpose or usage.purpose in when.purpose)
        and (not when.tags or usage.tags.issuperset(when.tags))
        and (not when.without_tags or usage.tags.isdisjoint(when.without_tags))
        and (not when.resource or usage.resource_class in when.resource)
        and (not when.without_resource or usage.resource_class not in when.without_resource)
        and (when.age_from is None or (usage.age is not None and usage.age >= when.age_from))
        and (when.age_to is None or (usage.age is not None and usage.age <= when.age_to))
    )


def _length_holds(when: When, case: Case) -> bool:
    seconds = case.seconds
    return (
        (when.longer_than is None or seconds > when.longer_than * 60)
        and (when.at_least is None or seconds >= when.at_least * 60)
        and (when.shorter_than is None or seconds < when.shorter_than * 60)
        and (when.at_most is None or seconds <= when.at_most * 60)
    )


def _clock_holds(when: When, case: Case) -> bool:
    if not when.day and when.starts_from is None and when.starts_before is None and when.season is None:
        return True
    time, day = f"{case.local:%H:%M}", f"{case.local:%m-%d}"
    return (
        (not when.day or case.day in when.day)
        and (when.starts_from is None or time >= when.starts_from)
        and (when.starts_before is None or time < when.starts_before)
        and (when.season is None or _in_season(when.season, day))
    )


def _in_season(season: tuple[str, str], day: str) -> bool:
    first, last = season
    return first <= day <= last if first <= last else day >= first or day <= last
