"""What is erased by rule: PINs, cards, who came when."""

from datetime import datetime, timedelta

import pytest

from booking import db, locks
from booking.ids import new_id
from booking.locks import credentials, sweeps
from booking.locks.credentials import Wish
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, holder, hours
from tests.locks.parts import FULL, Device
from tests.locks.test_credentials import book, make_party, seen, standing

SYSTEM = Actor.system()
PINS = "SELECT kind FROM access_credential WHERE pin IS NOT NULL OR card IS NOT NULL OR pin_tag IS NOT NULL ORDER BY kind"


@pytest.fixture
async def device(hall: Hall, now: datetime) -> Device:
    device = Device(hall)
    await device.publish(now)
    await device.report(now, cap=FULL)
    return device


async def settle(device: Device, now: datetime) -> None:
    await device.publish(now)
    await device.report(now, cap=FULL)


async def test_codes_taken_back_and_out_of_the_doors__are_erased_after_a_week(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    made = [await standing(party, now)]
    for card in (None, "04A1B2C3"):
        wish = Wish(
            municipality=TOWN,
            role="staff",
            label="Vakt",
            means="pin" if card is None else "card",
            card=card,
            valid_from=now,
        )
        made.append(await credentials.create_credential(wish, by=SYSTEM, now=now))
    booking = await book(hall, hours(now, 200, 201), now, party)
    shared = await locks.share(booking, "Lisa", by=holder(party), now=now)
    await settle(device, now)
    await locks.unshare(booking, shared.id, by=holder(party), now=now)
    for one in made:
        await credentials.revoke_credential(one.id, by=SYSTEM, now=now)

    await sweeps.forget_old(now + timedelta(days=20))  # the door has not let go of them yet
    assert await db.column(str, PINS) == ["staff", "staff"]  # the others' windows are over
    await settle(device, now + timedelta(days=20))
    await sweeps.forget_old(now + timedelta(days=26))
    assert await db.column(str, PINS) == ["staff", "staff"]
    await sweeps.forget_old(now + timedelta(days=28))
    assert await db.column(str, PINS) == []
    assert await db.value(int, "SELECT count(*) FROM access_grant WHERE pin IS NOT NULL") == 0
    kept = "SELECT count(*) FROM grant_window WHERE access_grant IS NULL AND kept_until > $1"
    assert await db.value(int, kept, now + timedelta(days=28)) == 0


async def test_codes_in_force__are_kept(hall: Hall, device: Device, now: datetime) -> None:
    party, series = await make_party(), new_id()
    in_series = await book(hall, hours(now, 24 * 60, 24 * 60 + 1), now, party, series)
    await standing(party, now)
    wish = Wish(municipality=TOWN, role="clean", label="Städ", valid_from=now)
    await credentials.create_credential(wish, by=SYSTEM, now=now)
    await locks.share(in_series, "Lisa", by=holder(party), now=now)
    await settle(device, now)
    later = now + timedelta(days=59)
    await sweeps.forget_old(later)

    assert await db.column(str, PINS) == ["clean", "member", "series", "standing"]
    assert (await seen(in_series, later, party)).pin is not None
    await sweeps.forget_old(now + timedelta(days=68))
    assert await db.column(str, PINS) == ["clean", "series", "standing"]
    await sweeps.forget_old(now + timedelta(days=92))
    assert await db.column(str, PINS) == ["clean", "standing"]


async def test_who_came_when__is_kept_as_long_as_the_municipality_keeps_the_events(
    hall: Hall, device: Device, now: datetime
) -> None:
    await db.run("INSERT INTO access_policy (municipality, events_kept_days) VALUES ($1, 30)", TOWN)
    booking = await hall.book(hours(now, 1, 2), now)
    await db.run("UPDATE access_grant SET used_at = $1", now + timedelta(hours=1))
    await db.run(
        "INSERT INTO door_fact (reservation, first_entry_at, is_final, settled_at) VALUES ($1, $2, true, $2)",
        booking,
        now + timedelta(hours=3),
    )
    await sweeps.forget_old(now + timedelta(days=29))
    assert booking in await locks.facts_of([booking])
    assert await db.value(int, "SELECT count(*) FROM access_grant WHERE used_at IS NOT NULL") == 1
    await sweeps.forget_old(now + timedelta(days=31))
    assert await locks.facts_of([booking]) == {}
    assert await db.value(int, "SELECT count(*) FROM access_grant WHERE used_at IS NOT NULL") == 0
    assert await locks.settle_facts(now + timedelta(days=31)) == 0
