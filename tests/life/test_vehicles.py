"""A vehicle's life: licence, pick-up, km, late return, damages."""

import base64
import struct
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import billing, db, locks, places, reservations
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Photo, Reading
from tests.life.conftest import Settle, after, book, messages_to, wait_for
from tests.reservations.conftest import charges_of, day_after, on, refused, rule, told

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def van(hall: Resource) -> Resource:
    """Nordmaling's minibus: 95 kr/h, 1 kr/km."""
    found = await places.resources(municipalities=["2401"], kind="vehicle")
    return next(one for one in found if one.tariff_class == "minibus")


async def out(van: Resource, by: Actor, now: datetime, *, km: int = 1000) -> tuple[UUID, datetime, datetime]:
    """Book the van for tomorrow 10–12 and pick it up on time; returns the booking and its time."""
    span = on(day_after(now, 1), "10:00")
    trip = await book(van, span, by, now)
    await reservations.pick_up(trip, Reading(km, 80), damage=None, by=by, now=span.start)
    return trip, span.start, span.end


async def test_a_trip__charges_its_km_once(van: Resource, eva: Actor, now: datetime) -> None:
    trip, start, end = await out(van, eva, now)

    assert await refused(reservations.cancel(trip, by=eva, now=start)) == "not_cancellable"
    assert (
        await refused(reservations.bring_back(trip, Reading(999, 60), note=None, by=eva, now=end))
        == "meter_backwards"
    )
    await reservations.bring_back(trip, Reading(1030, 60), note=None, by=eva, now=end - timedelta(minutes=5))
    again = reservations.bring_back(trip, Reading(1090, 60), note=None, by=eva, now=end)

    assert await refused(again) == "already_returned"
    assert await charges_of(trip) == ["usage open 19000", "trip open 3000"]
    shown = await reservations.trip(trip, eva, end)
    assert (shown.out_km, shown.in_km, shown.late_min) == (1000, 1030, 0)
    assert shown.price is not None
    assert shown.price.total_ore == 3000
    assert await billing.invariants() == []


async def test_a_vehicle__is_picked_up_in_its_own_time_by_its_own_party(
    van: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    span = on(day_after(now, 1), "10:00")
    trip = await book(van, span, eva, now)

    def pick(by: Actor, at: datetime) -> object:
        return reservations.pick_up(trip, Reading(1, 50), damage=None, by=by, now=at)

    assert await refused(pick(eva, span.start - timedelta(minutes=31))) == "not_pickup_time"  # type: ignore[arg-type]
    assert await refused(pick(rival, span.start)) == "not_found"  # type: ignore[arg-type]
    assert (
        await refused(reservations.bring_back(trip, Reading(1, 50), note=None, by=eva, now=span.start))
        == "not_picked_up"
    )
    await reservations.pick_up(trip, Reading(1, 50), damage=None, by=eva, now=span.start)
    assert await refused(pick(eva, span.start)) == "already_picked_up"  # type: ignore[arg-type]


async def test_without_a_licence__it_is_neither_booked_nor_picked_up(
    van: Resource, eva: Actor, clerk: Actor, rival: Actor, now: datetime
) -> None:
    await rule(van, needs_driver=True)
    span = on(day_after(now, 1), "10:00")
    assert await refused(book(van, span, eva, now)) == "driver_unknown"
    day = day_after(now, 30)
    assert (
        await refused(reservations.register_driver("2401", "eva@demo.test", "B", day, by=rival, now=now))
        == "not_found"
    )

    await reservations.register_driver("2401", "EVA@demo.test", "B", day, by=clerk, now=now)
    trip = await book(van, span, eva, now)
    await reservations.register_driver("2401", "eva@demo.test", "B", now.date(), by=clerk, now=now)  # lost it

    assert (
        await refused(reservations.pick_up(trip, Reading(1, 50), damage=None, by=eva, now=span.start))
        == "driver_unknown"
    )
    known, total = await reservations.drivers_of(clerk, municipality="2401", limit=10, offset=0)
    assert total == len(known)
    assert [one.valid_to for one in known if one.email == "eva@demo.test"] == [now.date()]


async def test_a_late_vehicle__is_kept_and_the_next_is_warned_but_stands(
    van: Resource, eva: Actor, rival: Actor, clerk: Actor, now: datetime, settle: Settle
) -> None:
    trip, _, end = await out(van, eva, now)
    follower = await book(van, on(day_after(now, 1), "14:00"), rival, now)
    await reservations.complete_due(end)
    late = after(end, minutes=5)

    for _ in range(2):
        assert await reservations.watch_trips(late) == 1
    await settle(late)

    assert await messages_to(rival, "vehicle_late") == await messages_to(clerk, "staff_alert") == 1
    page = await reservations.page(follower, rival, late)
    assert (page.state, page.late_before and page.late_before.expected_at) == ("confirmed", end)
    alternative = await db.value(
        str, "SELECT data::json ->> 'alternative' FROM message WHERE template = 'vehicle_late' LIMIT 1"
    )
    assert alternative is not None
    assert "Elbil" in alternative
    assert await refused(book(van, on(day_after(now, 1), "12:30", 60), clerk, late)) == "slot_taken"
    at_next = on(day_after(now, 1), "14:00").start
    assert (
        await refused(reservations.pick_up(follower, Reading(1, 50), damage=None, by=rival, now=at_next))
        == "vehicle_not_back"
    )

    await reservations.bring_back(trip, Reading(1100, 10), note=None, by=eva, now=at_next)

    assert (await reservations.page(follower, rival, at_next)).late_before is None
    assert (await reservations.trip(trip, eva, at_next)).late_min == 120
    await reservations.pick_up(follower, Reading(1100, 50), damage=None, by=rival, now=at_next)
    assert await reservations.watch_trips(at_next) == 0


async def test_a_late_vehicle__never_takes_more_than_up_to_the_next_booking(
    van: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    trip, _, end = await out(van, eva, now)
    await book(van, on(day_after(now, 1), "13:00"), rival, now)
    ends = "SELECT max(ends_at) FROM occupancy WHERE reservation = $1"

    for hours in range(4):
        await reservations.watch_trips(after(end, hours=hours, minutes=1))

    assert await db.value(datetime, ends, trip) == on(day_after(now, 1), "13:00").start


async def test_a_late_vehicle_that_is_back__frees_what_was_kept_for_those_who_wait(
    van: Resource, eva: Actor, rival: Actor, now: datetime, settle: Settle
) -> None:
    trip, _, end = await out(van, eva, now)
    for minutes in (10, 45, 80):
        await reservations.watch_trips(after(end, minutes=minutes))
    kept = await db.value(datetime, "SELECT max(ends_at) FROM occupancy WHERE reservation = $1", trip)
    assert kept is not None
    assert kept > after(end, minutes=90)
    waiting = await wait_for(van, on(day_after(now, 1), "14:00", 60), rival, after(end, minutes=1))
    back = after(end, minutes=85)
    await reservations.bring_back(trip, Reading(1010, 50), note=None, by=eva, now=back)
    await settle(back)

    assert await db.value(datetime, "SELECT max(ends_at) FROM occupancy WHERE reservation = $1", trip) == back
    assert (await reservations.waiting_entry(waiting, rival, back)).offer is not None


async def test_the_code__opens_the_key_cabinet_until_the_key_is_back(
    van: Resource, eva: Actor, now: datetime
) -> None:
    trip, start, end = await out(van, eva, now)
    access = await locks.access_of(trip, by=eva, now=start)
    assert [door.name for door in access.doors] == ["Nyckelskåp"]
    before = access.closes_at

    await reservations.watch_trips(after(end, minutes=1))
    late = await locks.access_of(trip, by=eva, now=after(end, minutes=1))
    assert late.pin == access.pin
    assert late.closes_at >= before + timedelta(minutes=60)

    back = after(end, minutes=10)
    await reservations.bring_back(trip, Reading(1010, 50), note=None, by=eva, now=back)
    assert (await locks.access_of(trip, by=eva, now=back)).closes_at <= back + (before - end)


@pytest.mark.parametrize("following", ["12:30", "13:00"])
async def test_the_key_of_a_late_vehicle__can_be_put_back_also_in_the_time_of_the_next_booking(
    van: Resource, eva: Actor, rival: Actor, now: datetime, following: str
) -> None:
    trip, _, end = await out(van, eva, now)
    await book(van, on(day_after(now, 1), following), rival, now)
    before = (await locks.access_of(trip, by=eva, now=end)).pin
    moves = 0
    for minutes in range(1, 105, 4):
        version = await db.value(int, "SELECT sum(want_ver)::bigint FROM controller")
        await reservations.watch_trips(after(end, minutes=minutes))
        moves += version != await db.value(int, "SELECT sum(want_ver)::bigint FROM controller")
        access = await locks.access_of(trip, by=eva, now=after(end, minutes=minutes))
        assert access.closes_at >= after(end, minutes=minutes + 30)

    assert access.pin == before
    assert moves <= 5  # not a new version at every look


async def test_a_damage__is_seen_by_staff_with_its_photo_until_it_is_mended(
    van: Resource, eva: Actor, rival: Actor, clerk: Actor, now: datetime, settle: Settle
) -> None:
    report = reservations.report_damage(van.id, "Buckla", None, by=rival, now=now)
    assert await refused(report) == "not_your_booking"
    _, start, _ = await out(van, eva, now)
    noted = b"\x00\x00\x00\x04tEXtEva\x00" + struct.pack(">I", 0)  # a chunk with words of the camera
    photo = Photo("image/png", PIXEL[:33] + noted + PIXEL[33:])
    made = await reservations.report_damage(van.id, "Buckla", photo, by=eva, now=start)
    await settle(start)

    assert (await reservations.damage_photo(made.id, by=clerk)).content == PIXEL
    assert await refused(reservations.damage_photo(made.id, by=rival)) == "not_found"
    assert await refused(reservations.damages(van.id, by=eva)) == "not_found"
    assert [one.text for one in await reservations.damages(van.id, by=clerk)] == ["Buckla"]
    assert await messages_to(clerk, "staff_alert") == 1
    assert (await reservations.mend(made.id, by=clerk, now=start)).mended_at == start
    assert (await reservations.mend(made.id, by=clerk, now=after(start, days=1))).mended_at == start
    assert await told(made.id) == ["damage.reported", "damage.mended"]


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (Photo("image/jpeg", PIXEL), "not_an_image"),
        (Photo("image/png", b"<svg onload=alert(1)>"), "not_an_image"),
        (Photo("image/png", PIXEL[:40]), "not_an_image"),
        (Photo("image/png", bytes(600_001)), "image_too_large"),
    ],
)
async def test_what_is_no_photo__is_refused_and_nothing_is_noted(
    van: Resource, clerk: Actor, now: datetime, photo: Photo, code: str
) -> None:
    assert await refused(reservations.report_damage(van.id, "x", photo, by=clerk, now=now)) == code
    assert await db.value(int, "SELECT count(*) FROM damage_note") == 0
