"""Change and end series: one time, one and those that follow, all that are ahead. What is past stays as it was."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import billing, db, journal, locks, messages, places
from booking.clock import SWEDEN
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor, Role
from booking.reservations.confirming import may_owe
from booking.reservations.errors import NotMovable, PriceChanged
from booking.reservations.judging import Case, Verdict, judge, with_alternatives, with_quotas
from booking.reservations.offers import Customer
from booking.reservations.outlook import Outlook, look_ahead
from booking.reservations.recurrence import Occurrence, Pattern, Wall, expand, occurrence, shifted, write_rule
from booking.reservations.releasing import fee_now, release
from booking.reservations.rows import COLUMNS, Row, code_of
from booking.reservations.series import (
    Booked,
    PreviewOccurrence,
    SeriesOrder,
    SeriesWish,
    must_all_be_had,
    must_have_room,
    must_pay_so,
    shown,
    use_text,
    write,
)
from booking.reservations.series_queries import SeriesRow, series_row
from booking.reservations.writing import Place, lock_leaves, occupy, part_of
from booking.span import Span

Scope = Literal["this", "following", "all"]
ALIVE = ("confirmed", "requested")


@dataclass(frozen=True, slots=True)
class SeriesPart:
    """Which times of a series: one (`this`), one and those after it, or all ahead."""

    scope: Scope
    reservation: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewTimes:
    """What changes: place, wall clock (minutes of the day), weekday (by so many days); None stays."""

    resource_id: UUID | None = None
    opens: int | None = None
    closes: int | None = None
    weekday_shift: int = 0


class ChangedOccurrence(PreviewOccurrence):
    """A time as it would be after the change, and which booking it is."""

    reservation_id: UUID


class ChangePreview(db.Record):
    """What a change would mean: the new sum of the times it touches, and by how much that differs (öre)."""

    occurrences: list[ChangedOccurrence]
    total_ore: int
    difference_ore: int
    fee_ore: int


class CancelPreview(db.Record):
    """How many times would end, what that costs, and what is no longer owed (öre)."""

    count: int
    fee_ore: int
    refund_ore: int
    released_ore: int


class _Time(Row):
    """A reservation with the start that its series gave it."""

    series_start: datetime

    @property
    def is_moved(self) -> bool:
        """True if it was moved by itself: it keeps its own time when the others change."""
        return self.starts_at != self.series_start


@dataclass(frozen=True, slots=True)
class _Change:
    """One time that changes: as it is, as it shall be, what it costs then."""

    time: _Time
    new: Occurrence
    verdict: Verdict
    quote: billing.Quote
    fee: billing.Quote | None


async def _handled(series: UUID, by: Actor, *, lock: bool = False) -> SeriesRow:
    row = await series_row(series, by, lock=lock)
    if row.party not in by.acts_for and not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such series")
    return row


async def _times(series: UUID, part: SeriesPart, now: datetime, *, lock: bool = False) -> list[_Time]:
    """Return the times ahead that are meant, by start. Raises NotFound, Rejected."""
    found = await db.rows(
        _Time,
        f"SELECT {COLUMNS}, series_start FROM reservation WHERE series = $1 AND state = ANY($2)"
        " AND starts_at > $3 ORDER BY id" + (" FOR NO KEY UPDATE" if lock else ""),
        series,
        list(ALIVE),
        now,
    )
    found.sort(key=lambda one: one.starts_at)
    if part.scope == "all":
        return found
    first = next((one for one in found if one.id == part.reservation), None)
    if first is None:
        raise NotFound("there is no such time ahead in this series", code="not_in_series")
    if part.scope == "this":
        return [first]
    return [one for one in found if one.series_start >= first.series_start]


# --- change ---


async def preview_change(
    series: UUID, part: SeriesPart, new: NewTimes, *, by: Actor, now: datetime
) -> ChangePreview:
    """Return every time as it would be, with price and conflicts. Nothing is changed.

    Raises NotFound, BadRule, NotPriced.
    """
    row = await _handled(series, by)
    times = await _times(series, part, now)
    changes, shown_, _ = await _plan(row, part, times, new, by, now)
    total = sum(one.quote.total_ore for one in changes)
    fees = sum(one.fee.total_ore for one in changes if one.fee is not None)
    return ChangePreview(shown_, total, total - sum(one.time.price_ore for one in changes), fees)


async def change_series(
    series: UUID,
    part: SeriesPart,
    new: NewTimes,
    *,
    by: Actor,
    now: datetime,
    expected_ore: int | None = None,
    skip: frozenset[UUID] = frozenset(),
) -> UUID:
    """Every time that is meant is there and then, or none is. Returns the series they belong to now.

    With past times before them, `following` and `all` make a follow-up series. Times that were moved by themselves
    keep their own; so do those in `skip`. Codes stay. Raises SlotTaken, BreaksRule, QuotaFull naming `occurrence`,
    PriceChanged, NotFound, NotMovable, BadRule.
    """

    async def act() -> UUID:
        async with db.transaction():
            row = await _handled(series, by, lock=True)
            every = await _times(series, part, now)
            times = [one for one in every if one.id not in skip]
            changes, _, outlook = await _plan(row, part, times, new, by, now)
            must_all_be_had([one.verdict for one in changes])
            total = sum(one.quote.total_ore for one in changes)
            if expected_ore is not None and total != expected_ore:
                raise PriceChanged("the price is another by now", total_ore=total)
            ids = [one.time.id for one in changes]
            await must_have_room([one.verdict for one in changes], row.party, outlook, without=ids)
            await lock_leaves({leaf for one in changes for leaf in one.verdict.case.resource.leaves})
            await _must_be_unchanged(times)
            target = series
            if part.scope != "this" and every:
                target = await _split(row, every, new, by, now)
            await _carry_out(row, changes, outlook, part, by, now)
            return target

    return await db.retried(act)


async def _plan(
    row: SeriesRow, part: SeriesPart, times: Sequence[_Time], new: NewTimes, by: Actor, now: datetime
) -> tuple[list[_Change], list[ChangedOccurrence], Outlook]:
    by_owner = row.party not in by.acts_for
    mine = [one for one in times if part.scope == "this" or not one.is_moved]
    ids = [one.resource for one in mine] + ([new.resource_id] if new.resource_id else [])
    found = await places.resources_by_id(ids)
    if new.resource_id is not None:
        wanted = await places.resource(new.resource_id)
        if wanted.facility.municipality.code != row.municipality:
            raise Rejected("a series stays in one municipality", code="other_municipality")
    targets = [(one, _moved(one, new)) for one in mine]
    cases = []
    for one, when in targets:
        stays = new.resource_id is None or (part.scope != "this" and one.resource != row.resource)
        resource = found[one.resource if stays or new.resource_id is None else new.resource_id]
        if when.span is None:
            raise Rejected("the clock change leaves nothing of one of these times", code="no_such_time")
        cases.append(Case(resource, when.span))
    customer = Customer(row.party)
    things = list({one.resource.id: one.resource for one in cases}.values())
    spans = [one.span for one in cases]
    outlook = await look_ahead(things, spans, customer, row.purpose, now, waive=by_owner)
    leaving = [one.id for one in mine]
    verdicts, taken = await judge(cases, outlook, ignoring=leaving)
    verdicts = await with_quotas(verdicts, row.party, outlook, without=leaving)
    verdicts = await with_alternatives(verdicts, taken, outlook, customer)
    listed, changes = [], []
    for (one, when), verdict in zip(targets, verdicts, strict=True):
        preview = shown(when, verdict)
        listed.append(ChangedOccurrence(**msgspec.structs.asdict(preview), reservation_id=one.id))
        if verdict.quote is None:
            raise Rejected("the list has no price for one of these times", code="not_priced")
        quote = billing.capped(verdict.quote, one.price_ore) if by_owner else verdict.quote
        fee = None if by_owner or one.state != "confirmed" else await _fee(one, verdict.case, now)
        changes.append(_Change(one, when, verdict, quote, fee))
    return changes, listed, outlook


def _moved(time: _Time, new: NewTimes) -> Occurrence:
    """Return the time with its own wall clock where nothing else is said."""
    start, end = (moment.astimezone(SWEDEN).replace(tzinfo=None) for moment in (time.starts_at, time.ends_at))
    opens = start.hour * 60 + start.minute if new.opens is None else new.opens
    length = int((end - start) / timedelta(minutes=1))
    closes = opens + length if new.closes is None else new.closes
    if closes <= opens:
        closes += 1440
    return occurrence(Wall(start.date() + timedelta(days=new.weekday_shift), opens, closes))


async def _fee(time: _Time, case: Case, now: datetime) -> billing.Quote:
    paid = billing.read_snapshot(time.price)
    tariff = await billing.tariff_of(paid)
    covers = case.span.start <= time.starts_at and case.span.end >= time.ends_at
    releases = not (covers and case.resource.id == time.resource)
    return billing.change_fee(tariff, paid, billing.notice(time.starts_at, now), releases=releases)


async def _must_be_unchanged(times: Sequence[_Time]) -> None:
    """The rows are locked, and as they were when they were planned for. Raises NotMovable."""
    versions = {one.id: one.version for one in times}
    current = await db.rows(
        Row,
        f"SELECT {COLUMNS} FROM reservation WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
        list(versions),
    )
    if any(one.version != versions[one.id] for one in current):
        raise NotMovable("one of these times has changed meanwhile, look again")


async def _carry_out(
    row: SeriesRow, changes: Sequence[_Change], outlook: Outlook, part: SeriesPart, by: Actor, now: datetime
) -> None:
    holding = set(
        await db.column(
            UUID,
            "SELECT DISTINCT reservation FROM occupancy WHERE reservation = ANY($1)",
            [one.time.id for one in changes],
        )
    )
    at = [(one.time, one.verdict.case) for one in changes]
    taken = [
        Place(time.id, (part_of(case.resource, outlook.rules_of(case.resource, case.span)),), case.span)
        for time, case in at
        if time.id in holding
    ]
    await occupy(taken, now=now)
    await db.run_many(
        "UPDATE reservation SET resource = $2, wished = NULL, starts_at = $3, ends_at = $4, price_ore = $5,"
        " price = $6, version = version + 1,"
        " series_start = CASE WHEN $7 THEN series_start ELSE $3 END WHERE id = $1",
        [
            (
                one.time.id,
                one.verdict.case.resource.id,
                one.verdict.case.span.start,
                one.verdict.case.span.end,
                one.quote.total_ore,
                billing.snapshot(one.quote),
                part.scope == "this",
            )
            for one in changes
        ],
    )
    code, owes = await code_of(row.id), await may_owe(row.party)
    for one in changes:
        if one.time.state == "confirmed":
            await _follow(row, one, code, owes, now)
    notes = [
        journal.Note(
            "reservation.moved",
            one.time.id,
            [f"reservation:{one.time.id}", f"timeline:{row.municipality}"],
            {"was": {"resource": one.time.resource, "start": one.time.starts_at, "end": one.time.ends_at}},
        )
        for one in changes
    ]
    await journal.record_many(notes, by=by, now=now)
    if changes:
        await messages.owe(
            "booking_moved",
            account=row.account,
            party=row.party,
            about=changes[0].time.id,
            municipality=row.municipality,
            data={"old_at": changes[0].time.starts_at},
            now=now,
        )


async def _follow(row: SeriesRow, one: _Change, code: UUID | None, owes: bool, now: datetime) -> None:
    """Money and doors are where the time is."""
    case = one.verdict.case
    await billing.change(
        one.time.id,
        party=row.party,
        municipality=row.municipality,
        quote=one.quote,
        fee=one.fee,
        may_owe=owes,
        service_at=case.span.start,
        text=use_text(case),
        now=now,
    )
    await locks.move(
        reservation=one.time.id,
        holder=row.party,
        resources=[case.resource.id],
        span=case.span,
        purpose=row.purpose,
        credential=code,
        now=now,
    )


# --- the series' own row ---


async def _split(row: SeriesRow, times: Sequence[_Time], new: NewTimes, by: Actor, now: datetime) -> UUID:
    """The rule says what the times ahead will be; where others are before them, in a series that follows this one."""
    begin = min(one.series_start for one in times)
    before = await db.value(
        bool,
        "SELECT true FROM reservation WHERE series = $1 AND series_start < $2"
        " AND state NOT IN ('cancelled', 'expired', 'rejected') LIMIT 1",
        row.id,
        begin,
    )
    after = _following(row.pattern, begin.astimezone(SWEDEN).date(), new)
    if after is None:  # only added dates are left: they need no rule
        return row.id
    ids = [one.id for one in times]
    await db.run("UPDATE reservation SET series_start = NULL WHERE id = ANY($1)", ids)  # unique per series
    target = row.id
    if before:
        target = new_id()
        await _shorten(row, begin.astimezone(SWEDEN).date())
        await db.run(
            "INSERT INTO series (id, municipality, resource, party, account, rrule, starts_local, minutes,"
            " skip_school_breaks, purpose, title, follows, created_at)"
            " SELECT $2, municipality, resource, party, $3, rrule, starts_local, minutes, skip_school_breaks,"
            " purpose, title, id, $4 FROM series WHERE id = $1",
            row.id,
            target,
            by.account,
            now,
        )
    await _store(target, after, new.resource_id or row.resource)
    shift = timedelta(days=new.weekday_shift)
    await db.run_many(
        "UPDATE reservation SET series = $2, series_start = $3 WHERE id = $1",
        [(one.id, target, _given(one, shift, new)) for one in times],
    )
    return target


def _given(time: _Time, shift: timedelta, new: NewTimes) -> datetime:
    """Return the start that the changed series gives a time."""
    local = time.series_start.astimezone(SWEDEN)
    opens = local.hour * 60 + local.minute if new.opens is None else new.opens
    when = occurrence(Wall(local.date() + shift, opens, opens + 60))
    return when.span.start if when.span is not None else time.series_start + shift


def _following(pattern: Pattern, day: date, new: NewTimes) -> Pattern | None:
    """Return the pattern from a day on, changed; None where the rule gives nothing more."""
    ruled = [one.wall.day for one in expand(replace(pattern, rdates=()))]
    left = [one for one in ruled if one >= day]
    if not left:
        return None
    shift, first = timedelta(days=new.weekday_shift), pattern.first
    opens = first.opens if new.opens is None else new.opens
    closes = opens + first.closes - first.opens if new.closes is None else new.closes
    begin = Wall(left[0] + shift, opens, closes if closes > opens else closes + 1440)
    rule = pattern.rule if pattern.rule.count is None else replace(pattern.rule, count=len(left))
    keeps = new.opens is None and new.closes is None
    added = [one for one in pattern.rdates if one.day >= day]
    return Pattern(
        begin,
        shifted(rule, new.weekday_shift),
        frozenset(one + shift for one in pattern.exdates if one >= day),
        tuple((one if keeps else begin).on(one.day + shift) for one in added),
    )


async def _shorten(row: SeriesRow, day: date) -> None:
    """The series ends before the day."""
    pattern = row.pattern
    until = datetime.combine(day - timedelta(days=1), datetime.max.time())
    rule = replace(pattern.rule, count=None, until=until)
    exdates = frozenset(one for one in pattern.exdates if one < day)
    rdates = tuple(one for one in pattern.rdates if one.day < day)
    await _store(row.id, Pattern(pattern.first, rule, exdates, rdates), row.resource)


async def _store(series: UUID, pattern: Pattern, resource: UUID) -> None:
    first = pattern.first
    await db.run(
        "UPDATE series SET rrule = $2, starts_local = $3, minutes = $4, exdates = $5, rdates = $6, resource = $7,"
        " version = version + 1 WHERE id = $1",
        series,
        write_rule(pattern.rule),
        f"{first.day:%Y-%m-%d}T{first.opens // 60:02}:{first.opens % 60:02}",
        first.closes - first.opens,
        msgspec.json.encode(sorted(pattern.exdates)).decode(),
        msgspec.json.encode(list(pattern.rdates)).decode(),
        resource,
    )


# --- cancel and add ---


async def preview_cancel(series: UUID, part: SeriesPart, *, by: Actor, now: datetime) -> CancelPreview:
    """Return what ending these times would cost. Nothing is changed. Raises NotFound."""
    row = await _handled(series, by)
    times = await _times(series, part, now)
    fees = [await fee_now(one, row.party not in by.acts_for, now) for one in times]
    fee = sum(one.total_ore for one in fees if one is not None)
    return CancelPreview(len(times), fee, 0, sum(one.price_ore for one in times))


async def cancel_series(
    series: UUID, part: SeriesPart, *, by: Actor, now: datetime, reason: str | None = None
) -> None:
    """The times are free, the money follows the list's rule for each one's notice, and one message is owed.

    Raises NotFound.
    """

    async def act() -> None:
        async with db.transaction():
            row = await _handled(series, by, lock=True)
            times = await _times(series, part, now, lock=True)
            for one in times:
                await release(one, by=by, now=now, reason=reason)
            await _leave_out(row, part, times, now)
            facts: dict[str, object] = {"scope": part.scope, "times": len(times), "reason": reason}
            topics = [f"timeline:{row.municipality}"]
            await journal.record("series.cancelled", about=series, by=by, now=now, topics=topics, **facts)
            if times:
                await messages.owe(
                    "booking_cancelled",
                    account=row.account,
                    party=row.party,
                    about=times[0].id,
                    municipality=row.municipality,
                    data={"reason": reason},
                    now=now,
                )

    await db.retried(act)


async def _leave_out(row: SeriesRow, part: SeriesPart, times: Sequence[_Time], now: datetime) -> None:
    """The rule no longer gives the times that have ended."""
    if not times:
        return
    days = {one.series_start.astimezone(SWEDEN).date() for one in times}
    pattern = row.pattern
    if part.scope == "this":
        rdates = tuple(one for one in pattern.rdates if one.day not in days)
        await _store(row.id, replace(pattern, exdates=pattern.exdates | days, rdates=rdates), row.resource)
    elif min(days) > pattern.first.day:
        await _shorten(row, min(days))
    left = await db.value(
        bool,
        "SELECT true FROM reservation WHERE series = $1 AND state = ANY($2) AND starts_at > $3 LIMIT 1",
        row.id,
        list(ALIVE),
        now,
    )
    if not left:
        await db.run("UPDATE series SET ended_at = $2 WHERE id = $1", row.id, now)


async def add_date(
    series: UUID, wall: Wall, *, by: Actor, now: datetime, expected_ore: int | None = None
) -> None:
    """The series has one more time, booked, charged and opened by the same code as the others.

    Raises SlotTaken, BreaksRule, QuotaFull, PriceChanged, NotFound, Rejected.
    """

    async def act() -> None:
        async with db.transaction():
            row = await _handled(series, by, lock=True)
            when = occurrence(wall)
            if when.span is None:
                raise Rejected("the clock change leaves nothing of this time", code="no_such_time")
            if row.ended_at is not None:
                raise NotFound("this series has ended")
            booked, outlook = await _one_more(row, when.span, by, now, expected_ore)
            await _store(row.id, replace(row.pattern, rdates=(*row.pattern.rdates, wall)), row.resource)
            wish = SeriesWish(row.resource, row.party, row.purpose, row.title, row.first, row.rrule)
            order = SeriesOrder(wish, (), "invoice", 0)
            await write(row.id, wish, [booked], order, outlook, by, now)

    await db.retried(act)


async def _one_more(
    row: SeriesRow, span: Span, by: Actor, now: datetime, expected_ore: int | None
) -> tuple[Booked, Outlook]:
    resource = await places.resource(row.resource)
    waive = row.party not in by.acts_for
    outlook = await look_ahead([resource], [span], Customer(row.party), row.purpose, now, waive=waive)
    verdicts, _ = await judge([Case(resource, span)], outlook)
    must_all_be_had(await with_quotas(verdicts, row.party, outlook))
    await must_have_room(verdicts, row.party, outlook)
    quote = verdicts[0].quote
    total = 0 if quote is None else quote.total_ore
    if expected_ore is not None and total != expected_ore:
        raise PriceChanged("the price is another by now", total_ore=total)
    await must_pay_so("invoice", row.party, total)
    return Booked(verdicts[0], span.start), outlook
