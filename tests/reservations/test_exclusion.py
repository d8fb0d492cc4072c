"""Two can't have the same time: wholes and parts, gaps before and after, midnight, and the nights of the clock."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from booking import db, reservations
from booking.errors import Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, SlotTaken, Wish
from booking.settings import Settings
from booking.span import Span
from tests.reservations.conftest import LogIn, day_after, held, moment, on, party, price_of, reserved, thing

HALL = "Hammarhallen"
WHOLE, SOUTH, NORTH, ONE, THREE = (
    "Hela hallen", "Halva hallen, södra", "Halva hallen, norra", "Badmintonbana 1", "Badmintonbana 3",
)  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "collide"),
    [
        (WHOLE, SOUTH, True),
        (SOUTH, WHOLE, True),
        (WHOLE, ONE, True),
        (ONE, WHOLE, True),
        (ONE, SOUTH, True),
        (SOUTH, ONE, True),
        (SOUTH, NORTH, False),
        (NORTH, ONE, False),
        (ONE, THREE, False),
        (WHOLE, WHOLE, True),
    ],
)
async def test_whole_and_parts__collide_where_they_share_floor(
    town: Settings, eva: Actor, rival: Actor, now: datetime, first: str, second: str, collide: bool
) -> None:
    span = on(day_after(now, 2), "18:00")
    await held(await thing(HALL, first), span, eva, now)
    later = Span(span.start + timedelta(minutes=60), span.end + timedelta(minutes=60))
    if collide:
        with pytest.raises(SlotTaken):
            await held(await thing(HALL, second), later, rival, now)
    else:
        assert await held(await thing(HALL, second), later, rival, now)


async def test_back_to_back__both_fit(hall: Resource, eva: Actor, rival: Actor, now: datetime) -> None:
    day = day_after(now, 2)
    await held(hall, on(day, "18:00"), eva, now)
    assert await held(hall, on(day, "20:00"), rival, now)
    assert await held(hall, on(day, "16:00"), rival, now)


@pytest.mark.parametrize(
    ("clock", "minutes", "fits"),
    [
        ("08:30", 75, True),  # ends a quarter before
        ("08:30", 80, False),  # its own gap would meet the next booking
        ("08:30", 90, False),
        ("12:00", 60, False),  # within the gap behind
        ("12:30", 60, True),
    ],
)
async def test_a_quarter_between__is_kept_on_both_sides(
    town: Settings, eva: Actor, rival: Actor, now: datetime, clock: str, minutes: int, fits: bool
) -> None:
    room = await thing("Kommunhuset", "Mötesrum Levar")
    day = day_after(now, 2)
    await held(room, on(day, "10:00"), eva, now)  # 10–12 and a quarter
    if fits:
        assert await held(room, on(day, clock, minutes), rival, now)
    else:
        with pytest.raises(SlotTaken):
            await held(room, on(day, clock, minutes), rival, now)


async def test_over_midnight__one_booking_that_blocks_both_days(
    town: Settings, eva: Actor, rival: Actor, now: datetime
) -> None:
    bus = await thing("Kommunhuset", "Minibuss, 9 platser")
    night = on(day_after(now, 2), "22:00", 10 * 60)
    await held(bus, night, eva, now)
    for clock, days in (("23:00", 2), ("00:00", 3), ("08:00", 3)):  # the last meets the gap of half an hour
        with pytest.raises(SlotTaken):
            await held(bus, on(day_after(now, days), clock, 60), rival, now)
    assert await held(bus, on(day_after(now, 3), "08:30", 60), rival, now)


async def test_a_hall_that_closes_at_ten__nobody_stays_over_midnight(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    with pytest.raises(Refusal) as refusal:
        await held(hall, on(day_after(now, 2), "21:00", 120), eva, now)
    assert refusal.value.code == "outside_hours"


@pytest.mark.parametrize(
    ("night", "hours", "start", "end"),
    [
        (date(2027, 3, 28), 5, "2027-03-27T23:00", "2027-03-28T04:00"),  # 00–06 on the wall
        (date(2027, 10, 31), 7, "2027-10-30T22:00", "2027-10-31T05:00"),
    ],
)
async def test_the_nights_of_the_clock__elapsed_hours_are_booked_and_priced(
    town: Settings, log_in: LogIn, night: date, hours: int, start: str, end: str
) -> None:
    now = moment(f"{night.year}-{night.month:02}-20T09:00")
    eva = await log_in("eva@demo.test")
    car = await thing("Kommunhuset", "Elbil")
    span = Span(moment(start), moment(end))
    hold = await held(car, span, eva, now)
    assert await price_of(hold) == min(hours * 95_00, 450_00)
    with pytest.raises(SlotTaken):
        await held(car, Span(span.end - timedelta(minutes=60), span.end), eva, now)


@pytest.mark.parametrize("start", ["2027-10-31T00:00", "2027-10-31T01:00"])
async def test_the_hour_that_comes_twice__is_two_hours_that_can_be_booked_apart(
    town: Settings, log_in: LogIn, start: str
) -> None:
    now = moment("2027-10-20T09:00")
    eva, ali = await log_in("eva@demo.test"), await log_in("ali@demo.test")
    car = await thing("Stadsbiblioteket Väven", "Elbil")
    await db.run("UPDATE effective_rule SET gap_min = 0 WHERE resource = $1", car.id)
    car = await thing("Stadsbiblioteket Väven", "Elbil")
    first, second = moment("2027-10-31T00:00"), moment("2027-10-31T01:00")  # both 02:00 in Sweden
    other = second if moment(start) == first else first
    await held(car, Span(moment(start), moment(start) + timedelta(hours=1)), eva, now)
    with pytest.raises(SlotTaken):
        await held(car, Span(moment(start), moment(start) + timedelta(hours=1)), ali, now)
    assert await held(car, Span(other, other + timedelta(hours=1)), ali, now)


async def test_forty_want_overlapping_hours_at_once__one_wins_and_none_waits_long(
    town: Settings, rival: Actor, now: datetime
) -> None:
    day, names = day_after(now, 2), (WHOLE, SOUTH, ONE)  # all share the first court

    async def want(number: int) -> str:
        span = on(day, "18:00", 60 + 30 * (number % 3))
        guest = Actor(session=rival.session) if number % 2 else rival
        wish = Wish((await thing(HALL, names[number % 3])).id, span, "training", Customer(home="2401"))
        try:
            await reservations.hold(wish, by=guest, now=now)
        except SlotTaken:
            return "taken"
        return "won"

    begun = asyncio.get_running_loop().time()
    ends = await asyncio.gather(*(want(number) for number in range(40)))
    assert (ends.count("won"), ends.count("taken")) == (1, 39)
    assert asyncio.get_running_loop().time() - begun < 10  # without the locks, deadlocks take half a minute


async def test_an_association_on_invoice_meets_a_paying_person__the_first_to_hold_has_it(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    span = on(day_after(now, 2), "18:00")
    club = await party("Levar IF")
    ends = await asyncio.gather(
        held(hall, span, eva, now), held(hall, span, rival, now, Customer(club)), return_exceptions=True
    )
    (lost,) = [end for end in ends if isinstance(end, SlotTaken)]
    (won,) = [end for end in ends if end is not lost]
    assert not isinstance(won, BaseException)
    await reserved(won, "card" if won is ends[0] else "invoice", eva if won is ends[0] else rival, now)
    assert (
        await db.value(int, "SELECT count(*) FROM occupancy WHERE hold_until IS NULL OR hold_until > $1", now)
        == 2
    )
