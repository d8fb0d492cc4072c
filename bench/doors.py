"""How long from a committed booking to *applied* at 200 controllers, and until all agree again after the broker is lost.

`./run bench doors [--json] [--controllers 200] [--bookings 200]`. Real PostgreSQL, a durable mosquitto, and the
reference controller's own objects in four processes, their memories in RAM. `applied` is counted from the call that
books, its transaction included, until a page that waits for the news can read it; `applied_after_commit` from the
commit, before which nothing may leave for a door. Single bookings follow each other at a pause of 50 ms; how many at
once are borne, `fanout` shows. The baseline, a raw paho ping-pong, runs on the same broker in the same run: two
clients, QoS 1, retained, the payload of a snapshot and a report. One JSON line on stdout; progress on stderr.
`--soak 100000`: see _door_soak.py.
"""

import argparse
import asyncio
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import uvloop
from rich.console import Console
from rich.progress import Progress

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench._door_fleet import PARTS
from bench._door_ping import ping_pong
from bench._door_soak import soak
from bench._door_town import build
from booking import broker, db, locks, postgres
from booking.clock import utc_now
from booking.ids import new_id
from booking.locks.link import Link as ServerLink
from booking.locks.mqtt import Wire
from booking.locks.packets import Incoming, Packet
from booking.migrate import migrate
from booking.settings import Settings
from booking.span import Span
from tests.controller.parts import RunningBroker, running_broker

ROOT = Path(__file__).resolve().parents[1]
MEMORY = Path(
    "/dev/shm"
)  # the controllers' flash: in a town, two hundred of them don't share the server's disk
PAUSE_S = 0.05  # between single bookings: the broker has written what the last one left behind


class Stopwatch:
    """Notes when a snapshot leaves and when its controller's report arrives, by controller."""

    def __init__(self) -> None:
        self.left: dict[str, float] = {}
        self.trips: list[float] = []
        self.sizes = (2_000, 1_200)
        send, arrived = Wire.send, ServerLink._arrived

        async def timed_send(wire: Wire, packet: Packet) -> int:
            if packet.topic.endswith("/desired"):
                self.left[packet.topic.split("/")[2]] = time.perf_counter()
                self.sizes = (len(packet.payload), self.sizes[1])
            return await send(wire, packet)

        def timed_arrived(link: ServerLink, message: Incoming) -> None:
            if message.topic.endswith("/reported") and (
                begin := self.left.pop(message.topic.split("/")[2], 0)
            ):
                self.trips.append((time.perf_counter() - begin) * 1_000)
                self.sizes = (self.sizes[0], len(message.payload))
            arrived(link, message)

        Wire.send, ServerLink._arrived = timed_send, timed_arrived  # type: ignore[method-assign]


async def _book(hall: UUID, hour: int) -> UUID:
    booking, now = new_id(), utc_now()
    span = Span(now + timedelta(hours=hour), now + timedelta(hours=hour + 1))
    await locks.grant(
        reservation=booking, holder=booking, resources=[hall], span=span, purpose="training", now=now
    )
    return booking


_APPLIED = "SELECT count(*) FROM access_grant WHERE reservation = ANY($1) AND applied_at IS NOT NULL"


async def _applied(bookings: list[UUID], step: float, seconds: float = 120) -> None:
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if await db.value(int, _APPLIED, bookings) == len(bookings):
            return
        await asyncio.sleep(step)
    raise SystemExit(f"not applied within {seconds} s")


class Watcher:
    """Learns of an applied code as a page does: by the journal's notice, then by looking."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Listen."""
        self._wire = await db.dedicated()
        await self._wire.add_listener("journal", lambda *_: self._news.set())

    async def applied(self, booking: UUID, seconds: float = 60) -> None:
        """Return when the booking's code is confirmed."""
        async with asyncio.timeout(seconds):
            while True:
                self._news.clear()
                if await db.value(int, _APPLIED, [booking]):
                    return
                await self._news.wait()

    async def stop(self) -> None:
        """Listen no more."""
        await self._wire.close(timeout=2)


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    begin = time.monotonic()
    await work()
    return time.monotonic() - begin


async def _measure(
    said: argparse.Namespace, mqtt: RunningBroker, address: str, folder: Path, bar: Progress
) -> dict[str, float]:
    watch, page = Stopwatch(), Watcher()
    settings = Settings(database_url=address, secret_key=bytes(range(32)), mqtt_url=mqtt.broker.server_url)
    locks.configure(settings)
    await db.open_pool(address, 10)
    step = bar.add_task(f"enrolling {said.controllers} controllers", total=None)
    resources, passwords = await build(said.controllers, folder, utc_now())
    broker.add_accounts(mqtt.state, passwords)
    bar.update(step, description="connecting them")
    fleet = [_start_part(folder, mqtt.broker.url, part) for part in range(PARTS)]
    stop = asyncio.Event()
    holding = asyncio.create_task(locks.hold_link(settings, stop))
    try:
        await _applied([await _book(one, 1) for one in resources], 0.05)
        await _settle()
        bar.update(step, description="single bookings", total=said.bookings)
        watch.trips.clear()
        single, from_commit = [], []
        await page.start()
        for number in range(said.bookings):
            hall = resources[number % len(resources)]
            begin = time.perf_counter()
            booking = await _book(hall, 2 + number // len(resources))
            committed = time.perf_counter()
            await page.applied(booking)
            single.append((time.perf_counter() - begin) * 1_000)
            from_commit.append((time.perf_counter() - committed) * 1_000)
            bar.advance(step)
            await asyncio.sleep(
                max(PAUSE_S, 1.05 / len(resources))
            )  # a controller reports once a second (§6)
        await page.stop()
        trips, sizes = list(watch.trips), watch.sizes
        await _settle()
        bar.update(step, description="fan-out to all", total=None)

        async def to_all(hour: int) -> None:
            await _applied(await asyncio.gather(*(_book(one, hour) for one in resources)), 0.01)

        fanout = await _timed(lambda: to_all(30))
        await _settle()
        bar.update(step, description="broker killed, its storage lost")
        mqtt.process.kill()
        during = await asyncio.gather(*(_book(one, 40) for one in resources))
        await asyncio.to_thread(mqtt.restart_without_storage)
        resync = await _timed(lambda: _applied(list(during), 0.02))
    finally:
        stop.set()
        await holding
        for one in fleet:
            one.kill()
        await db.close_pool()
    bar.update(step, description="raw paho ping-pong")
    raw = await asyncio.to_thread(ping_pong, mqtt, sizes)
    return {
        "applied_p50_ms": statistics.median(single),
        "applied_p99_ms": _p99(single),
        "applied_after_commit_p50_ms": statistics.median(from_commit),
        "fanout_200_s": fanout,
        "resync_200_s": resync,
        "roundtrip_ms": statistics.median(trips),
        "raw_roundtrip_ms": raw,
        "roundtrip_ratio": statistics.median(trips) / raw,
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.99) - 1]


def _start_part(folder: Path, url: str, part: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "bench" / "_door_fleet.py"), str(folder), url, str(part)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=ROOT)


async def _settle() -> None:
    """No door is owed anything any more; nobody sends messages to people here."""
    while await db.value(int, "SELECT count(*) FROM outbox WHERE kind LIKE 'locks.%'"):  # noqa: ASYNC110 the database can't call us
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.2)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="One JSON line; it is printed in any case.")
    parser.add_argument("--controllers", type=int, default=200)
    parser.add_argument("--bookings", type=int, default=200)
    parser.add_argument(
        "--soak", type=int, metavar="GRANTS", help="instead: so many grants over simulated days"
    )
    said = parser.parse_args()
    if said.soak:
        print(json.dumps(soak(said.controllers, said.soak)))
        return 0
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres.temporary() as server,
        Progress(console=Console(stderr=True)) as bar,
    ):
        server.create("bench")
        asyncio.run(migrate(server.url(postgres.OWNER, "bench")))
        address = server.url(postgres.APP, "bench")
        with (
            running_broker(Path(folder) / "broker") as mqtt,
            tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as keys,
        ):
            took = uvloop.run(_measure(said, mqtt, address, Path(keys), bar))  # as in both our processes
    facts = {name: round(value, 2) for name, value in took.items()}
    print(json.dumps({"controllers": said.controllers, "bookings": said.bookings, **facts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
