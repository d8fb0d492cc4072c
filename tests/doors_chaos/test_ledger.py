"""The chaos run's judge sees what it is there to see."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from booking import db, locks
from booking.controller.store import Store, Stored
from booking.locks import codes, vault
from booking.lockwire import snapshot
from booking.lockwire.snapshot import Grant, Window
from tests.controller.conftest import a_snapshot
from tests.doors_chaos.ledger import Hall, Ledger
from tests.locks.conftest import Hall as RealHall
from tests.locks.conftest import hours

GRACE = {"d1": (900, 0), "d2": (900, 1_800)}


class Judge:
    """One booking promised, and a controller's memory that says what the test wants."""

    def __init__(self, hall: RealHall, folder: Path) -> None:
        self.ledger = Ledger()
        self.hall = Hall(hall.controller, hall.resource, GRACE, folder)
        self.ledger.halls[hall.controller] = self.hall
        self.store = Store(folder / "controller.db")

    async def book(self, real: RealHall, now: datetime, start: float) -> Grant:
        span = hours(now, start, start + 1)
        booking = await real.book(span, now)
        self.hall.live[booking] = span
        self.ledger.allowed[booking] |= set(self.hall.windows(span))
        row = await db.row(_Row, "SELECT id, pin FROM access_grant WHERE reservation = $1", booking)
        assert row is not None
        windows = [Window(d=[door], nb=nb, na=na) for door, nb, na in self.hall.windows(span)]
        return Grant(id=row.id.hex, k="pin", pin=codes.read_pin(row.id, row.pin), role="leader", w=windows)

    async def finds(self, *grants: Grant) -> set[str]:
        octets = snapshot.encode(a_snapshot(*grants))
        held = Stored(1, 1, 1, snapshot.digest(octets), octets, [])
        self.store.keep_snapshot(held, {one.id for one in grants})
        await self.ledger.sample()
        await self.ledger.settled()
        return {kind for kind, count in self.ledger.found.items() if count}


class _Row(db.Record):
    id: UUID
    pin: bytes


@pytest.fixture
def judge(hall: RealHall, tmp_path: Path) -> Judge:
    return Judge(hall, tmp_path)


async def test_a_door_with_exactly_what_is_promised__is_in_order(
    judge: Judge, hall: RealHall, now: datetime
) -> None:
    assert await judge.finds(await judge.book(hall, now, 1), await judge.book(hall, now, 5)) == set()


async def test_a_window_that_is_a_second_too_long__is_seen(
    judge: Judge, hall: RealHall, now: datetime
) -> None:
    grant = await judge.book(hall, now, 1)
    longer = [msgspec.structs.replace(one, na=one.na + 1) for one in grant.w]
    grant = msgspec.structs.replace(grant, w=longer)
    assert "out_of_window" in await judge.finds(grant)


async def test_a_cancelled_code_still_in_the_door__is_seen(
    judge: Judge, hall: RealHall, now: datetime
) -> None:
    grant = await judge.book(hall, now, 1)
    booking = next(iter(judge.hall.live))
    await locks.revoke(booking, now=now)
    judge.hall.live.clear()
    assert await judge.finds(grant) == {"lost_revocations"}


async def test_a_removal_confirmed_while_the_door_has_it__is_seen(
    judge: Judge, hall: RealHall, now: datetime
) -> None:
    grant = await judge.book(hall, now, 1)
    await db.run("UPDATE access_grant SET gone_ver = 1, gone_epoch = 1, gone_at = $1", now)
    assert "lost_revocations" in await judge.finds(grant)


async def test_a_door_that_lacks_a_code__is_seen(judge: Judge, hall: RealHall, now: datetime) -> None:
    await judge.book(hall, now, 1)
    assert await judge.finds(await judge.book(hall, now, 5)) == {"unconverged"}


async def test_one_code_for_two_bookings_at_once__is_seen(
    judge: Judge, hall: RealHall, now: datetime
) -> None:
    one, other = await judge.book(hall, now, 1), await judge.book(hall, now, 1.5)
    other = msgspec.structs.replace(other, pin=one.pin)
    assert "duplicate_pins" in await judge.finds(one, other)


@pytest.mark.parametrize("is_learned", [True, False])
async def test_a_code_changed_between_two_looks__is_the_doors_own_only_if_it_was_learned(
    judge: Judge, hall: RealHall, now: datetime, is_learned: bool
) -> None:
    """A door keeps the former code until it has proved the change; the judge must have seen it drawn."""
    former = await judge.book(hall, now, 1)
    if is_learned:
        await judge.ledger.learn(next(iter(judge.hall.live)))
    id, pin = UUID(former.id), "271828"
    await db.run("UPDATE access_grant SET pin = $2 WHERE id = $1", id, vault.seal(pin.encode(), f"pin:{id}"))
    octets = snapshot.encode(a_snapshot(former))
    judge.store.keep_snapshot(Stored(1, 1, 1, snapshot.digest(octets), octets, []), {former.id})

    await judge.ledger.sample()

    assert judge.ledger.found["out_of_window"] == (0 if is_learned else 1)
