"""Thirty-two clients want the same hall at once, by every path there is, a thousand times; the constraint decides.

`./run bench storm [--rounds 1000] [--clients 32] [--seed 1] [--json]`. Two real web processes, one real PostgreSQL.
In every round single holds, series, approvals, moves and staff blocks of random length, on the whole hall and on its
parts, overlap in time and floor. After the round the rows are judged by brute force, not by what the clients heard:

    zero_winner          rounds in which nobody got the hall
    multi_winner         rounds in which two who overlap both got it
    refused_though_free  wishes refused although nothing that stands overlaps them
    client_errors        answers that are neither a success nor an honest 409
    client_deadlocks     answers that say that the database gave up on a deadlock
"""

import asyncio
import random
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime
from pathlib import Path
from uuid import UUID

from bench._storm_wishes import PATHS, Try, send_wish, wishes_of
from bench._storm_world import DAYS, clear, enter_world, prepare
from bench._web import settings_of, web
from bench.common import machine, options, progress, report, say, server
from booking import billing, db, locks, postgres
from booking.clock import utc_now
from booking.demo.seed import found
from booking.migrate import migrate


async def storm(
    address: str, folder: Path, rounds: int, clients: int, seed: int
) -> dict[str, float | int | str]:
    """Return what the rounds came to."""
    chance, now = random.Random(seed), utc_now()
    settings = settings_of(address, folder, 6)
    if rounds > 3 * DAYS:
        raise SystemExit(f"every round has an hour of its own: at most {3 * DAYS} rounds, or another seed")
    billing.configure(settings)
    locks.configure(settings)
    await db.open_pool(address, 6)
    if not await db.value(int, "SELECT count(*) FROM municipality"):
        say("laying out the demonstration's places and people")
        await found(settings, now)
    tally, tries, slowest = Counter[str](), Counter[str](), 0.0
    with ExitStack() as stack:
        webs = [stack.enter_context(web(address, folder, number)) for number in range(2)]
        async with AsyncExitStack() as open_clients:
            world = await enter_world(webs, clients, now, open_clients)
            with progress(f"preparing {rounds} rounds of requests and bookings to move", rounds) as more:
                for number in range(rounds):
                    await prepare(world, number, chance, now)
                    more(1)
            deadlocks = await _deadlocks()
            begun = time.monotonic()
            with progress(f"{rounds} rounds of {clients} clients", rounds) as more:
                for number in range(rounds):
                    wishes = wishes_of(world, number, clients, chance, now)
                    started = time.monotonic()
                    await asyncio.gather(*(send_wish(one) for one in wishes))
                    slowest = max(slowest, time.monotonic() - started)
                    tally.update(await _judge(wishes))
                    tries.update(one.path for one in wishes)
                    tries.update(f"{one.path} won" for one in wishes if one.won)
                    await clear(world)
                    more(1)
            took = time.monotonic() - begun
            deadlocks = await _deadlocks() - deadlocks
    await db.close_pool()
    keys = ("zero_winner", "multi_winner", "refused_though_free", "client_errors", "client_deadlocks")
    return {
        "rounds": rounds,
        **{key: tally[key] for key in keys},
        "worst_round_s": round(slowest, 3),
        "rounds_per_s": round(rounds / took, 2),
        "clients": clients,
        "seed": seed,
        "winners": tally["winners"],
        "wishes": sum(tries[path] for path in set(PATHS)),
        **{f"{path}_won": tries[f"{path} won"] for path in sorted(set(PATHS))},
        "database_deadlocks": deadlocks,
        **machine(),
    }


class _Taken(db.Record):
    leaf: int
    reservation: UUID
    starts_at: datetime
    ends_at: datetime


async def _judge(wishes: list[Try]) -> Counter[str]:
    """Ask the rows, by brute force, whether the round was fair."""
    leaves = sorted({leaf for one in wishes for leaf, _, _ in one.takes})
    taken = await db.rows(
        _Taken, "SELECT leaf, reservation, starts_at, ends_at FROM occupancy WHERE leaf = ANY($1)", leaves
    )
    result = Counter[str]()
    winners = sum(one.won for one in wishes)
    result["winners"] = winners
    result["zero_winner"] = int(winners == 0)
    result["multi_winner"] = int(
        any(
            a.leaf == b.leaf
            and a.reservation != b.reservation
            and a.starts_at < b.ends_at
            and b.starts_at < a.ends_at
            for number, a in enumerate(taken)
            for b in taken[number + 1 :]
        )
    )
    for one in wishes:
        if one.worse:
            result["client_errors"] += 1
            result["client_deadlocks"] += "deadlock" in one.worse.lower()
            say(f"  {one.worse}")
        elif not one.won and not _meets(one, taken, [other for other in wishes if other.won]):
            result["refused_though_free"] += 1
            say(f"  refused though free: {one.path} {one.code} {one.body}")
    return result


def _meets(one: Try, taken: list[_Taken], winners: list[Try]) -> bool:
    """True if something that stands, or stood until a staff block took a visitor's hold, is in the wish's way."""
    standing = [(other.leaf, other.starts_at, other.ends_at) for other in taken]
    standing += [take for other in winners for take in other.takes]
    return any(
        leaf == other and start < ends and begins < end
        for leaf, start, end in one.takes
        for other, begins, ends in standing
    )


async def _deadlocks() -> int:
    return (
        await db.value(int, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") or 0
    )


def main() -> None:
    """Run the storm and print what it came to."""
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with server(args.keep) as running, tempfile.TemporaryDirectory(prefix="booking-storm-") as folder:
        if not running.sql("SELECT 1 FROM pg_database WHERE datname = 'storm'").strip():
            running.create("storm")
        asyncio.run(migrate(running.url(postgres.OWNER, "storm")))
        numbers = asyncio.run(
            storm(running.url(postgres.APP, "storm"), Path(folder), args.rounds, args.clients, args.seed)
        )
    report(numbers, as_json=args.json)


if __name__ == "__main__":
    main()
