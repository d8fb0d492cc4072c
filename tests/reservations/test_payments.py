"""What Stripe says is true here too: once, however often it is said, and never against somebody else's time."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import billing, db, locks, reservations
from booking.billing import PaymentOutcome
from booking.errors import Refusal
from booking.ids import new_id
from booking.people import Actor
from booking.places import Resource
from booking.reservations import SlotTaken
from booking.span import Span
from tests.reservations.conftest import NONE_LEFT, books_in_order, day_after, held, on, reserved, state_of

PAY = timedelta(minutes=30)


class _Payment(db.Record):
    id: UUID
    amount_ore: int
    refunded_ore: int
    state: str


@pytest.fixture
def span(now: datetime) -> Span:
    return on(day_after(now, 3), "18:00")


@pytest.fixture
async def unpaid(hall: Resource, span: Span, eva: Actor, now: datetime) -> UUID:
    """Eva's reservation that waits for 564 kr."""
    return await reserved(await held(hall, span, eva, now), "card", eva, now)


async def payment_of(reservation: UUID) -> _Payment:
    found = await db.row(
        _Payment, "SELECT id, amount_ore, refunded_ore, state FROM payment WHERE source = $1", reservation
    )
    assert found
    return found


async def paid(reservation: UUID, now: datetime, payment: UUID | None = None, ore: int = 564_00) -> None:
    """Stripe says that it was paid."""
    known = payment or (await payment_of(reservation)).id
    await reservations.settle_payment(
        PaymentOutcome(known, reservation, "2401", "paid", f"cs_{known}", f"pi_{known}", ore), now=now
    )


async def charges(reservation: UUID) -> list[str]:
    return await db.column(
        str,
        "SELECT kind || ' ' || state || ' ' || total_ore FROM charge WHERE source = $1 ORDER BY id",
        reservation,
    )


async def test_awaiting_payment__the_time_is_kept_for_half_an_hour(
    unpaid: UUID, hall: Resource, span: Span, rival: Actor, eva: Actor, now: datetime
) -> None:
    with pytest.raises(SlotTaken):
        await held(hall, span, rival, now + PAY - timedelta(seconds=1))
    with pytest.raises(Refusal, match="no door"):
        await locks.access_of(unpaid, by=eva, now=now)  # no code before the money
    assert await reservations.expire_due(now + PAY) == 1
    assert await state_of(unpaid) == "expired"
    assert await db.value(int, NONE_LEFT, unpaid) == 0
    assert await db.value(int, "SELECT count(*) FROM outbox WHERE kind = 'stripe.expire'") == 1


async def test_paid__confirmed_with_one_charge_and_a_code(unpaid: UUID, eva: Actor, now: datetime) -> None:
    await paid(unpaid, now)
    assert await state_of(unpaid) == "confirmed"
    assert await charges(unpaid) == ["usage paid_direct 56400"]
    assert (await locks.access_of(unpaid, by=eva, now=now)).pin
    assert await books_in_order()


async def test_the_same_news_eight_times_at_once__one_charge_one_code(unpaid: UUID, now: datetime) -> None:
    await asyncio.gather(*(paid(unpaid, now) for _ in range(8)))
    await paid(unpaid, now + timedelta(days=1))
    assert await charges(unpaid) == ["usage paid_direct 56400"]
    assert await db.value(int, "SELECT count(*) FROM access_grant WHERE reservation = $1", unpaid) == 1
    assert await db.value(int, "SELECT count(*) FROM ledger_entry") == 2  # received, earned
    assert await db.value(int, "SELECT count(*) FROM refund") == 0
    assert await books_in_order()


async def test_paid_after_it_expired__refunded_and_the_next_one_keeps_the_time(
    unpaid: UUID, hall: Resource, span: Span, rival: Actor, now: datetime
) -> None:
    late = now + PAY
    theirs = await held(hall, span, rival, late)  # takes the time, expiring ours
    await paid(unpaid, late)
    assert (await state_of(unpaid), await state_of(theirs)) == ("expired", "held")
    assert (await payment_of(unpaid)).refunded_ore == 564_00
    assert await charges(unpaid) == []
    assert await db.value(int, "SELECT count(*) FROM access_grant") == 0
    await paid(unpaid, late)
    assert await db.column(int, "SELECT amount_ore FROM refund") == [564_00]
    assert await books_in_order()


async def test_paid_when_time_is_up_but_nobody_took_it__confirmed(
    unpaid: UUID, hall: Resource, span: Span, rival: Actor, now: datetime
) -> None:
    await paid(unpaid, now + PAY)
    assert await state_of(unpaid) == "confirmed"
    assert await reservations.expire_due(now + PAY * 2) == 0
    with pytest.raises(SlotTaken):
        await held(hall, span, rival, now + PAY * 2)


async def test_payment_and_expiry_at_the_same_instant__confirmed_or_refunded_never_both(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    ends = set()
    for day in range(3, 15):
        one = await reserved(await held(hall, on(day_after(now, day), "18:00"), eva, now), "card", eva, now)
        await asyncio.gather(paid(one, now + PAY), reservations.expire_due(now + PAY))
        money = await payment_of(one)
        ends.add((await state_of(one), money.state, money.refunded_ore, tuple(await charges(one))))
    assert ends <= {
        ("confirmed", "paid", 0, ("usage paid_direct 56400",)),
        ("expired", "paid", 564_00, ()),
    }
    assert await books_in_order()


async def test_cancelled_while_the_payment_is_on_its_way__the_money_goes_back(
    unpaid: UUID, eva: Actor, now: datetime
) -> None:
    await reservations.cancel(unpaid, by=eva, now=now)
    await paid(unpaid, now)
    assert await state_of(unpaid) == "cancelled"
    assert (await payment_of(unpaid)).refunded_ore == 564_00
    assert await charges(unpaid) == []
    assert await books_in_order()


async def test_another_amount_than_asked__nothing_is_settled(unpaid: UUID, now: datetime) -> None:
    with pytest.raises(Refusal):
        await paid(unpaid, now, ore=1)
    assert await state_of(unpaid) == "awaiting_payment"
    assert await db.value(int, "SELECT count(*) FROM ledger_entry") == 0


@pytest.mark.parametrize("news", ["failed", "expired"])
async def test_the_payment_fails__the_time_is_kept_until_it_runs_out(
    unpaid: UUID, now: datetime, news: str
) -> None:
    known = await payment_of(unpaid)
    outcome = PaymentOutcome(known.id, unpaid, "2401", news, "cs_1", None, 564_00)  # type: ignore[arg-type]
    await reservations.settle_payment(outcome, now=now)
    assert await state_of(unpaid) == "awaiting_payment"
    assert await charges(unpaid) == []
    assert await reservations.expire_due(now + PAY) == 1


async def test_two_payments_for_one_booking_are_both_paid__the_second_goes_back(
    unpaid: UUID, now: datetime
) -> None:
    first = await payment_of(unpaid)
    await db.run("UPDATE payment SET state = 'expired' WHERE id = $1", first.id)  # as our own sweep believes
    second = new_id()
    await db.run(
        "INSERT INTO payment (id, entity, party, source, amount_ore, text, return_url, state, created_at)"
        " SELECT $2, entity, party, source, amount_ore, text, return_url, 'pending', created_at FROM payment"
        " WHERE id = $1",
        first.id,
        second,
    )
    await asyncio.gather(paid(unpaid, now, second), paid(unpaid, now, first.id))
    assert await state_of(unpaid) == "confirmed"
    assert await charges(unpaid) == ["usage paid_direct 56400"]
    assert await db.column(int, "SELECT amount_ore FROM refund") == [564_00]
    assert await db.value(int, "SELECT sum(amount_ore - refunded_ore)::bigint FROM payment") == 564_00
    assert await books_in_order()


async def test_news_of_an_unknown_payment__changes_nothing(unpaid: UUID, now: datetime) -> None:
    await paid(unpaid, now, new_id())
    await paid(new_id(), now, new_id())
    assert await state_of(unpaid) == "awaiting_payment"
    assert (await billing.standing([unpaid]))[unpaid].state == "pending"
