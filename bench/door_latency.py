"""How long from a committed booking to `applied`, and until everyone agrees again after the broker is lost.

`./run bench door_latency [--controllers 50] [--bookings 20]`. Real PostgreSQL and mosquitto; the controllers are
the reference controller's own objects, many in one process. Prints one JSON line.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from booking import broker, db, locks, postgres
from booking.clock import utc_now
from booking.controller.core import Controller
from booking.controller.hardware import SimulatedBolts
from booking.controller.link import Link
from booking.controller.main import KeyFile
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.ids import new_id
from booking.migrate import migrate
from booking.people import Actor
from booking.settings import Settings
from booking.span import Span
from tests.controller.parts import RunningBroker, running_broker


class Fleet:
    """Many controllers in this process, each with its own memory, key and connection."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder, self._links = url, folder, list[Link]()
        self._controllers: list[Controller] = []
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def add(self, key_file: bytes) -> None:
        """One more controller connects."""
        keys = msgspec.json.decode(key_file, type=KeyFile)
        box: list[Link] = []
        start = time.monotonic_ns()

        def read() -> Moment:
            return Moment((time.monotonic_ns() - start) // 1_000_000, time.time_ns() // 1_000_000)

        store = Store(self._folder / f"{keys.controller}.db")
        bolts = SimulatedBolts(lambda _: None)
        controller = Controller(
            keys.controller, keys.derived(), store, bolts, read, lambda out: box[0].send(out)
        )
        box.append(Link(self._url, keys.password, controller, lambda _: None))
        self._links += box
        self._controllers.append(controller)

    def start(self) -> None:
        """All connect."""
        for link in self._links:
            link.start()
        self._ticker.start()

    def stop(self) -> None:
        """All are gone."""
        self._stop.set()
        for link in self._links:
            link.stop()

    def _tick(self) -> None:
        while not self._stop.wait(0.1):
            for controller in self._controllers:
                controller.tick()


async def _build(count: int, fleet: Fleet, mqtt: RunningBroker) -> list[UUID]:
    now = utc_now()
    await db.run(
        "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
        " VALUES ('2401', 'Nordmaling', 63.5, 19.5, 'a@example.se', '0930', '0930')"
    )
    resources, passwords = [], {}
    for number in range(count):
        facility, resource, name = new_id(), new_id(), f"bench-{number}"
        await db.run(
            "INSERT INTO facility (id, municipality, slug, name, address, lat, lon)"
            " VALUES ($1, '2401', $2, $2, 'x', 1, 1)",
            facility,
            name,
        )
        await db.run(
            "INSERT INTO resource (id, facility, calendar, kind, slug, name, tariff_class) VALUES ($1, $2, $2, 'hall', $3, $3, 'h')",
            resource,
            facility,
            name,
        )
        made = await locks.enrol(name, facility=facility, by=Actor.system(), now=now, simulated=True)
        await locks.allow(resource, await locks.add_door(name, "d1", "Entré"))
        passwords[name] = made.password
        fleet.add(made.key_file)
        resources.append(resource)
    broker.add_accounts(mqtt.state, passwords)
    return resources


async def _book(resource: UUID, hour: int) -> UUID:
    booking, now = new_id(), utc_now()
    span = Span(now + timedelta(hours=hour), now + timedelta(hours=hour + 1))
    await locks.grant(
        reservation=booking, holder=booking, resources=[resource], span=span, purpose="training", now=now
    )
    return booking


async def _applied(bookings: list[UUID], seconds: float = 60) -> float:
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        states = await locks.states_of(bookings)
        if set(states.values()) == {"applied"}:
            return time.monotonic() - begin
        await asyncio.sleep(0.005)
    raise SystemExit(f"not applied within {seconds} s")


async def _measure(
    controllers: int, bookings: int, mqtt: RunningBroker, address: str, folder: Path
) -> dict[str, float]:
    settings = Settings(database_url=address, secret_key=bytes(range(32)), mqtt_url=mqtt.broker.server_url)
    locks.configure(settings)
    await db.open_pool(address, 10)
    fleet = Fleet(mqtt.broker.url, folder)
    resources = await _build(controllers, fleet, mqtt)
    stop = asyncio.Event()
    holding = asyncio.create_task(locks.hold_link(settings, stop))
    fleet.start()
    first = [await _book(resource, 1) for resource in resources]
    took = {"all_connected_and_applied_s": await _applied(first)}
    single = []
    for number in range(bookings):
        await asyncio.sleep(1.05)  # a controller reports at most once a second (§6)
        begin = time.monotonic()
        await _applied([await _book(resources[0], 2 + number)])
        single.append((time.monotonic() - begin) * 1_000)
    took |= {"applied_p50_ms": statistics.median(single), "applied_max_ms": max(single)}
    mqtt.process.kill()
    during = [await _book(resource, 40) for resource in resources]
    await asyncio.to_thread(mqtt.restart_without_storage)
    took["converged_after_broker_loss_s"] = await _applied(during)
    stop.set()
    await holding
    fleet.stop()
    await db.close_pool()
    return {name: round(value, 2) for name, value in took.items()}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--controllers", type=int, default=50)
    parser.add_argument("--bookings", type=int, default=20)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres.temporary() as server:
        server.create("bench")
        asyncio.run(migrate(server.url(postgres.OWNER, "bench")))
        address = server.url(postgres.APP, "bench")
        with running_broker(Path(folder) / "broker") as mqtt:
            took = asyncio.run(_measure(said.controllers, said.bookings, mqtt, address, Path(folder)))
    print(json.dumps({"controllers": said.controllers, "bookings": said.bookings, **took}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
