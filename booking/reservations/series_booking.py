"""Book an explicit list of times as one series: all of them, or none."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, places
from booking.errors import Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.places import Resource
from booking.reservations.allowing import must_accept, must_have_quota
from booking.reservations.calendar import local_day
from booking.reservations.confirming import may_owe
from booking.reservations.errors import RULES, BreaksRule, PriceChanged, QuotaFull, SlotTaken
from booking.reservations.judging import Verdict, judge, wanted_by, with_quotas
from booking.reservations.offers import Customer
from booking.reservations.outlook import Outlook, look_ahead
from booking.reservations.pooling import Case
from booking.reservations.recurrence import Occurrence
from booking.reservations.series import Chosen, SeriesOrder, SeriesWish, may_go_beyond, times_of
from booking.reservations.series_writing import Booked, write

POOL_TRIES = 4


async def book_series(order: SeriesOrder, *, by: Actor, now: datetime) -> UUID:
    """All the chosen times are booked as one series, or none is. Returns the series.

    Where one resource needs approval, all of it is a request. Raises SlotTaken and BreaksRule naming the
    `occurrence` list, PriceChanged, BadRule, NotAllowed, Rejected (`invoice_not_allowed`, `not_free`,
    `not_in_series`).
    """
    resource = await places.resource(order.wish.resource_id)
    # Inside a transaction there is nothing to repeat: what has been written stays until its owner gives it up.
    tries = POOL_TRIES if resource.picks_unit and not db.in_transaction() else 1
    while True:
        tries -= 1
        try:
            return await _book(order, resource, by, now)
        except SlotTaken:  # of a pool, another unit may be free where this one went meanwhile
            if not tries:
                raise


async def _book(order: SeriesOrder, resource: Resource, by: Actor, now: datetime) -> UUID:
    wish = order.wish
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
