"""What a report proves, and what it proves no more."""

from datetime import datetime, timedelta

import pytest

from booking import db, locks
from booking.locks import sweeps, telling
from booking.locks.credentials import Wish
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, hours
from tests.locks.parts import Device, state
from tests.locks.test_credentials import move, seen

SYSTEM = Actor.system()
STALE = "SELECT count(*) FROM access_grant WHERE stale_na IS NOT NULL"
ALARMS = "SELECT kind FROM door_alarm WHERE closed_at IS NULL AND kind <> 'clock_untrusted'"


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


async def sync(device: Device, now: datetime, **more: object) -> None:
    await device.publish(now)
    await device.report(now, **more)


async def roll_on(now: datetime) -> None:
    await db.run("DELETE FROM outbox")
    assert await sweeps.refresh_horizon(now) == 1


async def test_moved_beyond_the_horizon__is_planned_and_told_to_nobody_until_its_door_has_it(
    hall: Hall, device: Device, now: datetime
) -> None:
    telling._told.clear()
    booking = await hall.book(hours(now, 24, 25), now)
    await sync(device, now)
    (before,) = (await device.snapshot()).grants
    await move(hall, booking, hours(now, 21 * 24, 21 * 24 + 1), now)
    assert await db.value(int, STALE) == 1
    await sync(device, now)

    assert (await device.snapshot()).grants == []
    assert await state(booking, now) == "planned"
    assert (await seen(booking, now)).confirmed_at is None
    assert await db.value(int, STALE) == 0  # the door has let the old window go
    assert await telling.tell_ready(now) == 0

    later = now + timedelta(days=9)
    await roll_on(later)
    await device.publish(later)
    assert await state(booking, later) == "on_broker"
    await device.report(later)
    assert await state(booking, later) == "applied"
    (after,) = (await device.snapshot()).grants
    assert (after.id, after.pin) == (before.id, before.pin)


async def test_moved_beyond_the_horizon_while_the_door_is_dark__is_watched_and_never_taken_for_confirmed(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 24, 25), now)
    await sync(device, now)
    await move(hall, booking, hours(now, 21 * 24, 21 * 24 + 1), now)
    await device.publish(now)
    moved = await device.logged()
    inside = now + timedelta(hours=24, minutes=5)
    await locks.watch_alarms(inside)
    assert "removal_unconfirmed" in await db.column(str, ALARMS)

    later = now + timedelta(days=9)
    await roll_on(later)
    await device.publish(later)
    await device.report(later, version=moved[:2], dig=moved[2])  # it had taken that one, and not the next
    assert await state(booking, later) == "on_broker"
    await locks.watch_alarms(later)
    await device.report(later)
    assert await state(booking, later) == "applied"
    assert await db.value(int, STALE) == 0


async def test_a_staff_code_of_later__is_not_confirmed_by_a_snapshot_without_it(
    hall: Hall, device: Device, now: datetime
) -> None:
    wish = Wish(municipality=TOWN, role="staff", label="Vakt", valid_from=now + timedelta(days=30))
    await locks.create_credential(wish, by=SYSTEM, now=now)
    await sync(device, now)

    proved = "SELECT count(*) FROM access_grant WHERE applied_at IS NOT NULL OR first_ver IS NOT NULL"
    assert await db.value(int, proved) == 0
    later = now + timedelta(days=20)
    await roll_on(later)
    await sync(device, later)
    assert await db.value(int, proved) == 1
