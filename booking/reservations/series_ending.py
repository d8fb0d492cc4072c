"""End times of a series, or add one to it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from booking import db, journal, messages, places
from booking.clock import local_date
from booking.errors import NotFound, Rejected
from booking.people import Actor
from booking.reservations.errors import PriceChanged
from booking.reservations.judging import judge, with_quotas
from booking.reservations.offers import Customer
from booking.reservations.outlook import Outlook, look_ahead
from booking.reservations.pooling import Case
from booking.reservations.recurrence import Wall, occurrence
from booking.reservations.releasing import fee_now, release
from booking.reservations.series import SeriesOrder, SeriesWish
from booking.reservations.series_booking import must_all_be_had, must_have_room, must_pay_so
from booking.reservations.series_queries import SeriesRow
from booking.reservations.series_rows import shorten, store
from booking.reservations.series_times import ALIVE, SeriesPart, SeriesTime, handled, times_meant
from booking.reservations.series_writing import Booked, write
from booking.span import Span


class CancelPreview(db.Record):
    """How many times would end, what that costs, and what is no longer owed (öre)."""

    count: int
    fee_ore: int
    refund_ore: int
    released_ore: int


async def preview_cancel(series: UUID, part: SeriesPart, *, by: Actor, now: datetime) -> CancelPreview:
    """Return what ending these times would cost. Nothing is changed. Raises NotFound."""
    row = await handled(series, by)
    times = await times_meant(series, part, now)
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
            row = await handled(series, by, lock=True)
            times = await times_meant(series, part, now, lock=True)
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


async def _leave_out(row: SeriesRow, part: SeriesPart, times: Sequence[SeriesTime], now: datetime) -> None:
    """The rule no longer gives the times that have ended."""
    if not times:
        return
    days = {local_date(one.series_start) for one in times}
    pattern = row.pattern
    if part.scope == "this":
        rdates = tuple(one for one in pattern.rdates if one.day not in days)
        await store(row.id, replace(pattern, exdates=pattern.exdates | days, rdates=rdates), row.resource)
    elif min(days) > pattern.first.day:
        await shorten(row, min(days))
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
            row = await handled(series, by, lock=True)
            when = occurrence(wall)
            if when.span is None:
                raise Rejected("the clock change leaves nothing of this time", code="no_such_time")
            if row.ended_at is not None:
                raise NotFound("this series has ended")
            booked, outlook = await _one_more(row, when.span, by, now, expected_ore)
            await store(row.id, replace(row.pattern, rdates=(*row.pattern.rdates, wall)), row.resource)
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
