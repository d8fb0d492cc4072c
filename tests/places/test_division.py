"""Halls are divided while they are booked: nothing is ever freed or doubled by it."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, places, reservations
from booking.errors import NotFound, Refusal
from booking.ids import new_id
from booking.people import Actor
from booking.places import NewResource, Resource, Rules
from booking.reservations import Customer, SlotTaken
from booking.reservations.errors import PlaceChanged
from booking.reservations.writing import NewRow, part_of, take
from booking.span import Span
from tests.reservations.conftest import day_after, held, on, party, reserved


async def add(hall: Resource, by: Actor, now: datetime, **facts: object) -> Resource:
    """Add a part of the hall."""
    wanted = {"kind": "hall_part", "tariff_class": "norrskenshallen.half", "parent": hall.id} | facts
    new = NewResource(**wanted)  # type: ignore[arg-type]
    made = await reservations.add_resource(hall.facility.id, new, by=by, now=now)
    return await places.resource(made)


async def part(hall: Resource, name: str) -> Resource:
    return next(one for one in await places.parts(hall.id) if one.name == name)


async def collide(one: Resource, other: Resource) -> bool:
    """True if the two can't be had at the same time."""
    found = await places.leaves_of([one.id, other.id])
    return not set(found[one.id]).isdisjoint(found[other.id])


@pytest.fixture
def evening(now: datetime) -> Span:
    return on(day_after(now, 8), "18:00")


async def test_thirds_beside_halves__collide_with_what_they_overlap_and_nothing_else(
    hall: Resource, clerk: Actor, now: datetime
) -> None:
    east, west = await part(hall, "Halva hallen, öst"), await part(hall, "Halva hallen, väst")
    first = await add(hall, clerk, now, name="Tredjedel 1", own_leaf=True, overlaps=(east.id,))
    second = await add(hall, clerk, now, name="Tredjedel 2", own_leaf=True, overlaps=(east.id, west.id))
    third = await add(hall, clerk, now, name="Tredjedel 3", own_leaf=True, overlaps=(west.id,))

    whole = await places.resource(hall.id)
    for one in (first, second, third, east, west):
        assert await collide(whole, one)
        assert set(one.leaves) < set(whole.leaves) or not {east.id, west.id}.isdisjoint({one.id})
    expected = {(first.id, east.id), (second.id, east.id), (second.id, west.id), (third.id, west.id)}
    found = {
        (one.id, half.id)
        for one in (first, second, third)
        for half in (east, west)
        if await collide(one, half)
    }
    assert found == expected
    assert not await collide(first, second)
    assert not await collide(second, third)
    assert not await collide(east, west)


async def test_a_part_of_a_part__goes_as_deep_as_one_likes(
    hall: Resource, clerk: Actor, now: datetime
) -> None:
    east, west = await part(hall, "Halva hallen, öst"), await part(hall, "Halva hallen, väst")
    court = await add(east, clerk, now, name="Bana A", kind="court", own_leaf=True)
    corner = await add(court, clerk, now, name="Bana A, hörnet", own_leaf=True)

    assert set(corner.leaves) < set((await places.resource(court.id)).leaves)
    for whole in (court, east, hall):
        assert await collide(corner, whole)
    assert not await collide(corner, west)
    both = await add(hall, clerk, now, name="Allt utom hörnet?", leaves_of=(west.id, court.id))
    assert await collide(both, corner)
    assert not (await places.stale("2401", now))


async def test_a_booked_hall_is_divided__its_bookings_hold_the_new_part_too(
    hall: Resource, clerk: Actor, eva: Actor, rival: Actor, now: datetime, evening: Span
) -> None:
    booked = await reserved(await held(hall, evening, eva, now), "card", eva, now)
    east = await part(hall, "Halva hallen, öst")
    other = await held(east, Span(evening.end, evening.end + timedelta(hours=1)), eva, now)

    third = await add(hall, clerk, now, name="Tredjedel 1", own_leaf=True, overlaps=(east.id,))

    assert await reservations.wrong_leaves(now) == []
    with pytest.raises(SlotTaken):
        await held(third, evening, rival, now)
    with pytest.raises(SlotTaken):  # the half's hold reaches into the third
        await held(third, Span(evening.end, evening.end + timedelta(hours=1)), rival, now)
    before = Span(evening.start - timedelta(hours=2), evening.start)
    await held(third, before, rival, now)
    with pytest.raises(SlotTaken):
        await held(await places.resource(hall.id), before, eva, now)
    kept = "SELECT count(DISTINCT hold_until) FROM occupancy WHERE reservation = $1"
    assert await db.value(int, kept, booked) == await db.value(int, kept, other) == 1


async def test_a_part_across_two_booked_halves__is_taken_with_either(
    hall: Resource, clerk: Actor, eva: Actor, rival: Actor, now: datetime, evening: Span
) -> None:
    east, west = await part(hall, "Halva hallen, öst"), await part(hall, "Halva hallen, väst")
    await held(east, evening, eva, now)
    await held(west, evening, rival, now)

    third = await add(hall, clerk, now, name="Mitten", own_leaf=True, overlaps=(east.id, west.id))

    with pytest.raises(SlotTaken):
        await held(third, evening, eva, now)
    assert await reservations.wrong_leaves(now) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"own_leaf": True, "leaves_of": "east"}, "unclear_floor"),
        ({}, "unclear_floor"),
        ({"leaves_of": "east", "overlaps": "west"}, "unclear_floor"),
        ({"leaves_of": "ice"}, "outside_parent"),
        ({"own_leaf": True, "overlaps": "ice"}, "outside_parent"),
        ({"parent": None, "leaves_of": "east"}, "outside_parent"),
        ({"leaves_of": "foreign"}, "unknown_resource"),
        ({"parent": "foreign", "own_leaf": True}, "unknown_resource"),
        ({"picks_unit": True, "units": 0}, "bad_units"),
        ({"picks_unit": True, "units": 3, "leaves_of": "east"}, "bad_units"),
        ({"own_leaf": True, "units": 3}, "bad_units"),
        ({"own_leaf": True, "name": "halva HALLEN, öst"}, "name_taken"),
    ],
)
async def test_a_division_that_makes_no_sense__is_refused_by_name(
    hall: Resource, clerk: Actor, now: datetime, facts: dict[str, object], code: str
) -> None:
    by_name = {
        "east": (await part(hall, "Halva hallen, öst")).id,
        "west": (await part(hall, "Halva hallen, väst")).id,
        "ice": await db.value(UUID, "SELECT id FROM resource WHERE slug = 'norrskenshallen-isen'"),
        "foreign": await db.value(UUID, "SELECT id FROM resource WHERE slug = 'skyttishallen-stora-hallen'"),
    }
    named = {
        key: by_name[str(value)] if key == "parent" and value else (by_name[str(value)],) if key in ("leaves_of", "overlaps") else value
        for key, value in facts.items()
    }  # fmt: skip
    before = await db.value(int, "SELECT count(*) FROM resource")

    with pytest.raises(Refusal) as refused:
        await add(hall, clerk, now, **({"name": "Ny"} | named))

    assert refused.value.code == code
    assert await db.value(int, "SELECT count(*) FROM resource") == before


async def test_a_pool__has_units_each_with_a_floor_of_its_own(
    hall: Resource, clerk: Actor, now: datetime
) -> None:
    pool = await add(hall, clerk, now, name="Biljardbord", kind="equipment", tariff_class="x", parent=None, picks_unit=True, units=3)  # fmt: skip
    page = await places.resource_page(pool.id, now)

    assert ([one.name for one in page.units], page.parts, page.capacity) == (["Biljardbord 1", "Biljardbord 2", "Biljardbord 3"], [], 3)  # fmt: skip
    assert pool.leaves == []
    units = await places.parts(pool.id)
    assert not [one for one in units for other in units if one.id != other.id and await collide(one, other)]
    shown = [one.name for one in (await places.resource_page(hall.id, now)).equipment]
    assert "Biljardbord" in shown
    assert not any(
        one.name.startswith("Biljardbord") for one in await places.resources(municipalities=["2401"])
    )
    more = await add(units[0], clerk, now, name="Biljardbord 4", kind="equipment", tariff_class="x", parent=pool.id, own_leaf=True)  # fmt: skip
    assert len((await places.resource_page(pool.id, now)).units) == 4
    with pytest.raises(Refusal, match="no parts"):
        await add(more, clerk, now, name="Ficka", own_leaf=True)


async def test_lanes_within_a_hall__are_taken_with_it(hall: Resource, clerk: Actor, eva: Actor, now: datetime, evening: Span) -> None:  # fmt: skip
    await held(hall, evening, eva, now)
    pool = await add(hall, clerk, now, name="Bana", kind="lane", picks_unit=True, units=2)

    taken = [one.name for one in await places.resources(municipalities=["2401"], as_taken=True)]
    assert ("Bana 2" in taken, "Bana" in taken, "Projektor 1" in taken) == (True, False, False)
    for lane in await places.parts(pool.id):
        with pytest.raises(SlotTaken):
            await held(lane, evening, eva, now)
    assert await reservations.wrong_leaves(now) == []


async def test_staff_of_another_town__divide_nothing(hall: Resource, log_in: object, now: datetime) -> None:
    olle = await log_in("olle@demo.test")  # type: ignore[operator]
    with pytest.raises(NotFound):
        await add(hall, olle, now, name="Ny", own_leaf=True)


async def test_two_clerks_divide_at_once__both_divisions_hold(
    hall: Resource, clerk: Actor, eva: Actor, now: datetime, evening: Span
) -> None:
    await held(hall, evening, eva, now)

    made = await asyncio.gather(
        *(add(hall, clerk, now, name=f"Del {number}", own_leaf=True) for number in range(4))
    )

    whole = await places.resource(hall.id)
    assert all(set(one.leaves) < set(whole.leaves) for one in made)
    assert await reservations.wrong_leaves(now) == []
    assert await places.stale("2401", now) == []


async def test_a_hall_divided_between_reading_and_booking__is_not_booked_in_part(
    hall: Resource, clerk: Actor, now: datetime, evening: Span
) -> None:
    club = await party("Levar IF")

    def whole(read: Resource) -> NewRow:
        return NewRow(
            id=new_id(), parts=(part_of(read, Rules()),), span=evening, municipality="2401", state="confirmed",
            purpose="training", created_at=now, party=club,
        )  # fmt: skip

    await add(hall, clerk, now, name="Hörnet", own_leaf=True)

    with pytest.raises(PlaceChanged):
        await take([whole(hall)], now=now)
    await take([whole(await places.resource(hall.id))], now=now)
    assert await reservations.wrong_leaves(now) == []


async def test_people_book_while_clerks_divide__every_booking_has_all_of_its_place(
    hall: Resource, clerk: Actor, now: datetime
) -> None:
    async def book(number: int) -> None:
        visitor = Actor(session=new_id())
        for _ in range(8):  # as people do who are told to try again
            with contextlib.suppress(PlaceChanged):
                await held(hall, on(day_after(now, 8 + number), "18:00"), visitor, now, Customer())
                return

    async def divide() -> None:
        for number in range(4):
            await add(hall, clerk, now, name=f"Del {number}", own_leaf=True)

    await asyncio.gather(divide(), *(book(number) for number in range(12)))

    assert await db.value(int, "SELECT count(*) FROM reservation") == 12
    assert await reservations.wrong_leaves(now) == []
