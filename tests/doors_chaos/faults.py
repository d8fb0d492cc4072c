"""What goes wrong in a chaos run: every part killed, frozen and cut off, the database restored from a backup."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable

from booking import db
from tests.controller.parts import Process
from tests.doors_chaos.parts import Alone, freeze, thaw
from tests.doors_chaos.world import COPY, LIVE, World


async def strike(chaos: World, fault: str, delay: float, seconds: float) -> None:
    """The fault happens after the delay and is over some seconds later."""
    await asyncio.sleep(delay)
    chaos.faults[fault] += 1
    await FAULTS[fault](chaos, seconds)


async def _broker_killed_its_file_lost(chaos: World, seconds: float) -> None:
    chaos.mqtt.process.kill()
    for file in (chaos.mqtt.state / "data").glob("*"):
        file.unlink()
    await _broker_back(chaos, seconds)


async def _broker_killed_its_file_kept(chaos: World, seconds: float) -> None:
    chaos.mqtt.process.kill()
    await _broker_back(chaos, seconds)


async def _broker_back(chaos: World, seconds: float) -> None:
    await asyncio.sleep(seconds)
    chaos.mqtt.process.start()
    await asyncio.to_thread(chaos.mqtt.wait)


async def _broker_frozen(chaos: World, seconds: float) -> None:
    await _frozen(chaos, chaos.mqtt.process, seconds)


async def _worker_killed(chaos: World, seconds: float) -> None:
    await _killed(chaos, chaos.chance.choice(chaos.workers), seconds)


async def _worker_frozen(chaos: World, seconds: float) -> None:
    await _frozen(chaos, chaos.chance.choice(chaos.workers), seconds)


async def _both_workers_killed(chaos: World, seconds: float) -> None:
    await asyncio.gather(*(_killed(chaos, worker, seconds) for worker in chaos.workers))


async def _controllers_killed(chaos: World, seconds: float) -> None:
    fleet = chaos.chance.choice(chaos.fleets)
    async with chaos.busy[id(fleet)]:
        await asyncio.to_thread(fleet.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(fleet.start)


async def _controllers_frozen(chaos: World, seconds: float) -> None:
    fleet = chaos.chance.choice(chaos.fleets)
    async with chaos.busy[id(fleet)]:
        assert fleet.child is not None
        freeze(fleet.child.pid)
        await asyncio.sleep(seconds)
        thaw(fleet.child.pid)


async def _controllers_cut_off(chaos: World, _seconds: float) -> None:
    fleet = chaos.chance.choice(chaos.fleets)
    async with chaos.busy[id(fleet)]:
        await asyncio.to_thread(fleet.ask, "cut")


async def _one_controller_killed(chaos: World, seconds: float) -> None:
    await _killed(chaos, _one(chaos).process, seconds)


async def _one_controller_frozen(chaos: World, seconds: float) -> None:
    await _frozen(chaos, _one(chaos).process, seconds)


async def _one_controller_cut_off(chaos: World, seconds: float) -> None:
    cable = _one(chaos).cable
    cable.plug(False)
    await asyncio.sleep(seconds)
    cable.plug(True)


def _one(chaos: World) -> Alone:
    return chaos.chance.choice(list(chaos.alone.values()))


async def _killed(chaos: World, process: Process, seconds: float) -> None:
    async with chaos.busy[id(process)]:  # one fault at a time in one process
        process.kill()
        await asyncio.sleep(seconds)
        process.start()


async def _frozen(chaos: World, process: Process, seconds: float) -> None:
    async with chaos.busy[id(process)]:
        assert process.child is not None
        freeze(process.child.pid)
        await asyncio.sleep(seconds)
        thaw(process.child.pid)


FAULTS: dict[str, Callable[[World, float], Awaitable[None]]] = {
    "broker killed, its file lost": _broker_killed_its_file_lost,
    "broker killed, its file kept": _broker_killed_its_file_kept,
    "broker frozen": _broker_frozen,
    "worker killed": _worker_killed,
    "worker frozen": _worker_frozen,
    "both workers killed": _both_workers_killed,
    "controllers killed": _controllers_killed,
    "controllers frozen": _controllers_frozen,
    "controllers cut off": _controllers_cut_off,
    "one controller killed": _one_controller_killed,
    "one controller frozen": _one_controller_frozen,
    "one controller cut off": _one_controller_cut_off,
}


def deck(rounds: int, chance: random.Random) -> list[list[str]]:
    """Every fault comes as often as any other; at least three in a round, all of them in a run."""
    each = max(3, math.ceil(len(FAULTS) / rounds))
    cards: list[str] = []
    while len(cards) < each * rounds:
        cards += chance.sample(list(FAULTS), len(FAULTS))
    brokers = [one for one in FAULTS if one.startswith("broker")]
    found: list[list[str]] = []
    for number in range(rounds):
        mine = cards[number * each : (number + 1) * each]
        first = next((one for one in mine if one in brokers), None)
        found.append([one for one in mine if one not in brokers or one == first])  # one broker at a time
    return found


async def back_up(chaos: World) -> None:
    """A copy of the database and of the ledger is kept. Both workers die for it."""
    for worker in chaos.workers:
        worker.kill()
    chaos.kept = chaos.ledger.backup()
    await _copy(chaos, LIVE, COPY)
    for worker in chaos.workers:
        worker.start()


async def restore(chaos: World) -> None:
    """The database is what it was when it was copied; what came later is lost, and doors know better."""
    assert chaos.kept is not None
    for worker in chaos.workers:
        worker.kill()
    await chaos.ledger.read()  # what the doors may still have
    await _copy(chaos, COPY, LIVE)
    chaos.ledger.restore(chaos.kept)
    chaos.kept = None
    for worker in chaos.workers:
        worker.start()
    chaos.faults["database restored from a backup"] += 1


async def _copy(chaos: World, source: str, target: str) -> None:
    await db.close_pool()
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'"
    await asyncio.to_thread(chaos.server.sql, end)
    await asyncio.to_thread(chaos.server.clone, source, target)
    await db.open_pool(chaos.address, 6)
