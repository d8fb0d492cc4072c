"""The world of a chaos run: halls, controllers, a broker, two workers, a database; built, and torn down."""

import asyncio
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import msgspec

from booking import broker, db, locks, postgres
from booking.clock import utc_now
from booking.controller.main import KEY_FILE
from booking.ids import new_id
from booking.people import Actor
from booking.span import Span
from tests.controller.parts import Process, RunningBroker
from tests.doors_chaos.eve import operate
from tests.doors_chaos.few_codes import POOL
from tests.doors_chaos.fleet import NATURE, Nature
from tests.doors_chaos.ledger import Hall, Ledger
from tests.doors_chaos.parts import ROOT, Alone, Fleet, Player

SECRET, TOWN = bytes(range(32)), "2401"
LIVE, COPY = "chaos", "chaos_backup"
ALONE, FLEETS = 4, 2  # real controller processes, processes for the others
Say = Callable[[str], None]


@dataclass
class World:
    """One run."""

    seed: int
    home: Path
    server: postgres.Server
    mqtt: RunningBroker
    say: Say
    length: int  # steps of a schedule
    chance: random.Random = field(init=False)
    ledger: Ledger = field(default_factory=Ledger)
    fleets: list[Fleet] = field(default_factory=list)
    alone: dict[str, Alone] = field(default_factory=dict)
    workers: list[Process] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    worst_s: float = 0.0
    kept: dict[str, dict[UUID, Span]] | None = None
    player: Player | None = None
    few: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(5)
    )  # as many as have a connection
    busy: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @property
    def address(self) -> str:
        """Where the live database is."""
        return self.server.url(postgres.APP, LIVE)

    async def build(self, count: int) -> None:
        """So many halls with a controller each are enrolled, known to the broker, and running; two workers, too."""
        await db.run(
            "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
            f" VALUES ('{TOWN}', 'Nordmaling', 63.5, 19.5, 'a@example.se', '0930', '0930-112')"
        )
        await db.run("INSERT INTO access_policy (municipality, reserve_per_day) VALUES ($1, 1)", TOWN)
        passwords = {}
        solo = min(ALONE, max(1, count // 10))
        folders = [self.home / f"fleet-{number}" for number in range(FLEETS)]
        for number in range(count):
            name = f"chaos-{number:03}"
            parent = self.home / "alone" if number < solo else folders[number % FLEETS]
            nature = Nature(
                skews=[[0], [0, 20, -20], [0, 90, -90], [900, -900, None]][number % 4],
                grants=5 if number % 10 == 4 else 1_000,
                has_reserve=number % 10 == 5,
                static_pins=[POOL[0]] if number % 10 == 6 else [],
            )
            passwords[name] = await self._hall(name, parent / name, nature, two=number % 3 == 0)
        await db.run("UPDATE controller SET account_secret = NULL")
        await db.run("DELETE FROM outbox WHERE kind = 'locks.account'")
        broker.add_accounts(self.mqtt.state, passwords)
        self.player = Player(self.mqtt, await asyncio.to_thread(operate, self.mqtt), random.Random(self.seed))
        port = int(self.mqtt.broker.url.rsplit(":", 1)[1])
        for hall in list(self.ledger.halls.values())[:solo]:
            room = ["--grants", str(hall.room)] if hall.room < 1_000 else []
            self.alone[hall.name] = Alone.make(hall.folder, port, *room, "--skew-s", "20")
        self.fleets = [Fleet(folder, self.mqtt.broker.url) for folder in folders]
        env = {
            "DATABASE_URL": self.address,
            "BOOKING_SECRET_KEY": SECRET.hex(),
            "MQTT_URL": self.mqtt.broker.server_url,
            "PYTHONPATH": str(ROOT),
            "DATABASE_POOL": "6",
        }
        program = "from booking.cli import main; main()"
        self.workers = [
            Process([sys.executable, "-c", program, "worker"], self.home / f"worker-{number}.log", env)
            for number in range(2)
        ]
        for one in [*self.workers, *(each.process for each in self.alone.values())]:
            one.start()
        await asyncio.gather(*(asyncio.to_thread(fleet.start) for fleet in self.fleets))

    async def _hall(self, name: str, folder: Path, nature: Nature, *, two: bool) -> str:
        await asyncio.to_thread(folder.mkdir, parents=True)
        facility, hall, at = new_id(), new_id(), utc_now()
        await db.run(
            "INSERT INTO facility (id, municipality, slug, name, address, lat, lon)"
            " VALUES ($1, $3, $2, $2, 'x', 1, 1)",
            facility,
            name,
            TOWN,
        )
        await db.run(
            "INSERT INTO resource (id, facility, calendar, kind, slug, name, tariff_class)"
            " VALUES ($1, $2, $2, 'hall', $3, $3, 'h')",
            hall,
            facility,
            name,
        )
        made = await locks.enrol(name, facility=facility, by=Actor.system(), now=at, simulated=True)
        doors = {"d1": (900, 900), "d2": (900, 1_800)} if two else {"d1": (900, 900)}
        for wire_id, (before, after) in doors.items():
            door = await locks.add_door(name, wire_id, wire_id)
            await locks.allow(hall, door, before_s=before, after_s=after)
        (folder / KEY_FILE).write_bytes(made.key_file)
        (folder / NATURE).write_bytes(msgspec.json.encode(nature))
        self.ledger.halls[name] = Hall(name, hall, doors, folder, nature.grants)
        return made.password

    def stop(self) -> None:
        """Nothing of ours runs any more."""
        for fleet in self.fleets:
            if fleet.child is not None:
                fleet.kill()
        for one in self.alone.values():
            one.process.kill()
            one.cable.close()
        for worker in self.workers:
            worker.kill()
        if self.player is not None:
            self.player.stop()
            self.player.eve.stop()
