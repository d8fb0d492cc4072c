"""What a report proves, and what it proves no more."""

from datetime import datetime, timedelta

import pytest

from booking import db, locks
from booking.locks import codes, sweeps, telling
from booking.locks.credentials import Wish
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, holder, hours
from tests.locks.parts import FULL, Device, pin_of, state
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


@pytest.mark.parametrize("is_emptied_first", [False, True])
async def test_a_device_that_rolls_back__has_what_was_taken_out_since_and_says_so(
    hall: Hall, device: Device, now: datetime, is_emptied_first: bool
) -> None:
    booking = await hall.book(hours(now, 48, 49), now)
    await sync(device, now)
    old, pin = await device.logged(), await pin_of(booking, now)
    assert pin is not None
    await locks.revoke(booking, now=now)
    await sync(device, now)
    assert await state(booking, now) == "removed_confirmed"
    again = now + timedelta(hours=1)
    if is_emptied_first:
        await device.report(again, version=(0, 0), dig=None)
        assert await state(booking, again) == "removed_confirmed"
    await device.report(again, version=old[:2], dig=old[2])  # its memory, not its boot count

    assert await state(booking, again) == "removing"
    kept = [codes.Kept(None, hall.entrance, hours(now, 47, 48))]
    assert not await codes.keep(hall.facility, pin, kept)  # nobody else may be given what still opens
    await locks.watch_alarms(again)
    assert await db.column(str, ALARMS) == ["removal_unconfirmed"]
    assert await sweeps.reconcile(again) == 1
    await sync(device, again)
    assert await state(booking, again) == "removed_confirmed"
    await locks.watch_alarms(again)
    assert await db.column(str, ALARMS) == []


async def test_a_device_that_rolls_back_when_the_pin_has_a_new_holder__leaves_it_to_them(
    hall: Hall, device: Device, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await hall.book(hours(now, 72, 73), now)
    await sync(device, now)
    old, pin = await device.logged(), await pin_of(booking, now)
    await locks.revoke(booking, now=now)
    await sync(device, now)
    monkeypatch.setattr(codes.pin_rules, "draw", lambda _rule: pin)  # chance, not a function of ours
    second = await hall.book(hours(now, 72.5, 73.5), now + timedelta(hours=25))
    late = now + timedelta(hours=26)
    await device.report(late, version=old[:2], dig=old[2])

    assert (await state(booking, late), await pin_of(second, late)) == ("removing", pin)


async def test_cancelled_in_quarantine__is_not_gone_before_the_controller_says_so(
    hall: Hall, device: Device, now: datetime
) -> None:
    await sync(device, now)
    booking = await hall.book(hours(now, 2, 3), now)  # logged after the backup that was put back
    await device.report(now, version=(1, 900))
    await locks.revoke(booking, now=now)
    assert await state(booking, now) == "removing"
    kept = "SELECT min(kept_until) FROM grant_window"
    assert (await db.value(datetime, kept) or now) > now + timedelta(hours=24)

    await locks.end_quarantine(hall.controller, by=SYSTEM, now=now)
    await device.publish(now)
    assert await state(booking, now) == "removing"
    await device.report(now)
    assert await state(booking, now) == "removed_confirmed"


async def test_a_bookings_pin_that_the_device_uses__changes_and_its_holder_is_told(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 2, 3), now)
    await sync(device, now)
    (grant,) = (await device.snapshot()).grants
    await device.report(now, rej=[{"id": grant.id, "why": "dup"}])

    assert await pin_of(booking, now) != grant.pin
    told = "SELECT count(*) FROM outbox WHERE kind = 'message.owe' AND payload LIKE '%code_changed%'"
    assert await db.value(int, told) == 1


async def test_no_pin_is_free_for_a_refused_one__and_the_rest_of_the_report_holds(
    hall: Hall, device: Device, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, other = [await hall.book(hours(now, start, start + 1), now) for start in (2, 4)]
    await device.publish(now)
    pin = await pin_of(refused, now)
    taken = await pin_of(other, now)
    grant = next(one for one in (await device.snapshot()).grants if one.pin == pin)
    monkeypatch.setattr(codes.pin_rules, "draw", lambda _rule: taken)  # chance, not a function of ours
    await device.report(now, rej=[{"id": grant.id, "why": "dup"}])

    assert [await state(one, now) for one in (refused, other)] == ["rejected", "applied"]
    assert await pin_of(refused, now) == pin


async def test_a_staff_code_that_a_lock_uses_itself__stays_as_told_and_is_an_alarm(
    hall: Hall, device: Device, now: datetime
) -> None:
    wish = Wish(municipality=TOWN, role="staff", label="Vakt", valid_from=now - timedelta(days=1))
    made = await locks.create_credential(wish, by=SYSTEM, now=now)
    await sync(device, now)
    (grant,) = (await device.snapshot()).grants
    await device.report(now, rej=[{"id": grant.id, "why": "dup"}])
    later = now + timedelta(minutes=1)
    await locks.watch_alarms(later)

    assert (await device.snapshot()).grants[0].pin == made.pin
    assert set(await db.column(str, ALARMS)) == {"not_applied"}
    assert await db.value(str, "SELECT rejected FROM access_grant") == "dup"
    await device.report(later)
    await locks.watch_alarms(later)
    assert await db.column(str, ALARMS) == []


async def test_a_participants_pin_that_a_lock_uses_itself__stays_as_told_and_shows_as_refused(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 2, 3), now)
    await sync(device, now, cap=FULL)
    made = await locks.share(booking, "Kim", by=holder(booking), now=now)
    await sync(device, now, cap=FULL)
    member = next(one for one in (await device.snapshot()).grants if one.role == "member")
    await device.report(now, cap=FULL, rej=[{"id": member.id, "why": "dup"}])

    (share,) = (await seen(booking, now)).shares
    assert share.state == "rejected"
    await device.publish(now)
    kept = next(one for one in (await device.snapshot()).grants if one.role == "member")
    assert kept.pin == made.pin
    another = await locks.replace_share(booking, made.id, by=holder(booking), now=now)
    await sync(device, now, cap=FULL)
    (share,) = (await seen(booking, now)).shares
    assert (share.state, another.pin != made.pin) == ("applied", True)
