import asyncio
from datetime import datetime, timedelta
from itertools import chain, repeat
from uuid import UUID

import msgspec
import pytest

from booking import db, locks, outbox
from booking.errors import NotFound
from booking.ids import new_id
from booking.locks import alarms, codes, events, snapshots, sweeps, vault
from booking.lockwire import pins
from booking.lockwire.messages import Event, Refusal
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, holder, hours, make_hall, staff
from tests.locks.parts import REPORT, Device, pin_of, state


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


async def debts() -> int | None:
    return await db.value(int, "SELECT count(*) FROM outbox WHERE kind = 'locks.publish'")


async def test_a_booking__walks_through_every_state_to_confirmed_removal(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 3), now)
    seen = [await state(booking, now)]
    await device.publish(now)
    seen.append(await state(booking, now))
    await device.report(now)
    seen.append(await state(booking, now))
    inside = now + timedelta(hours=2)
    seen.append(await state(booking, inside))
    row = await snapshots.owed(hall.controller)
    assert row is not None
    grant = (await device.snapshot()).grants[0].id
    event = Event(
        boot=1, seq=1, t=int(inside.timestamp()), mono=1, clk="ntp", d="d1", e="granted", k="pin", g=grant
    )
    await events.store(row, [event], inside)
    seen.append(await state(booking, inside))
    later = now + timedelta(hours=5)
    seen.append(await state(booking, later))
    assert await sweeps.expire_ended(later) == 1
    seen.append(await state(booking, later))
    await device.publish(later)
    assert await state(booking, later) == "removing"
    await device.report(later)
    seen.append(await state(booking, later))

    assert seen == [
        "planned",
        "on_broker",
        "applied",
        "active",
        "used",
        "ended",
        "removing",
        "removed_confirmed",
    ]


async def test_the_grace_of_each_door__stands_in_the_snapshot(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 3), now)
    await device.publish(now)
    (grant,) = (await device.snapshot()).grants
    spans = {window.d[0]: (window.nb, window.na) for window in grant.w}
    start = int(now.timestamp()) + 3_600

    assert spans == {"d1": (start - 900, start + 7_200), "d2": (start - 900, start + 7_200 + 1_800)}
    assert grant.pin == await pin_of(booking, now)


async def test_a_purpose_s_own_rule__beats_the_rule_for_all(hall: Hall, now: datetime) -> None:
    await locks.allow(hall.resource, hall.entrance, before_s=3_600, after_s=3_600, purpose="match")
    match = await hall.book(hours(now, 2, 3), now, purpose="match")
    view = await locks.access_of(match, by=holder(match), now=now)
    entrance = next(door for door in view.doors if door.id == hall.entrance)

    assert (entrance.opens_at, entrance.closes_at) == (now + timedelta(hours=1), now + timedelta(hours=4))


async def test_a_resource_without_doors__is_a_no_op(hall: Hall, now: datetime) -> None:
    other = new_id()
    await db.run(
        "INSERT INTO resource (id, facility, calendar, kind, slug, name, tariff_class) VALUES ($1, $2, $2, 'pitch', 'p', 'P', 'p')",
        other,
        hall.facility,
    )
    booking = new_id()
    await locks.grant(
        reservation=booking,
        holder=booking,
        resources=[other],
        span=hours(now, 1, 2),
        purpose="other",
        now=now,
    )
    assert await locks.states_of([booking], now=now) == {}
    with pytest.raises(NotFound):
        await locks.access_of(booking, by=Actor.system(), now=now)


async def test_granted_twice__is_one_code(hall: Hall, now: datetime) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    first = await pin_of(booking, now)
    await locks.grant(
        reservation=booking,
        holder=booking,
        resources=[hall.resource],
        span=hours(now, 1, 2),
        purpose="training",
        now=now,
    )
    assert await pin_of(booking, now) == first
    assert await db.value(int, "SELECT count(*) FROM access_grant") == 1


async def test_a_part_of_the_hall__opens_the_doors_of_the_whole(hall: Hall, now: datetime) -> None:
    part = new_id()
    await db.run(
        "INSERT INTO resource (id, facility, calendar, parent, kind, slug, name, tariff_class)"
        " VALUES ($1, $2, $2, $3, 'hall_part', 'part', 'A', 'p')",
        part,
        hall.facility,
        hall.resource,
    )
    assert await locks.doors_of_resources([part, hall.resource]) == {
        part: [hall.entrance, hall.changing],
        hall.resource: [hall.entrance, hall.changing],
    }


async def test_a_rolled_back_booking__leaves_no_debt_and_no_code(hall: Hall, now: datetime) -> None:
    before = await db.value(int, "SELECT want_ver FROM controller")

    async def fails_after_the_grant() -> None:
        async with db.transaction():
            await hall.book(hours(now, 1, 2), now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails_after_the_grant()
    assert await db.value(int, "SELECT want_ver FROM controller") == before
    assert await db.value(int, "SELECT count(*) FROM access_grant") == 0


async def test_ten_bookings_at_once__are_one_debt_and_one_version(
    hall: Hall, device: Device, now: datetime
) -> None:
    await asyncio.gather(*(hall.book(hours(now, n, n + 1), now) for n in range(1, 11)))
    assert await debts() == 1
    await device.publish(now)

    assert len((await device.snapshot()).grants) == 10
    assert await db.value(int, "SELECT count(*) FROM snapshot_log") == 1


async def test_the_same_version_published_twice__is_the_same_octets_under_a_new_seal(
    hall: Hall, device: Device, now: datetime
) -> None:
    await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.publish(now + timedelta(minutes=5))
    first, second = device.packets

    assert first.retain
    assert first.payload != second.payload
    assert await db.value(int, "SELECT count(*) FROM snapshot_log") == 1


async def test_puback_alone__never_makes_a_code_confirmed(hall: Hall, device: Device, now: datetime) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    for _ in range(3):
        await device.publish(now)
    view = await locks.access_of(booking, by=holder(booking), now=now)

    assert (view.state, view.confirmed_at) == ("on_broker", None)


async def test_revoked_before_it_was_ever_sent__is_gone_at_once_and_frees_its_pin(
    hall: Hall, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await locks.revoke(booking, now=now)
    await locks.revoke(booking, now=now)

    assert await state(booking, now) == "removed_confirmed"
    assert await pin_of(booking, now) is None
    live = "SELECT count(*) FROM grant_window WHERE kept_until > $1"
    assert await db.value(int, live, now + timedelta(hours=1)) == 0


async def test_revoked_while_the_controller_is_dark__stays_removing_and_keeps_its_pin_taken(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    await locks.revoke(booking, now=now)
    await device.publish(now)
    assert await state(booking, now) == "removing"
    view = await locks.access_of(booking, by=holder(booking), now=now)
    assert view.alarm == "unconfirmed"
    kept = "SELECT min(kept_until) FROM grant_window"
    assert await db.value(datetime, kept) == now + timedelta(hours=26)

    await device.report(now + timedelta(minutes=9))
    assert await state(booking, now) == "removed_confirmed"
    assert await db.value(datetime, kept) == now + timedelta(hours=24, minutes=9)


async def test_an_old_report__proves_nothing(hall: Hall, device: Device, now: datetime) -> None:
    await device.publish(now)
    await device.report(now)
    old = await device.logged()
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    new = await device.logged()
    body = REPORT | {"rs": 9, "dig": old[2]}
    await device.send(now, (old[0], old[1]), body)
    assert await state(booking, now) == "on_broker"
    await device.send(now, (new[0], new[1]), REPORT | {"rs": 8, "dig": new[2]})
    assert await state(booking, now) == "on_broker"


async def test_a_version_never_written__means_quarantine_until_an_operator_confirms(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now, version=(1, 900))
    device.packets.clear()
    await device.publish(now)
    assert device.packets == []
    assert "quarantine" in (await locks.doors(TOWN, by=staff(), now=now))[0].alarms

    await locks.end_quarantine(hall.controller, by=Actor.system(), now=now)
    await device.report(now, version=(1, 900))  # said before the new version came: the operator has judged it
    await device.publish(now)
    await device.report(now)
    assert (await device.logged())[0] == 2
    assert await state(booking, now) == "applied"


async def test_an_emptied_controller__has_nothing_applied(hall: Hall, device: Device, now: datetime) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    await device.report(now, version=(0, 0), dig=None, boot=2)

    assert await state(booking, now) == "on_broker"
    assert await pin_of(booking, now) is not None


async def test_a_pin_the_device_uses_itself__is_replaced(hall: Hall, device: Device, now: datetime) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    first, id = await pin_of(booking, now), (await device.snapshot()).grants[0].id
    await device.report(now, rej=[{"id": id, "why": "dup"}])
    assert await state(booking, now) == "planned"
    assert await pin_of(booking, now) != first

    await device.publish(now)
    await device.report(now)
    assert await state(booking, now) == "applied"


async def test_a_full_controller__says_rejected_and_nothing_else_is(
    hall: Hall, device: Device, now: datetime
) -> None:
    near, far = [await hall.book(hours(now, start, start + 1), now) for start in (1, 9)]
    await device.publish(now)
    id = (await device.snapshot()).grants[1].id
    await device.report(now, rej=[msgspec.to_builtins(Refusal(id, "full"))])

    assert [await state(one, now) for one in (near, far)] == ["applied", "rejected"]


async def test_more_grants_than_the_controller_has_room_for__the_nearest_come_first(
    hall: Hall, device: Device, now: datetime
) -> None:
    cap = {**REPORT["cap"], "grants": 3}  # type: ignore[dict-item]
    await device.publish(now)
    await device.report(now, cap=cap)
    bookings = [await hall.book(hours(now, start, start + 1), now) for start in range(1, 6)]
    await device.publish(now)
    await device.report(now, cap=cap)

    assert [await state(one, now) for one in bookings] == ["applied"] * 3 + ["planned"] * 2


async def test_more_bookings_than_the_smallest_controller_holds__follow_when_it_has_told_its_size(
    hall: Hall, device: Device, now: datetime
) -> None:
    bookings = [await hall.book(hours(now, start, start + 1), now) for start in range(1, 101)]
    await device.publish(now)
    assert len((await device.logged())[3]) <= 8_192
    await device.report(now)
    assert {await state(one, now) for one in bookings} == {"applied", "planned"}
    await device.publish(now)
    await device.report(now)

    assert {await state(one, now) for one in bookings} == {"applied"}


async def test_a_controller_without_doors__is_sent_nothing(hall: Hall, device: Device, now: datetime) -> None:
    await locks.enrol("bare", facility=hall.facility, by=Actor.system(), now=now)
    assert await snapshots.publish("bare", device.take, now) is None
    assert device.packets == []


async def test_a_booking_beyond_the_horizon__waits_for_the_daily_refresh(
    hall: Hall, device: Device, now: datetime
) -> None:
    await device.publish(now)
    await db.run("DELETE FROM outbox")
    booking = await hall.book(hours(now, 20 * 24, 20 * 24 + 1), now)
    assert await debts() == 0
    later = now + timedelta(days=7)
    assert await sweeps.refresh_horizon(later) == 1
    await device.publish(later)
    await device.report(later)

    assert await state(booking, later) == "applied"


async def test_reconcile__owes_again_less_and_less_often_and_only_to_those_online(
    hall: Hall, device: Device, now: datetime
) -> None:
    await device.publish(now)
    await device.report(now)
    await hall.book(hours(now, 1, 2), now)
    owed = [await sweeps.reconcile(now + timedelta(seconds=at)) for at in range(0, 60, 5)]
    assert owed == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]
    assert await sweeps.reconcile(now + timedelta(hours=2)) == 0


async def test_a_code_not_in_the_door_half_an_hour_before__alarms_once(hall: Hall, now: datetime) -> None:
    booking = await hall.book(hours(now, 2, 3), now)
    later = now + timedelta(hours=1, minutes=20)
    await alarms.watch(later)
    await alarms.watch(later)
    told = "SELECT count(*) FROM journal WHERE action = 'access.unconfirmed' AND about = $1"

    assert await db.value(int, told, booking) == 1
    assert (await locks.access_of(booking, by=holder(booking), now=later)).alarm == "unconfirmed"


async def test_fifty_bookings_forced_to_sixty_pins__never_share_one(
    hall: Hall, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [f"{number:06}" for number in range(204_060, 204_120)]
    draws = chain.from_iterable(repeat(few))
    monkeypatch.setattr(
        pins.secrets, "randbelow", lambda _: int(next(draws))
    )  # chance, not a function of ours
    monkeypatch.setattr(pins, "is_trivial", lambda _: False)
    monkeypatch.setattr(codes, "ATTEMPTS", 60)

    async def one(n: int) -> UUID:
        return await hall.book(hours(now, 1 + n % 5, 2 + n % 5), now)

    booked = []
    for start in range(0, 50, 5):
        booked += await asyncio.gather(*(one(n) for n in range(start, start + 5)))
    drawn = [await pin_of(booking, now) for booking in booked]

    assert len(set(drawn)) == 50


async def test_no_free_pin__refuses_the_booking_with_a_code(
    hall: Hall, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins.secrets, "randbelow", lambda _: 204_060)  # chance, not a function of ours
    await hall.book(hours(now, 1, 2), now)
    with pytest.raises(codes.NoFreePin):
        await hall.book(hours(now, 10, 11), now)
    await hall.book(hours(now, 48, 49), now)  # a day and more later the same digits may serve another


async def test_what_the_database_keeps__is_unreadable_without_the_key(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    pin = await pin_of(booking, now)
    assert pin is not None
    await device.publish(now)
    await device.report(now)
    for table in (
        "access_grant",
        "grant_window",
        "snapshot_log",
        "outbox",
        "journal",
        "controller",
        "door_event",
    ):
        text = await db.value(str, f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
        assert pin not in (text or ""), table
        assert pin.encode().hex() not in (text or ""), table
    vault.open_vault(bytes(32))
    with pytest.raises(vault.VaultMismatch):
        await pin_of(booking, now)


async def test_strangers__see_neither_code_nor_doors_and_staff_s_look_is_journalled(
    hall: Hall, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    stranger, foreign = holder(new_id()), staff("2480")
    for actor in (stranger, foreign):
        with pytest.raises(NotFound):
            await locks.access_of(booking, by=actor, now=now)
        with pytest.raises(NotFound):
            await locks.doors(TOWN, by=actor, now=now)
        with pytest.raises(NotFound):
            await locks.door(hall.entrance, by=actor, now=now)
    shown = "SELECT count(*) FROM journal WHERE action = 'access.shown'"
    await locks.access_of(booking, by=holder(booking), now=now)
    assert await db.value(int, shown) == 0
    assert (await locks.access_of(booking, by=staff(), now=now)).pin is not None
    assert await db.value(int, shown) == 1


async def test_the_door_page__shows_codes_and_events_without_any_pin(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 0.1, 2), now)
    await device.publish(now)
    await device.report(now)
    row = await snapshots.owed(hall.controller)
    assert row is not None
    denied = Event(
        boot=1, seq=1, t=int(now.timestamp()), mono=1, clk="ntp", d="d1", e="denied", k="pin", why="unknown"
    )
    await events.store(row, [denied], now)
    page = await locks.door(hall.entrance, by=staff(), now=now)
    pin = await pin_of(booking, now)

    assert [grant.reservation_id for grant in page.grants] == [booking]
    assert [(event.kind, event.why) for event in page.events] == [("denied", "unknown")]
    assert (page.codes_now, page.in_sync, page.online, page.lock) == (1, True, True, "locked")
    assert pin is not None
    assert pin.encode() not in msgspec.json.encode(page)


async def test_events__are_stored_once_and_a_gap_is_asked_for(hall: Hall, now: datetime) -> None:
    row = await snapshots.owed(hall.controller)
    assert row is not None
    made = [
        Event(boot=1, seq=n, t=int(now.timestamp()), mono=n, clk="ntp", d="d1", e="opened")
        for n in range(1, 9)
    ]
    missed = await events.store(row, made[1:2], now)  # the very first was never heard
    assert [packet.topic.rsplit("/", 1)[1] for packet in missed] == ["cmd"]
    await events.store(row, made[:3], now)
    now += timedelta(seconds=6)
    answers = await events.store(row, [made[4], made[5]], now)
    assert [packet.topic.rsplit("/", 1)[1] for packet in answers] == ["evack", "cmd"]
    await events.store(row, made[2:], now)
    await events.store(row, made, now)
    later = Event(boot=3, seq=1, t=None, mono=1, clk="none", d=None, e="boot")
    await events.store(row, [later], now)
    numbers = await db.column(int, "SELECT seq FROM door_event ORDER BY boot, seq")

    assert numbers == [*range(1, 9), 1]


async def test_a_replaced_controller__has_a_new_generation_and_a_higher_epoch(
    hall: Hall, now: datetime
) -> None:
    again = await locks.replace(hall.controller, by=Actor.system(), now=now)
    row = await snapshots.owed(hall.controller)

    assert row is not None
    assert (again.gen, row.gen, row.epoch) == (2, 2, 2)
    assert again.password != hall.password
    assert again.password not in repr(again)


async def test_two_controllers__are_locked_in_the_same_order_whatever_the_booking(
    hall: Hall, now: datetime
) -> None:
    other = await make_hall("hall-0")
    await locks.allow(hall.resource, other.entrance)
    await locks.allow(other.resource, hall.entrance)
    span = hours(now, 1, 2)
    await asyncio.gather(*(one.book(span, now) for _ in range(5) for one in (hall, other)))

    assert await db.value(int, "SELECT count(*) FROM access_grant") == 20


async def test_forget_old__erases_pins_a_week_after_the_end(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await locks.forget_old(now + timedelta(days=7))
    assert await db.value(int, "SELECT count(*) FROM access_grant WHERE pin IS NOT NULL") == 1
    await locks.forget_old(now + timedelta(days=8))
    assert await db.value(int, "SELECT count(*) FROM access_grant WHERE pin IS NOT NULL") == 0
    assert await state(booking, now + timedelta(days=8)) == "ended"


async def test_the_publishing_debt__names_the_controller_and_holds_nothing_else(
    hall: Hall, now: datetime
) -> None:
    await hall.book(hours(now, 1, 2), now)
    debt = await outbox.claim(["locks.publish"], now)

    assert debt is not None
    assert (debt.key, debt.payload) == (hall.controller, "{}")
