"""A series of a pool: one unit for all of it where that can be, never more bookings than units."""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from booking import db
from booking.ids import new_id
from booking.people import Actor
from booking.places import Resource
from booking.reservations import NewTimes, SeriesPart, SlotTaken, add_date, change_series
from booking.reservations.errors import Rejected
from booking.reservations.recurrence import Wall
from booking.reservations.series import SeriesOrder, SeriesWish, preview_series
from booking.reservations.series_booking import book_series
from booking.reservations.writing import NewRow, Part, take
from booking.span import Span
from tests.reservations.conftest import books_in_order, day_after, held, pool_of
from tests.series.test_booking import booked, chosen
from tests.series.test_race import NO_OVERLAP

UNITS = "SELECT x.name FROM reservation r JOIN resource x ON x.id = r.resource WHERE r.series = $1 ORDER BY r.starts_at"


@pytest.fixture
async def lanes(hall: Resource) -> Resource:
    """Three lanes, priced as badminton courts."""
    return await pool_of(hall, "Bana", "lane", 3, "norrskenshallen.badminton")


@pytest.fixture
def wish(tuesdays: SeriesWish, lanes: Resource) -> SeriesWish:
    return replace(tuesdays, resource_id=lanes.id)


async def test_a_series_of_a_pool__has_one_unit_and_changes_it_only_where_that_is_taken(
    wish: SeriesWish, lanes: Resource, rival: Actor, eva: Actor, now: datetime
) -> None:
    first = await booked(wish, rival, now)
    assert set(await db.column(str, UNITS, first)) == {"Bana 1"}
    third = (await preview_series(wish, by=rival, now=now)).occurrences[2]
    await held(lanes, Span(third.start, third.end), eva, now)  # the least used: lane 2

    second = await booked(wish, rival, now)

    assert sorted(await db.column(str, UNITS, second)) == ["Bana 3"] * 6
    third_series = await preview_series(wish, by=rival, now=now)
    assert [one.status for one in third_series.occurrences] == ["free"] * 2 + ["taken"] + ["free"] * 3
    assert await db.column(UUID, "SELECT DISTINCT wished FROM reservation WHERE series IS NOT NULL") == [
        lanes.id
    ]
    assert await db.value(int, "SELECT count(DISTINCT reservation) FROM occupancy") == 13
    assert await books_in_order()


async def test_five_clubs_at_once__as_many_series_as_units(
    wish: SeriesWish, rival: Actor, now: datetime
) -> None:
    preview = await preview_series(wish, by=rival, now=now)
    order = SeriesOrder(wish, chosen(preview), "invoice", preview.total_ore)

    answers = await asyncio.gather(
        *(book_series(order, by=rival, now=now) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(one, UUID) for one in answers) == 3, answers
    assert all(isinstance(one, UUID | SlotTaken) for one in answers), answers
    assert await db.value(int, NO_OVERLAP) == 0
    assert await db.value(int, "SELECT count(DISTINCT (leaf, reservation)) FROM occupancy") == 18


async def test_five_clubs_each_in_a_transaction_of_their_own__no_series_is_left_without_times(
    wish: SeriesWish, rival: Actor, now: datetime
) -> None:
    preview = await preview_series(wish, by=rival, now=now)
    order = SeriesOrder(wish, chosen(preview), "invoice", preview.total_ore)

    async def within() -> UUID:
        async with db.transaction():
            return await book_series(order, by=rival, now=now)

    answers = await asyncio.gather(*(within() for _ in range(5)), return_exceptions=True)

    won = [one for one in answers if isinstance(one, UUID)]
    assert won
    assert all(isinstance(one, UUID | SlotTaken) for one in answers), answers
    assert await db.value(int, "SELECT count(*) FROM series") == len(won)


async def test_all_an_hour_later_and_one_more__each_time_has_a_unit(
    wish: SeriesWish, lanes: Resource, rival: Actor, now: datetime
) -> None:
    series = await booked(wish, rival, now)
    await change_series(series, SeriesPart("all"), NewTimes(opens=19 * 60, closes=21 * 60), by=rival, now=now)
    await add_date(series, Wall(day_after(now, 3), 18 * 60, 20 * 60), by=rival, now=now)

    bare = "SELECT count(*) FROM reservation r WHERE NOT EXISTS (SELECT FROM occupancy o WHERE o.reservation = r.id)"
    assert await db.value(int, bare) == 0
    assert await db.column(UUID, "SELECT DISTINCT wished FROM reservation") == [lanes.id]
    assert await books_in_order()


async def test_a_pool_itself__is_never_written_for_it_would_keep_nobody_out(
    lanes: Resource, now: datetime
) -> None:
    row = NewRow(
        id=new_id(), parts=(Part(lanes.id, ()),), span=Span(now, now.replace(hour=20)), municipality="2401",
        state="confirmed", purpose="training", created_at=now, party=new_id(),
    )  # fmt: skip
    with pytest.raises(Rejected) as refused:
        await take([row], now=now)
    assert refused.value.code == "no_unit"
    assert await db.value(int, "SELECT count(*) FROM reservation") == 0
