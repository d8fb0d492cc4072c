"""Codes that change while bookings stand: participants follow, the party is told, nobody is locked out."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from booking import db, locks
from booking.ids import new_id
from booking.locks import alarms, credentials, pin_rules
from booking.locks.credentials import Wish
from booking.lockwire.snapshot import Snapshot
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, holder, hours, make_hall
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


async def test_a_series_of_an_association_with_a_code__opens_with_that_code(
    hall: Hall, device: Device, now: datetime
) -> None:
    party, series = await make_party(), new_id()
    made = await standing(party, now)
    spans = [hours(now, 24 * n + 1, 24 * n + 2) for n in range(3)]
    uses = [locks.Use(new_id(), (hall.resource,), span) for span in spans]
    await locks.grant_series(uses, credential=series, holder=party, purpose="training", now=now)
    later = await book(hall, hours(now, 100, 101), now, party, series)

    for booking in [*(use.reservation for use in uses), later]:
        view = await seen(booking, now, party)
        assert (view.pin, view.also_pin, view.code_of) == (made.pin, None, "standing")


async def test_a_series_that_had_its_code_before_the_associations__opens_with_both_also_for_new_times(
    hall: Hall, device: Device, now: datetime
) -> None:
    party, series = await make_party(), new_id()
    before = await book(hall, hours(now, 1, 2), now, party, series)
    known = (await seen(before, now, party)).pin
    made = await standing(party, now)
    later = await book(hall, hours(now, 30, 31), now, party, series)
    await locks.move(
        reservation=before,
        holder=party,
        resources=[hall.resource],
        span=hours(now, 50, 51),
        purpose="training",
        credential=series,
        now=now,
    )

    for booking in (before, later):
        view = await seen(booking, now, party)
        assert {view.pin, view.also_pin} == {known, made.pin}
    assert await owed("code_changed") == []


async def test_a_series_longer_than_the_code_is_valid__has_its_own_for_the_rest(
    hall: Hall, now: datetime
) -> None:
    party, series = await make_party(), new_id()
    made = await standing(party, now, valid_to=now + timedelta(days=2))
    uses = [locks.Use(new_id(), (hall.resource,), hours(now, 24 * n + 1, 24 * n + 2)) for n in (0, 1, 10, 20)]
    await locks.grant_series(uses, credential=series, holder=party, purpose="training", now=now)
    views = [await seen(use.reservation, now, party) for use in uses]

    assert [one.code_of for one in views] == ["standing", "standing", "series", "series"]
    assert [one.pin == made.pin for one in views] == [True, True, False, False]
    assert views[2].pin == views[3].pin


async def test_a_booking_moved_out_of_its_codes_time__gets_another_and_its_party_is_told(
    hall: Hall, now: datetime
) -> None:
    party = await make_party()
    await standing(party, now, valid_to=now + timedelta(days=2))
    booking = await book(hall, hours(now, 1, 2), now, party)
    await locks.move(
        reservation=booking,
        holder=party,
        resources=[hall.resource],
        span=hours(now, 240, 241),
        purpose="training",
        now=now,
    )

    assert (await seen(booking, now, party)).code_of == "booking"
    assert [one["about"] for one in await owed("code_changed")] == [str(booking)]


async def test_participants_of_a_booking_with_two_codes__keep_one_pin_when_it_moves(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    booking = await book(hall, hours(now, 1, 2), now, party)
    own = (await seen(booking, now, party)).pin
    shared = await locks.share(booking, "Lisa", by=holder(party), now=now)
    made = await standing(party, now)
    await locks.move(
        reservation=booking,
        holder=party,
        resources=[hall.resource],
        span=hours(now, 5, 6),
        purpose="training",
        now=now,
    )

    assert leaders_of(await settle(device, now), shared.pin) == {own, made.pin}


async def card_of(party: UUID, now: datetime) -> None:
    wish = Wish(
        municipality=TOWN,
        role="association",
        label="IBK",
        means="card",
        card="04A1B2C3",
        party=party,
        valid_from=now,
    )
    await credentials.create_credential(wish, by=SYSTEM, now=now)


async def test_an_associations_card_at_a_door_without_a_reader__has_a_pin_beside_it(
    hall: Hall, now: datetime
) -> None:
    device, party = Device(hall), await make_party()
    await device.publish(now)
    await device.report(now)  # PINs only
    before = await book(hall, hours(now, 3, 4), now, party)
    await card_of(party, now)
    booking = await book(hall, hours(now, 1, 2), now, party)
    await device.publish(now)
    await device.report(now)

    assert await alarms_at(now + timedelta(minutes=45)) == []
    assert {one.pin for one in (await device.snapshot()).grants} == {
        (await seen(booking, now, party)).pin,
        (await seen(before, now, party)).pin,
    }
    view = await seen(booking, now, party)
    assert (view.means, view.code_of, view.state) == ("pin", "booking", "applied")


async def test_an_associations_card_where_one_door_reads_it__opens_there_and_the_pin_everywhere(
    hall: Hall, device: Device, now: datetime
) -> None:
    other, party, booking = await make_hall("utan"), await make_party(), new_id()
    await card_of(party, now)
    await locks.grant(
        reservation=booking,
        holder=party,
        resources=[hall.resource, other.resource],
        span=hours(now, 1, 2),
        purpose="training",
        now=now,
    )
    plan = await settle(device, now)
    await Device(other).publish(now)
    view = await seen(booking, now, party)

    assert {(one.k, one.card or None, one.pin or None) for one in plan.grants} == {
        ("card", "04A1B2C3", None),
        ("pin", None, view.pin),
    }
    assert [one.pin for one in (await Device(other).snapshot()).grants] == [view.pin]
    assert (view.means, view.code_of) == ("pin", "booking")


async def test_a_cleaners_card_at_a_device_without_a_reader__is_no_lack_of_room(
    hall: Hall, now: datetime
) -> None:
    device = Device(hall)
    await device.publish(now)
    await device.report(now)
    wish = Wish(municipality=TOWN, role="clean", label="Städ", means="card", card="04A1B2C3", valid_from=now)
    await credentials.create_credential(wish, by=SYSTEM, now=now)
    await device.publish(now)
    await device.report(now)
    assert await alarms_at(now + timedelta(minutes=5)) == []

    await device.report(now, cap=FULL)  # a reader is put up
    plan = await settle(device, now)
    await device.report(now, cap=FULL)
    assert [one.card for one in plan.grants] == ["04A1B2C3"]
