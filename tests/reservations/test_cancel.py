"""Cancelling: the time is free at once, the code goes, and the money follows the list's rule for the notice given."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import billing, db, locks, reservations
from booking.errors import NotFound, Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer
from booking.span import Span
from tests.reservations.conftest import (
    LogIn,
    books_in_order,
    buy,
    day_after,
    held,
    on,
    party,
    reserved,
    state_of,
)

NOTICE = timedelta(hours=24)  # Nordmaling: free at least 24 h before, the whole price after


@pytest.fixture
def span(now: datetime) -> Span:
    return on(day_after(now, 3), "18:00")


@pytest.fixture
async def booked(hall: Resource, span: Span, rival: Actor, now: datetime) -> UUID:
    """Nordmalings IBK has the hall on invoice, 141 kr."""
    club = await party("Nordmalings IBK")
    return await reserved(await held(hall, span, rival, now, Customer(club)), "invoice", rival, now)


@pytest.fixture
async def bought(hall: Resource, span: Span, eva: Actor, now: datetime) -> UUID:
    """Eva has paid 564 kr for the hall."""
    return await buy(hall, span, eva, now)


async def charges(reservation: UUID) -> list[str]:
    return sorted(
        await db.column(
            str, "SELECT kind || ' ' || state || ' ' || total_ore FROM charge WHERE source = $1", reservation
        )
    )


async def refunds() -> list[int]:
    return await db.column(int, "SELECT amount_ore FROM refund ORDER BY id")


async def test_in_time__free_of_charge_and_free_for_the_next(
    booked: UUID, hall: Resource, span: Span, eva: Actor, rival: Actor
) -> None:
    now = span.start - NOTICE  # exactly at the limit is in time
    page = await reservations.page(booked, rival, now)
    assert (page.cancel_free_until, page.cancel_fee_now_ore) == (now, 0)
    await reservations.cancel(booked, by=rival, now=now, reason="match flyttad")
    assert await charges(booked) == ["usage waived 14100"]
    assert await held(hall, span, eva, now)
    assert (await locks.access_of(booked, by=rival, now=now)).pin is None


async def test_a_second_too_late__the_fee_is_what_the_page_said(
    booked: UUID, span: Span, rival: Actor
) -> None:
    now = span.start - NOTICE + timedelta(seconds=1)
    assert (await reservations.page(booked, rival, now)).cancel_fee_now_ore == 141_00
    await reservations.cancel(booked, by=rival, now=now)
    assert await charges(booked) == ["cancel_fee open 14100", "usage waived 14100"]
    ended = (await reservations.page(booked, rival, now)).cancellation
    assert ended is not None
    assert (ended.by, ended.fee_ore, ended.refund_ore) == ("party", 141_00, 0)


async def test_staff_cancel_at_the_last_minute__no_fee(booked: UUID, span: Span, clerk: Actor) -> None:
    now = span.start - timedelta(minutes=1)
    await reservations.cancel(booked, by=clerk, now=now)
    assert await charges(booked) == ["usage waived 14100"]
    ended = (await reservations.page(booked, clerk, now)).cancellation
    assert ended is not None
    assert (ended.by, ended.fee_ore) == ("municipality", 0)


async def test_it_has_begun__nobody_cancels_any_more(
    booked: UUID, span: Span, rival: Actor, clerk: Actor
) -> None:
    for who in (rival, clerk):
        with pytest.raises(Refusal) as refusal:
            await reservations.cancel(booked, by=who, now=span.start)
        assert refusal.value.code == "not_cancellable"
    assert await state_of(booked) == "confirmed"


@pytest.mark.parametrize("email", ["eva@demo.test", "olle@demo.test", "filip@demo.test"])
async def test_strangers_other_towns_staff_and_finance__find_nothing_to_cancel(
    booked: UUID, log_in: LogIn, now: datetime, email: str
) -> None:
    with pytest.raises(NotFound):
        await reservations.cancel(booked, by=await log_in(email), now=now)
    assert await state_of(booked) == "confirmed"


async def test_cancelled_twice_at_once__one_cancellation(booked: UUID, rival: Actor, now: datetime) -> None:
    ends = await asyncio.gather(
        *(reservations.cancel(booked, by=rival, now=now) for _ in range(4)), return_exceptions=True
    )
    assert [getattr(end, "code", None) for end in ends].count("not_cancellable") == 3
    assert await charges(booked) == ["usage waived 14100"]


async def test_paid_and_cancelled_in_time__all_of_it_goes_back(
    bought: UUID, eva: Actor, now: datetime
) -> None:
    await reservations.cancel(bought, by=eva, now=now)
    assert await refunds() == [564_00]
    assert await charges(bought) == ["usage credited 56400"]
    assert (await reservations.page(bought, eva, now)).payment_state == "refund_pending"
    assert await books_in_order()


async def test_paid_and_cancelled_late__the_fee_is_kept_of_it(bought: UUID, span: Span, eva: Actor) -> None:
    await reservations.cancel(bought, by=eva, now=span.start - timedelta(hours=1))
    assert await refunds() == []
    assert await charges(bought) == ["cancel_fee paid_direct 56400", "usage credited 56400"]
    assert await books_in_order()


async def test_paid_and_cancelled_late_by_staff__all_of_it_goes_back(
    bought: UUID, span: Span, clerk: Actor
) -> None:
    await reservations.cancel(bought, by=clerk, now=span.start - timedelta(hours=1))
    assert await refunds() == [564_00]
    assert await books_in_order()


async def test_invoiced_before_it_was_cancelled__a_credit_note_and_the_fee_next_month(
    booked: UUID, span: Span, rival: Actor
) -> None:
    now = span.start - timedelta(hours=2)
    await billing.run_invoices("2401", f"{span.start:%Y-%m}", by=Actor.system(), now=now)
    await reservations.cancel(booked, by=rival, now=now)
    kinds = await db.column(
        str, "SELECT kind || ' ' || total_ore FROM invoice ORDER BY created_at, kind DESC"
    )
    assert sorted(kinds) == ["credit_note -14100", "invoice 14100"]
    assert await charges(booked) == ["cancel_fee open 14100", "usage credited 14100"]
    assert await books_in_order()


async def test_an_unpaid_one_is_cancelled__nothing_is_owed_and_the_page_is_closed(
    hall: Resource, span: Span, eva: Actor, now: datetime
) -> None:
    one = await reserved(await held(hall, span, eva, now), "card", eva, now)
    await reservations.cancel(one, by=eva, now=now)
    assert (await charges(one), await refunds()) == ([], [])
    assert await db.value(int, "SELECT count(*) FROM outbox WHERE kind = 'stripe.expire'") == 1
