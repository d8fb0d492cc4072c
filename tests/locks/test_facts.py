"""Facts of a booking that is over: its own movements, nobody else's, and no proof where there is a doubt."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, locks
from booking.locks import facts
from booking.locks.credentials import Wish
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, hours, make_hall
from tests.locks.parts import Device
from tests.locks.test_alarms import Voice, settled
from tests.locks.test_credentials import book, make_party

SYSTEM = Actor.system()
At = Callable[[float], datetime]


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


@pytest.fixture
def voice(hall: Hall) -> Voice:
    return Voice(hall)


@pytest.fixture
def at(now: datetime) -> At:
    return lambda hour: now + timedelta(hours=hour)


async def in_the_door(device: Device, now: datetime) -> None:
    await device.publish(now)
    await device.report(now)


async def grant_of(reservation: UUID) -> str:
    found = await db.value(UUID, "SELECT id FROM access_grant WHERE reservation = $1", reservation)
    assert found is not None
    return str(found)


async def comes_in(voice: Voice, at: datetime, grant: object, **more: object) -> None:
    await voice.says("granted", at, k="pin", g=str(grant), **more)
    await voice.says("opened", at + timedelta(seconds=3), **more)
    await voice.says("closed", at + timedelta(seconds=9), **more)


async def goes_out(voice: Voice, at: datetime, dur_s: int | None = None, **more: object) -> None:
    await voice.says("rex", at, **more)
    await voice.says("opened", at + timedelta(seconds=2), **more)
    if dur_s is None:
        await voice.says("closed", at + timedelta(seconds=8), **more)
    else:
        await voice.says("held", at + timedelta(seconds=302), **more)
        await voice.says("closed", at + timedelta(seconds=2 + dur_s), dur_s=dur_s, **more)


async def test_back_to_back_bookings__the_second_ones_exit_and_open_door_are_not_the_firsts(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    first, second = await hall.book(hours(now, 1, 2), now), await hall.book(hours(now, 2, 3), now)
    await in_the_door(device, now)
    await comes_in(voice, at(1), await grant_of(first))
    await goes_out(
        voice, at(1.8), dur_s=2_400
    )  # until 20 min into the second one's time, whose code opens at 1.75
    await comes_in(voice, at(2.5), await grant_of(second))
    await goes_out(voice, at(2.9), dur_s=600)
    await settled(hall, device, voice, at(8))
    found = await locks.facts_of([first, second])

    assert (found[first].overtime_s, found[first].held_s) == (0, 0)
    assert (found[second].held_s, found[second].never_used) == (600, False)


async def test_the_party_that_stays__is_charged_until_the_next_ones_code_opens(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    first, second = await hall.book(hours(now, 1, 2), now), await hall.book(hours(now, 3, 4), now)
    await in_the_door(device, now)
    await comes_in(voice, at(1), await grant_of(first))
    await goes_out(voice, at(2.5), dur_s=1_800)  # the second one's code opens at 2.75
    await goes_out(voice, at(3.2))
    await settled(hall, device, voice, at(9))
    found = await locks.facts_of([first, second])

    left = at(2.5) + timedelta(seconds=2)
    assert (found[first].last_use_at, found[first].overtime_s) == (left, 1_802)
    assert found[first].held_s == 15 * 60 - 2
    assert (found[second].overtime_s, found[second].held_s) == (0, 0)


async def test_facts__are_not_final_while_the_party_may_still_be_inside(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await in_the_door(device, now)
    await comes_in(voice, at(1), await grant_of(booking))
    await settled(hall, device, voice, at(2.6))
    early = (await locks.facts_of([booking]))[booking]
    assert (early.is_final, early.overtime_s, early.never_used) == (False, 0, False)
    await goes_out(voice, at(4))
    await settled(hall, device, voice, at(8))
    late = (await locks.facts_of([booking]))[booking]
    assert (late.is_final, late.overtime_s // 60) == (True, 120)


async def test_a_cleaner_after_the_booking__charges_the_booker_with_nothing(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    clean = Wish(municipality=TOWN, role="clean", label="Städ", valid_from=now)
    await locks.create_credential(clean, by=SYSTEM, now=now)
    await in_the_door(device, now)
    cleaner = next(one.id for one in (await device.snapshot()).grants if one.role == "clean")
    await comes_in(voice, at(1), await grant_of(booking))
    await goes_out(voice, at(1.95))
    await voice.says("granted", at(3), k="pin", g=cleaner)
    await voice.says("opened", at(3))
    await voice.says("held", at(3.1))
    await voice.says("closed", at(3.5), dur_s=1_800)
    await goes_out(voice, at(4))
    await settled(hall, device, voice, at(8))
    found = (await locks.facts_of([booking]))[booking]

    assert (found.overtime_s, found.held_s, found.forced) == (0, 0, 0)
    assert found.last_use_at == at(1.95) + timedelta(seconds=8)


@pytest.mark.parametrize("kind", ["cmd", "forced"])
async def test_whoever_comes_later_without_a_code__leaves_on_nobodys_account(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime, kind: str
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await in_the_door(device, now)
    await comes_in(voice, at(1), await grant_of(booking))
    if kind == "cmd":
        await voice.says("granted", at(3), k="cmd")
        await voice.says("opened", at(3))
        await voice.says("closed", at(3.5), dur_s=1_800)
    else:
        await voice.says("forced", at(3))
        await voice.says("closed", at(3.5), dur_s=1_800)
    await goes_out(voice, at(4))
    await settled(hall, device, voice, at(8))
    found = (await locks.facts_of([booking]))[booking]
    assert (found.overtime_s, found.held_s, found.forced) == (0, 0, 0)


async def test_a_booking_moved_to_another_hall__collects_nothing_from_the_old_one(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    second = await make_hall("hall-2")
    booking = await hall.book(hours(now, 1, 2), now)
    await in_the_door(device, now)
    await locks.move(
        reservation=booking,
        holder=booking,
        resources=[second.resource],
        span=hours(now, 5, 6),
        purpose="training",
        now=now,
    )
    other, there = await hall.book(hours(now, 1, 2), now), Device(second)
    await in_the_door(device, now)
    await in_the_door(there, now)
    speaks = Voice(second)
    await comes_in(voice, at(1), await grant_of(other))
    await voice.says("forced", at(1.5))
    await goes_out(voice, at(1.8), dur_s=1_000)
    grant = (await there.snapshot()).grants[0].id
    await comes_in(speaks, at(5), grant)
    await settled(second, there, speaks, at(12))
    found = (await locks.facts_of([booking]))[booking]

    assert (found.held_s, found.forced, found.overtime_s) == (0, 0, 0)
    assert (found.never_used, found.first_entry_at, found.is_final) == (False, at(5), True)


async def test_another_controller_that_names_the_grant__proves_no_entry(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    liar = Voice(await make_hall("hall-2"))
    booking = await hall.book(hours(now, 1, 2), now)
    await in_the_door(device, now)
    await liar.says("granted", at(1), k="pin", g=await grant_of(booking))
    await settled(hall, device, voice, at(8))
    found = (await locks.facts_of([booking]))[booking]
    assert (found.first_entry_at, found.never_used) == (None, True)


@pytest.mark.parametrize(
    ("leaves", "never_used", "doubt"), [(True, False, None), (False, None, "same_party")]
)
async def test_a_party_that_books_on_and_stays__has_used_the_second_time_too(
    hall: Hall,
    device: Device,
    voice: Voice,
    at: At,
    now: datetime,
    leaves: bool,
    never_used: bool | None,
    doubt: str | None,
) -> None:
    club = await make_party()
    first, second = [await book(hall, hours(now, n, n + 1), now, club) for n in (1, 2)]
    await in_the_door(device, now)
    await comes_in(voice, at(1), await grant_of(first))
    if leaves:
        await goes_out(voice, at(2.95))
    await settled(hall, device, voice, at(8))
    found = await locks.facts_of([first, second])

    assert (found[first].never_used, found[first].overtime_s) == (False, 0)
    assert (found[second].never_used, found[second].doubt) == (never_used, doubt)
    assert found[second].overtime_s == 0


async def silence(kind: str, hall: Hall, voice: Voice, at: At) -> None:
    """Nobody opened by the booking's code from 1 to 2; but this happened too."""
    if kind == "mode":
        await voice.says("mode", at(1.2))
    elif kind == "opened":
        await voice.says("opened", at(1.2))
    elif kind == "unlock":
        await db.run(
            "INSERT INTO door_command (id, controller, door, op, reason, until, asked_at, confirmed_at)"
            " VALUES (gen_random_uuid(), $1, $2, 'unlock', 'x', $4, $3, $3)",
            hall.controller,
            hall.entrance,
            at(0.1),
            at(9),
        )
    elif kind == "let in":
        await voice.says("granted", at(1.2), k="cmd")
    elif kind == "denied":
        await voice.says("denied", at(1.1), k="pin", why="unknown")
    elif kind == "offline":
        await db.run(
            "INSERT INTO door_alarm (id, controller, kind, opened_at, seen_at, closed_at)"
            " VALUES (gen_random_uuid(), $1, 'offline', $2, $2, $3)",
            hall.controller,
            at(0.9),
            at(1.4),
        )
    elif kind == "lost":
        await voice.says("denied", at(0.1), k="pin", why="unknown")
        voice.seq += 5
        await voice.says("denied", at(3), k="pin", why="unknown", lost=5)
    elif kind == "restarted":
        await voice.says("boot", at(1.3), d=None)
    elif kind == "clock":
        await voice.says("clock", at(1.3), d=None)


@pytest.mark.parametrize(
    ("kind", "doubt"),
    [
        ("mode", "door_open"),
        ("opened", "door_open"),
        ("unlock", "door_open"),
        ("let in", "door_open"),
        ("denied", "tried"),
        ("offline", "offline"),
        ("restarted", "offline"),
        ("lost", "events_lost"),
        ("clock", "clock"),
    ],
)
async def test_silence_with_a_doubt__proves_no_absence_and_says_why(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime, kind: str, doubt: str
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await in_the_door(device, now)
    await silence(kind, hall, voice, at)
    await settled(hall, device, voice, at(8))
    found = (await locks.facts_of([booking]))[booking]
    assert (found.never_used, found.doubt, found.is_final) == (None, doubt, True)


async def test_a_code_that_came_late_into_the_door__proves_no_absence(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(at(1.5))
    await device.report(at(1.5))
    await settled(hall, device, voice, at(8))
    found = (await locks.facts_of([booking]))[booking]
    assert (found.never_used, found.doubt) == (None, "not_in_door")


async def test_neighbours_coming_and_going_in_their_own_time__leave_the_proof_standing(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    before, absent, after = [await hall.book(hours(now, n, n + 1), now) for n in (1, 2, 3)]
    await in_the_door(device, now)
    await comes_in(voice, at(1), await grant_of(before))
    await goes_out(voice, at(1.9))
    await comes_in(voice, at(2.9), await grant_of(after))
    await goes_out(voice, at(3.9))
    await settled(hall, device, voice, at(9))
    found = await locks.facts_of([before, absent, after])
    assert [found[one].never_used for one in (before, absent, after)] == [False, True, False]
    assert [found[one].overtime_s for one in (before, absent, after)] == [0, 0, 0]


async def test_two_parties_at_one_entrance__neither_is_charged_for_who_left_last(
    hall: Hall, device: Device, voice: Voice, at: At, now: datetime
) -> None:
    one, two = [await hall.book(hours(now, 1, 2), now) for _ in range(2)]
    await in_the_door(device, now)
    for booking in (one, two):
        await comes_in(voice, at(1), await grant_of(booking))
    await goes_out(voice, at(2.4), dur_s=900)
    await settled(hall, device, voice, at(8))
    found = await locks.facts_of([one, two])
    assert [(found[each].overtime_s, found[each].held_s) for each in (one, two)] == [(0, 0), (0, 0)]


async def test_many_bookings_of_a_dark_controller__do_not_keep_others_waiting(
    hall: Hall, device: Device, at: At, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "AT_ONCE", 2)
    made = [await hall.book(hours(now, n, n + 1), now) for n in range(1, 6)]
    for n in range(3):
        await facts.settle_facts(at(8) + n * facts.AGAIN_AFTER / 4)
    assert set(await locks.facts_of(made)) == set(made)
