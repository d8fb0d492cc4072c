"""Reserve codes: in the door beforehand, handed out when it is dark, gone when it is back."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, locks
from booking.errors import NotFound
from booking.ids import new_id
from booking.locks import reserve
from tests.locks.conftest import Hall, holder, hours, make_hall, staff
from tests.locks.parts import FULL, Device, pin_of, state


@pytest.fixture
async def device(hall: Hall, now: datetime) -> Device:
    """A controller with reserve codes stocked and proved."""
    device = Device(hall)
    await device.publish(now)
    await device.report(now, cap=FULL)
    assert await reserve.stock(now) == 2 * 14 * 3
    assert await reserve.stock(now) == 0
    await device.publish(now)
    await device.report(now, cap=FULL)
    return device


async def test_every_door__has_three_codes_for_each_local_day_kept_apart_from_all_others(
    hall: Hall, device: Device, now: datetime
) -> None:
    spare = (await device.snapshot()).reserve

    assert len(spare) == 84
    assert {one.role for one in spare} == {"reserve"}
    assert all(len(one.w) == 1 and one.w[0].na - one.w[0].nb == 86_400 for one in spare)
    assert len({one.pin for one in spare if one.w[0].d == ["d1"]}) == 42
    assert await reserve.stock(now + timedelta(days=1)) == 6


async def test_a_small_memory__keeps_bookings_before_reserve_codes(
    hall: Hall, device: Device, now: datetime
) -> None:
    small = {**FULL, "max_doc": 8_192}
    await device.report(now, cap=small)
    bookings = [await hall.book(hours(now, n, n + 1), now) for n in range(1, 21)]
    await device.publish(now)
    await device.report(now, cap=small)
    plan = await device.snapshot()

    assert len(plan.grants) == 20
    assert 0 < len(plan.reserve) < 84
    assert len((await device.logged())[3]) <= 8_192
    assert {await state(one, now) for one in bookings} == {"applied"}


async def test_a_dark_door__gives_one_reserve_code_and_takes_it_back_when_it_is_there_again(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 2, 3), now)
    him = holder(booking)
    with pytest.raises(reserve.ReserveNotNeeded):
        await locks.hand_out(booking, by=him, now=now)
    late = now + timedelta(hours=1, minutes=30)
    view = await locks.access_of(booking, by=him, now=late)
    assert (view.reserve_offered, view.reserve_pin) == (True, None)
    await locks.hand_out(booking, by=him, now=late)
    await locks.hand_out(booking, by=him, now=late)
    view = await locks.access_of(booking, by=him, now=late)
    given = {door.id: door.reserve_pin for door in view.doors}
    stored = {one.pin: one for one in (await device.snapshot()).reserve}

    assert not view.reserve_offered
    assert len(set(given.values())) == 2
    for door, pin in given.items():
        wire = "d1" if door == hall.entrance else "d2"
        (window,) = stored[pin or ""].w
        assert (window.d, window.nb <= late.timestamp() < window.na) == ([wire], True)
    told = "SELECT count(*) FROM journal WHERE action = 'access.reserve_handed_out' AND about = $1"
    assert await db.value(int, told, booking) == 1

    await device.publish(late)
    await device.report(late, cap=FULL)
    view = await locks.access_of(booking, by=him, now=late)
    assert (view.state, view.reserve_pin) == ("applied", None)
    assert view.pin == await pin_of(booking, late)
    await device.publish(late)
    left = {one.pin for one in (await device.snapshot()).reserve}
    assert left.isdisjoint(given.values())


async def test_a_cancelled_booking__loses_its_reserve_code_too(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 0.2, 1), now)
    await locks.hand_out(booking, by=staff(), now=now)
    before = {one.pin for one in (await device.snapshot()).reserve}
    await locks.revoke(booking, now=now)
    await device.publish(now)

    assert len(before - {one.pin for one in (await device.snapshot()).reserve}) == 2


async def test_an_empty_stock__says_so_and_a_stranger_gets_nothing(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 0.2, 1), now)
    with pytest.raises(NotFound):
        await locks.hand_out(booking, by=holder(new_id()), now=now)
    await db.run("UPDATE access_grant SET gone_ver = 1 WHERE role = 'reserve'")
    with pytest.raises(reserve.NoReserveCode):
        await locks.hand_out(booking, by=holder(booking), now=now)


async def test_a_code_the_door_never_proved__is_not_handed_out(hall: Hall, now: datetime) -> None:
    device = Device(hall)
    await device.publish(now)
    await device.report(now, cap=FULL)
    await reserve.stock(now)
    await device.publish(now)
    booking = await hall.book(hours(now, 0.2, 1), now)
    with pytest.raises(reserve.NoReserveCode):
        await locks.hand_out(booking, by=holder(booking), now=now)


async def test_three_locked_out_at_once__get_the_three_codes_and_asking_twice_gives_one(
    hall: Hall, device: Device, now: datetime
) -> None:
    bookings = [await hall.book(hours(now, 0.2, 1), now) for _ in range(3)]
    at = now + timedelta(minutes=1)
    await asyncio.gather(*(locks.hand_out(one, by=holder(one), now=at) for one in [*bookings, *bookings]))

    given = [await _seen(one, at) for one in bookings]
    assert len({one.reserve_pin for one in given} - {None}) == 3
    handed = "SELECT count(*) FROM access_grant WHERE role = 'reserve' AND reservation IS NOT NULL"
    assert await db.value(int, handed) == 3 * len(given[0].doors)


async def test_a_booking_over_midnight__gets_a_code_of_each_day_and_shows_the_one_in_force(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 13, 15.5), now)  # from 23:00, it is 10:00
    evening, night = now + timedelta(hours=13), now + timedelta(hours=14.2)
    await locks.hand_out(booking, by=holder(booking), now=evening)
    first, second = await _seen(booking, evening), await _seen(booking, night)

    assert None not in (first.reserve_pin, second.reserve_pin)
    assert first.reserve_pin != second.reserve_pin
    assert not first.reserve_offered
    assert not second.reserve_offered


async def test_a_dark_booking_that_is_over__leaves_no_reserve_code_behind(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 0.5, 1), now)
    await locks.hand_out(booking, by=holder(booking), now=now + timedelta(minutes=20))
    assert await reserve.take_back_ended(now + timedelta(minutes=70)) == 0  # its grace is not over
    assert await reserve.take_back_ended(now + timedelta(hours=2)) == 2
    assert await reserve.take_back_ended(now + timedelta(hours=2)) == 0


async def test_a_booking_that_moves_to_another_hall__leaves_its_reserve_codes_there(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 0.4, 1), now)
    await locks.hand_out(booking, by=holder(booking), now=now)
    other = await make_hall("hall-2")
    await locks.move(
        reservation=booking,
        holder=booking,
        resources=[other.resource],
        span=hours(now, 0.4, 1),
        purpose="training",
        now=now,
    )
    assert await reserve.take_back_ended(now) == 2


async def test_a_lock_without_windows__offers_no_reserve_code_before_it_could_have_its_own(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 0.6, 1), now)
    await device.publish(now)
    live = {**FULL, "feat": [*FULL["feat"], "live"]}
    (leader,) = [one for one in (await device.snapshot()).grants if one.role == "leader"]
    await device.report(now, cap=live, pend=[leader.id])
    before, late = now + timedelta(minutes=10), now + timedelta(minutes=23)  # the window starts after 21
    assert not (await _seen(booking, before)).reserve_offered
    assert (await _seen(booking, late)).reserve_offered


async def _seen(booking: UUID, now: datetime) -> locks.AccessView:
    return await locks.access_of(booking, by=holder(booking), now=now)
