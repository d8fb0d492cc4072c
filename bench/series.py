"""How long it takes to preview a series of 52 Tuesdays with conflicts, and to book it in one transaction.

`./run bench series [--rounds 40] [--json]`. Real PostgreSQL with the demonstration's places and a year of others'
bookings: about every fifth time is taken, so that previews search alternatives. A commit writes reservations,
occupancy, charges, journal, codes for every door and the controllers' debts. Prints one JSON line.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import Progress

from booking import billing, db, locks, places, postgres
from booking.clock import utc_now
from booking.demo.seed import found
from booking.ids import new_id
from booking.migrate import migrate
from booking.people import Actor
from booking.places import Resource
from booking.reservations.recurrence import Wall
from booking.reservations.series import Chosen, SeriesOrder, SeriesPreview, SeriesWish, preview_series
from booking.reservations.series_booking import book_series
from booking.reservations.writing import NewRow, part_of, take
from booking.settings import Settings
from booking.span import Span

TIMES, BUSY = 52, 0.2


async def _fill(
    halls: list[Resource], party: UUID, now: datetime, chance: random.Random, bar: Progress
) -> int:
    """Others have some evenings of the year: one or two hours each, in every hall."""
    task, rows = bar.add_task("booking others' times", total=len(halls)), list[NewRow]()
    for hall in halls:
        rules = (await places.rules_on([hall.id], now.date()))[hall.id]
        for day in range(1, 400):
            for hour in range(7, 21, 2):
                if chance.random() < BUSY:
                    start = datetime(now.year, now.month, now.day, hour, tzinfo=now.tzinfo) + timedelta(
                        days=day
                    )
                    rows.append(
                        NewRow(
                            id=new_id(),
                            parts=(part_of(hall, rules),),
                            span=Span(start, start + timedelta(minutes=90)),
                            municipality=hall.facility.municipality.code,
                            state="confirmed",
                            purpose="training",
                            created_at=now,
                            party=party,
                        )
                    )
        bar.advance(task)
    for first in range(0, len(rows), 500):
        await take(rows[first : first + 500], now=now)
    return len(rows)


async def _apart(found: list[Resource], now: datetime) -> list[Resource]:
    """Return resources that share no leaf, and that this club can book without terms, approval or quota."""
    rules = await places.rules_on([one.id for one in found], now.date())
    chosen, used = list[Resource](), set[int]()
    for one in found:
        asks = rules[one.id].terms or rules[one.id].needs_approval or rules[one.id].quota_open
        if not asks and not rules[one.id].quota_week and used.isdisjoint(one.leaves):
            chosen.append(one)
            used.update(one.leaves)
    return chosen


def _wish(hall: Resource, party: UUID, first: date, hour: int) -> SeriesWish:
    wall = Wall(first, hour * 60, hour * 60 + 90)
    return SeriesWish(hall.id, party, "training", "Mätserie", wall, f"FREQ=WEEKLY;COUNT={TIMES}")


def _chosen(preview: SeriesPreview) -> tuple[list[Chosen], int]:
    """Return what is free, and the alternatives for what is not: 52 times where there are so many."""
    chosen, total = [], 0
    for one in preview.occurrences:
        if one.reason is None:
            chosen.append(Chosen(Span(one.start, one.end)))
            total += one.price_ore or 0
        elif one.alternative is not None:
            span = Span(one.alternative.start, one.alternative.end)
            chosen.append(Chosen(span, one.alternative.resource.id, one.start))
            total += one.alternative.price_ore or 0
    return chosen, total


async def _measure(settings: Settings, rounds: int, bar: Progress) -> dict[str, float]:
    now, chance = utc_now(), random.Random(20261122)
    billing.configure(settings)
    locks.configure(settings)
    await db.open_pool(settings.database_url, 10)
    await found(settings, now)
    party = await db.value(UUID, "SELECT id FROM party WHERE name = 'Nordmalings IBK'") or UUID(int=0)
    every = await places.resources(municipalities=["2401"])
    halls = await _apart([one for one in every if one.kind in ("hall", "premises") and one.leaves], now)
    others = await _fill(halls, party, now, chance, bar)
    await db.run("ANALYZE")
    by = Actor(account=new_id(), acts_for=frozenset({party}))
    previews, commits, sizes = list[float](), list[float](), list[int]()
    task = bar.add_task("previewing and booking series", total=rounds)
    for number in range(rounds + 2):
        hall = halls[number % len(halls)]
        first = now.date() + timedelta(days=2 + number % 7)
        wish = _wish(hall, party, first, 8 + number // 7 % 12)
        begin = time.perf_counter()
        preview = await preview_series(wish, by=by, now=now)
        looked = time.perf_counter() - begin
        chosen, total = _chosen(preview)
        begin = time.perf_counter()
        await book_series(SeriesOrder(wish, chosen, "invoice", total), by=by, now=now)
        if number >= 2:  # the first ones open connections and read lists
            previews.append(looked * 1_000)
            commits.append((time.perf_counter() - begin) * 1_000)
            sizes.append(len(chosen))
            bar.advance(task)
    await db.close_pool()
    return {
        "rounds": rounds,
        "times": TIMES,
        "booked_per_commit": round(statistics.mean(sizes), 1),
        "others": others,
        **_summary("preview", previews),
        **_summary("commit", commits),
    }


def _summary(name: str, took: list[float]) -> dict[str, float]:
    p95 = statistics.quantiles(took, n=20)[-1]
    return {f"{name}_p50_ms": round(statistics.median(took), 1), f"{name}_p95_ms": round(p95, 1)}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="the only output there is; accepted for symmetry")
    said = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(console=Console(stderr=True)) as bar,
        postgres.temporary() as server,
    ):
        server.create("bench")
        asyncio.run(migrate(server.url(postgres.OWNER, "bench")))
        settings = Settings(
            database_url=server.url(postgres.APP, "bench"),
            secret_key=bytes(range(32)),
            keypad_dir=Path(folder) / "controllers",
        )
        took = asyncio.run(_measure(settings, said.rounds, bar))
    print(json.dumps(took))
    return 0


if __name__ == "__main__":
    sys.exit(main())
