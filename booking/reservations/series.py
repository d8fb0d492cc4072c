"""Recurring bookings as they are wished, and how every time of them would turn out; nothing is booked here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from booking import db, places
from booking.clock import at_local
from booking.errors import Rejected
from booking.people import Actor
from booking.places import Resource
from booking.reservations.allowing import may_waive, must_book_for
from booking.reservations.judging import Alternative, Status, Verdict, judge, with_alternatives, with_quotas
from booking.reservations.offers import Customer
from booking.reservations.outlook import look_ahead
from booking.reservations.pooling import Case
from booking.reservations.recurrence import (
    LONGEST,
    Clock,
    LeftOut,
    Occurrence,
    Pattern,
    Wall,
    expand,
    read_rule,
)
from booking.span import Span


@dataclass(frozen=True, slots=True)
class SeriesWish:
    """What somebody wants to book again and again, on the Swedish wall clock."""

    resource_id: UUID
    party: UUID
    purpose: str
    title: str | None
    first: Wall
    rrule: str
    exdates: frozenset[date] = frozenset()
    rdates: tuple[Wall, ...] = ()
    skip_school_breaks: bool = False
    reason: str | None = None  # why staff book beyond the rules that they may waive

    @property
    def pattern(self) -> Pattern:
        """What recurs. Raises BadRule."""
        return Pattern(self.first, read_rule(self.rrule), self.exdates, self.rdates)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One time to book: as the series has it, or an alternative to the occurrence that began at `instead_of`."""

    span: Span
    resource_id: UUID | None = None
    instead_of: datetime | None = None


class PreviewOccurrence(db.Record):
    """One time of a series as it would turn out.

    `clock` tells of a night when the clock changes: `skipped` (it lacks an hour, or begins an hour later) or
    `repeated` (it has an hour twice).
    """

    start: datetime
    end: datetime
    status: Status
    reason: str | None
    price_ore: int | None
    alternative: Alternative | None
    left_out: LeftOut | None
    clock: Clock | None


class SeriesPreview(db.Record):
    """Every time of a series, and what those that can be had cost in öre."""

    occurrences: list[PreviewOccurrence]
    total_ore: int
    free_count: int
    taken_count: int


async def preview_series(wish: SeriesWish, *, by: Actor, now: datetime) -> SeriesPreview:
    """Return every occurrence with status, reason, price and the best alternative. Nothing is booked.

    Raises BadRule, NotAllowed for a foreign party, NotFound.
    """
    resource = await places.resource(wish.resource_id)
    waive = may_go_beyond(wish, resource, by)
    occurrences = await times_of(wish, resource)
    cases = [Case(resource, one.span) for one in occurrences if one.span is not None and one.left_out is None]
    customer = Customer(wish.party)
    spans = [one.span for one in cases]
    outlook = await look_ahead([resource], spans, customer, wish.purpose, now, waive=waive)
    verdicts, taken = await judge(cases, outlook)
    verdicts = await with_quotas(verdicts, wish.party, outlook)
    verdicts = await with_alternatives(verdicts, taken, outlook, customer)
    by_span = {one.case.span: one for one in verdicts}
    listed = [
        shown(one, by_span.get(one.span) if one.span and one.left_out is None else None)
        for one in occurrences
    ]
    return SeriesPreview(
        listed,
        sum(one.quote.total_ore for one in verdicts if one.reason is None and one.quote is not None),
        sum(1 for one in verdicts if one.reason is None),
        sum(1 for one in verdicts if one.status == "taken"),
    )


def may_go_beyond(wish: SeriesWish, resource: Resource, by: Actor) -> bool:
    """Return True if staff book for a reason. Raises NotAllowed for those who may not book for the party, Rejected."""
    owner = resource.facility.municipality.code
    by.must_be_known()
    if resource.kind == "equipment":
        raise Rejected("equipment is booked with a place", code="equipment_alone")
    waive = may_waive(by, owner, wish.reason)
    must_book_for(by, wish.party, owner, waive=waive)
    return waive


async def times_of(wish: SeriesWish, resource: Resource) -> list[Occurrence]:
    """Return the occurrences, with those that fall in a school break left out where that is wished."""
    breaks: list[tuple[date, date]] = []
    if wish.skip_school_breaks:
        owner, first = resource.facility.municipality.code, wish.first.day
        found = await places.school_breaks(owner, first, first + LONGEST)
        breaks = [(one.from_day, one.to_day) for one in found]
    return expand(wish.pattern, breaks)


def shown(occurrence: Occurrence, verdict: Verdict | None) -> PreviewOccurrence:
    """Return one time as a preview lists it; without a verdict it is left out, or does not exist."""
    wall = occurrence.wall
    start = at_local(wall.day.year, wall.day.month, wall.day.day, wall.opens)
    if verdict is None or occurrence.span is None:
        end = occurrence.span.end if occurrence.span is not None else start
        reason = occurrence.left_out or "no_such_time"
        return PreviewOccurrence(
            start, end, "refused", reason, None, None, occurrence.left_out, occurrence.clock
        )
    return PreviewOccurrence(
        occurrence.span.start,
        occurrence.span.end,
        verdict.status,
        verdict.reason,
        verdict.quote.total_ore if verdict.quote else None,
        verdict.alternative,
        None,
        occurrence.clock,
    )


@dataclass(frozen=True, slots=True)
class SeriesOrder:
    """An explicit list of times with how it is paid and the sum (öre) that was shown."""

    wish: SeriesWish
    chosen: Sequence[Chosen]
    method: str
    expected_ore: int
    terms: str | None = None
