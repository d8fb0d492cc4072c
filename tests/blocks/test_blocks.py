"""Closures: who is in the way is shown, nobody is forgotten, and nobody pays for it."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, reservations
from booking.errors import NotFound
from booking.people import Actor
from booking.places import Resource
from booking.reservations import (
    AffectedBookings,
    BlockWish,
    Customer,
    Decision,
    SlotTaken,
    block_page,
    create_block,
    lift_block,
    preview_block,
)
from booking.reservations.blocks import BlockOverlaps
from booking.span import Span
from tests.reservations.conftest import (
    books_in_order,
    day_after,
    held,
    on,
    reserved,
    state_of,
    thing,
)

HOUR = timedelta(hours=1)


def closing(hall: Resource, span: Span, **more: object) -> BlockWish:
    wish = BlockWish("2401", "closure", "Golvslipning", "Golvet slipas", (hall.id,), span)
    return replace(wish, **more)  # type: ignore[arg-type]


@pytest.fixture
async def evening(hall: Resource, eva: Actor, rival: Actor, club: UUID, now: datetime) -> list[UUID]:
    """Eva (by card) has 16–18, the club 18–20 (on invoice), the day after tomorrow."""
    day = day_after(now, 2)
    evas = await reserved(await held(hall, on(day, "16:00"), eva, now), "card", eva, now)
    clubs = await held(hall, on(day, "18:00"), rival, now, Customer(club))
    return [evas, await reserved(clubs, "invoice", rival, now)]


async def test_a_closure_is_looked_at__bookings_in_the_way_with_the_best_place_to_go(
    hall: Resource, evening: list[UUID], clerk: Actor, rival: Actor, now: datetime
) -> None:
    wish = closing(hall, on(day_after(now, 2), "15:00", 7 * 60))
    preview = await preview_block(wish, by=clerk, now=now)
    assert [one.reservation.id for one in preview.affected] == evening
    best = preview.affected[1].best
    assert best
    assert best.resource.id != hall.id or not wish.span.overlaps(Span(best.start, best.end))
    assert (best.price_ore or 0) <= preview.affected[1].reservation.price_ore
    with pytest.raises(NotFound):
        await preview_block(wish, by=rival, now=now)


async def test_a_booking_nobody_decided_about__refuses_all_and_nothing_happens(
    hall: Resource, evening: list[UUID], clerk: Actor, now: datetime
) -> None:
    wish = closing(hall, on(day_after(now, 2), "15:00", 7 * 60))
    with pytest.raises(AffectedBookings) as refused:
        await create_block(wish, [Decision(evening[0], "cancel")], by=clerk, now=now)
    assert refused.value.extra["reservations"] == [evening[1]]
    assert [await state_of(one) for one in evening] == ["awaiting_payment", "confirmed"]
    assert await db.value(int, "SELECT count(*) FROM staff_block") == 0


async def test_closed__one_is_moved_one_cancelled_nobody_pays_and_both_are_told(
    hall: Resource, evening: list[UUID], clerk: Actor, eva: Actor, club: UUID, now: datetime
) -> None:
    day = day_after(now, 2)
    wish = closing(hall, on(day, "15:00", 7 * 60))
    decisions = [
        Decision(evening[0], "cancel"),
        Decision(evening[1], "move", on(day_after(now, 3), "18:00")),
    ]
    before = await db.value(int, "SELECT price_ore FROM reservation WHERE id = $1", evening[1])
    block = await create_block(wish, decisions, by=clerk, now=now)
    assert [await state_of(one) for one in evening] == ["cancelled", "confirmed"]
    moved = (await reservations.page(evening[1], clerk, now)).start
    assert moved == on(day_after(now, 3), "18:00").start
    owed = "SELECT coalesce(sum(total_ore), 0)::bigint FROM charge WHERE party = $1 AND state = 'open'"
    assert await db.value(int, owed, club) <= (before or 0)
    assert await db.value(int, "SELECT cancel_fee_ore FROM reservation WHERE id = $1", evening[0]) == 0
    page = await block_page(block, clerk)
    assert sorted((one.outcome, one.reason) for one in page.displaced) == [
        ("cancelled", "Golvet slipas"),
        ("moved", "Golvet slipas"),
    ]
    told = await db.column(str, "SELECT payload FROM outbox WHERE kind LIKE 'message%'")
    assert sum("closure_affects_you" in one for one in told) == 1
    assert sum("booking_moved" in one for one in told) == 1
    assert await books_in_order()
    with pytest.raises(SlotTaken):
        await held(hall, on(day, "15:30"), eva, now)


async def test_a_visitor_is_about_to_book__the_closure_comes_first(
    hall: Resource, eva: Actor, clerk: Actor, now: datetime
) -> None:
    span = on(day_after(now, 2), "18:00")
    hold = await held(hall, span, eva, now)
    await create_block(closing(hall, span), [], by=clerk, now=now)
    assert await state_of(hold) == "expired"


async def test_a_recurring_closure_of_several_places__keeps_each_leaf_once(
    hall: Resource, clerk: Actor, now: datetime
) -> None:
    half = await thing("Norrskenshallen", "Halva hallen, öst")
    other = await thing("Hammarhallen", "Hela hallen")
    span = on(day_after(now, 2), "08:00", 60)
    wish = closing(hall, span, resources=(half.id, hall.id, other.id), rrule="FREQ=WEEKLY;COUNT=10")
    block = await create_block(wish, [], by=clerk, now=now)
    page = await block_page(block, clerk)
    assert len(page.rows) == 20  # the half is part of the hall
    assert await db.value(int, "SELECT count(*) FROM occupancy") == 10 * (2 + 4)
    with pytest.raises(BlockOverlaps):
        await create_block(closing(half, span), [], by=clerk, now=now)


async def test_the_gap_after_a_booking__is_not_in_the_way_of_a_closure(
    eva: Actor, clerk: Actor, now: datetime
) -> None:
    room = await thing("Norrskenshallen", "Cafeterian")  # a quarter of an hour between bookings
    span = on(day_after(now, 2), "16:00")
    await reserved(await held(room, span, eva, now), "card", eva, now)
    after = Span(span.end, span.end + 2 * HOUR)
    assert (await preview_block(closing(room, after), by=clerk, now=now)).affected == []
    await create_block(closing(room, after), [], by=clerk, now=now)


async def test_lifted__the_time_from_then_on_is_free(
    hall: Resource, eva: Actor, clerk: Actor, now: datetime
) -> None:
    day = day_after(now, 2)
    span = on(day, "08:00", 60)
    block = await create_block(closing(hall, span, rrule="FREQ=DAILY;COUNT=3"), [], by=clerk, now=now)
    running = span.start + HOUR / 2
    await lift_block(block, by=clerk, now=running)
    page = await block_page(block, clerk)
    assert [(one.start, one.end) for one in page.rows] == [(span.start, running)]
    assert page.lifted_at == running
    await held(hall, on(day_after(now, 3), "08:00", 60), eva, running)
    await lift_block(block, by=clerk, now=running)


async def test_a_closure_that_began_earlier__takes_the_time_from_now_on(
    hall: Resource, clerk: Actor, now: datetime
) -> None:
    block = await create_block(closing(hall, Span(now - 5 * HOUR, now + HOUR)), [], by=clerk, now=now)
    (row,) = (await block_page(block, clerk)).rows
    assert (row.start, row.end) == (now, now + HOUR)
