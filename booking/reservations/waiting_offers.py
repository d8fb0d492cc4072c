"""Freed time is offered in order of queue, each offer a real hold with a deadline; those who watch are told."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db, messages, people, places
from booking.errors import Refusal
from booking.ids import new_id
from booking.outbox import Debt
from booking.people import Actor
from booking.places import Resource
from booking.reservations import offers
from booking.reservations.allowing import must_be_allowed, must_have_quota
from booking.reservations.calendar import day_span, is_free, raster
from booking.reservations.freeing import Freed
from booking.reservations.offers import Customer
from booking.reservations.ordering import ordered, pick
from booking.reservations.outlook import Claim, days_of, look_ahead, taken_in
from booking.reservations.waiting import lock_queue, note
from booking.reservations.writing import NewRow, take
from booking.span import Span

LONGEST, SHORTEST = timedelta(hours=24), timedelta(minutes=5)
MOST_TRIES = 10  # of times in one window that turn out to be nothing
WIDEST_GAP = timedelta(days=1)


class _Waits(db.Record):
    id: UUID
    kind: str
    party: UUID
    account: UUID
    municipality: str
    facility: UUID | None
    resource: UUID | None
    resource_kind: str | None
    from_at: datetime
    to_at: datetime
    minutes: int
    purpose: str


_COLUMNS = ", ".join(f"w.{name}" for name in _Waits.__struct_fields__)

# What an entry waits for: one resource (of a pool, its units), or all of a kind in a facility or municipality.
SCOPE = """
resource q JOIN facility f ON f.id = q.facility JOIN resource_leaf l ON l.resource = q.id
  WHERE q.is_bookable AND (q.id = w.resource
    OR q.parent = w.resource AND (SELECT picks_unit FROM resource WHERE id = w.resource)
    OR w.resource IS NULL AND f.municipality = w.municipality AND q.facility = coalesce(w.facility, q.facility)
       AND q.kind <> 'equipment' AND q.kind = coalesce(w.resource_kind, q.kind))
"""
_IN_LINE = f"""
SELECT w.id FROM waiting w WHERE w.state = 'waiting' AND (w.id = $1 OR w.from_at < $4 AND w.to_at > $3
  AND EXISTS (SELECT FROM {SCOPE} AND l.leaf = ANY($2)))
ORDER BY w.kind, w.created_at, w.id
"""


async def offer_freed(debt: Debt, now: datetime) -> None:
    """Whoever is first in line and may book it holds the time; then the next, of what is left; then watchers know.

    Doing it again adds nothing: who has an offer waits no longer, and a watcher is told once of each time.
    """
    what = debt.read(Freed)
    for one in await db.column(UUID, _IN_LINE, what.waiting, list(what.leaves), what.start, what.end):
        await _look_at(one, what, now)


async def _look_at(waiting: UUID, what: Freed, now: datetime) -> None:
    async def act() -> None:
        async with db.transaction():
            owner = await db.value(str, "SELECT municipality FROM waiting WHERE id = $1", waiting)
            if owner is None:
                return
            await lock_queue(owner)
            entry = await db.row(
                _Waits, f"SELECT {_COLUMNS} FROM waiting w WHERE w.id = $1 AND w.state = 'waiting'", waiting
            )
            if entry is None or not await _still_acts(entry, now):
                return
            if entry.kind == "watch":
                await _tell(entry, what, now)
            else:
                await _offer(entry, what, now)

    await db.retried(act)


async def _still_acts(entry: _Waits, now: datetime) -> bool:
    actor = await people.actor_of_account(entry.account, now)
    return actor is not None and entry.party in actor.acts_for


async def _tell(entry: _Waits, what: Freed, now: datetime) -> None:
    async for resource, span in _fits(entry, what, now):
        await messages.owe(
            "time_free",
            account=entry.account,
            municipality=entry.municipality,
            data={
                "place": f"{resource.facility.name}, {resource.name}",
                "from_at": span.start,
                "to_at": span.end,
                "path": f"/h/{resource.facility.slug}",
            },
            key=f"{entry.id}:{span.start.isoformat()}",
            now=now,
        )
        return


async def _offer(entry: _Waits, what: Freed, now: datetime) -> None:
    tries = 0
    async for resource, span in _fits(entry, what, now):
        try:
            async with db.savepoint():
                if await _hold(entry, resource, span, now):
                    return
        except Refusal:  # somebody was quicker, a quota is full, a rule looks further than we did
            pass
        tries += 1
        if tries >= MOST_TRIES:
            return


async def _hold(entry: _Waits, resource: Resource, span: Span, now: datetime) -> bool:
    """The time is kept for the entry until its deadline; False if there is no time left to answer in."""
    customer, order = Customer(entry.party), await ordered(resource.id, (), ())
    allowed = await must_be_allowed(order, span, entry.purpose, customer, at=now)
    until = deadline(span, allowed.rules.notice_min, now)
    if until is None:
        return False
    quote = await offers.price_of(order, span, entry.purpose, customer)
    wanted = [(span, allowed.rules)]
    await must_have_quota(entry.party, resource.facility.id, wanted, now=now, with_holds=True)
    hold = NewRow(
        id=new_id(),
        parts=await pick(order, span, now=now),
        span=span,
        municipality=entry.municipality,
        state="held",
        purpose=entry.purpose,
        created_at=now,
        party=entry.party,
        account=entry.account,
        hold_until=until,
        price_ore=quote.total_ore,
        price=billing.snapshot(quote),
    )
    await take([hold], now=now)
    await db.run("UPDATE reservation SET extended = true WHERE id = $1", hold.id)  # the deadline stands
    await db.run(
        "UPDATE waiting SET state = 'offered', offer = $2, offer_until = $3 WHERE id = $1",
        entry.id,
        hold.id,
        until,
    )
    await note("waiting.offered", entry.id, entry.municipality, Actor.system(), now)
    await messages.owe(
        "hold_offer",
        account=entry.account,
        party=entry.party,
        about=hold.id,
        municipality=entry.municipality,
        data={"deadline_at": until},
        now=now,
    )
    return True


def deadline(span: Span, notice_min: int, now: datetime) -> datetime | None:
    """Return until when an offer is kept: a day, half of the time left, or the notice; None if that is too soon."""
    until = min(now + LONGEST, now + (span.start - now) / 2, span.start - timedelta(minutes=notice_min))
    return until.replace(microsecond=0) if until - now >= SHORTEST else None


async def _fits(entry: _Waits, what: Freed, now: datetime) -> AsyncIterator[tuple[Resource, Span]]:
    """Yield the free times that the party may book, the earliest first; of freed time, those that touch it."""
    window = _window(entry, what, now)
    if window is None:
        return
    units = await _units(entry, set(what.leaves))
    mains, length = [one for one, _ in units], timedelta(minutes=entry.minutes)
    outlook = await look_ahead(mains, [window], Customer(entry.party), entry.purpose, now)
    single = [(n, unit) for n, (_, each) in enumerate(units) for unit in each]
    claims = [Claim(tuple(unit.leaves), window.widened(after=WIDEST_GAP)) for _, unit in single]
    busy: list[list[list[Span]]] = [[] for _ in units]
    for (n, _), taken in zip(single, await taken_in(claims, now), strict=True):
        busy[n].append([one.span for one in taken])
    for day in days_of([window]):
        found = []
        for n, main in enumerate(mains):
            rules = outlook.rules_of(main, day_span(day))
            for start in raster(day, rules.step_min):
                span = Span(start, start + length)
                if start < window.start or span.end > window.end or not _touches(span, what):
                    continue
                if not any(is_free(span, one, rules.gap_min) for one in busy[n]):
                    continue
                if outlook.refusal(main, span) is None and outlook.ore(main, span) is not None:
                    found.append((start, n, span))
        for _, n, span in sorted(found):
            yield mains[n], span


def _touches(span: Span, what: Freed) -> bool:
    return what.start is None or what.end is None or (span.start < what.end and what.start < span.end)


def _window(entry: _Waits, what: Freed, now: datetime) -> Span | None:
    start, end, length = max(entry.from_at, now), entry.to_at, timedelta(minutes=entry.minutes)
    if what.waiting is None and what.start is not None and what.end is not None:
        start, end = max(start, what.start - length), min(end, what.end + length)
    return Span(start, end) if end - start >= length else None


async def _units(entry: _Waits, leaves: set[int]) -> list[tuple[Resource, list[Resource]]]:
    """Return what the entry could be given that has one of the leaves (any, if none are named), with its units."""
    if entry.resource is not None:
        found = list((await places.resources_by_id([entry.resource])).values())
    else:
        found = await places.resources(municipalities=[entry.municipality], kind=entry.resource_kind)
        found = [
            one for one in found if entry.facility in (None, one.facility.id) and one.kind != "equipment"
        ]
    result = []
    for one in found:
        units = await places.parts(one.id) if one.picks_unit else [one]
        units = [unit for unit in units if unit.leaves and (not leaves or leaves & set(unit.leaves))]
        if units:
            result.append((one, units))
    return result
