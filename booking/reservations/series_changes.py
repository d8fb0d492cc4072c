"""Change series: one time, one and those that follow, all that are ahead. What is past stays as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import billing, db, journal, locks, messages, places
from booking.clock import SWEDEN
from booking.errors import Rejected
from booking.people import Actor
from booking.reservations.confirming import may_owe
from booking.reservations.errors import NotMovable, PriceChanged
from booking.reservations.judging import Verdict, judge, with_alternatives, with_quotas
from booking.reservations.offers import Customer
from booking.reservations.outlook import Outlook, look_ahead
from booking.reservations.pooling import Case
from booking.reservations.recurrence import Occurrence, Wall, occurrence
from booking.reservations.rows import COLUMNS, Row, code_of
from booking.reservations.series import PreviewOccurrence, shown
from booking.reservations.series_booking import must_all_be_had, must_have_room
from booking.reservations.series_queries import SeriesRow
from booking.reservations.series_rows import NewTimes, split_off
from booking.reservations.series_times import SeriesPart, SeriesTime, handled, times_meant
from booking.reservations.series_writing import use_text
from booking.reservations.writing import Place, lock_leaves, occupy


class ChangedOccurrence(PreviewOccurrence):
    """A time as it would be after the change, and which booking it is."""

    reservation_id: UUID


class ChangePreview(db.Record):
    """What a change would mean: the new sum of the times it touches, and by how much that differs (öre)."""

    occurrences: list[ChangedOccurrence]
    total_ore: int
    difference_ore: int
    fee_ore: int


@dataclass(frozen=True, slots=True)
class _Change:
    """One time that changes: as it is, as it shall be, what it costs then."""

    time: SeriesTime
    new: Occurrence
    verdict: Verdict
    quote: billing.Quote
    fee: billing.Quote | None


async def preview_change(
    series: UUID, part: SeriesPart, new: NewTimes, *, by: Actor, now: datetime
) -> ChangePreview:
    """Return every time as it would be, with price and conflicts. Nothing is changed.

    Raises NotFound, BadRule, NotPriced.
    """
    row = await handled(series, by)
    times = await times_meant(series, part, now)
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
            row = await handled(series, by, lock=True)
            every = await times_meant(series, part, now)
            times = [one for one in every if one.id not in skip]
            changes, _, outlook = await _plan(row, part, times, new, by, now)
            must_all_be_had([one.verdict for one in changes])
            total = sum(one.quote.total_ore for one in changes)
            if expected_ore is not None and total != expected_ore:
                raise PriceChanged("the price is another by now", total_ore=total)
            ids = [one.time.id for one in changes]
            await must_have_room([one.verdict for one in changes], row.party, outlook, without=ids)
            await lock_leaves({leaf for one in changes for leaf in one.verdict.case.leaves})
            await _must_be_unchanged(times)
            target = series
            if part.scope != "this" and every:
                target = await split_off(row, every, new, by, now)
            await _carry_out(row, changes, outlook, part, by, now)
            return target

    return await db.retried(act)


async def _plan(
    row: SeriesRow, part: SeriesPart, times: Sequence[SeriesTime], new: NewTimes, by: Actor, now: datetime
) -> tuple[list[_Change], list[ChangedOccurrence], Outlook]:
    by_owner = row.party not in by.acts_for
    mine = [one for one in times if part.scope == "this" or not one.is_moved]
    ids = [one.thing for one in mine] + ([new.resource_id] if new.resource_id else [])
    found = await places.resources_by_id(ids)
    if new.resource_id is not None:
        wanted = await places.resource(new.resource_id)
        if wanted.facility.municipality.code != row.municipality:
            raise Rejected("a series stays in one municipality", code="other_municipality")
    targets = [(one, _moved(one, new)) for one in mine]
    cases = []
    for one, when in targets:
        stays = new.resource_id is None or (part.scope != "this" and one.thing != row.resource)
        resource = found[one.thing if stays or new.resource_id is None else new.resource_id]
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


def _moved(time: SeriesTime, new: NewTimes) -> Occurrence:
    """Return the time with its own wall clock where nothing else is said."""
    start, end = (moment.astimezone(SWEDEN).replace(tzinfo=None) for moment in (time.starts_at, time.ends_at))
    opens = start.hour * 60 + start.minute if new.opens is None else new.opens
    length = int((end - start) / timedelta(minutes=1))
    closes = opens + length if new.closes is None else new.closes
    if closes <= opens:
        closes += 1440
    return occurrence(Wall(start.date() + timedelta(days=new.weekday_shift), opens, closes))


async def _fee(time: SeriesTime, case: Case, now: datetime) -> billing.Quote:
    paid = billing.read_snapshot(time.price)
    tariff = await billing.tariff_of(paid)
    covers = case.span.start <= time.starts_at and case.span.end >= time.ends_at
    releases = not (covers and case.resource.id == time.thing)
    return billing.change_fee(tariff, paid, billing.notice(time.starts_at, now), releases=releases)


async def _must_be_unchanged(times: Sequence[SeriesTime]) -> None:
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
        Place(time.id, (case.part(outlook.rules_of(case.resource, case.span)),), case.span)
        for time, case in at
        if time.id in holding
    ]
    await occupy(taken, now=now)
    await db.run_many(
        "UPDATE reservation SET resource = $2, wished = $8, starts_at = $3, ends_at = $4, price_ore = $5,"
        " price = $6, version = version + 1,"
        " series_start = CASE WHEN $7 THEN series_start ELSE $3 END WHERE id = $1",
        [
            (
                one.time.id,
                (one.verdict.case.unit or one.verdict.case.resource).id,
                one.verdict.case.span.start,
                one.verdict.case.span.end,
                one.quote.total_ore,
                billing.snapshot(one.quote),
                part.scope == "this",
                one.verdict.case.resource.id if one.verdict.case.unit else None,
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
        resources=[(case.unit or case.resource).id],
        span=case.span,
        purpose=row.purpose,
        credential=code,
        now=now,
    )
