"""How long from a committed booking to *applied* at 200 controllers, and until all agree again after the broker is lost.

`./run bench doors [--json] [--controllers 200] [--bookings 200]`. Real PostgreSQL, a durable mosquitto, and the
reference controller's own objects in a process of their own. The baseline, a raw paho ping-pong, runs on the same
broker in the same run: two clients, QoS 1, retained, the payload of a snapshot and a report. One JSON line on
stdout; progress on stderr.
"""

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from rich.console import Console
from rich.progress import Progress

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from booking import broker, db, locks, postgres
from booking.clock import utc_now
from booking.controller.core import Controller
from booking.controller.hardware import SimulatedBolts
from booking.controller.link import Link
from booking.controller.main import KeyFile
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.ids import new_id
from booking.locks.link import Link as ServerLink
from booking.locks.mqtt import Wire, _set_nodelay
from booking.locks.packets import Incoming, Packet
from booking.migrate import migrate
from booking.people import Actor
from booking.settings import Settings
from booking.span import Span
from tests.controller.parts import RunningBroker, running_broker

PINGS, WARM_UP, PARTS = 200, 20, 4
MEMORY = Path(
    "/dev/shm"
)  # the controllers' flash: two hundred of them do not share the server's disk in a town
PAUSE_S = 0.05  # between single bookings: the broker has written what the last one left behind


# --- the controllers, in a process of their own ---


def run_fleet(folder: Path, url: str, part: int) -> int:
    """Serve every fourth key file in the folder until stdin closes; paho waits with select(), which knows no file above 1,024."""
    controllers: list[Controller] = []
    for file in sorted(folder.glob("*.json"))[part::PARTS]:
        controllers.append(_controller(file, url))
    print("ready", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), _leave()), daemon=True).start()
    while True:
        time.sleep(0.2)
        for one in controllers:
            one.tick()


def _leave() -> None:
    os._exit(0)


def _controller(file: Path, url: str) -> Controller:
    keys = msgspec.json.decode(file.read_bytes(), type=KeyFile)
    box: list[Link] = []
    start = time.monotonic_ns()

    def read() -> Moment:
        return Moment((time.monotonic_ns() - start) // 1_000_000, time.time_ns() // 1_000_000)

    store = Store(file.with_suffix(".db"))
    bolts = SimulatedBolts(lambda _: None)
    controller = Controller(keys.controller, keys.derived(), store, bolts, read, lambda out: box[0].send(out))
    box.append(Link(url, keys.password, controller, lambda _: None))
    box[0].start()
    return controller


# --- the baseline ---


def ping_pong(mqtt: RunningBroker, sizes: tuple[int, int]) -> float:
    """Return the median round trip of two raw paho clients, in milliseconds."""
    names = ("ping", "pong")
    broker.add_accounts(mqtt.state, dict.fromkeys(names, "bench"))
    time.sleep(0.5)
    # Each may write its own up/ and read its own dn/ only, so the server's account carries both ways.
    server = broker.password_of(mqtt.state, broker.SERVER) or ""
    came = threading.Event()
    a, b = _client(mqtt, broker.SERVER, server), _client(mqtt, "pong", "bench")
    a.on_message = lambda *_: came.set()

    def answer(client: Client, _user: object, _message: MQTTMessage) -> None:
        client.publish("lk/v1/pong/up/reported", bytes(sizes[1]), 1, True)

    b.on_message = answer
    a.subscribe("lk/v1/pong/up/#", 1)
    b.subscribe("lk/v1/pong/dn/#", 1)
    time.sleep(0.5)
    took = []
    for _ in range(PINGS + WARM_UP):
        came.clear()
        begin = time.perf_counter()
        a.publish("lk/v1/pong/dn/desired", bytes(sizes[0]), 1, True)
        if not came.wait(10):
            raise SystemExit("the ping-pong got no answer")
        took.append((time.perf_counter() - begin) * 1_000)
    for client in (a, b):
        client.disconnect()
        client.loop_stop()
    return statistics.median(took[WARM_UP:])


def _client(mqtt: RunningBroker, name: str, password: str) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(name, password)
    client.on_socket_open = _set_nodelay
    client.connect("127.0.0.1", int(mqtt.broker.url.rsplit(":", 1)[1]))
    client.loop_start()
    return client


# --- the measurement ---


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


async def _build(count: int, folder: Path, mqtt: RunningBroker) -> list[UUID]:
    now = utc_now()
    await db.run(
        "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
        " VALUES ('2401', 'Nordmaling', 63.5, 19.5, 'a@example.se', '0930', '0930')"
    )
    resources, passwords = [], {}
    for number in range(count):
        facility, hall, name = new_id(), new_id(), f"bench-{number}"
        await db.run(
            "INSERT INTO facility (id, municipality, slug, name, address, lat, lon)"
            " VALUES ($1, '2401', $2, $2, 'x', 1, 1)",
            facility,
            name,
        )
        await db.run(
            "INSERT INTO resource (id, facility, calendar, kind, slug, name, tariff_class) VALUES ($1, $2, $2, 'hall', $3, $3, 'h')",
            hall,
            facility,
            name,
        )
        made = await locks.enrol(name, facility=facility, by=Actor.system(), now=now, simulated=True)
        await locks.allow(hall, await locks.add_door(name, "d1", "Entré"))
        passwords[name] = made.password
        (folder / f"{name}.json").write_bytes(made.key_file)
        resources.append(hall)
    await db.run("UPDATE controller SET account_secret = NULL")
    await db.run("DELETE FROM outbox WHERE kind = 'locks.account'")
    broker.add_accounts(mqtt.state, passwords)
    return resources


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
    resources = await _build(said.controllers, folder, mqtt)
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
    single.sort()
    return {
        "applied_p50_ms": statistics.median(single),
        "applied_p99_ms": single[math.ceil(len(single) * 0.99) - 1],
        "applied_after_commit_p50_ms": statistics.median(from_commit),
        "fanout_200_s": fanout,
        "resync_200_s": resync,
        "roundtrip_ms": statistics.median(trips),
        "raw_roundtrip_ms": raw,
        "roundtrip_ratio": statistics.median(trips) / raw,
    }


def _start_part(folder: Path, url: str, part: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--fleet", str(folder), "--url", url, "--part", str(part)]
    root = Path(__file__).parents[1]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=root)


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
    parser.add_argument("--fleet", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.fleet:
        return run_fleet(said.fleet, said.url, said.part)
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
            took = asyncio.run(_measure(said, mqtt, address, Path(keys), bar))
    facts = {name: round(value, 2) for name, value in took.items()}
    print(json.dumps({"controllers": said.controllers, "bookings": said.bookings, **facts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
