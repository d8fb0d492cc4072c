"""Freed time is offered in order, as a real hold, once; watchers are told; nobody gets what they can't book."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, outbox, reservations
from booking.errors import Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations import freeing
from booking.reservations.waiting_offers import deadline
from booking.span import Span
from tests.life.conftest import Settle, after, book, entry, messages_to, take, wait_for
from tests.reservations.conftest import LogIn, day_after, on, pool_of, refused, rule, state_of


async def two_in_line(
    hall: Resource, span: Span, one: Actor, next_one: Actor, now: datetime
) -> tuple[UUID, UUID]:
    """Two wait for the time, the second a minute after the first."""
    return await wait_for(hall, span, one, now), await wait_for(hall, span, next_one, after(now, minutes=1))


async def test_a_cancelled_time__is_held_for_the_first_in_line_and_nobody_else(
    hall: Resource, eva: Actor, rival: Actor, clerk: Actor, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    booked = await book(hall, span, rival, now)
    first, second = await two_in_line(hall, span, eva, clerk, now)
    await settle(now)
    assert [(await entry(first, eva, now)).position, (await entry(second, clerk, now)).position] == [1, 2]
    assert (await entry(first, eva, now)).state == "waiting"

    await reservations.cancel(booked, by=rival, now=now)
    await settle(now)

    offered = (await entry(first, eva, now)).offer
    assert offered is not None
    assert (offered.start, offered.end) == (span.start, span.end)
    assert offered.until == now + timedelta(hours=24)
    assert (await entry(second, clerk, now)).offer is None
    assert await messages_to(eva, "hold_offer") == 1
    assert await refused(book(hall, span, rival, now)) == "slot_taken"
    assert await state_of(await take(offered.hold_id, eva, now)) == "confirmed"
    assert (await entry(first, eva, now)).state == "taken"


async def test_an_offer_that_lapses__goes_to_the_next(
    hall: Resource, eva: Actor, rival: Actor, clerk: Actor, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    booked = await book(hall, span, rival, now)
    first, second = await two_in_line(hall, span, eva, clerk, now)
    await reservations.cancel(booked, by=rival, now=now)
    await settle(now)

    later = after(now, hours=24, seconds=1)
    assert await reservations.expire_due(later) == 1
    await settle(later)

    assert (await entry(first, eva, later)).state == "lapsed"
    assert (await entry(second, clerk, later)).offer is not None


async def test_leaving_with_an_offer__passes_it_on_and_ends_the_hold(
    hall: Resource, eva: Actor, rival: Actor, clerk: Actor, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    booked = await book(hall, span, rival, now)
    first, second = await two_in_line(hall, span, eva, clerk, now)
    await reservations.cancel(booked, by=rival, now=now)
    await settle(now)
    offered = (await entry(first, eva, now)).offer
    assert offered is not None

    assert await refused(reservations.leave_waiting(first, by=clerk, now=now)) == "not_found"
    await reservations.leave_waiting(first, by=eva, now=now)
    await settle(now)

    assert await state_of(offered.hold_id) == "expired"
    assert (await entry(first, eva, now)).state == "withdrawn"
    assert (await entry(second, clerk, now)).offer is not None


async def test_an_offered_hold__cannot_be_stretched(
    hall: Resource, eva: Actor, now: datetime, settle: Settle
) -> None:
    one = await wait_for(hall, on(day_after(now, 7), "18:00"), eva, now)
    await settle(now)  # it is free already
    offered = (await entry(one, eva, now)).offer
    assert offered is not None

    assert await refused(reservations.extend_hold(offered.hold_id, by=eva, now=now)) == "already_extended"


async def test_who_may_not_book_by_now__is_passed_over(
    hall: Resource, eva: Actor, rival: Actor, clerk: Actor, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    booked = await book(hall, span, rival, now)
    first, second = await two_in_line(hall, span, eva, clerk, now)
    await rule(hall, quota_open=1)
    await book(hall, on(day_after(now, 3), "10:00"), eva, now)  # eva has as many as she may have
    await reservations.cancel(booked, by=rival, now=now)
    await settle(now)

    assert (await entry(first, eva, now)).state == "waiting"
    assert (await entry(second, clerk, now)).offer is not None


async def test_who_can_never_book_it__cannot_join(hall: Resource, eva: Actor, now: datetime) -> None:
    span = on(day_after(now, 7), "18:00")
    await rule(hall, kinds=["association"])

    assert await refused(wait_for(hall, span, eva, now)) == "not_for_you"
    await rule(hall, kinds=None)
    assert await refused(wait_for(hall, span, eva, now, minutes=30)) == "too_short"
    await wait_for(hall, span, eva, now)
    assert await refused(wait_for(hall, span, eva, now)) == "already_waiting"


async def test_a_watcher__is_told_once_of_each_time_and_nothing_is_held(
    hall: Resource, eva: Actor, rival: Actor, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    booked = await book(hall, span, rival, now)
    one = await wait_for(hall, span, eva, now, kind="watch")
    await settle(now)
    assert await messages_to(eva, "time_free") == 0

    for _ in range(2):  # the same time becomes free twice
        await reservations.cancel(booked, by=rival, now=now)
        await settle(now)
        booked = await book(hall, span, rival, now)

    assert await messages_to(eva, "time_free") == 1
    assert (await entry(one, eva, now)).position is None


async def test_part_of_a_wide_window__is_offered_where_time_was_freed(
    hall: Resource, eva: Actor, rival: Actor, now: datetime, settle: Settle
) -> None:
    day = day_after(now, 7)
    whole = [await book(hall, on(day, clock, 180), rival, now) for clock in ("15:00", "18:00")]
    one = await wait_for(hall, on(day, "15:00", 360), eva, now, minutes=60)
    await reservations.cancel(whole[1], by=rival, now=now)
    await settle(now)

    offered = (await entry(one, eva, now)).offer
    assert offered is not None
    assert (offered.start, offered.end) == (
        on(day, "18:00").start,
        on(day, "19:00").start,
    )


async def test_a_unit_of_a_pool__is_offered_when_one_comes_back(
    hall: Resource, eva: Actor, rival: Actor, now: datetime, settle: Settle
) -> None:
    pool, span = await pool_of(hall, "Bana", "court", 2, hall.tariff_class), on(day_after(now, 7), "18:00")
    booked = [await book(pool, span, rival, now) for _ in range(2)]
    one = await wait_for(pool, span, eva, now)
    await settle(now)
    assert (await entry(one, eva, now)).offer is None

    await reservations.cancel(booked[1], by=rival, now=now)
    await settle(now)

    offered = (await entry(one, eva, now)).offer
    assert offered is not None
    assert offered.resource.id == pool.id


async def test_a_handler_that_dies_and_runs_again__offers_once(
    hall: Resource, eva: Actor, rival: Actor, clerk: Actor, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    booked = await book(hall, span, rival, now)
    for person in (eva, clerk):
        await wait_for(hall, span, person, now)
    await settle(now)
    await reservations.cancel(booked, by=rival, now=now)
    debt = await outbox.claim([freeing.TIME_FREED], now)
    assert debt is not None

    for _ in range(2):  # paid, but the worker was killed before it could say so
        await reservations.offer_freed(debt, now)
    await asyncio.gather(*(reservations.offer_freed(debt, now) for _ in range(4)))
    await settle(after(now, minutes=1))

    assert await db.value(int, "SELECT count(*) FROM waiting WHERE state = 'offered'") == 1
    assert await db.value(int, "SELECT count(*) FROM reservation WHERE state = 'held'") == 1
    assert await messages_to(eva, "hold_offer") + await messages_to(clerk, "hold_offer") == 1


async def test_offers_and_visitors_racing__leave_one_winner(
    hall: Resource, eva: Actor, rival: Actor, log_in: LogIn, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    for _ in range(5):
        booked = await book(hall, span, rival, now)
        one = await wait_for(hall, span, eva, now)
        await settle(now)
        await reservations.cancel(booked, by=rival, now=now)
        debt = await outbox.claim([freeing.TIME_FREED], now)
        assert debt is not None

        async def grab() -> bool:
            try:
                await book(hall, span, rival, now)
            except Refusal:
                return False
            return True

        won, _ = await asyncio.gather(grab(), reservations.offer_freed(debt, now))

        assert won != ((await entry(one, eva, now)).offer is not None)
        await db.run("DELETE FROM waiting")
        await db.run("DELETE FROM occupancy")
        await db.run("DELETE FROM outbox")


@pytest.mark.parametrize(
    ("hours", "notice_min", "minutes"),
    [(200, 0, 24 * 60), (10, 0, 300), (1, 0, 30), (2, 90, 30), (0.1, 0, None), (2, 118, None)],
)
def test_a_deadline__is_a_day_or_half_the_time_left_or_the_notice(
    now: datetime, hours: float, notice_min: int, minutes: int | None
) -> None:
    start = after(now, hours=hours)
    span = Span(start, after(start, hours=1))

    until = deadline(span, notice_min, now)

    assert until == (None if minutes is None else after(now, minutes=minutes))


async def test_a_move__frees_what_it_leaves(
    hall: Resource, eva: Actor, rival: Actor, now: datetime, settle: Settle
) -> None:
    span = on(day_after(now, 7), "18:00")
    booked = await book(hall, span, rival, now)
    one = await wait_for(hall, span, eva, now)
    await settle(now)

    await reservations.move(booked, reservations.Target(on(day_after(now, 8), "18:00")), by=rival, now=now)
    await settle(now)

    assert (await entry(one, eva, now)).offer is not None


async def test_a_window_that_has_passed__waits_no_longer(hall: Resource, eva: Actor, now: datetime) -> None:
    one = await wait_for(hall, on(day_after(now, 1), "18:00"), eva, now)

    assert await reservations.end_waiting(now) == 0
    assert await reservations.end_waiting(on(day_after(now, 1), "18:00").start) == 1
    assert (await entry(one, eva, now)).state == "lapsed"
