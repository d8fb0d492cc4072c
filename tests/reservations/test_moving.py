"""Moved: number and code stay, the difference is paid or given back, and nobody is in their own way."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import billing, db, locks, reservations
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, Target
from booking.span import Span
from tests.reservations.conftest import (
    LogIn,
    books_in_order,
    buy,
    charges_of,
    day_after,
    held,
    on,
    party,
    refused,
    reserved,
    rule,
    state_of,
    thing,
    told,
)


@pytest.fixture
def span(now: datetime) -> Span:
    return on(day_after(now, 3), "18:00")


@pytest.fixture
async def booked(hall: Resource, span: Span, rival: Actor, now: datetime) -> UUID:
    """Nordmalings IBK has the hall for two hours on invoice, 141 kr."""
    club = Customer(await party("Nordmalings IBK"))
    return await reserved(await held(hall, span, rival, now, club), "invoice", rival, now)


@pytest.fixture
async def bought(hall: Resource, span: Span, eva: Actor, now: datetime) -> UUID:
    """Eva has paid 564 kr for the hall."""
    return await buy(hall, span, eva, now)


async def refunds() -> list[int]:
    return await db.column(int, "SELECT amount_ore FROM refund ORDER BY id")


def shifted(span: Span, hours: float, longer: float = 0) -> Span:
    return Span(span.start + timedelta(hours=hours), span.end + timedelta(hours=hours + longer))


async def move(reservation: UUID, span: Span, by: Actor, now: datetime, to: Resource | None = None) -> None:
    await reservations.move(reservation, Target(span, to.id if to else None), by=by, now=now)


async def test_longer_and_half_an_hour_later__code_and_number_stay_the_charge_follows(
    booked: UUID, span: Span, rival: Actor, now: datetime
) -> None:
    before, page = (
        (await locks.access_of(booked, by=rival, now=now)),
        await reservations.page(booked, rival, now),
    )
    later = shifted(span, 0.5, longer=1)
    plan, free = await reservations.preview_move(booked, Target(later), by=rival, now=now)
    assert (free, plan.difference_ore, plan.fee.total_ore if plan.fee else 0) == (True, 70_50, 0)
    await move(booked, later, rival, now)
    after, moved = (
        await locks.access_of(booked, by=rival, now=now),
        await reservations.page(booked, rival, now),
    )
    assert (moved.number, moved.start, moved.end) == (page.number, later.start, later.end)
    assert moved.version > page.version
    assert after.pin == before.pin is not None
    assert after.opens_at <= later.start < later.end <= after.closes_at
    assert await charges_of(booked) == ["usage waived 14100", "usage open 21150"]
    assert moved.payment is not None
    assert moved.payment.amount_ore == 211_50
    assert "reservation.moved" in await told(booked)
    assert await books_in_order()


async def test_to_another_hall__the_old_time_is_free_and_the_new_one_taken(
    booked: UUID, hall: Resource, span: Span, rival: Actor, eva: Actor, now: datetime
) -> None:
    other = await thing("Hammarhallen", "Hela hallen")
    await move(booked, span, rival, now, other)
    assert (await reservations.page(booked, rival, now)).resource.id == other.id
    assert await held(hall, span, eva, now)
    assert await refused(held(other, span, eva, now)) == "slot_taken"


async def test_somebody_is_there__it_stays_and_says_so(
    booked: UUID, hall: Resource, span: Span, eva: Actor, rival: Actor, now: datetime
) -> None:
    later = shifted(span, 24)
    await held(hall, later, eva, now)
    assert (await reservations.preview_move(booked, Target(later), by=rival, now=now))[1] is False
    assert await refused(move(booked, later, rival, now)) == "slot_taken"
    assert (await reservations.page(booked, rival, now)).start == span.start
    assert await charges_of(booked) == ["usage open 14100"]
    await move(booked, later, rival, now + timedelta(minutes=10))  # the hold has run out


async def test_invoiced_before__a_credit_note_and_a_new_charge(
    booked: UUID, span: Span, rival: Actor, now: datetime
) -> None:
    await billing.run_invoices("2401", f"{span.start:%Y-%m}", by=Actor.system(), now=now)
    await move(booked, shifted(span, 24, longer=-1), rival, now)
    assert await charges_of(booked) == ["usage credited 14100", "usage open 7050"]
    assert sorted(await db.column(str, "SELECT kind FROM invoice")) == ["credit_note", "invoice"]
    await move(booked, shifted(span, 48, longer=-1), rival, now)
    await billing.run_invoices("2401", f"{span.start:%Y-%m}", by=Actor.system(), now=now)
    await move(booked, shifted(span, 24, longer=-1), rival, now)  # same price: the issued line stands
    assert (await charges_of(booked))[-1] == "usage invoiced 7050"
    assert await books_in_order()


async def test_paid_by_card_and_shorter__the_rest_goes_back(
    bought: UUID,
    span: Span,
    eva: Actor,
    now: datetime,
) -> None:
    await move(bought, shifted(span, 24, longer=-1), eva, now)
    assert await charges_of(bought) == ["usage credited 56400", "usage paid_direct 28200"]
    assert await refunds() == [282_00]
    await reservations.cancel(bought, by=eva, now=now)
    assert await refunds() == [282_00, 282_00]
    assert await books_in_order()


async def test_paid_by_card_and_dearer__refused_unless_it_can_be_owed(
    bought: UUID,
    span: Span,
    eva: Actor,
    clerk: Actor,
    now: datetime,
) -> None:
    longer = shifted(span, 0, longer=1)
    assert await refused(move(bought, longer, eva, now)) == "dearer"
    assert (await reservations.page(bought, eva, now)).end == span.end
    await move(bought, longer, clerk, now)  # the municipality moves: no more to pay
    page = await reservations.page(bought, eva, now)
    assert (page.end, page.price_ore, page.price.lines[-1].rule) == (longer.end, 564_00, "capped")
    assert await refunds() == []
    await db.run("UPDATE party SET may_be_invoiced = true WHERE id = $1", eva.party)
    await move(bought, shifted(span, 0, longer=2), eva, now)
    assert (await charges_of(bought))[-1] == "usage open 112800"
    assert await refunds() == [564_00]
    assert await books_in_order()


async def test_released_late__the_ladder_counts_and_covering_it_is_free(
    booked: UUID, span: Span, rival: Actor, clerk: Actor
) -> None:
    late = span.start - timedelta(hours=2)
    plan, _ = await reservations.preview_move(booked, Target(shifted(span, 0, longer=1)), by=rival, now=late)
    assert plan.fee is not None
    assert plan.fee.total_ore == 0
    plan, _ = await reservations.preview_move(booked, Target(shifted(span, 72)), by=clerk, now=late)
    assert plan.fee is None
    await move(booked, shifted(span, 72), rival, late)
    assert await charges_of(booked) == ["usage waived 14100", "usage open 14100", "cancel_fee open 14100"]
    await reservations.cancel(booked, by=rival, now=span.start + timedelta(hours=71))
    assert (await charges_of(booked))[-2:] == ["cancel_fee open 14100", "cancel_fee open 14100"]
    assert await books_in_order()


async def test_rules_and_quotas__hold_for_those_who_move_not_for_staff(
    booked: UUID, hall: Resource, span: Span, rival: Actor, clerk: Actor, now: datetime
) -> None:
    far = shifted(span, 24 * 20)
    await rule(hall, horizon_days=10, quota_open=1)
    assert await refused(move(booked, far, rival, now)) == "not_open_yet"
    await move(booked, shifted(span, 24), rival, now)  # it is not in its own quota's way
    await reservations.move(booked, Target(far), by=clerk, now=now, reason="Golvet slipas")
    assert await db.value(str, "SELECT data::json->>'reason' FROM journal WHERE action = 'reservation.moved' ORDER BY id DESC LIMIT 1") == "Golvet slipas"  # fmt: skip
    await rule(hall, horizon_days=100, needs_approval=True)
    assert await refused(move(booked, shifted(far, 24), rival, now)) == "move_needs_approval"
    away = await thing("Vännäs idrottshall", "Hela hallen")
    assert await refused(move(booked, span, rival, now, away)) == "other_municipality"


async def test_strangers_and_those_too_late__move_nothing(
    booked: UUID, span: Span, log_in: LogIn, rival: Actor, now: datetime
) -> None:
    for email in ("eva@demo.test", "olle@demo.test", "filip@demo.test"):
        assert await refused(move(booked, shifted(span, 24), await log_in(email), now)) == "not_found"
    assert await refused(move(booked, shifted(span, 24), rival, span.start)) == "not_movable"
    await reservations.cancel(booked, by=rival, now=now)
    assert await refused(move(booked, shifted(span, 24), rival, now)) == "not_movable"


async def test_a_move_meets_eight_who_book_that_time__one_has_it_and_nobody_loses_theirs(
    booked: UUID, hall: Resource, span: Span, rival: Actor, log_in: LogIn, now: datetime
) -> None:
    target = shifted(span, 24)
    guests = [await log_in("eva@demo.test") for _ in range(4)]
    ends = await asyncio.gather(
        *(held(hall, target, guest, now, Customer(home="2401")) for guest in guests[:2]),
        *(move(booked, target, rival, now) for _ in range(3)),
        *(held(hall, target, guest, now, Customer(home="2401")) for guest in guests[2:]),
        return_exceptions=True,
    )
    codes = sorted(str(getattr(end, "code", "done")) for end in ends)
    assert set(codes) <= {"done", "slot_taken", "not_movable"}
    busy = await db.rows(
        _Busy, "SELECT reservation, count(*)::int AS leaves FROM occupancy GROUP BY reservation"
    )
    assert {one.leaves for one in busy} == {len(hall.leaves)}
    assert await db.value(int, "SELECT count(*) FROM occupancy WHERE starts_at = $1", target.start) == len(
        hall.leaves
    )
    assert await state_of(booked) == "confirmed"


class _Busy(db.Record):
    reservation: UUID
    leaves: int
