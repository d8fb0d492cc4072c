"""Seeded chaos over real parts: many controllers book, move and cancel while every part is killed, frozen and lied to.

A schedule is one controller's random sequence of grants, moves and cancellations during one round of faults. In
each round many run at once; at its end all faults are over, everything must converge, and what every controller
has stored is compared with a ledger that the product knows nothing of (ledger.py).
"""

import asyncio
import math
import random
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from booking import db, locks, postgres
from booking.clock import utc_now
from booking.ids import new_id
from booking.locks.codes import NoFreePin
from booking.migrate import migrate
from booking.settings import Settings
from booking.span import Span
from tests.controller.parts import running_broker
from tests.doors_chaos import faults, judging
from tests.doors_chaos.few_codes import few_codes
from tests.doors_chaos.ledger import Hall
from tests.doors_chaos.world import LIVE, SECRET, Say, World

AT_ONCE = 100  # controllers
ROUND_S, STEPS = 4.0, 3
MOST = 9  # bookings at one hall; beyond it they are moved and cancelled
VIOLATIONS = ("lost_revocations", "out_of_window", "unconverged", "duplicate_pins")


async def schedule(chaos: World, hall: Hall, chance: random.Random, steps: int) -> None:
    """One controller's sequence: bookings are made, moved and cancelled at random moments."""
    for _ in range(steps):
        await asyncio.sleep(chance.uniform(0, 2 * ROUND_S / steps))
        async with chaos.few:
            await _step(chaos, hall, chance)


async def _step(chaos: World, hall: Hall, chance: random.Random) -> None:
    mine = sorted(hall.live.keys() - hall.busy)  # another schedule may be moving one of them
    what = chance.choices(
        ("grant", "move", "cancel"), (3 if len(hall.live) < MOST else 0.01, bool(mine), 1.5 * bool(mine))
    )[0]
    start = utc_now().replace(microsecond=0) + timedelta(
        minutes=chance.choice((-30, 1, chance.randrange(17_000)))
    )
    span = Span(start, start + timedelta(hours=chance.choice((2, 3, 8))))
    booking = new_id() if what == "grant" else chance.choice(mine)
    hall.busy.add(booking)
    if what != "cancel":
        chaos.ledger.allowed[booking] |= set(hall.windows(span))
    try:
        await chaos.ledger.learn(booking)
        await _act(what, hall, booking, span)
        await chaos.ledger.learn(booking)
    except (NoFreePin, TimeoutError):  # nothing has happened: no code is free, or no connection
        what = "refused"
    finally:
        hall.busy.discard(booking)
    chaos.steps[what] += 1


async def _act(what: str, hall: Hall, booking: UUID, span: Span) -> None:
    if what == "cancel":
        await locks.revoke(booking, now=utc_now())
        del hall.live[booking]
        return
    act = locks.grant if what == "grant" else locks.move
    promise = act(
        reservation=booking,
        holder=booking,
        resources=[hall.resource],
        span=span,
        purpose="training",
        now=utc_now(),
    )
    await promise
    hall.live[booking] = span


async def _round(
    chaos: World, number: int, work: list[tuple[Hall, str]], struck: list[str], *, lose: bool
) -> None:
    """Schedules and faults run together; then all is quiet, and everything must agree."""
    assert chaos.player is not None
    if lose:
        await faults.back_up(chaos)
    await judging.linked(chaos)
    chaos.player.play(40)
    doing = [
        schedule(chaos, hall, random.Random(f"{chaos.seed}/{number}/{name}"), chaos.length)
        for hall, name in work
    ]
    doing += [
        faults.strike(chaos, one, chaos.chance.uniform(0, 0.75 * ROUND_S), chaos.chance.uniform(0.2, 2.5))
        for one in struck
    ]
    await asyncio.gather(*doing, _watch(chaos, ROUND_S * 2))
    if lose:
        await faults.restore(chaos)
    chaos.player.stop()
    judging.all_up(chaos)
    await judging.linked(chaos)
    took = await judging.converge(chaos)
    chaos.worst_s = max(chaos.worst_s, took)
    await chaos.ledger.sample()
    await chaos.ledger.settled()
    await judging.clocks(chaos)
    await judging.keypads(chaos)
    broken = dict(chaos.ledger.found) or "nothing wrong"
    what = ", ".join(struck) + ", restored" * lose
    chaos.say(f"round {number + 1}: {len(work)} schedules, {what}; converged in {took:.1f} s; {broken}")


async def _watch(chaos: World, seconds: float) -> None:
    """Look into every controller's memory while things are broken."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(seconds / 4)
        with suppress(OSError, asyncpg.PostgresError):
            await chaos.ledger.sample()


async def run(
    seed: int, schedules: int, say: Say, *, at_once: int = AT_ONCE, each: int = 1, steps: int = STEPS
) -> dict[str, float | int | dict[str, int]]:
    """Run so many schedules of so many steps, in each round `each` at every one of `at_once` controllers.

    Returns what was found; every count of a violation must be 0.
    """
    count = min(at_once, schedules)
    with tempfile.TemporaryDirectory(prefix="booking-chaos-") as place, postgres.temporary() as server:
        home = Path(place)
        server.create(LIVE)
        await migrate(server.url(postgres.OWNER, LIVE))
        with running_broker(home / "broker") as mqtt:
            chaos = World(seed, home, server, mqtt, say, steps)
            locks.configure(
                Settings(database_url=chaos.address, secret_key=SECRET, mqtt_url=mqtt.broker.server_url)
            )
            await db.open_pool(chaos.address, 6)
            try:
                async with few_codes(random.Random(seed)):
                    await _rounds(chaos, count, each, schedules)
            finally:
                await asyncio.to_thread(chaos.stop)
                await db.close_pool()
    for line in chaos.ledger.said:
        say(f"  {line}")
    return {
        "schedules": schedules,
        **{kind: chaos.ledger.found[kind] for kind in VIOLATIONS},
        "worst_converge_s": round(chaos.worst_s, 1),
        "seed": seed,
        "controllers": count,
        "rounds": math.ceil(schedules / (count * each)),
        "steps": dict(sorted(chaos.steps.items())),
        "faults": dict(sorted(chaos.faults.items())),
        "played_back": chaos.player.said if chaos.player else 0,
    }


async def _rounds(chaos: World, count: int, each: int, schedules: int) -> None:
    begin = time.monotonic()
    await chaos.build(count)
    took = await judging.converge(chaos)
    chaos.say(
        f"seed {chaos.seed}: {count} controllers up {time.monotonic() - begin:.1f} s, {took:.1f} s of them converging"
    )
    halls = list(chaos.ledger.halls.values())
    work = [
        (hall, f"{hall.name}/{number}" if number else hall.name) for number in range(each) for hall in halls
    ]
    rounds = math.ceil(schedules / len(work))
    for number, struck in enumerate(faults.deck(rounds, chaos.chance)):
        mine = work[: schedules - number * len(work)]
        await _round(chaos, number, mine, struck, lose=number % 4 == min(1, rounds - 1))
