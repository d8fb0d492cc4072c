"""The table of odd times: both nights of the clock, midnight, several days, leap day, week 53, whole days."""

from datetime import date, datetime, timedelta

import pytest

from booking import db, reservations
from booking.clock import SWEDEN
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, Target
from booking.settings import Settings
from booking.span import Span
from tests.reservations.conftest import (
    LogIn,
    held,
    moment,
    on,
    party,
    price_of,
    refused,
    reserved,
    rule,
    thing,
)

HOURS = 95_00  # the car, an hour; at most 450 kr for each 24 hours begun
DAY = 450_00


@pytest.fixture
async def car(town: Settings) -> Resource:
    """Open day and night, up to three days at a time, half an hour between bookings."""
    return await thing("Kommunhuset", "Elbil")


# name, start and end in UTC, elapsed minutes, the wall clock in Sweden at both ends, öre
TABLE = [
    ("spring night, over the gap", "2027-03-28T00:00", "2027-03-28T02:00", 120, "01:00", "04:00", 2 * HOURS),
    ("spring night, from midnight", "2027-03-27T23:00", "2027-03-28T04:00", 300, "00:00", "06:00", DAY),
    ("spring day, whole", "2027-03-27T23:00", "2027-03-28T22:00", 1380, "00:00", "00:00", DAY),
    ("autumn night, the hour that comes twice", "2027-10-31T00:00", "2027-10-31T02:00", 120, "02:00", "03:00", 2 * HOURS),
    ("autumn night, from midnight", "2027-10-30T22:00", "2027-10-31T05:00", 420, "00:00", "06:00", DAY),
    ("autumn day, whole", "2027-10-30T22:00", "2027-10-31T23:00", 1500, "00:00", "00:00", DAY + HOURS),
    ("over midnight", "2027-05-10T20:00", "2027-05-11T04:00", 480, "22:00", "06:00", DAY),
    ("three days", "2027-05-09T22:00", "2027-05-12T22:00", 4320, "00:00", "00:00", 3 * DAY),
    ("a whole day", "2027-05-09T22:00", "2027-05-10T22:00", 1440, "00:00", "00:00", DAY),
    ("leap day", "2028-02-28T23:00", "2028-02-29T23:00", 1440, "00:00", "00:00", DAY),
    ("over leap day", "2028-02-28T17:00", "2028-03-01T07:00", 2280, "18:00", "08:00", 2 * DAY),
    ("new year", "2026-12-31T20:00", "2027-01-01T04:00", 480, "21:00", "05:00", DAY),
]  # fmt: skip


@pytest.mark.parametrize(("name", "start", "end", "minutes", "opens", "closes", "ore"), TABLE, ids=[row[0] for row in TABLE])  # fmt: skip
async def test_an_odd_time__is_as_long_as_it_lasts_and_nobody_elses(
    car: Resource, log_in: LogIn, name: str, start: str, end: str, minutes: int, opens: str, closes: str, ore: int
) -> None:  # fmt: skip
    span = Span(moment(start), moment(end))
    now = span.start - timedelta(days=9)
    eva, ali = await log_in("eva@demo.test"), await log_in("ali@demo.test")
    hold = await held(car, span, eva, now)
    shown = await reservations.held(hold, eva, now)
    wall = [at.astimezone(SWEDEN).strftime("%H:%M") for at in (shown.start, shown.end)]
    assert (span.minutes, wall, await price_of(hold)) == (minutes, [opens, closes], ore), name
    half_hour = timedelta(minutes=30)
    for inside in (span.start, span.end - half_hour, span.end):  # the last meets the gap of half an hour
        assert await refused(held(car, Span(inside, inside + 2 * half_hour), ali, now)) == "slot_taken"
    assert await held(car, Span(span.end + half_hour, span.end + 3 * half_hour), ali, now)
    assert await held(car, Span(span.start - 4 * half_hour, span.start - half_hour), ali, now)


@pytest.mark.parametrize(
    ("night", "hours"), [(date(2027, 3, 28), 5), (date(2027, 10, 31), 7), (date(2027, 5, 9), 6)]
)
async def test_a_night_is_moved_to_another__it_costs_what_that_night_lasts(
    car: Resource, log_in: LogIn, night: date, hours: int
) -> None:
    await db.run("UPDATE party SET may_be_invoiced = true")
    eva = await log_in("eva@demo.test")
    now = moment(f"{night.year}-{night.month:02}-01T09:00")
    made = await reserved(
        await held(car, on(date(night.year, night.month, 20), "08:00", 60), eva, now), "invoice", eva, now
    )
    start = on(night, "00:00", 60).start
    end = on(night, "06:00", 60).start
    await reservations.move(made, Target(Span(start, end)), by=eva, now=now)
    page = await reservations.page(made, eva, now)
    assert (page.end - page.start, page.price_ore) == (timedelta(hours=hours), min(hours * HOURS, DAY))


async def test_week_53__counts_over_new_year(hall: Resource, rival: Actor, now: datetime) -> None:
    """Monday 28 December 2026 to Sunday 3 January 2027 is one week (ISO week 53)."""
    await rule(hall, quota_week=1)
    club = Customer(await party("Levar IF"))
    booked = await held(hall, on(date(2026, 12, 30), "18:00"), rival, now, club)
    await reserved(booked, "invoice", rival, now)
    for day in (date(2026, 12, 28), date(2027, 1, 2), date(2027, 1, 3)):
        assert await refused(held(hall, on(day, "12:00"), rival, now, club)) == "quota_week"
    assert await held(hall, on(date(2027, 1, 4), "12:00"), rival, now, club)
    assert await held(hall, on(date(2026, 12, 27), "12:00"), rival, now, club)


async def test_a_minute_that_the_spring_night_lacks__is_no_start_and_the_gap_is_elapsed(
    car: Resource, log_in: LogIn
) -> None:
    now, eva = moment("2027-03-20T09:00"), await log_in("eva@demo.test")
    before = Span(moment("2027-03-27T23:30"), moment("2027-03-28T00:30"))  # 00:30–01:30
    await held(car, before, eva, now)
    after = moment("2027-03-28T01:00")  # 03:00 on the clock, half an hour later
    assert await held(car, Span(after, after + timedelta(hours=1)), eva, now)
