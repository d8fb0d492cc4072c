from datetime import datetime

import pytest

from booking import db, locks
from booking.errors import Conflict
from booking.people import Actor
from tests.locks.conftest import Hall

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
