"""A new code after a leak: the old one leaves the doors, the new one comes, who uses it is told."""

from datetime import UTC, datetime, timedelta

import pytest

from booking import db, locks
from booking.errors import NotFound
from booking.ids import new_id
from booking.locks import credentials, refusals
from booking.locks.renewing import NoCodeToReplace
from booking.people import Actor
from tests.locks.conftest import Hall, holder, hours, staff
from tests.locks.parts import FULL, Device
from tests.locks.test_code_changes import leaders_of, owed, settle
from tests.locks.test_credentials import book, make_party, seen, standing

SYSTEM = Actor.system()


@pytest.fixture
async def device(hall: Hall, now: datetime) -> Device:
    device = Device(hall)
    await device.publish(now)
    await device.report(now, cap=FULL)
    return device


async def test_a_leaked_code__leaves_the_doors_and_is_watched_and_the_booker_is_told_the_new_one(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    old = (await seen(booking, now)).pin
    shared = await locks.share(booking, "Lisa", by=holder(booking), now=now)
    await settle(device, now)
    clerk = staff()
    with pytest.raises(NotFound):
        await locks.replace_code(booking, scope="booking", by=holder(booking), now=now)
    with pytest.raises(NotFound):
        await locks.replace_code(booking, scope="booking", by=staff("2284"), now=now)
    await locks.replace_code(booking, scope="booking", by=clerk, now=now)
    view = await seen(booking, now)

    assert view.pin not in (None, old)
    assert (view.also_pin, view.state) == (None, "planned")
    leaving = "SELECT count(*) FROM access_grant WHERE gone_ver IS NOT NULL AND gone_at IS NULL"
    assert (
        await db.value(int, leaving) == 2
    )  # the leader's and the participant's, until the door has confirmed
    plan = await settle(device, now)
    assert leaders_of(plan, shared.pin) == {view.pin}
    assert old not in {one.pin for one in plan.grants}
    assert await db.value(int, leaving) == 0
    assert [one["about"] for one in await owed("code_changed")] == [str(booking)]
    who = "SELECT account FROM journal WHERE action = 'access.replaced'"
    assert await db.value(type(booking), who) == clerk.account


async def test_a_booking_with_its_associations_code__gets_its_own_and_keeps_it_when_it_moves(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    made = await standing(party, now)
    booking, other = [await book(hall, hours(now, n, n + 1), now, party) for n in (1, 3)]
    await locks.replace_code(booking, scope="booking", by=staff(), now=now)
    fresh = (await seen(booking, now, party)).pin
    await locks.move(
        reservation=booking,
        holder=party,
        resources=[hall.resource],
        span=hours(now, 5, 6),
        purpose="training",
        now=now,
    )
    view = await seen(booking, now, party)

    assert (view.pin, view.also_pin, view.code_of) == (fresh, None, "booking")
    assert fresh != made.pin
    assert (await seen(other, now, party)).pin == made.pin


async def test_a_leaked_series_code__is_another_at_all_its_coming_times_and_one_message(
    hall: Hall, device: Device, now: datetime
) -> None:
    party, series = await make_party(), new_id()
    weeks = [await book(hall, hours(now, 24 * n + 1, 24 * n + 2), now, party, series) for n in range(3)]
    old = (await seen(weeks[0], now, party)).pin
    await settle(device, now)
    await locks.replace_code(weeks[0], scope="series", by=staff(), now=now)
    later = await book(hall, hours(now, 100, 101), now, party, series)
    views = [await seen(one, now, party) for one in (*weeks, later)]

    assert len({one.pin for one in views}) == 1
    assert {one.code_of for one in views} == {"series"}
    assert views[0].pin not in (None, old)
    assert old not in {one.pin for one in (await settle(device, now)).grants}
    (message,) = await owed("codes_changed")
    assert (message["party"], message["data"]) == (str(party), {"count": 3})
    with pytest.raises(NoCodeToReplace):
        await locks.replace_code(weeks[0], scope="booking", by=staff(), now=now + timedelta(days=3))


async def test_no_series__has_no_code_to_replace(hall: Hall, now: datetime) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    before = (await seen(booking, now)).pin
    with pytest.raises(NoCodeToReplace):
        await locks.replace_code(booking, scope="series", by=staff(), now=now)
    assert (await seen(booking, now)).pin == before


async def test_a_participants_leaked_code__is_another_behind_the_same_leader(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    shared = await locks.share(booking, "Lisa", by=holder(booking), now=now)
    await settle(device, now)
    with pytest.raises(NotFound):
        await locks.replace_share(booking, shared.id, by=holder(new_id()), now=now)
    made = await locks.replace_share(booking, shared.id, by=staff(), now=now)
    plan = await settle(device, now)

    assert made.pin != shared.pin
    assert leaders_of(plan, made.pin) == {(await seen(booking, now)).pin}
    assert leaders_of(plan, shared.pin) == set()
    assert [(one.id, one.label) for one in (await seen(booking, now)).shares] == [(shared.id, "Lisa")]
    await locks.unshare(booking, shared.id, by=holder(booking), now=now)
    with pytest.raises(NotFound):
        await locks.replace_share(booking, shared.id, by=staff(), now=now)


async def test_a_rotation__is_told_the_association_once_without_the_code(hall: Hall, now: datetime) -> None:
    party = await make_party()
    await standing(party, now, rotates_on="12-10", overlap_days=14)
    await credentials.rotate_due(now)
    await credentials.rotate_due(now + timedelta(days=1))

    (message,) = await owed("codes_changed")
    assert message["party"] == str(party)
    data = message["data"]
    assert isinstance(data, dict)
    assert set(data) == {"from_at", "until_at"}
    assert datetime.fromisoformat(str(data["from_at"])) == datetime(2026, 12, 9, 23, tzinfo=UTC)


async def test_an_associations_code_that_the_device_uses_itself__leaves_the_booking_its_own(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    booking = await book(hall, hours(now, 1, 2), now, party)
    own = (await seen(booking, now, party)).pin
    shared = await locks.share(booking, "Lisa", by=holder(party), now=now)
    made = await standing(party, now)
    plan = await settle(device, now)
    refused = next(one.id for one in plan.grants if one.pin == made.pin)
    async with db.transaction():
        await refusals.change_pin(type(booking)(refused), now)
    plan = await settle(device, now)

    view = await seen(booking, now, party)
    assert (view.pin, view.also_pin) == (own, None)
    assert leaders_of(plan, shared.pin) == {own}
