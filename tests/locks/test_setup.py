from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, locks, operate_doors
from booking.errors import Conflict, NotFound
from booking.locks import alarms
from booking.locks.policy import PolicyView
from booking.locks.reserve import NoReserveCode, ReserveNotNeeded
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, holder, hours, staff
from tests.locks.parts import Device, pin_of

SYSTEM = Actor.system()


class _Door(db.Record):
    controller: str
    name: str
    kind: str
    unlock_s: int
    held_s: int
    hint: str


async def door(id: str) -> _Door:
    row = await db.row(
        _Door, "SELECT controller, name, kind, unlock_s, held_s, hint FROM door WHERE id = $1", id
    )
    assert row is not None
    return row


async def test_a_door_id_of_another_controller__is_refused_and_nothing_is_changed(
    hall: Hall, now: datetime
) -> None:
    was = await door("hall-1-d1")
    await locks.enrol("hall", facility=hall.facility, by=SYSTEM, now=now)
    with pytest.raises(locks.DoorTaken):
        await locks.add_door("hall", "1-d1", "Kapad", kind="compartment")

    assert await door("hall-1-d1") == was


async def test_two_doors_that_differ_in_a_dash__are_not_taken_for_one(hall: Hall) -> None:
    await locks.add_door(hall.controller, "a_b", "Den ena")
    with pytest.raises(locks.DoorTaken):
        await locks.add_door(hall.controller, "a-b", "Den andra")

    assert (await door("hall-1-a-b")).name == "Den ena"


async def test_a_door_added_again__keeps_what_is_not_given(hall: Hall) -> None:
    await locks.add_door(
        hall.controller, "d1", "Entré", unlock_s=8, held_s=600, kind="compartment", hint="Larma"
    )
    await locks.add_door(hall.controller, "d1", "Huvudentré")

    assert await door(hall.entrance) == _Door("hall-1", "Huvudentré", "compartment", 8, 600, "Larma")


async def test_the_name_of_a_live_controller__is_refused_and_its_key_stays(hall: Hall, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        await locks.enrol(hall.controller, facility=hall.facility, by=SYSTEM, now=now)

    assert refused.value.code == "controller_name_taken"
    assert await db.value(int, "SELECT gen FROM controller WHERE id = $1", hall.controller) == 1


async def test_the_name_of_a_retired_controller__may_be_used_again(hall: Hall, now: datetime) -> None:
    await locks.retire(hall.controller, force=False, by=SYSTEM, now=now)
    again = await locks.enrol(hall.controller, facility=hall.facility, by=SYSTEM, now=now)

    assert again.gen == 2


class _Told(db.Record):
    template: str
    about: UUID
    doors: str


async def told() -> list[_Told]:
    return await db.rows(
        _Told,
        "SELECT payload::json->>'template' AS template, (payload::json->>'about')::uuid AS about,"
        " coalesce(payload::json->'data'->>'doors', '') AS doors FROM outbox WHERE kind = 'message.owe'"
        " AND payload::json->>'template' = 'code_withdrawn'",
    )


async def test_a_controller_retired_by_force__tells_each_booker_and_says_how_many(
    hall: Hall, now: datetime
) -> None:
    booking = await hall.book(hours(now, 24, 26), now)
    assert await locks.retire(hall.controller, force=True, by=SYSTEM, now=now) == 1

    assert await told() == [_Told("code_withdrawn", booking, "Entré, Omklädning")]


async def test_a_door_that_bookings_need__stays_unless_it_is_forced(hall: Hall, now: datetime) -> None:
    booking = await hall.book(hours(now, 24, 26), now)
    pin = await pin_of(booking, now)
    with pytest.raises(locks.StillBooked) as refused:
        await locks.remove_door(hall.changing, force=False, by=SYSTEM, now=now)
    assert refused.value.extra == {"bookings": 1}
    assert await told() == []

    assert await locks.remove_door(hall.changing, force=True, by=SYSTEM, now=now) == 1

    view = await locks.access_of(booking, by=holder(booking), now=now)
    assert ([one.id for one in view.doors], view.pin) == ([hall.entrance], pin)
    assert await told() == [_Told("code_withdrawn", booking, "Omklädning")]
    assert [one.id for one in await locks.doors(TOWN, by=staff(), now=now)] == [hall.entrance]
    with pytest.raises(NotFound):
        await locks.door(hall.changing, by=staff(), now=now)


async def test_a_door_taken_away__is_in_no_snapshot_and_opens_for_no_new_booking(
    hall: Hall, now: datetime
) -> None:
    device = Device(hall)
    await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    assert set((await device.snapshot()).doors) == {"d1", "d2"}

    await locks.remove_door(hall.changing, force=True, by=SYSTEM, now=now)
    await hall.book(hours(now, 3, 4), now)
    await device.publish(now)

    snapshot = await device.snapshot()
    assert set(snapshot.doors) == {"d1"}
    assert [window.d for grant in snapshot.grants for window in grant.w] == [["d1"], ["d1"]]


async def test_a_door_that_comes_back__has_its_times_and_opens_again(hall: Hall, now: datetime) -> None:
    await db.run("UPDATE door SET unlock_s = 9 WHERE id = $1", hall.changing)
    await locks.remove_door(hall.changing, force=False, by=SYSTEM, now=now)
    back = await locks.attach_door(hall.controller, "d2", "Omklädning", by=SYSTEM, now=now)

    assert (back, (await door(back)).unlock_s) == (hall.changing, 9)
    assert len(await locks.doors(TOWN, by=staff(), now=now)) == 2
    with pytest.raises(locks.DoorTaken):
        await locks.attach_door(hall.controller, "d2", "Omklädning", by=SYSTEM, now=now)


async def test_the_only_door__is_not_taken_away(hall: Hall, now: datetime) -> None:
    await locks.remove_door(hall.changing, force=False, by=SYSTEM, now=now)
    with pytest.raises(locks.LastDoor):
        await locks.remove_door(hall.entrance, force=True, by=SYSTEM, now=now)


async def test_replaced_hardware_that_never_reports__is_an_alarm(hall: Hall, now: datetime) -> None:
    device = Device(hall)
    await device.publish(now)
    await device.report(now)
    await locks.replace(hall.controller, by=SYSTEM, now=now)
    await alarms.watch(now + timedelta(minutes=20))
    early = await db.column(str, "SELECT kind FROM door_alarm WHERE closed_at IS NULL")
    await alarms.watch(now + timedelta(minutes=46))

    assert early == []
    assert await db.column(str, "SELECT kind FROM door_alarm WHERE closed_at IS NULL") == ["offline"]


async def test_bookings_of_replaced_hardware__are_in_the_alarm_of_what_is_not_applied(
    hall: Hall, now: datetime
) -> None:
    device = Device(hall)
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    await locks.replace(hall.controller, by=SYSTEM, now=now)
    await alarms.watch(now + timedelta(minutes=40))

    concerned = await db.column(
        UUID, "SELECT DISTINCT unnest(reservations) FROM door_alarm WHERE kind = 'not_applied'"
    )
    assert concerned == [booking]


async def test_a_longer_alarm_lead__is_the_booker_s_too(hall: Hall, now: datetime) -> None:
    booking = await hall.book(hours(now, 2, 3), now)
    assert (await locks.access_of(booking, by=holder(booking), now=now)).alarm is None
    with pytest.raises(ReserveNotNeeded):
        await locks.hand_out(booking, by=holder(booking), now=now)

    await locks.write_policy(TOWN, PolicyView(30, 2, 120), by=SYSTEM, now=now)

    assert (await locks.access_of(booking, by=holder(booking), now=now)).alarm == "unconfirmed"
    with pytest.raises(NoReserveCode):  # it is needed now; this door has none
        await locks.hand_out(booking, by=holder(booking), now=now)
    assert await locks.policy_of(TOWN, by=staff()) == PolicyView(30, 2, 120)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("d1=Entré", ("d1", "Entré", "door")),
        ("+d3=Fack 3", ("d3", "Fack 3", "compartment")),
        ("d2", ("d2", "d2", "door")),
    ],
)
def test_a_door_on_the_command_line__may_be_a_compartment(said: str, meant: tuple[str, str, str]) -> None:
    assert operate_doors.read_door(said) == meant
