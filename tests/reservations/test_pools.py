"""Pools pick a unit; combined places and equipment are priced, taken, opened, moved and cancelled as one."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, reservations
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, SlotTaken, Target, Wish
from booking.span import Span
from tests.reservations.conftest import (
    NONE_LEFT,
    books_in_order,
    day_after,
    held,
    on,
    party,
    pool_of,
    price_of,
    refused,
    reserved,
    thing,
    visitor,
)


@pytest.fixture
def span(now: datetime) -> Span:
    return on(day_after(now, 3), "18:00")


@pytest.fixture
async def lanes(hall: Resource) -> Resource:
    """Three lanes, priced as badminton courts."""
    return await pool_of(hall, "Bana", "lane", 3, "norrskenshallen.badminton")


@pytest.fixture
async def balls(hall: Resource) -> Resource:
    """Five ball bags that the list does not price."""
    return await pool_of(hall, "Bollväska", "equipment", 5, "not_listed")


async def unit_of(reservation: UUID) -> str:
    return await db.value(str, "SELECT x.name FROM reservation r JOIN resource x ON x.id = r.resource WHERE r.id = $1", reservation) or ""  # fmt: skip


async def test_a_pool__gives_each_a_unit_until_none_is_free(
    lanes: Resource, span: Span, now: datetime
) -> None:
    guest = Customer(home="2401")
    holds = [await held(lanes, span, visitor(), now, guest) for _ in range(3)]
    assert {await unit_of(one) for one in holds} == {"Bana 1", "Bana 2", "Bana 3"}
    assert await refused(held(lanes, span, visitor(), now, guest)) == "slot_taken"
    assert await db.column(UUID, "SELECT DISTINCT wished FROM reservation") == [lanes.id]


async def test_a_pool__the_least_used_unit_is_picked(
    lanes: Resource, span: Span, eva: Actor, now: datetime
) -> None:
    first = await held(lanes, span, eva, now)
    later = Span(span.end + timedelta(hours=1), span.end + timedelta(hours=2))
    second = await held(lanes, later, visitor(), now, Customer(home="2401"))
    assert await unit_of(first) != await unit_of(second)
    shown = await reservations.held(first, eva, now)
    assert shown.resource.id == lanes.id
    assert shown.unit is not None
    assert shown.unit.name == await unit_of(first)


async def test_twelve_want_a_lane_at_once__three_get_one_each(
    lanes: Resource, span: Span, now: datetime
) -> None:
    guest = Customer(home="2401")
    ends = await asyncio.gather(
        *(held(lanes, span, visitor(), now, guest) for _ in range(12)), return_exceptions=True
    )
    won = [end for end in ends if isinstance(end, UUID)]
    assert len({await unit_of(one) for one in won}) == 3
    assert [type(end) for end in ends].count(SlotTaken) == 9


async def test_a_hall_a_lane_and_four_bags__one_booking_line_by_line(
    hall: Resource, lanes: Resource, balls: Resource, span: Span, rival: Actor, now: datetime
) -> None:
    club = Customer(await party("Levar IF"))
    alone = Wish(hall.id, span, "training", club)
    wish = Wish(hall.id, span, "training", club, None, (lanes.id,), ((balls.id, 4),))
    only = await price_of(await reservations.hold(alone, by=rival, now=now))
    await reservations.release_hold(
        (await db.column(UUID, "SELECT id FROM reservation WHERE state = 'held'"))[0], by=rival, now=now
    )
    hold = await reservations.hold(wish, by=rival, now=now)
    shown = await reservations.held(hold, rival, now)
    assert [(one.resource.name, one.role, one.count) for one in shown.extras] == [
        ("Bana", "together", 1), ("Bollväska", "equipment", 4),
    ]  # fmt: skip
    assert shown.price.total_ore > only
    assert "4 × Bollväska: utan avgift" in [line.text for line in shown.price.lines]
    made = await reserved(hold, "invoice", rival, now)
    assert await db.value(int, NONE_LEFT, made) == len(hall.leaves) + 1 + 4
    more = Wish(lanes.id, span, "training", club, None, (), ((balls.id, 2),))
    assert await refused(reservations.hold(more, by=rival, now=now)) == "slot_taken"  # one bag is left
    page = await reservations.page(made, rival, now)
    assert [one.role for one in page.extras] == ["together", "equipment"]
    assert page.payment is not None
    assert page.payment.amount_ore == page.price_ore == shown.price.total_ore
    assert await books_in_order()

    later = Span(span.start + timedelta(days=1), span.end + timedelta(days=1))
    await reservations.move(made, Target(later), by=rival, now=now)
    assert (
        await db.value(int, "SELECT count(*) FROM occupancy WHERE starts_at = $1", later.start)
        == len(hall.leaves) + 5
    )
    await reservations.cancel(made, by=rival, now=now)
    assert await db.value(int, NONE_LEFT, made) == 0
    assert await books_in_order()


async def test_extras_taxed_otherwise__charged_apart_and_cancelled_together(
    hall: Resource, span: Span, rival: Actor, now: datetime
) -> None:
    """A car is let with VAT, a hall without."""
    cars = await pool_of(hall, "Ljudvagn", "equipment", 1, "car")
    club = Customer(await party("Levar IF"))
    wish = Wish(hall.id, span, "training", club, None, (), ((cars.id, 1),))
    made = await reserved(await reservations.hold(wish, by=rival, now=now), "invoice", rival, now)
    charged = await db.column(int, "SELECT total_ore FROM charge WHERE source = $1 ORDER BY id", made)
    page = await reservations.page(made, rival, now)
    assert len(charged) == 2
    assert sum(charged) == page.price_ore
    assert page.payment is not None
    assert page.payment.amount_ore == page.price_ore
    await reservations.cancel(made, by=rival, now=now)
    assert await db.column(str, "SELECT DISTINCT state FROM charge WHERE source = $1", made) == ["waived"]
    assert await books_in_order()


async def test_what_is_no_one_booking__is_refused(
    hall: Resource, lanes: Resource, balls: Resource, span: Span, eva: Actor, now: datetime
) -> None:
    away = await thing("Vännäs idrottshall", "Hela hallen")
    for together, equipment, code in (
        ((away.id,), (), "not_together"),
        ((hall.id,), (), "not_together"),
        ((), ((lanes.id, 1),), "not_here"),
        ((), ((balls.id, 51),), "too_many"),
        ((UUID(int=1),), (), "unknown_resource"),
    ):
        wish = Wish(hall.id, span, "training", Customer(eva.party), None, together, equipment)
        assert await refused(reservations.hold(wish, by=eva, now=now)) == code
    alone = Wish(balls.id, span, "training", Customer(eva.party))
    assert await refused(reservations.hold(alone, by=eva, now=now)) == "equipment_alone"
