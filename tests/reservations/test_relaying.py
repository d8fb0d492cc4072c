"""Access rules change in mid-season: bookings ahead get the doors and times that hold now."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import db, locks, outbox, reservations
from booking.people import Actor
from booking.places import Resource
from tests.reservations.conftest import buy, day_after, on

SYSTEM = Actor.system()


async def pay_debts(now: datetime) -> None:
    def fail(_debt: outbox.Debt, error: Exception) -> None:
        raise error

    await outbox.drain({locks.RELAY: reservations.HANDLERS[locks.RELAY]}, lambda: now, fail)


class _Window(db.Record):
    door: str
    nb: datetime
    na: datetime


async def windows(reservation: UUID) -> dict[str, tuple[datetime, datetime]]:
    found = await db.rows(
        _Window,
        "SELECT w.door, w.nb, w.na FROM grant_window w JOIN access_grant g ON g.id = w.access_grant"
        " WHERE g.reservation = $1 AND g.gone_ver IS NULL ORDER BY w.door",
        reservation,
    )
    return {one.door: (one.nb, one.na) for one in found}


async def test_the_first_door_in_mid_season__opens_for_bookings_already_made(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    door = (await locks.doors_of_resources([hall.id]))[hall.id][0]
    await db.run("DELETE FROM access_rule")
    span = on(day_after(now, 30), "10:00")
    one = await buy(hall, span, eva, now)
    assert await windows(one) == {}

    await locks.write_rule(hall.id, door, before_s=600, after_s=0, by=SYSTEM, now=now)
    assert await reservations.bookings_ahead(hall.id, None, now=now) >= 1
    await pay_debts(now)

    assert await windows(one) == {door: (span.start - timedelta(minutes=10), span.end)}
    assert (await locks.access_of(one, by=eva, now=now)).pin


async def test_another_grace__moves_the_windows_ahead_and_keeps_the_code(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    span = on(day_after(now, 30), "10:00")
    one = await buy(hall, span, eva, now)
    pin = (await locks.access_of(one, by=eva, now=now)).pin
    doors = await windows(one)
    door = min(doors)

    await locks.write_rule(hall.id, door, before_s=60, after_s=2_700, purpose="training", by=SYSTEM, now=now)
    await pay_debts(now)

    now_opens = await windows(one)
    assert now_opens[door] == (span.start - timedelta(minutes=1), span.end + timedelta(minutes=45))
    assert set(now_opens) == set(doors)
    assert (await locks.access_of(one, by=eva, now=now)).pin == pin


async def test_a_booking_that_the_change_leaves_as_it_is__is_not_sent_again(
    hall: Resource, eva: Actor, now: datetime
) -> None:
    one = await buy(hall, on(day_after(now, 30), "10:00"), eva, now)
    door = min(await windows(one))
    decided = await db.value(datetime, "SELECT created_at FROM access_grant WHERE reservation = $1", one)
    later = now + timedelta(hours=1)

    await locks.write_rule(hall.id, door, before_s=60, after_s=60, purpose="match", by=SYSTEM, now=later)
    await pay_debts(later)

    assert (
        await db.value(datetime, "SELECT created_at FROM access_grant WHERE reservation = $1", one) == decided
    )


async def test_the_last_rule_taken_back__leaves_no_code(hall: Resource, eva: Actor, now: datetime) -> None:
    one = await buy(hall, on(day_after(now, 30), "10:00"), eva, now)
    for rule in (await locks.rules_of(hall.id, by=SYSTEM)).own:
        await locks.delete_rule(rule.id, by=SYSTEM, now=now)
    await pay_debts(now)

    assert await windows(one) == {}
