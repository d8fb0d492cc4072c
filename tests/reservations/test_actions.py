"""From hold to reservation: who gets the time, for how long, at which price, and who is refused why."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from booking import db, locks, reservations
from booking.errors import NotAllowed, NotFound, Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, HoldExpired, SlotTaken
from booking.settings import Settings
from tests.reservations.conftest import (
    NONE_LEFT,
    LogIn,
    books_in_order,
    day_after,
    held,
    on,
    party,
    price_of,
    reserved,
    state_of,
    thing,
    visitor,
)

TEN = timedelta(minutes=10)


async def test_a_time_is_held__nobody_else_gets_it_for_ten_minutes(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    span = on(day_after(now, 2), "18:00")
    await held(hall, span, eva, now)
    with pytest.raises(SlotTaken):
        await held(hall, span, rival, now + TEN - timedelta(seconds=1))
    assert await held(hall, span, rival, now + TEN)


async def test_a_hold_ran_out__the_next_booking_frees_it_without_the_sweep(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    span = on(day_after(now, 2), "18:00")
    stale = await held(hall, span, eva, now)
    mine = await reserved(await held(hall, span, rival, now + TEN), "card", rival, now + TEN)
    assert (await state_of(stale), await state_of(mine)) == ("expired", "awaiting_payment")
    with pytest.raises(HoldExpired):
        await reserved(stale, "card", eva, now + TEN)


async def test_a_hold_ran_out__the_sweep_frees_it_once(hall: Resource, eva: Actor, now: datetime) -> None:
    stale = await held(hall, on(day_after(now, 2), "18:00"), eva, now)
    assert await reservations.expire_due(now + TEN - timedelta(seconds=1)) == 0
    assert await reservations.expire_due(now + TEN) == 1
    assert await reservations.expire_due(now + TEN) == 0
    assert await state_of(stale) == "expired"
    assert await db.value(int, NONE_LEFT, stale) == 0


async def test_extend__ten_minutes_more_once(hall: Resource, eva: Actor, rival: Actor, now: datetime) -> None:
    span = on(day_after(now, 2), "18:00")
    hold = await held(hall, span, eva, now)
    later = now + timedelta(minutes=9)
    await reservations.extend_hold(hold, by=eva, now=later)
    with pytest.raises(Refusal, match="extended already"):
        await reservations.extend_hold(hold, by=eva, now=later)
    with pytest.raises(SlotTaken):
        await held(hall, span, rival, later + TEN - timedelta(seconds=1))
    with pytest.raises(HoldExpired):
        await reservations.extend_hold(hold, by=eva, now=later + TEN)


async def test_release__the_time_is_free_and_releasing_again_harms_nobody(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    span = on(day_after(now, 2), "18:00")
    hold = await held(hall, span, eva, now)
    await reservations.release_hold(hold, by=rival, now=now)  # not theirs: nothing happens
    with pytest.raises(SlotTaken):
        await held(hall, span, rival, now)
    await reservations.release_hold(hold, by=eva, now=now)
    taken = await held(hall, span, rival, now)
    await reservations.release_hold(hold, by=eva, now=now)
    await reservations.release_hold(uuid4(), by=eva, now=now)
    assert await state_of(taken) == "held"


async def test_a_strangers_hold__looks_absent(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    hold = await held(hall, on(day_after(now, 2), "18:00"), eva, now)
    for attempt in (
        reservations.held(hold, rival, now),
        reservations.extend_hold(hold, by=rival, now=now),
        reservations.change_hold(hold, Customer(), "match", by=rival, now=now),
        reserved(hold, "card", rival, now),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_five_holds__the_sixth_is_refused_until_one_is_let_go(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    spans = [on(day_after(now, 2 + n), "18:00") for n in range(6)]
    first, *_ = [await held(hall, span, eva, now) for span in spans[:5]]
    with pytest.raises(Refusal) as refusal:
        await held(hall, spans[5], eva, now)
    assert refusal.value.code == "too_many_holds"
    await reservations.release_hold(first, by=eva, now=now)
    assert await held(hall, spans[5], eva, now)


async def test_a_visitor_logs_in__the_hold_comes_along_at_their_own_price(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    guest = visitor()
    hold = await held(hall, on(day_after(now, 2), "18:00"), guest, now, Customer(home="2284"))
    assert await price_of(hold) == 2 * 466_00  # N4: not a resident
    assert guest.session is not None
    await reservations.adopt_holds(guest.session, by=eva)
    with pytest.raises(Refusal) as changed:  # what the page still shows
        await reserved(hold, "card", eva, now)
    assert changed.value.code == "price_changed"
    assert changed.value.extra["price"].total_ore == 2 * 282_00
    await reservations.change_hold(hold, Customer(eva.party), "training", by=eva, now=now)
    await reserved(hold, "card", eva, now)


async def test_another_logs_in_at_the_same_browser__the_first_ones_holds_stay_theirs(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    hold = await held(hall, on(day_after(now, 2), "18:00"), eva, now)
    assert eva.session is not None
    await reservations.adopt_holds(eva.session, by=rival)
    with pytest.raises(NotFound):
        await reservations.held(hold, rival, now)
    assert (await reservations.held(hold, eva, now)).party_id == eva.party


async def test_the_hold_changes_identity__it_has_the_price_of_the_association(
    hall: Resource, rival: Actor, now: datetime
) -> None:
    club = await party("Nordmalings IBK")
    hold = await held(hall, on(day_after(now, 2), "18:00"), rival, now)
    assert await price_of(hold) == 2 * 282_00
    await reservations.change_hold(hold, Customer(club), "training", by=rival, now=now)
    assert await price_of(hold) == 141_00  # N2: a quarter
    with pytest.raises(NotAllowed):
        await reservations.change_hold(
            hold, Customer(await party("Umeå Judoklubb")), "training", by=rival, now=now
        )
    assert await price_of(hold) == 141_00


async def test_the_price_is_another_than_shown__nothing_is_booked(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    hold = await held(hall, on(day_after(now, 2), "18:00"), eva, now)
    with pytest.raises(Refusal) as refusal:
        await reservations.reserve(hold, method="card", expected_ore=1, by=eva, now=now, return_url="")
    assert refusal.value.code == "price_changed"
    assert await state_of(hold) == "held"
    assert await db.value(int, "SELECT count(*) FROM payment") == 0


async def test_a_private_person_wants_an_invoice__is_told_to_pay(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    hold = await held(hall, on(day_after(now, 2), "18:00"), eva, now)
    for method, code in (("invoice", "invoice_not_allowed"), ("free", "not_free")):
        with pytest.raises(Refusal) as refusal:
            await reserved(hold, method, eva, now)
        assert refusal.value.code == code
    assert await state_of(hold) == "held"
    assert await db.value(int, "SELECT count(*) FROM charge") == 0


async def test_an_association_books_on_invoice__confirmed_charged_and_promised_at_once(
    hall: Resource, rival: Actor, now: datetime
) -> None:
    club = await party("Nordmalings IBK")
    span = on(day_after(now, 2), "18:00")
    booked = await reserved(await held(hall, span, rival, now, Customer(club)), "invoice", rival, now)
    assert await state_of(booked) == "confirmed"
    assert await db.column(int, "SELECT total_ore FROM charge WHERE source = $1", booked) == [141_00]
    access = await locks.access_of(booked, by=rival, now=now)
    assert access.pin
    assert access.opens_at <= span.start < span.end <= access.closes_at
    assert await books_in_order()


@pytest.mark.parametrize("method", ["free", "card", "invoice"])
async def test_the_zero_tariff__is_confirmed_without_money_whatever_was_chosen(
    town: Settings, log_in: LogIn, now: datetime, method: str
) -> None:
    club = await party("Vännäs Innebandy")
    admin = await log_in("admin@demo.test")
    coach = Actor(account=admin.account, session=admin.session, party=admin.party, acts_for=frozenset({club}))
    hall = await thing("Vännäs idrottshall", "Hela hallen")
    hold = await held(hall, on(day_after(now, 2), "18:00"), coach, now, Customer(club))
    assert (await reservations.held(hold, coach, now)).pay_methods == ["free"]
    booked = await reserved(hold, method, coach, now)
    assert await state_of(booked) == "confirmed"
    assert await db.column(str, "SELECT state FROM charge WHERE source = $1", booked) == ["free"]
    assert await db.value(int, "SELECT count(*) FROM payment") == 0


async def test_a_hold_is_reserved_twice__the_second_finds_no_hold(
    hall: Resource, rival: Actor, now: datetime
) -> None:
    club = await party("Levar IF")
    hold = await held(hall, on(day_after(now, 2), "18:00"), rival, now, Customer(club))
    await reserved(hold, "invoice", rival, now)
    with pytest.raises(HoldExpired):
        await reserved(hold, "invoice", rival, now)
    assert await db.value(int, "SELECT count(*) FROM charge") == 1


async def test_a_visitor__holds_but_cannot_reserve(hall: Resource, now: datetime) -> None:
    guest = visitor()
    hold = await held(hall, on(day_after(now, 2), "18:00"), guest, now, Customer(home="2401"))
    assert (await reservations.held(hold, guest, now)).needs_login
    with pytest.raises(NotAllowed) as refusal:
        await reserved(hold, "card", guest, now)
    assert refusal.value.code == "login_required"


async def test_for_a_foreign_party__nothing_is_held(hall: Resource, eva: Actor, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        await held(hall, on(day_after(now, 2), "18:00"), eva, now, Customer(await party("Nordmalings IBK")))
    assert await db.value(int, "SELECT count(*) FROM reservation") == 0


async def test_the_time_is_over__the_reservation_is_completed(
    hall: Resource, rival: Actor, now: datetime
) -> None:
    club = await party("Levar IF")
    span = on(day_after(now, 2), "18:00")
    booked: UUID = await reserved(await held(hall, span, rival, now, Customer(club)), "invoice", rival, now)
    assert await reservations.complete_due(span.end - timedelta(seconds=1)) == 0
    assert await reservations.complete_due(span.end) == 1
    assert await state_of(booked) == "completed"
