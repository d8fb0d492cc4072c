"""What the booker's page is told while he stands outside: a locked or dark door, and what can be had there."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, locks
from booking.locks import reserve, sweeps
from tests.locks.conftest import Hall, holder, hours
from tests.locks.parts import FULL, REPORT, Device

LOCKED_DOWN = {"d1": {**REPORT["doors"]["d1"], "mode": "lockdown"}}  # type: ignore[index]


@pytest.fixture
async def device(hall: Hall, now: datetime) -> Device:
    """A controller that reports all it can."""
    device = Device(hall)
    await device.publish(now)
    await device.report(now, cap=FULL)
    return device


async def told(booking: UUID) -> int:
    count = "SELECT count(*) FROM journal WHERE topics @> ARRAY[$1]::varchar[]"
    return await db.value(int, count, f"reservation:{booking}") or 0


async def seen(booking: UUID, now: datetime) -> locks.AccessView:
    return await locks.access_of(booking, by=holder(booking), now=now)


async def test_a_door_locked_down__is_told_to_the_page_of_the_booking_and_of_no_other(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking, next_week = await hall.book(hours(now, 1, 2), now), await hall.book(hours(now, 168, 169), now)
    await device.publish(now)
    await device.report(now, cap=FULL)
    before = [await told(booking), await told(next_week)]
    await device.report(now, cap=FULL)
    assert [await told(booking), await told(next_week)] == before
    await device.report(now, cap=FULL, doors=LOCKED_DOWN)

    assert [await told(booking), await told(next_week)] == [before[0] + 1, before[1]]
    modes = {door.id: door.mode for door in (await seen(booking, now)).doors}
    assert modes == {hall.entrance: "lockdown", hall.changing: "normal"}


async def test_a_controller_lost_and_back__is_told_to_the_pages_of_the_next_hours(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now, cap=FULL)
    before = await told(booking)
    await db.run("UPDATE controller SET offline_at = $1", now)
    await sweeps.reconcile(now + timedelta(seconds=20))
    assert await told(booking) == before
    await sweeps.reconcile(now + timedelta(seconds=33))
    assert await told(booking) == before + 1
    assert (await seen(booking, now + timedelta(seconds=33))).doors[0].offline
    await device.report(now + timedelta(seconds=50), cap=FULL)

    assert await told(booking) == before + 2


async def test_a_dark_door_whose_reserve_codes_are_gone__offers_none(
    hall: Hall, device: Device, now: datetime
) -> None:
    await reserve.stock(now)
    await device.publish(now)
    await device.report(now, cap=FULL)
    booking = await hall.book(hours(now, 0.2, 1), now)
    assert (await seen(booking, now)).reserve_offered
    await db.run("UPDATE access_grant SET gone_ver = 1 WHERE role = 'reserve'")

    assert not (await seen(booking, now)).reserve_offered


async def test_a_reserve_code_taken_back__is_told_as_over_beside_the_booking_s_own(
    hall: Hall, device: Device, now: datetime
) -> None:
    await reserve.stock(now)
    await device.publish(now)
    await device.report(now, cap=FULL)
    booking = await hall.book(hours(now, 0.2, 1), now)
    assert not (await seen(booking, now)).reserve_over
    await locks.hand_out(booking, by=holder(booking), now=now)
    assert not (await seen(booking, now)).reserve_over
    await device.publish(now)
    await device.report(now, cap=FULL)

    view = await seen(booking, now)
    assert (view.state, view.reserve_pin, view.reserve_over) == ("active", None, True)


async def test_a_code_that_does_not_arrive__is_not_to_be_shared(
    hall: Hall, device: Device, now: datetime
) -> None:
    late, ahead = await hall.book(hours(now, 0.2, 1), now), await hall.book(hours(now, 5, 6), now)
    assert [(await seen(one, now)).may_share for one in (late, ahead)] == [False, True]
    await db.run("UPDATE access_grant SET rejected = 'full' WHERE reservation = $1", ahead)
    assert not (await seen(ahead, now)).may_share
    await device.publish(now)
    await device.report(now, cap=FULL)
    assert (await seen(late, now)).may_share
    await device.report(now)  # a lock that can't tell participants from the leader

    assert not (await seen(late, now)).may_share
