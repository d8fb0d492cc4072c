"""What a round asks: priority classes, hours, lengths, days left out; and which class a wish belongs to. Pure."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from booking.errors import Rejected
from booking.reservations.seasons.ground import DAY, Terms

Activity = Literal["indoor_sport", "outdoor_sport", "summer_sport", "exercise", "culture", "school", "other"]
PartyKind = Literal["person", "association", "municipal_unit", "company"]
Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
Age = Annotated[int, Meta(ge=0, le=120)]
Minute = Annotated[int, Meta(ge=0, le=DAY, multiple_of=15)]
Length = Annotated[int, Meta(ge=15, le=720, multiple_of=15)]


class PriorityClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of the priority order: a wish belongs to the first one whose every condition it fulfils.

    `oldest`: nobody in the group is older. `granted`: the municipality gives the party activity support.
    """

    sv: Name
    en: Name
    kinds: list[PartyKind] | None = None
    activities: list[Activity] | None = None
    oldest: Age | None = None
    whole_season: bool | None = None
    granted: bool | None = None


class DaysOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days on which nothing is shared out, both included."""

    first: date
    last: date


class SharedHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of the local day, in minutes."""

    opens: Minute
    closes: Minute


class RoundRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a round; minutes of the local day, lengths in minutes.

    `weekday` and `weekend` are the hours that are shared out (null: none). Groups of at most `youth_age` should
    have ended by `youth_until`; the hours `prime` of weekdays are meant for them first, in `prime_resources` where
    some are named. A weekly time is given if it is free on `least_pct` per cent of its dates.
    """

    classes: Annotated[list[PriorityClass], Meta(min_length=1, max_length=12)]
    weekday: SharedHours | None
    weekend: SharedHours | None
    step: Literal[15, 30, 60] = 30
    shortest: Length = 60
    longest: Length = 240
    most_weekly: Annotated[int, Meta(ge=15, le=10_080)] | None = None
    youth_age: Age = 15
    youth_until: Minute | None = None
    prime: SharedHours | None = None
    prime_resources: Annotated[list[UUID], Meta(max_length=200)] | None = None
    least_pct: Annotated[int, Meta(ge=1, le=100)] = 75
    skip_school_breaks: bool = False
    skip_holidays: bool = True
    out: Annotated[list[DaysOut], Meta(max_length=60)] = []

    @property
    def terms(self) -> Terms:
        """What the allocation asks."""
        return Terms(
            self.step,
            self.least_pct / 100,
            self.most_weekly,
            self.youth_until,
            None if self.prime is None else (self.prime.opens, self.prime.closes),
            None if self.prime_resources is None else frozenset(self.prime_resources),
        )

    def hours_on(self, weekday: int) -> SharedHours | None:
        """Return the hours that are shared out on a weekday (0 is Monday)."""
        return self.weekday if weekday < 5 else self.weekend


def must_make_sense(rules: RoundRules) -> None:
    """Raise Rejected (`round_hours`, `round_lengths`, `round_days`) for rules that contradict themselves."""
    for hours in (rules.weekday, rules.weekend, rules.prime):
        if hours is not None and hours.opens >= hours.closes:
            raise Rejected("hours end after they begin", code="round_hours")
    if rules.weekday is None and rules.weekend is None:
        raise Rejected("a round shares out some hours", code="round_hours")
    if rules.shortest > rules.longest:
        raise Rejected("the shortest time is longer than the longest", code="round_lengths")
    if any(one.last < one.first or one.last - one.first > timedelta(days=400) for one in rules.out):
        raise Rejected("days left out end before they begin", code="round_days")


def rank_of(
    classes: Sequence[PriorityClass],
    *,
    kind: str,
    activity: str,
    age_to: int,
    whole_season: bool,
    granted: bool,
) -> int:
    """Return the first class that the facts fit, 1 the highest; one after the last where none does."""

    def fits(one: PriorityClass) -> bool:
        return (
            _among(kind, one.kinds)
            and _among(activity, one.activities)
            and (one.oldest is None or age_to <= one.oldest)
            and one.whole_season in (None, whole_season)
            and one.granted in (None, granted)
        )

    return next((n for n, one in enumerate(classes, start=1) if fits(one)), len(classes) + 1)


def _among(value: str, allowed: Collection[str] | None) -> bool:
    return allowed is None or value in allowed
