from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, locks
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.locks.windows import openings_of
from booking.people import Actor
from tests.locks.conftest import Hall, staff

SYSTEM = Actor.system()


@pytest.fixture
async def half(hall: Hall) -> UUID:
    """A part of the hall, without rules of its own."""
    id = new_id()
    await db.run(
        "INSERT INTO resource (id, facility, parent, calendar, kind, slug, name, tariff_class)"
        " VALUES ($1, $2, $3, $2, 'hall_part', 'halva', 'Halva', 'h')",
        id,
        hall.facility,
        hall.resource,
    )
    return id


async def graces(resource: UUID, purpose: str) -> dict[str, tuple[int, int]]:
    found = await openings_of([resource], purpose)
    return {one.door: (one.before_s // 60, one.after_s // 60) for one in found}


async def test_a_part_s_rule_for_one_purpose__hides_no_rule_of_the_whole(hall: Hall, half: UUID) -> None:
    await locks.allow(half, hall.entrance, before_s=3_600, after_s=600, purpose="match")

    assert await graces(half, "training") == {hall.entrance: (15, 0), hall.changing: (15, 30)}
    assert await graces(half, "match") == {hall.entrance: (60, 10), hall.changing: (15, 30)}


async def test_a_part_s_rule_for_all_purposes__stands_instead_of_the_whole_s(hall: Hall, half: UUID) -> None:
    await locks.allow(hall.resource, hall.entrance, before_s=3_600, purpose="match")
    await locks.allow(half, hall.changing, before_s=0, after_s=0)

    assert await graces(half, "training") == {hall.changing: (0, 0)}
    assert await graces(half, "match") == {hall.changing: (0, 0)}
    assert await locks.doors_of_resources([half]) == {half: [hall.changing]}


async def test_written_rules__are_listed_with_those_of_the_whole(
    hall: Hall, half: UUID, now: datetime
) -> None:
    await locks.write_rule(
        half, hall.changing, before_s=0, after_s=2_700, purpose="match", by=SYSTEM, now=now
    )
    found = await locks.rules_of(half, by=staff())

    assert [(one.door_id, one.purpose, one.before_min, one.after_min) for one in found.own] == [
        (hall.changing, "match", 0, 45)
    ]
    assert [(one.door_id, one.purpose) for one in found.inherited] == [
        (hall.entrance, None),
        (hall.changing, None),
    ]
    with pytest.raises(NotFound):
        await locks.rules_of(half, by=staff("2460"))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"purpose": "traning"}, "unknown_purpose"),
        ({"purpose": "a purpose much too long"}, "unknown_purpose"),
        ({"after_s": 90_000}, "bad_grace"),
        ({"door": "nowhere-d1"}, "unknown_door"),
    ],
)
async def test_a_rule_that_can_t_be__is_refused_and_changes_nothing(
    hall: Hall, now: datetime, wrong: dict[str, object], code: str
) -> None:
    given = {"door": hall.entrance, "before_s": 0, "after_s": 0} | wrong
    with pytest.raises(Rejected) as refused:
        await locks.write_rule(hall.resource, by=SYSTEM, now=now, **given)  # type: ignore[arg-type]

    assert refused.value.code == code
    assert await graces(hall.resource, "training") == {hall.entrance: (15, 0), hall.changing: (15, 30)}


async def test_another_municipality_s_door__opens_for_no_booking_here(hall: Hall, now: datetime) -> None:
    await db.run(
        "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
        " VALUES ('2460', 'Vännäs', 63.9, 19.7, 'a@example.se', '0', '0')"
    )
    theirs = new_id()
    await db.run(
        "INSERT INTO facility (id, municipality, slug, name, address, lat, lon)"
        " VALUES ($1, '2460', 'deras', 'Deras', 'x', 1, 1)",
        theirs,
    )
    await locks.enrol("deras", facility=theirs, by=SYSTEM, now=now)
    door = await locks.add_door("deras", "d1", "Deras")
    with pytest.raises(Rejected):
        await locks.write_rule(hall.resource, door, before_s=0, after_s=0, by=SYSTEM, now=now)


async def test_a_rule_taken_back__is_gone_and_its_bookings_are_owed_the_rest(
    hall: Hall, now: datetime
) -> None:
    rule = (await locks.rules_of(hall.resource, by=SYSTEM)).own[0]
    await locks.delete_rule(rule.id, by=SYSTEM, now=now + timedelta(hours=1))

    assert rule.door_id not in await graces(hall.resource, "training")
    assert await db.column(str, "SELECT key FROM outbox WHERE kind = $1", locks.RELAY) == [str(hall.resource)]
    with pytest.raises(NotFound):
        await locks.delete_rule(rule.id, by=SYSTEM, now=now)
