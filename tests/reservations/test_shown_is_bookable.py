"""What is shown free can be held, and what is shown taken is refused for the reason shown."""

import random
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from booking import db, places, reservations
from booking.clock import SWEDEN
from booking.errors import Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, Query, Wish
from booking.settings import Settings
from booking.span import Span
from tests.reservations.conftest import day_after, moment, thing

WHO = Customer(home="2401")
CODES = {"booked": "slot_taken"}  # the day view's word for what the loser is told


class _Undo(Exception):
    pass


async def answer_to(resource: Resource, span: Span, now: datetime) -> str | None:
    """Return None if the time can be held, else the code of the refusal. Holds nothing."""
    try:
        async with db.transaction():
            wish = Wish(resource.id, span, "private", WHO)
            await reservations.hold(wish, by=Actor(session=uuid4()), now=now)
            raise _Undo
    except _Undo:
        return None
    except Refusal as refusal:
        return refusal.code


async def fill(found: list[Resource], first: date, now: datetime, seed: int) -> None:
    """Hold some two hundred times at random; many collide, as they should."""
    chance = random.Random(seed)
    for _ in range(200):
        one = chance.choice(found)
        start = moment(f"{first + timedelta(days=chance.randrange(-1, 4))}T00:00") + timedelta(
            minutes=30 * chance.randrange(48)
        )
        rules = (await places.rules_on([one.id], first))[one.id]
        length = timedelta(minutes=5 * chance.randrange(rules.min_min // 5, min(rules.max_min, 1500) // 5))
        try:
            wish = Wish(one.id, Span(start, start + length), "private", WHO)
            await reservations.hold(wish, by=Actor(session=uuid4()), now=now)
        except Refusal:
            pass


async def free_again(resource: Resource, span: Span, now: datetime) -> bool:
    """Tell what the constraint would say, asked in plain SQL over all of time."""
    rules = (await places.rules_on([resource.id], span.start.date()))[resource.id]
    return not await db.value(
        bool,
        "SELECT EXISTS (SELECT FROM occupancy WHERE leaf = ANY($1) AND tstzrange(starts_at, ends_at) &&"
        " tstzrange($2, $3) AND (hold_until IS NULL OR hold_until > $4))",
        resource.leaves,
        span.start,
        span.end + timedelta(minutes=rules.gap_min),
        now,
    )


@pytest.mark.parametrize(
    ("facility", "name", "minutes", "seed"),
    [
        ("Norrskenshallen", "Hela hallen", 120, 1),
        ("Norrskenshallen", "Isen", 75, 2),
        ("Hammarhallen", "Halva hallen, norra", 60, 3),
        ("Kommunhuset", "Mötesrum Levar", 90, 4),
        ("Kommunhuset", "Minibuss, 9 platser", 60, 5),
        ("Kommunhuset", "Minibuss, 9 platser", 26 * 60, 6),
        ("Kommunhuset", "Elbil", 3 * 24 * 60, 7),
        ("Hammarhallen", "Hela hallen", 30, 8),  # shorter than allowed
    ],
)
async def test_every_start_of_the_day_view__holds_or_is_refused_as_shown(
    town: Settings, now: datetime, facility: str, name: str, minutes: int, seed: int
) -> None:
    one = await thing(facility, name)
    beside = await places.resources(municipalities=["2401"], text=facility)
    first = day_after(now, 1)
    await fill(beside, first, now, seed)
    shown = await reservations.availability(one.id, first, 2, minutes, WHO, "private", now)
    starts = [start for day in shown.days for start in day.starts]
    assert starts
    for start in starts:
        told = await answer_to(one, Span(start.start, start.end), now)
        assert told == (None if start.free else CODES.get(start.reason or "", start.reason)), start
        if start.free:
            assert start.price_ore is not None


async def test_every_free_start_of_a_search__can_be_held(town: Settings, now: datetime) -> None:
    first = day_after(now, 1)
    towns = await places.resources(municipalities=["2401", "2284"])
    await fill([one for one in towns if one.kind in ("hall", "hall_part")], first, now, 9)
    for minutes in (60, 120):
        found = await reservations.search(
            Query(first, minutes=minutes, municipalities=("2401",), customer=WHO, limit=100), now
        )
        assert found.total_free
        by_id = {one.id: one for one in towns}
        for hit in found.results:
            for start in hit.free:
                if hit.resource.id in by_id:
                    assert await answer_to(by_id[hit.resource.id], Span(start.start, start.end), now) is None


@pytest.mark.parametrize("minutes", [12 * 60, 2 * 24 * 60, 3 * 24 * 60])
async def test_a_search_for_a_vehicle_over_night__finds_what_can_be_held(
    town: Settings, now: datetime, minutes: int
) -> None:
    bus = await thing("Kommunhuset", "Minibuss, 9 platser")
    query = Query(day_after(now, 1), minutes=minutes, municipalities=("2401",), kind="vehicle", customer=WHO)
    found = await reservations.search(query, now)
    (hit,) = [one for one in found.results if one.resource.id == bus.id]
    assert hit.free
    assert hit.free[-1].end - hit.free[-1].start == timedelta(minutes=minutes)
    for start in hit.free:
        assert await answer_to(bus, Span(start.start, start.end), now) is None


async def test_the_window_of_a_search__ends_when_it_says(town: Settings, now: datetime) -> None:
    query = Query(
        day_after(now, 1),
        17 * 60,
        21 * 60,
        120,
        municipalities=("2401",),
        neighbours=False,
        kind="hall",
        limit=100,
    )
    found = await reservations.search(query, now)
    assert found.total_free
    for hit in found.results:
        for start in hit.free:
            assert start.start.astimezone(SWEDEN).hour >= 17
            assert start.end.astimezone(SWEDEN).hour <= 21


async def test_a_vehicle_taken_the_day_after_tomorrow__is_not_offered_for_three_days(
    town: Settings, now: datetime
) -> None:
    car = await thing("Kommunhuset", "Elbil")
    day = day_after(now, 1)
    taken = Span(moment(f"{day}T00:00") + timedelta(hours=70), moment(f"{day}T00:00") + timedelta(hours=72))
    await reservations.hold(Wish(car.id, taken, "private", WHO), by=Actor(session=uuid4()), now=now)
    shown = await reservations.availability(car.id, day, 1, 3 * 24 * 60, WHO, "private", now)
    for start in shown.days[0].starts:
        assert start.free == await free_again(car, Span(start.start, start.end), now), start


async def test_the_alternatives_of_the_loser__can_all_be_held(town: Settings, now: datetime) -> None:
    for facility, name, minutes in (
        ("Hammarhallen", "Hela hallen", 120),
        ("Kommunhuset", "Elbil", 2 * 24 * 60),
        ("Kommunhuset", "Mötesrum Levar", 60),
    ):
        one = await thing(facility, name)
        start = moment(f"{day_after(now, 2)}T16:00")
        span = Span(start, start + timedelta(minutes=minutes))
        await fill(await places.resources(municipalities=["2401"], text=facility), day_after(now, 2), now, 11)
        same, others = await reservations.alternatives(one, span, "private", WHO, now)
        assert same, facility
        for offer in (*same, *others):
            other = await places.resource(offer.resource.id)
            assert await answer_to(other, Span(offer.start, offer.end), now) is None, offer
