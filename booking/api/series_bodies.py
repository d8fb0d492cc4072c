"""What is asked of recurring bookings, on the wire."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from booking.api.search import must_be_sane
from booking.api.shapes import Clock, Line, Note, Reason, minute_of_day, must_be_a_day
from booking.errors import Rejected
from booking.reservations import Chosen, NewTimes, Purpose, SeriesPart, SeriesWish, Wall
from booking.span import Span

Instant = Annotated[datetime, Meta(tz=True, examples=["2026-12-01T17:00:00Z"])]
RuleText = Annotated[
    str,
    Meta(
        min_length=1, max_length=300, pattern=r"^[A-Z0-9=;,:+-]*$", examples=["FREQ=WEEKLY;BYDAY=TU;COUNT=10"]
    ),
]
Money = Annotated[int, Meta(ge=0, le=10_000_000_000)]


class WallTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A local date with a stretch of the wall clock; one that ends at or before its start ends the day after."""

    date: date
    from_: Clock = msgspec.field(name="from")
    to: Clock

    @property
    def wall(self) -> Wall:
        """As the calendar knows it."""
        must_be_a_day(self.date)
        opens, closes = minute_of_day(self.from_, 0), minute_of_day(self.to, 0)
        if opens == 1440:
            raise Rejected("a time starts before 24:00", code="bad_time")
        return Wall(self.date, opens, closes if closes > opens else closes + 1440)


class SeriesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What recurs: the first time, an RFC 5545 rule (with COUNT or UNTIL), dates left out and times added.

    `reason` is for staff of the owner: why they book for somebody else, beyond notice, horizon and quota.
    """

    resource_id: UUID
    party_id: UUID
    first: WallTime
    rrule: RuleText
    purpose: Purpose = "training"
    title: Line | None = None
    exdates: Annotated[list[date], Meta(max_length=400)] = []
    rdates: Annotated[list[WallTime], Meta(max_length=100)] = []
    skip_school_breaks: bool = False
    reason: Reason | None = None

    @property
    def wish(self) -> SeriesWish:
        """As the calendar knows it."""
        return SeriesWish(
            self.resource_id,
            self.party_id,
            self.purpose,
            self.title,
            self.first.wall,
            self.rrule,
            frozenset(self.exdates),
            tuple(one.wall for one in self.rdates),
            self.skip_school_breaks,
            self.reason,
        )


class ChosenTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One time to book: the series' own, or an alternative to the one that began at `instead_of`."""

    start: Instant
    end: Instant
    resource_id: UUID | None = None
    instead_of: Instant | None = None

    @property
    def chosen(self) -> Chosen:
        """As the calendar knows it."""
        span = Span(self.start, self.end)
        must_be_sane(span)
        return Chosen(span, self.resource_id, self.instead_of)


class NewSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Book these times of the series, all or none, at the sum that was shown (öre)."""

    wish: SeriesBody
    method: Literal["invoice", "free"]
    occurrences: Annotated[list[ChosenTime], Meta(min_length=1, max_length=400)]
    expected_total_ore: Money
    terms_version: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class PartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which times: the one `from`, it and those after it, or all that are ahead."""

    scope: Literal["this", "following", "all"]
    from_: UUID | None = msgspec.field(name="from", default=None)

    @property
    def part(self) -> SeriesPart:
        """As the calendar knows it."""
        if self.scope != "all" and self.from_ is None:
            raise Rejected("say from which booking", code="from_missing")
        return SeriesPart(self.scope, self.from_)


class NewTimesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes; what is left out stays."""

    resource_id: UUID | None = None
    from_: Clock | None = msgspec.field(name="from", default=None)
    to: Clock | None = None
    weekday_shift: Annotated[int, Meta(ge=-6, le=6)] = 0

    @property
    def times(self) -> NewTimes:
        """As the calendar knows it."""
        opens = None if self.from_ is None else minute_of_day(self.from_, 0)
        if opens == 1440:
            raise Rejected("a time starts before 24:00", code="bad_time")
        closes = None if self.to is None else minute_of_day(self.to, 0)
        return NewTimes(self.resource_id, opens, closes, self.weekday_shift)


class SeriesChange(PartBody, frozen=True, forbid_unknown_fields=True):
    """Another place, clock or weekday; with `dry_run` only looked at. `skip` names bookings that stay as they are."""

    new: NewTimesBody = msgspec.field(default_factory=NewTimesBody)
    dry_run: bool = False
    expected_total_ore: Money | None = None
    skip: Annotated[list[UUID], Meta(max_length=400)] = []


class SeriesCancel(PartBody, frozen=True, forbid_unknown_fields=True):
    """End these times; with `dry_run` only what it costs."""

    reason: Note | None = None
    dry_run: bool = False


class AddedDate(WallTime, frozen=True, forbid_unknown_fields=True):
    """One more time, at the price that was shown."""

    expected_price_ore: Money | None = None


class SeriesApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Yes; what becomes of the times that somebody else has, and of the others who asked for the same times."""

    reason: Note | None = None
    taken: Literal["keep", "reject"] = "keep"
    others: Literal["keep", "reject"] = "keep"


class SeriesRejection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No, and why."""

    reason: Reason
