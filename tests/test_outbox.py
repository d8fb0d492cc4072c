"""The outbox pays each debt, at least once, and never loses one that grew meanwhile."""

import asyncio
from datetime import datetime, timedelta

import pytest

from booking import db, outbox
from booking.clock import utc_now
from booking.outbox import Debt, Postpone


async def _put(kind: str, now: datetime, key: str | None = None) -> None:
    async with db.transaction():
        await outbox.put(kind, key=key, payload={"n": 1}, now=now)


async def _count() -> int | None:
    return await db.value(int, "SELECT count(*) FROM outbox")


async def test_a_debt_outside_a_transaction__is_refused(pool: str, now: datetime) -> None:
    with pytest.raises(RuntimeError):
        await outbox.put("mail", now=now)


async def test_three_drains_at_once__pay_each_debt_once(pool: str, now: datetime) -> None:
    for _ in range(30):
        await _put("mail", now)
    paid: list[int] = []

    async def pay(debt: Debt, _now: datetime) -> None:
        await asyncio.sleep(0)
        paid.append(debt.id)

    await asyncio.gather(*(outbox.drain({"mail": pay}, lambda: now, _raise) for _ in range(3)))

    assert sorted(paid) == sorted(set(paid))
    assert len(paid) == 30
    assert await _count() == 0


async def test_a_debt_that_grows_while_it_is_paid__is_paid_again(pool: str, now: datetime) -> None:
    await _put("publish", now, key="c1")
    seen: list[int] = []

    async def pay(debt: Debt, _now: datetime) -> None:
        seen.append(debt.rev)
        if len(seen) == 1:
            await _put("publish", now, key="c1")

    await outbox.drain({"publish": pay}, lambda: now, _raise)

    assert seen == [1, 2]
    assert await _count() == 0


async def test_a_failing_handler__is_tried_again_later(pool: str, now: datetime) -> None:
    await _put("mail", now)
    tried: list[datetime] = []

    async def fall(_debt: Debt, at: datetime) -> None:
        tried.append(at)
        raise OSError("no route")

    for seconds in (0, 1, 3):
        await outbox.drain({"mail": fall}, lambda s=seconds: now + timedelta(seconds=s), lambda _d, _e: None)

    assert len(tried) == 2  # at once and after two seconds, not in between
    assert await db.value(str, "SELECT last_error FROM outbox") == "OSError: no route"


async def test_a_postponed_debt__is_no_failure(pool: str, now: datetime) -> None:
    await _put("mail", now)

    async def wait(_debt: Debt, _now: datetime) -> None:
        raise Postpone(timedelta(seconds=5), "not yet")

    await outbox.drain({"mail": wait}, lambda: now, _raise)

    assert await db.value(int, "SELECT attempts FROM outbox") == 0


async def test_a_crash_while_paying__costs_one_lease(pool: str, now: datetime) -> None:
    await _put("mail", now)
    assert await outbox.claim(["mail"], now) is not None
    assert await outbox.claim(["mail"], now) is None
    assert await outbox.claim(["mail"], now + outbox.LEASE) is not None


async def test_a_handler_slower_than_the_lease__keeps_its_debt(
    pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LEASE", timedelta(seconds=0.4))
    await _put("mail", utc_now())
    paid: list[int] = []
    begun = asyncio.Event()

    async def pay(debt: Debt, _now: datetime) -> None:
        paid.append(debt.id)
        begun.set()
        await asyncio.sleep(1.5)  # several leases long

    async def rival() -> None:
        await begun.wait()
        while await _count():
            await outbox.drain({"mail": pay}, utc_now, _raise)
            await asyncio.sleep(0.05)

    await asyncio.gather(outbox.drain({"mail": pay}, utc_now, _raise), rival())

    assert len(paid) == 1


async def test_a_slow_debt__holds_up_none_that_comes_later(pool: str) -> None:
    await _put("mail", utc_now(), key="slow")
    wake, stop, begun, go_on = (asyncio.Event() for _ in range(4))
    paid: list[str] = []

    async def pay(debt: Debt, _now: datetime) -> None:
        if debt.key == "slow":
            begun.set()
            await go_on.wait()
        paid.append(debt.key)
        if debt.key == "slow":
            stop.set()
            wake.set()
        else:
            go_on.set()

    lanes = outbox.Lanes(2, {"mail": pay}, utc_now, _raise)
    paying = asyncio.create_task(lanes.pay(wake, stop, lambda: True))
    await asyncio.wait_for(begun.wait(), 20)
    await _put("mail", utc_now(), key="quick")
    wake.set()
    await asyncio.wait_for(paying, 20)

    assert paid == ["quick", "slow"]


async def test_a_claim__takes_no_more_than_there_are_free_lanes(pool: str, now: datetime) -> None:
    for _ in range(5):
        await _put("mail", now)

    claimed = [len(await outbox.claim_some(["mail"], now, 2)) for _ in range(4)]

    assert claimed == [2, 2, 1, 0]


def _raise(_debt: Debt, error: Exception) -> None:
    raise error
