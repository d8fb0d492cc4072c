"""The times of a series are in the calendar, charged, promised at their doors and told of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, journal, locks, messages
from booking.ids import new_id
from booking.people import Actor
from booking.reservations.confirming import use_of
from booking.reservations.judging import Verdict
from booking.reservations.outlook import Outlook
from booking.reservations.pooling import Case
from booking.reservations.recurrence import BadRule
from booking.reservations.rows import code_of
from booking.reservations.series import SeriesOrder, SeriesWish
from booking.reservations.writing import NewRow, take


@dataclass(frozen=True, slots=True)
class Booked:
    """A time that is booked: its verdict and the start that the series gave it."""

    verdict: Verdict
    series_start: datetime


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
        parts=(case.part(rules),),
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
    return use_of(case.resource, case.span)


async def promise_all(series: UUID, rows: Sequence[NewRow], now: datetime) -> None:
    """Every row's doors are promised, with one code for the series."""
    uses = [locks.Use(row.id, tuple(part.resource for part in row.parts), row.span) for row in rows]
    holder, purpose = rows[0].party, rows[0].purpose
    code = await code_of(series)
    if holder is not None and code is not None:
        await locks.grant_series(uses, credential=code, holder=holder, purpose=purpose, now=now)
