"""How long a search takes among thousands of resources and a million bookings, beside PyPI libres.

`./run bench availability [--json] [--keep FOLDER] [--rounds 60]`. A region of four municipalities with 10,
100, 1,000 and 3,890 resources and two years of bookings is made by SQL (some minutes; `--keep` keeps it). Each
number is the whole action on the server, Python and prices included, warm. See docs/benchmarks.md.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx

from bench import _region
from bench._rival import DAYS, Rival, packages
from bench.common import Numbers, machine, options, p50, p95, report, server, timed
from booking import db, postgres, reservations
from booking.clock import utc_now
from booking.migrate import migrate
from booking.reservations import Customer, Query, SeriesQuery
from booking.reservations.alternatives import first_free
from booking.reservations.free_starts import FreeWish, whole_day
from booking.reservations.months import days_free

REACH = {10: ("2460", False), 100: ("2480", False), 1000: ("2284", False), 5000: ("2401", True)}
MINUTES, LIBRES_ROUNDS, LIBRES_MOST = 120, 3, 1000


class Asker:
    """An association that asks for two hours of training on days ahead, another day each time."""

    def __init__(self, party: UUID, now: datetime) -> None:
        self.customer, self.now = Customer(party), now
        self._chance = random.Random(7)
        self.first = now.date() + timedelta(days=2)

    def day(self) -> date:
        """Return another day of the month that libres has too."""
        return self.first + timedelta(days=self._chance.randrange(DAYS))

    def query(self, count: int, **more: object) -> Query:
        """Return a search over so many resources."""
        town, neighbours = REACH[count]
        return Query(
            self.day(),
            minutes=MINUTES,
            municipalities=(town,),
            neighbours=neighbours,
            purpose="training",
            customer=self.customer,
            **more,  # type: ignore[arg-type]
        )

    def wish(self) -> FreeWish:
        """Return the same wish for the statements below search."""
        return FreeWish((whole_day(self.day()),), MINUTES, "training", self.customer)


async def _searches(asker: Asker, rounds: int) -> Numbers:
    numbers: Numbers = {}
    for count in REACH:

        async def search(_: int, count: int = count) -> None:
            found = await reservations.search(asker.query(count), asker.now)
            if found.total != count:
                raise SystemExit(f"{found.total} resources were searched, not {count}")

        took = await timed(f"search of {count} resources", rounds, search, warm=8)
        numbers |= {f"p50_ms_{count}": p50(took), f"p95_ms_{count}": p95(took)}
    return numbers


async def _others(asker: Asker, rounds: int) -> Numbers:
    chance = random.Random(8)
    ids = await db.column(UUID, "SELECT id FROM resource ORDER BY slug")
    kinds = ("hall", "hall_part", "premises", "pitch")

    async def one_month(_: int) -> None:
        await reservations.month(
            chance.choice(ids), asker.day().replace(day=1), 120, asker.customer, "training", asker.now
        )

    async def one_week(_: int) -> None:
        await reservations.availability(
            chance.choice(ids), asker.day(), 7, 120, asker.customer, "training", asker.now
        )

    async def next_of_200(_: int) -> None:
        await first_free(chance.sample(ids, 200), asker.day(), asker.wish(), asker.now, enough=200)

    async def next_of_one(_: int) -> None:
        await first_free([chance.choice(ids)], asker.day(), asker.wish(), asker.now, enough=1)

    async def by_words(_: int) -> None:
        await reservations.search(asker.query(5000, text="halva hallen vännäs"), asker.now)

    async def autumn(_: int) -> None:
        like = asker.query(1000, kind=chance.choice(kinds), from_min=18 * 60, to_min=20 * 60)
        first = asker.day()
        await reservations.search_series(SeriesQuery(like, 1, first, first + timedelta(weeks=15)), asker.now)

    async def nothing_free(_: int) -> None:
        await reservations.search(asker.query(1000, from_min=60, to_min=240), asker.now)

    numbers: Numbers = {}
    for name, title, do in (
        ("next_free", "next free of 200 resources", next_of_200),
        ("next_free_one", "next free of one", next_of_one),
        ("month", "a month of one", one_month),
        ("week", "a week of one with reasons and prices", one_week),
        ("text_5000", "free text among 5,000", by_words),
        ("series_200", "fifteen Tuesdays of 200 resources", autumn),
        ("empty_1000", "an empty answer explained", nothing_free),
    ):
        took = await timed(title, rounds, do, warm=8)
        numbers[f"{name}_p95_ms"] = p95(took)
    return numbers


async def _growth(running: postgres.Server, asker: Asker, rounds: int) -> float:
    """Return the median with a million bookings over that with 100,000, both asked by turns."""
    took: dict[str, list[float]] = {"region_small": [], "region": []}
    for _ in range(3):
        for database, times in took.items():
            await db.open_pool(running.url(postgres.APP, database), 4)
            times += await timed(
                f"search of 1000 resources in {database}",
                rounds,
                lambda _: reservations.search(asker.query(1000), asker.now),
                warm=8,
            )
            await db.close_pool()
    return round(p50(took["region"]) / p50(took["region_small"]), 2)


def _spent(backend: int | None) -> float:
    """Return the milliseconds that this process and the backend have had of a processor; 0 where nobody tells."""
    schedule = Path(f"/proc/{backend}/schedstat")
    if not schedule.exists():
        return 0
    return time.process_time() * 1000 + int(schedule.read_text().split()[0]) / 1e6


async def _processor(address: str, asker: Asker, rounds: int) -> Numbers:
    """Return the processor time of a search, ours and PostgreSQL's: what a busy machine does not change much."""
    await db.open_pool(address, 1)
    backend = await db.value(int, "SELECT pg_backend_pid()")
    numbers: Numbers = {}
    for count in REACH if _spent(backend) else ():
        used = []
        for number in range(rounds + 8):
            before = _spent(backend)
            await reservations.search(asker.query(count), asker.now)
            after = _spent(backend)
            used += [after - before] if number >= 8 else []
        numbers[f"cpu_p50_ms_{count}"] = p50(used)
    await db.close_pool()
    return numbers


async def _over_http(address: str, rounds: int, asker: Asker) -> Numbers:
    """Ask a real web process over a socket, one request at a time."""
    port = 18_431
    web = subprocess.Popen(  # noqa: ASYNC220 -- started once, before anything is timed
        [sys.executable, "-m", "booking", "web"],
        env={
            "DATABASE_URL": address,
            "BOOKING_SECRET_KEY": "0" * 64,
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api") as http:
            await _until_it_answers(http)
            numbers: Numbers = {}
            for count, (town, neighbours) in REACH.items():

                async def search(_: int, town: str = town, neighbours: bool = neighbours) -> None:
                    told = await http.get(
                        "/search",
                        params={
                            "municipality": town,
                            "neighbours": neighbours,
                            "date": f"{asker.day()}",
                            "duration_min": MINUTES,
                        },
                        timeout=30,
                    )
                    told.raise_for_status()

                took = await timed(f"search of {count} over HTTP", rounds, search, warm=8)
                numbers[f"http_p95_ms_{count}"] = p95(took)
            return numbers
    finally:
        web.terminate()
        web.wait()


async def _until_it_answers(http: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if (await http.get("/municipalities")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise SystemExit("the web process does not answer within 30 s")


async def _against_libres(rival: Rival, asker: Asker, ours: Numbers) -> Numbers:
    """Both answer: which of these resources have two hours free on the day, how many starts, the first six."""
    town, _ = REACH[LIBRES_MOST]
    names = await db.column(
        str,
        "SELECT r.id::text FROM resource r JOIN facility f ON f.id = r.facility WHERE f.municipality = $1",
        town,
    )
    days = [asker.day() for _ in range(LIBRES_ROUNDS)]
    numbers: Numbers = {"libres_rounds": LIBRES_ROUNDS, "libres_resources": len(names), "libres_days": DAYS}
    for key, how in (("", "scheduler"), ("_best", "best")):
        took, free = rival.search(how, names, days, MINUTES)
        numbers |= {f"libres{key}_p50_ms": p50(took), f"libres{key}_starts": free}
        numbers[f"ratio_libres{key}"] = round(p50(took) / float(ours[f"p50_ms_{LIBRES_MOST}"]), 1)
    wish = FreeWish((whole_day(days[-1]),), MINUTES, "training", asker.customer)
    told = await days_free([UUID(name) for name in names], wish, asker.now)
    numbers["our_starts"] = sum(one.free_count for one in told)
    return numbers


async def _measure(running: postgres.Server, packages_in: Path, rounds: int, now: datetime) -> Numbers:
    if "region" not in running.sql("SELECT datname FROM pg_database").split():
        await _region.found(running, "region", now)
    await migrate(running.url(postgres.OWNER, "region"))
    address = running.url(postgres.APP, "region")
    await db.open_pool(address, 4)
    party = await db.value(UUID, "SELECT id FROM party")
    stand = await db.value(int, "SELECT count(*) FROM reservation") or 0
    await db.close_pool()
    if party is None:
        raise SystemExit("the region has no party: remove the kept folder and start again")
    asker = Asker(party, now)
    numbers: Numbers = dict(machine())
    if stand <= 100_000:
        await _region.book_until(running, "region", 100_000)
        running.clone("region", "region_small")
    await _region.book_until(running, "region", 1_000_000)
    numbers["growth_100k_to_1m"] = await _growth(running, asker, rounds)
    numbers |= await _processor(address, asker, rounds)
    await db.open_pool(address, 4)
    numbers |= await _searches(asker, rounds)
    numbers |= await _others(asker, rounds)
    rival = Rival(running, "region", packages(packages_in), asker.first)
    await rival.fill()
    numbers |= await _against_libres(rival, asker, numbers)
    await db.close_pool()
    return numbers | await _over_http(address, rounds, asker)


def main() -> int:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        packages_in = said.keep / "libres" if said.keep else Path(aside) / "libres"
        with server(said.keep) as running:
            numbers = asyncio.run(_measure(running, packages_in, said.rounds, _now(said.keep)))
    report({"resources": 5000, "bookings": 1_000_000, "rounds": said.rounds, **numbers}, as_json=said.json)
    return 0


def _now(keep: Path | None) -> datetime:
    """Return the present, or the present of the kept database: its bookings lie around it."""
    if keep is None:
        return utc_now()
    mark = keep / "now.txt"
    if not mark.exists():
        keep.mkdir(parents=True, exist_ok=True)
        mark.write_text(utc_now().isoformat())
    return datetime.fromisoformat(mark.read_text())


if __name__ == "__main__":
    sys.exit(main())
