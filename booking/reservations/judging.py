"""Many wished times judged at once: what each costs, why it can't be had, and what could be had instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import billing, db, places
from booking.places import Resource, ResourceCard, Rules
from booking.reservations.allowing import quota_refusals
from booking.reservations.alternatives import distance_m
from booking.reservations.calendar import day_span, is_free, local_day, raster, refusal
from booking.reservations.offers import Customer
from booking.reservations.outlook import Claim, Outlook, Taken, look_ahead, taken_in
from booking.reservations.pooling import Case, with_units
from booking.reservations.writing import Place, own_overlaps
from booking.span import Span

Status = Literal["free", "taken", "refused", "request"]
LIKE = 12  # so many like resources are looked at for an alternative


class Alternative(db.Record):
    """What could be had instead, and the customer's price in öre (None: the list has none)."""

    resource: ResourceCard
    start: datetime
    end: datetime
    price_ore: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case. `reason` is None exactly when it can be had, be it on request."""

    case: Case
    status: Status
    reason: str | None
    quote: billing.Quote | None
    alternative: Alternative | None = None


async def judge(
    cases: Sequence[Case], outlook: Outlook, *, ignoring: Iterable[UUID] = ()
) -> tuple[list[Verdict], list[list[Span]]]:
    """Return a verdict on each case, and what is taken on each one's day. Quotas are not looked at.

    A case of a pool gets one of its units. `ignoring` are reservations that would give their time up.
    """
    leaving = set(ignoring)
    cases = await with_units(cases, outlook, leaving)
    found = await taken_in([Claim(one.leaves, _day_of(one, outlook)) for one in cases], outlook.now)
    kept = [[one for one in each if one.reservation not in leaving] for each in found]
    blocks = await _blocks(_in_the_way(one, each, outlook) for one, each in zip(cases, kept, strict=True))
    own = own_overlaps(
        [
            Place(one.resource.id, (one.part(outlook.rules_of(one.resource, one.span)),), one.span)
            for one in cases
        ]
    )
    verdicts = []
    for n, (case, taken) in enumerate(zip(cases, kept, strict=True)):
        met = _in_the_way(case, taken, outlook)
        verdicts.append(_verdict(case, met, blocks, n in own, outlook))
    return verdicts, [sorted({one.span for one in each}) for each in kept]


def _day_of(case: Case, outlook: Outlook) -> Span:
    """Return what a use that starts on the same local day can touch, the gap behind it included."""
    gap = timedelta(minutes=outlook.rules_of(case.resource, case.span).gap_min)
    return day_span(local_day(case.span)).widened(after=case.span.length + gap)


def _in_the_way(case: Case, taken: list[Taken], outlook: Outlook) -> list[Taken]:
    end = case.span.end + timedelta(minutes=outlook.rules_of(case.resource, case.span).gap_min)
    return [one for one in taken if one.span.start < end and case.span.start < one.span.end]


async def _blocks(met: Iterable[list[Taken]]) -> set[UUID]:
    """Return those in the way that are the owner's own blocks."""
    ids = sorted({one.reservation for each in met for one in each})
    if not ids:
        return set()
    return set(await db.column(UUID, "SELECT id FROM reservation WHERE id = ANY($1) AND kind = 'block'", ids))


def _verdict(case: Case, met: list[Taken], blocks: set[UUID], overlaps: bool, outlook: Outlook) -> Verdict:
    code = outlook.refusal(case.resource, case.span)
    quote = None
    try:
        quote = outlook.quote(case.resource, case.span)
    except billing.NotPriced as error:
        code = code or error.code
    if code is not None:
        return Verdict(case, "refused", code, quote)
    if overlaps:
        return Verdict(case, "refused", "overlaps_itself", quote)
    if met or not case.leaves:
        reason = "blocked" if any(one.reservation in blocks for one in met) else "booked"
        return Verdict(case, "taken", reason, quote)
    asks = outlook.rules_of(case.resource, case.span).needs_approval and not outlook.waive
    return Verdict(case, "request" if asks else "free", None, quote)


async def with_quotas(
    verdicts: Sequence[Verdict], party: UUID, outlook: Outlook, *, without: Sequence[UUID] = ()
) -> list[Verdict]:
    """Return the verdicts; those beyond what the party may have, the series' own times counted, are refused."""
    if outlook.waive:
        return list(verdicts)
    result = list(verdicts)
    for facility in {one.case.resource.facility.id for one in verdicts}:
        mine = [
            n
            for n, one in enumerate(verdicts)
            if one.reason is None and one.case.resource.facility.id == facility
        ]
        wanted = wanted_by([verdicts[n] for n in mine], outlook)
        codes = await quota_refusals(party, facility, wanted, now=outlook.now, without=without)
        for n, code in zip(mine, codes, strict=True):
            if code is not None:
                result[n] = replace(result[n], status="refused", reason=code)
    return result


def wanted_by(verdicts: Sequence[Verdict], outlook: Outlook) -> list[tuple[Span, Rules]]:
    """Return the times with the rules of their days, as quotas are asked."""
    return [(one.case.span, outlook.rules_of(one.case.resource, one.case.span)) for one in verdicts]


async def with_alternatives(
    verdicts: Sequence[Verdict],
    taken: Sequence[Sequence[Span]],
    outlook: Outlook,
    customer: Customer,
    *,
    without: frozenset[int] = frozenset(),
) -> list[Verdict]:
    """Return the verdicts; those that can't be had carry the best alternative.

    The same resource nearest in time on the same day, else a like resource of the municipality at the same time,
    one that has none of the leaves `without`.
    """
    wanted: dict[tuple[UUID, date], list[Span]] = {}
    for one in verdicts:
        if one.reason is None:
            wanted.setdefault((one.case.resource.id, local_day(one.case.span)), []).append(one.case.span)
    result = list(verdicts)
    missing = []
    for n, one in enumerate(verdicts):
        if one.reason is None:
            continue
        own = wanted.get((one.case.resource.id, local_day(one.case.span)), [])
        near = _nearest(one.case, [*taken[n], *own], outlook)
        if near is None:
            missing.append(n)
        else:
            result[n] = replace(one, alternative=_offer(one.case.resource, near, outlook))
            wanted.setdefault((one.case.resource.id, local_day(near)), []).append(near)
    for resource in {verdicts[n].case.resource.id: verdicts[n].case.resource for n in missing}.values():
        mine = [n for n in missing if verdicts[n].case.resource.id == resource.id]
        spans = [verdicts[n].case.span for n in mine]
        elsewhere = await at_the_same_time(resource, spans, outlook, customer, without=without)
        for n, alternative in zip(mine, elsewhere, strict=True):
            result[n] = replace(result[n], alternative=alternative)
    return result


def _nearest(case: Case, taken: list[Span], outlook: Outlook) -> Span | None:
    """Return the free start nearest to the one wished on the same local day, as long as the wish."""
    ground, wish = outlook.ground(case.resource, case.span), case.span
    starts = sorted(
        raster(local_day(wish), ground.rules.step_min), key=lambda start: (abs(start - wish.start), start)
    )
    for start in starts:
        span = Span(start, start + wish.length)
        if (
            start != wish.start
            and is_free(span, taken, ground.rules.gap_min)
            and refusal(ground.rules, ground.opening, span, outlook.now, ground.who, outlook.purpose) is None
        ):
            return span
    return None


async def at_the_same_time(
    resource: Resource,
    spans: Sequence[Span],
    outlook: Outlook,
    customer: Customer,
    *,
    without: frozenset[int] = frozenset(),
) -> list[Alternative | None]:
    """Return for each time a like resource of the municipality that is free then, the nearest place first."""
    like = await _like(resource, without)
    further = await look_ahead(like, spans, customer, outlook.purpose, outlook.now)
    claims = []
    for span in spans:
        for one in like:
            gap = timedelta(minutes=further.rules_of(one, span).gap_min)
            claims.append(Claim(tuple(one.leaves), span.widened(after=gap)))
    taken = await taken_in(claims, outlook.now)
    found: list[Alternative | None] = []
    for n, span in enumerate(spans):
        busy = taken[n * len(like) : (n + 1) * len(like)]
        free = (
            one for one, met in zip(like, busy, strict=True) if not met and further.refusal(one, span) is None
        )
        best = next(free, None)
        found.append(None if best is None else _offer(best, span, further))
    return found


async def _like(resource: Resource, without: frozenset[int]) -> list[Resource]:
    """Return the municipality's resources of the same kind and somewhat the same size, the nearest place first."""
    here = resource.facility
    found = await places.resources(municipalities=[here.municipality.code], kind=resource.kind)
    like = [one for one in found if one.id != resource.id and one.leaves and without.isdisjoint(one.leaves)]

    def order(one: Resource) -> tuple[bool, float, int]:
        far = distance_m((here.lat, here.lon), (one.facility.lat, one.facility.lon))
        return (
            one.tariff_class != resource.tariff_class,
            far,
            abs((one.area_m2 or 0) - (resource.area_m2 or 0)),
        )

    return sorted(like, key=order)[:LIKE]


def _offer(resource: Resource, span: Span, outlook: Outlook) -> Alternative:
    return Alternative(resource.card, span.start, span.end, outlook.ore(resource, span))
