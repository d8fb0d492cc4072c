"""Codes that change while bookings stand: participants follow, the party is told, nobody is locked out."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from booking import db, locks
from booking.ids import new_id
from booking.locks import alarms, credentials, pin_rules
from booking.lockwire.snapshot import Snapshot
from booking.people import Actor
from tests.locks.conftest import Hall, holder, hours, make_hall
from tests.locks.parts import FULL, Device
from tests.locks.test_credentials import book, make_party, seen, standing

SYSTEM = Actor.system()


@pytest.fixture
async def device(hall: Hall, now: datetime) -> Device:
    device = Device(hall)
    await device.publish(now)
    await device.report(now, cap=FULL)
    return device


async def settle(device: Device, now: datetime) -> Snapshot:
    await device.publish(now)
    await device.report(now, cap=FULL)
    return await device.snapshot()


async def alarms_at(now: datetime) -> list[str]:
    await alarms.watch(now)
    kinds = "SELECT kind FROM door_alarm WHERE closed_at IS NULL AND kind <> 'clock_untrusted' ORDER BY kind"
    return await db.column(str, kinds)


def leaders_of(plan: Snapshot, pin: str) -> set[str | None]:
    """Return the PINs of the leaders behind whom the participant's PIN stands."""
    pins = {one.id: one.pin for one in plan.grants if one.role == "leader"}
    behind = [one.after for one in plan.grants if one.role == "member" and one.pin == pin]
    return {pins[after] for after in behind if isinstance(after, str)}


async def owed(template: str) -> list[dict[str, object]]:
    texts = await db.column(str, "SELECT payload::text FROM outbox WHERE kind = 'message.owe' ORDER BY id")
    every = [msgspec.json.decode(text, type=dict[str, object]) for text in texts]
    return [one for one in every if one["template"] == template]


async def test_an_associations_code_taken_back__leaves_the_participants_behind_the_bookings_own(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    made = await standing(party, now)
    booking = await book(hall, hours(now, 1, 2), now, party)
    shared = await locks.share(booking, "Lisa", by=holder(party), now=now)
    await settle(device, now)
    await credentials.revoke_credential(made.id, by=SYSTEM, now=now)
    plan = await settle(device, now)
    view = await seen(booking, now, party)

    assert view.pin is not None
    assert leaders_of(plan, shared.pin) == {view.pin}
    assert [(one.id, one.state) for one in view.shares] == [(shared.id, "applied")]
    assert await alarms_at(now + timedelta(minutes=1)) == []


async def test_a_rotated_code_past_its_overlap__has_the_participants_behind_the_new_one(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    made = await standing(party, now)
    booking = await book(hall, hours(now, 72, 73), now, party)
    shared = await locks.share(booking, "Lisa", by=holder(party), now=now)
    start = now + timedelta(days=1)
    new = await credentials.rotate_credential(made.id, start=start, overlap_days=0, by=SYSTEM, now=now)
    plan = await settle(device, now)

    assert leaders_of(plan, shared.pin) == {new.pin}
    assert [one.state for one in (await seen(booking, now, party)).shares] == ["applied"]
    assert await alarms_at(now + timedelta(minutes=1)) == []


async def test_in_the_overlap__either_of_the_leaders_codes_lets_the_participants_in(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    made = await standing(party, now)
    booking = await book(hall, hours(now, 30, 31), now, party)
    shared = await locks.share(booking, "Lisa", by=holder(party), now=now)
    start = now + timedelta(days=1)
    new = await credentials.rotate_credential(made.id, start=start, overlap_days=14, by=SYSTEM, now=now)
    plan = await settle(device, now)

    assert leaders_of(plan, shared.pin) == {made.pin, new.pin}
    assert [(one.id, one.state) for one in (await seen(booking, now, party)).shares] == [
        (shared.id, "applied")
    ]
    await locks.unshare(booking, shared.id, by=holder(party), now=now)
    assert {one.role for one in (await settle(device, now)).grants} == {"leader"}


async def test_a_code_that_comes_beside_a_bookings_own__lets_its_participants_in_too(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    booking = await book(hall, hours(now, 1, 2), now, party)
    own = (await seen(booking, now, party)).pin
    shared = await locks.share(booking, "Lisa", by=holder(party), now=now)
    made = await standing(party, now)

    assert leaders_of(await settle(device, now), shared.pin) == {own, made.pin}


async def test_a_code_taken_back_from_many_bookings__is_one_message_without_a_pin(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    made = await standing(party, now)
    bookings = [await book(hall, hours(now, n, n + 1), now, party) for n in (1, 3, 5)]
    await credentials.revoke_credential(made.id, by=SYSTEM, now=now)

    (message,) = await owed("codes_changed")
    assert (message["party"], message["data"]) == (str(party), {"count": 3})
    assert await owed("code_changed") == []
    changed = "SELECT about FROM journal WHERE action = 'access.code_changed'"
    assert set(await db.column(UUID, changed)) == set(bookings)


async def test_a_booking_at_two_makes_of_lock__gets_one_code_that_both_take(
    hall: Hall, device: Device, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await make_hall("nuki")
    await db.run("UPDATE controller SET driver = 'nuki_hub' WHERE id = $1", other.controller)
    party, booking = await make_party(), new_id()
    made = await standing(party, now)
    await locks.grant(
        reservation=booking,
        holder=party,
        resources=[hall.resource, other.resource],
        span=hours(now, 1, 2),
        purpose="training",
        now=now,
    )
    drawn = iter([204_060, 248_163])  # chance alone: a nought is not for nuki
    monkeypatch.setattr(pin_rules.pins.secrets, "randbelow", lambda _: next(drawn))
    await credentials.revoke_credential(made.id, by=SYSTEM, now=now)
    view = await seen(booking, now, party)

    assert (view.pin, view.also_pin, len(view.doors)) == ("248163", None, 4)
