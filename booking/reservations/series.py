"""Recurring bookings: look at all their times before anything is booked, then book an explicit list of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from booking import billing, db, journal, locks, messages, places
from booking.clock import SWEDEN, at_local
from booking.errors import Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.places import Resource
from booking.reservations.allowing import may_waive, must_accept, must_book_for, must_have_quota
from booking.reservations.calendar import local_day
from booking.reservations.confirming import may_owe
from booking.reservations.errors import RULES, BreaksRule, PriceChanged, QuotaFull, SlotTaken
from booking.reservations.judging import (
    Alternative,
    Case,
    Status,
    Verdict,
    judge,
    wanted_by,
    with_alternatives,
    with_quotas,
)
from booking.reservations.offers import Customer
from booking.reservations.outlook import Outlook, look_ahead
from booking.reservations.recurrence import (
    LONGEST,
    BadRule,
    Clock,
    LeftOut,
    Occurrence,
    Pattern,
    Wall,
    expand,
    read_rule,
)
from booking.reservations.rows import code_of
from booking.reservations.writing import NewRow, part_of, take
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
    """Return True if staff book for a reason. Raises NotAllowed for those who may not book for the party."""
    owner = resource.facility.municipality.code
    by.must_be_known()
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


@dataclass(frozen=True, slots=True)
class Booked:
    """A time that is booked: its verdict and the start that the series gave it."""

    verdict: Verdict
    series_start: datetime


async def book_series(order: SeriesOrder, *, by: Actor, now: datetime) -> UUID:
    """All the chosen times are booked as one series, or none is. Returns the series.

    Where one resource needs approval, all of it is a request. Raises SlotTaken and BreaksRule naming the
    `occurrence` list, PriceChanged, BadRule, NotAllowed, Rejected (`invoice_not_allowed`, `not_free`,
    `not_in_series`).
    """
    wish = order.wish
    resource = await places.resource(wish.resource_id)
    waive = may_go_beyond(wish, resource, by)
    occurrences = await times_of(wish, resource)
    starts = starts_given(order.chosen, occurrences)
    cases = await _cases(order.chosen, resource)
    things, spans = [one.resource for one in cases], [one.span for one in cases]
    outlook = await look_ahead(things, spans, Customer(wish.party), wish.purpose, now, waive=waive)
    verdicts, _ = await judge(cases, outlook)
    must_all_be_had(await with_quotas(verdicts, wish.party, outlook))
    for rules in {
        one.terms: one for one in (outlook.rules_of(each.resource, each.span) for each in cases)
    }.values():
        must_accept(rules, order.terms, municipality=resource.facility.municipality.code)
    total = sum(one.quote.total_ore for one in verdicts if one.quote is not None)
    if total != order.expected_ore:
        raise PriceChanged("the price is another for this customer", total_ore=total)
    await must_pay_so(order.method, wish.party, total)
    pairs = sorted(zip(verdicts, starts, strict=True), key=lambda pair: pair[0].case.span)
    booked = [Booked(one, start) for one, start in pairs]
    series = new_id()

    async def act() -> None:
        async with db.transaction():
            await must_have_room(verdicts, wish.party, outlook)
            await _insert_series(series, wish, resource, occurrences, booked, by, now)
            await write(series, wish, booked, order, outlook, by, now)

    await db.retried(act)
    return series


def starts_given(chosen: Sequence[Chosen], occurrences: Sequence[Occurrence]) -> list[datetime]:
    """Return for each chosen time the start that the series gives it, each of them once.

    A time that is none of the series' own is an alternative to `instead_of`, else to the occurrence of its day.
    """
    unused = {one.span.start: one.span for one in occurrences if one.span is not None}
    result: dict[int, datetime] = {}
    for n, one in enumerate(chosen):
        start = one.instead_of or one.span.start
        if start in unused:
            result[n] = unused.pop(start).start
        elif one.instead_of is not None:
            raise _strange(one)
    for n, one in enumerate(chosen):
        if n not in result:
            same_day = [start for start, span in unused.items() if local_day(span) == local_day(one.span)]
            if not same_day:
                raise _strange(one)
            result[n] = unused.pop(same_day[0]).start
    return [result[n] for n in range(len(chosen))]


def _strange(one: Chosen) -> Rejected:
    return Rejected(f"{one.span.start.isoformat()} is no time of this series", code="not_in_series")


async def must_have_room(
    verdicts: Sequence[Verdict], party: UUID, outlook: Outlook, *, without: Sequence[UUID] = ()
) -> None:
    """Raise QuotaFull unless all of it fits; nobody can use the same quota until the transaction ends."""
    if outlook.waive:
        return
    for facility in sorted({one.case.resource.facility.id for one in verdicts}):
        mine = [one for one in verdicts if one.case.resource.facility.id == facility]
        wanted = wanted_by(mine, outlook)
        await must_have_quota(party, facility, wanted, now=outlook.now, without=without)


async def _cases(chosen: Sequence[Chosen], main: Resource) -> list[Case]:
    others = await places.resources_by_id([one.resource_id for one in chosen if one.resource_id is not None])
    cases = []
    for one in chosen:
        resource = main if one.resource_id is None else others.get(one.resource_id)
        if resource is None:
            raise Rejected("there is no such resource", code="unknown_resource")
        if resource.facility.municipality.code != main.facility.municipality.code:
            raise Rejected("a series stays in one municipality", code="other_municipality")
        cases.append(Case(resource, one.span))
    return cases


def must_all_be_had(verdicts: Sequence[Verdict]) -> None:
    """Raise SlotTaken or BreaksRule, naming every time that can't be had."""
    taken = [n for n, one in enumerate(verdicts) if one.status == "taken"]
    if taken:
        error = SlotTaken("somebody else has one of these times", taken=taken)
        error.extra["occurrence"] = [_named(verdicts[n]) for n in taken]
        raise error
    refused = [one for one in verdicts if one.status == "refused"]
    if refused:
        code = refused[0].reason or "rejected"
        named = [_named(one) for one in refused]
        if code in ("quota_week", "quota_open"):
            raise QuotaFull(RULES[code], code=code, occurrence=named)
        raise BreaksRule(RULES.get(code, "one of these times can't be booked"), code=code, occurrence=named)


def _named(one: Verdict) -> dict[str, object]:
    span = one.case.span
    return {"resource_id": one.case.resource.id, "start": span.start, "end": span.end, "reason": one.reason}


async def must_pay_so(method: str, party: UUID, total_ore: int) -> None:
    """Raise Rejected unless the party may pay a series of this sum by the method: on invoice, or nothing."""
    if method == "free" and total_ore:
        raise Rejected("this series is not free of charge", code="not_free")
    if total_ore and not await may_owe(party):
        raise Rejected("this customer pays when booking", code="invoice_not_allowed")


async def _insert_series(
    series: UUID,
    wish: SeriesWish,
    resource: Resource,
    occurrences: Sequence[Occurrence],
    booked: Sequence[Booked],
    by: Actor,
    now: datetime,
) -> None:
    """The series' row: what the rule gives but was not chosen is left out of it from the beginning."""
    kept = {one.series_start for one in booked}
    left = {
        one.wall.day
        for one in occurrences
        if one.left_out != "school_break" and (one.span is None or one.span.start not in kept)
    }
    first = wish.first
    await db.run(
        "INSERT INTO series (id, municipality, resource, party, account, rrule, starts_local, minutes, exdates,"
        " rdates, skip_school_breaks, purpose, title, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        series,
        resource.facility.municipality.code,
        resource.id,
        wish.party,
        by.account,
        wish.rrule,
        f"{first.day:%Y-%m-%d}T{first.opens // 60:02}:{first.opens % 60:02}",
        first.closes - first.opens,
        msgspec.json.encode(sorted(left | wish.exdates)).decode(),
        msgspec.json.encode(list(wish.rdates)).decode(),
        wish.skip_school_breaks,
        wish.purpose,
        wish.title,
        now,
    )


async def write(
    series: UUID,
    wish: SeriesWish,
    booked: Sequence[Booked],
    order: SeriesOrder,
    outlook: Outlook,
    by: Actor,
    now: datetime,
) -> None:
    """The times are in the calendar, charged and promised at their doors; in the caller's transaction."""
    asks = any(one.verdict.status == "request" for one in booked)
    rows = [_row(series, wish, one, order, outlook, asks, by, now) for one in booked]
    await take(rows, now=now)
    if not asks:
        await charge_all(rows, booked, wish.party, now)
        await promise_all(series, rows, now)
    action = "reservation.requested" if asks else "reservation.confirmed"
    town = rows[0].municipality
    notes = [
        journal.Note(action, one.id, [f"reservation:{one.id}", f"timeline:{town}"], {"series": series})
        for one in rows
    ]
    facts: dict[str, object] = {"times": len(rows)} | ({"reason": wish.reason} if wish.reason else {})
    made = journal.Note("series.booked", series, [f"timeline:{town}"], facts)
    await journal.record_many([made, *notes], by=by, now=now)
    await messages.owe(
        "request_received" if asks else "series_confirmed",
        account=by.account if wish.party in by.acts_for else None,  # staff book for others: those are told
        party=wish.party,
        about=rows[0].id,
        municipality=town,
        data={"count": len(rows), "first_at": rows[0].span.start, "last_at": rows[-1].span.start},
        now=now,
    )
    if asks:
        told = {"what": "Ny ansökan om en serie", "text": wish.title}
        await messages.owe_staff("staff_alert", municipality=town, about=rows[0].id, data=told, now=now)


def _row(
    series: UUID,
    wish: SeriesWish,
    one: Booked,
    order: SeriesOrder,
    outlook: Outlook,
    asks: bool,
    by: Actor,
    now: datetime,
) -> NewRow:
    case, quote = one.verdict.case, one.verdict.quote
    if quote is None:
        raise BadRule("a time without a price can't be booked")
    rules = outlook.rules_of(case.resource, case.span)
    return NewRow(
        id=new_id(),
        parts=(part_of(case.resource, rules),),
        span=case.span,
        municipality=case.resource.facility.municipality.code,
        state="requested" if asks else "confirmed",
        purpose=wish.purpose,
        created_at=now,
        party=wish.party,
        account=by.account,
        title=wish.title,
        method="free" if quote.total_ore == 0 else order.method,
        price_ore=quote.total_ore,
        price=billing.snapshot(quote),
        series=series,
        series_start=one.series_start,
        terms=order.terms,
        answer_by=now + timedelta(days=rules.answer_days) if asks else None,
        confirmed_at=None if asks else now,
        takes_time=not asks or rules.pending_holds,
    )


async def charge_all(rows: Sequence[NewRow], booked: Sequence[Booked], party: UUID, now: datetime) -> None:
    """The party owes every row's price on invoice."""
    charges = [
        billing.NewCharge(row.id, one.verdict.quote, row.span.start, use_text(one.verdict.case))
        for row, one in zip(rows, booked, strict=True)
        if one.verdict.quote is not None
    ]
    await billing.charge_many(charges, party=party, municipality=rows[0].municipality, now=now)


def use_text(case: Case) -> str:
    """Return what an invoice calls the use."""
    start, end = (moment.astimezone(SWEDEN) for moment in (case.span.start, case.span.end))
    return f"{case.resource.facility.name}, {case.resource.name}, {start:%Y-%m-%d %H:%M}–{end:%H:%M}"


async def promise_all(series: UUID, rows: Sequence[NewRow], now: datetime) -> None:
    """Every row's doors are promised, with one code for the series."""
    uses = [locks.Use(row.id, tuple(part.resource for part in row.parts), row.span) for row in rows]
    holder, purpose = rows[0].party, rows[0].purpose
    code = await code_of(series)
    if holder is not None and code is not None:
        await locks.grant_series(uses, credential=code, holder=holder, purpose=purpose, now=now)
