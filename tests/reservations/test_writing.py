"""The one way into the calendar: many rows at once, moves, and who meets whom."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db
from booking.ids import new_id
from booking.people import Actor
from booking.places import Resource, Rules
from booking.reservations import SlotTaken
from booking.reservations.writing import NewRow, Place, in_the_way, occupy, part_of, take
from booking.span import Span
from tests.reservations.conftest import day_after, held, on, party, state_of, thing

GAP = Rules(gap_min=15)


def booking(resource: Resource, span: Span, club: UUID, now: datetime) -> NewRow:
    return NewRow(
        id=new_id(), parts=(part_of(resource, GAP),), span=span, municipality="2401", state="confirmed",
        purpose="training", created_at=now, party=club,
    )  # fmt: skip


async def weekly(hall: Resource, now: datetime, weeks: int, clock: str = "18:00") -> list[NewRow]:
    club = await party("Levar IF")
    return [booking(hall, on(day_after(now, 2 + 7 * n), clock, 60), club, now) for n in range(weeks)]


async def count() -> int:
    return await db.value(int, "SELECT count(*) FROM occupancy") or 0


async def test_fifty_two_at_once__all_are_there_with_every_leaf(hall: Resource, now: datetime) -> None:
    await take(await weekly(hall, now, 52), now=now)
    assert await count() == 52 * len(hall.leaves)


async def test_one_of_many_is_taken__none_is_written_and_it_is_named(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    rows = await weekly(hall, now, 5)
    await held(hall, rows[3].span, eva, now)
    before = await count()
    with pytest.raises(SlotTaken) as refusal:
        await take(rows, now=now)
    assert refusal.value.taken == [3]
    assert [one["start"] for one in refusal.value.extra["occurrence"]] == [rows[3].span.start]
    assert await count() == before


async def test_two_of_the_same_list_meet__the_constraint_refuses(hall: Resource, now: datetime) -> None:
    (row,) = await weekly(hall, now, 1)
    with pytest.raises(SlotTaken):
        await take([row, booking(hall, row.span, row.party or new_id(), now)], now=now)
    assert await count() == 0


async def test_stale_holds_stand_in_many__all_are_cleared_at_once(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    rows = await weekly(hall, now, 6)
    stale = [await held(hall, one.span, eva if n % 2 else rival, now) for n, one in enumerate(rows)]
    later = now + timedelta(minutes=10)
    await take(rows, now=later)
    assert {await state_of(one) for one in stale} == {"expired"}


async def test_moved_within_its_own_time__is_not_in_its_own_way(hall: Resource, now: datetime) -> None:
    (row,) = await weekly(hall, now, 1)
    await take([row], now=now)
    later = Span(row.span.start + timedelta(minutes=30), row.span.end + timedelta(minutes=30))
    await occupy([Place(row.id, row.parts, later)], now=now)
    ends = await db.column(datetime, "SELECT ends_at FROM occupancy WHERE reservation = $1", row.id)
    assert ends == [later.end + timedelta(minutes=15)] * len(hall.leaves)


async def test_moved_onto_another__stays_where_it_was(hall: Resource, now: datetime) -> None:
    rows = await weekly(hall, now, 2)
    await take(rows, now=now)
    assert await in_the_way([Place(rows[0].id, rows[0].parts, rows[1].span)], now=now) == {0: {rows[1].id}}
    with pytest.raises(SlotTaken):
        await occupy([Place(rows[0].id, rows[0].parts, rows[1].span)], now=now)
    assert await count() == 2 * len(hall.leaves)


async def test_one_gives_way__its_time_is_the_new_ones(hall: Resource, now: datetime) -> None:
    first, second = [(await weekly(hall, now, 1))[0] for _ in range(2)]
    await take([first], now=now)
    await take([second], now=now, instead_of=[first.id])
    assert await db.column(UUID, "SELECT DISTINCT reservation FROM occupancy") == [second.id]


async def test_whole_and_part_in_one_reservation__share_the_floor(now: datetime, hall: Resource) -> None:
    half = await thing("Norrskenshallen", "Halva hallen, öst")
    club = await party("Levar IF")
    row = booking(hall, on(day_after(now, 2), "18:00"), club, now)
    both = NewRow(**{name: getattr(row, name) for name in NewRow.__slots__} | {
        "parts": (*row.parts, part_of(half, Rules(gap_min=60), role="together"))
    })  # fmt: skip
    await take([both], now=now)
    assert await count() == len(hall.leaves)
    assert await db.column(str, "SELECT role FROM reservation_extra") == ["together"]


async def test_two_series_in_opposite_order__one_wins_and_neither_deadlocks(
    hall: Resource, now: datetime
) -> None:
    lists = [(await weekly(hall, now, 20))[:: 1 - 2 * (n % 2)] for n in range(8)]
    ends = await asyncio.gather(*(take(one, now=now) for one in lists), return_exceptions=True)
    assert [type(end) for end in ends].count(SlotTaken) == 7
    assert await count() == 20 * len(hall.leaves)
