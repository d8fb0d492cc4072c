"""Holds against each other: nobody loses a time that was extended or booked a moment before."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from booking import db, reservations
from booking.reservations import Customer, Query, SlotTaken
from booking.settings import Settings
from tests.review.parts import EVENING, resource_of, somebody, state_of, wish

TEN = timedelta(minutes=10)


_WAITING = "SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' LIMIT 1"


async def _until_somebody_waits() -> None:
    async with asyncio.timeout(5):
        while not await db.value(bool, _WAITING):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("act", ["extend", "reserve"])
async def test_a_hold_saved_in_its_last_second__is_not_expired_by_who_waited_for_it(
    town: Settings, now: datetime, act: str
) -> None:
    hall = await resource_of("Hammarhallen", "Hela hallen")
    eva, ali = await somebody("eva@demo.test"), await somebody("ali@demo.test")
    held = await reservations.hold(wish(hall, eva), by=eva, now=now)
    page = await reservations.held(held, eva, now)
    last = now + TEN - timedelta(seconds=1)

    async def late() -> None:
        await reservations.hold(wish(hall, ali), by=ali, now=now + TEN)

    async with db.transaction():
        if act == "extend":
            await reservations.extend_hold(held, by=eva, now=last)
        else:
            await reservations.reserve(
                held, method="card", expected_ore=page.price.total_ore, by=eva, now=last, return_url="http://x/{id}"
            )  # fmt: skip
        token = db.DB.current_transaction.set(None)  # the rival has a connection of their own
        rival = asyncio.create_task(late())
        await _until_somebody_waits()
        db.DB.current_transaction.reset(token)
    with pytest.raises(SlotTaken):
        await rival

    assert await state_of(held) == ("held" if act == "extend" else "awaiting_payment")
    assert await db.value(int, "SELECT count(*) FROM occupancy WHERE reservation = $1", held) == 4


async def test_a_vehicle_shown_free_for_three_days__can_be_booked(town: Settings, now: datetime) -> None:
    bus = await resource_of("Kommunhuset", "Minibuss, 9 platser")
    eva, ali = await somebody("eva@demo.test"), await somebody("ali@demo.test")
    third_day = EVENING + timedelta(days=2)
    await reservations.hold(wish(bus, ali, third_day), by=ali, now=now)

    day = (await reservations.availability(bus.id, EVENING.date(), 1, 3 * 1440, Customer(eva.party), "private", now)).days[0]  # fmt: skip
    shown = next(one for one in day.starts if one.start == EVENING)

    assert (shown.free, shown.reason) == (False, "booked")
    with pytest.raises(SlotTaken):
        await reservations.hold(wish(bus, eva, EVENING, timedelta(days=3)), by=eva, now=now)


async def test_a_search_without_hours__finds_what_lasts_over_night(town: Settings, now: datetime) -> None:
    query = Query(day=date(2026, 11, 24), minutes=2 * 1440, kind="vehicle", municipalities=("2401",))

    found = await reservations.search(query, now)

    assert found.total_free > 0
