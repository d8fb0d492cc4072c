"""What a season's allocation is about, as values: places, free weekly time, wishes, what is fixed. Pure.

A season is a week that repeats. Its time is a grid of quarters (15 minutes) per leaf and weekday; for each the dates
of the season on which it is free are the bits of an integer, so that "free on which dates" is one AND.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

QUARTER = 15
DAY = 24 * 60
Kind = Literal["primary", "alternative", "by_hand"]


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be given out: the leaves it takes, each until `gap_min` after the end."""

    id: UUID
    leaves: tuple[int, ...]
    gap_min: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a weekday (0 is Monday, minutes of the day) in which a time would suit, best or second best."""

    weekday: int
    opens: int
    closes: int
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """So many times a week of so many minutes, at most one a day, in any of the windows and places.

    `rank` is the priority class, 1 the first. Places are in the order in which they are liked.
    """

    id: UUID
    party: UUID
    rank: int
    times: int
    minutes: int
    windows: tuple[Window, ...]
    places: tuple[UUID, ...]
    youth: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A weekly time in a place."""

    place: UUID
    weekday: int
    opens: int
    closes: int

    @property
    def minutes(self) -> int:
        """Its length on the wall clock."""
        return self.closes - self.opens


@dataclass(frozen=True, slots=True)
class Fixed:
    """A time that a wish has already, by a staff member's hand: nobody moves it."""

    wish: UUID
    slot: Slot


@dataclass(frozen=True, slots=True)
class Terms:
    """What the round asks of every allocation, in minutes of the day and of the week.

    Youth should have ended by `youth_until`; others should not be in `prime` on weekdays (in `prime_places`, where
    some are named): both are preferences, not conditions.
    """

    step: int = 30
    least_share: float = 0.75  # of the season's dates on which a weekly time must be free
    most_weekly: int | None = None  # minutes a party may have in a week
    youth_until: int | None = None
    prime: tuple[int, int] | None = None
    prime_places: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """The places and when they are free.

    `dates` says how many dates of the season each weekday has; `free` holds for (leaf, weekday) a bit mask of free
    dates per quarter of the day, and `hours` the same for (place, weekday) where a place is not always open.
    """

    places: Mapping[UUID, Place]
    dates: Mapping[int, int]
    free: Mapping[tuple[int, int], tuple[int, ...]]
    terms: Terms = field(default_factory=Terms)
    hours: Mapping[tuple[UUID, int], tuple[int, ...]] = field(default_factory=dict)

    def dates_free(self, slot: Slot) -> int:
        """Return the dates of the season on which all of the slot is free, as bits."""
        place = self.places[slot.place]
        found = (1 << self.dates.get(slot.weekday, 0)) - 1
        grids = [self.free.get((leaf, slot.weekday)) for leaf in place.leaves]
        if (place.id, slot.weekday) in self.hours:
            grids.append(self.hours[place.id, slot.weekday])
        for quarters in grids:
            if quarters is None:
                return 0
            for quarter in range(slot.opens // QUARTER, -(-slot.closes // QUARTER)):
                found &= quarters[quarter]
        return found

    def taken(self, slot: Slot) -> tuple[int, int]:
        """Return from which quarter to which the slot keeps its leaves, the gap after it included."""
        until = slot.closes + self.places[slot.place].gap_min
        return slot.opens // QUARTER, -(-until // QUARTER)

    def meet(self, one: Slot, other: Slot) -> bool:
        """True if the two want a leaf at the same instant, gap included."""
        if one.weekday != other.weekday:
            return False
        (begin, end), (start, stop) = self.taken(one), self.taken(other)
        if begin >= stop or start >= end:
            return False
        return not set(self.places[one.place].leaves).isdisjoint(self.places[other.place].leaves)
