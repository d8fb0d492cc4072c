"""A soak of the doors: many grants over simulated days, on a real database and the reference controller's own objects.

The days pass as fast as they can be worked off, so the clock is simulated, and so is the wire: what would go through
the broker is handed over in memory, sealed as ever. Bookings are made up to ten days ahead, some are moved and
cancelled; codes are typed within their time and after it; every sweep runs. At the end nothing may have piled up.
"""

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from bench._door_town import build
from booking import db, locks, outbox, postgres
from booking.clock import utc_now
from booking.controller.core import Arrived, Controller
from booking.controller.hardware import SimulatedBolts
from booking.controller.main import KeyFile
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.controller.voice import Out
from booking.ids import new_id
from booking.locks import codes, incoming, snapshots, sweeps
from booking.locks.codes import NoFreePin
from booking.locks.packets import Incoming, Packet
from booking.locks.versions import PUBLISH
from booking.lockwire.decide import Presented
from booking.migrate import migrate
from booking.settings import Settings
from booking.span import Span

A_DAY, TURNS = 20, 4  # bookings per hall and day; how often a day the doors are served
TURN = timedelta(days=1) / TURNS
MEMORY = Path("/dev/shm")


@dataclass
class Soak:
    """One run."""

    chance: random.Random
    now: datetime
    begin: datetime
    controllers: dict[str, Controller] = field(default_factory=dict)
    said: dict[str, list[Out]] = field(default_factory=dict)
    live: dict[UUID, list[tuple[UUID, Span]]] = field(default_factory=dict)  # by hall
    wrong: dict[str, int] = field(default_factory=lambda: {"refused_inside": 0, "granted_outside": 0})
    typed: int = 0
    granted: int = 0

    def moment(self) -> Moment:
        """The hardware's clocks, as far as the simulated days have come."""
        past = int((self.now - self.begin).total_seconds() * 1_000)
        return Moment(past, int(self.now.timestamp() * 1_000))

    def add_all(self, folder: Path) -> None:
        """Every controller whose key lies in the folder is connected."""
        for file in sorted(folder.glob("*.json")):
            self._add(file)

    def _add(self, file: Path) -> None:
        keys = msgspec.json.decode(file.read_bytes(), type=KeyFile)
        out = self.said[keys.controller] = []
        store, bolts = Store(file.with_suffix(".db")), SimulatedBolts(lambda _: None)
        one = Controller(keys.controller, keys.derived(), store, bolts, self.moment, out.append)
        self.controllers[keys.controller] = one
        one.connecting()
        one.connected()

    # -- the wire ---------------------------------------------------------------------------------

    async def take(self, packet: Packet) -> int:
        """The simulated wire: a controller has what the server publishes."""
        name = packet.topic.split("/")[2]
        self.controllers[name].receive(Arrived(packet.topic, packet.payload, packet.retain))
        return 0

    async def hear(self) -> None:
        """The server has what the controllers have said, and they its answers, until nobody says anything."""
        while any(self.said.values()):
            for out in self.said.values():
                spoken, out[:] = list(out), []
                for one in spoken:
                    for answer in await incoming.receive(
                        Incoming(one.topic, one.payload, one.retain), self.now
                    ):
                        await self.take(answer)

    async def serve(self) -> None:
        """Every controller that is owed a snapshot has it, and has said so."""

        async def publish(debt: outbox.Debt, now: datetime) -> None:
            await snapshots.publish(debt.key, self.take, now)

        for _ in range(2):  # a report may be held back for a second
            await outbox.drain({PUBLISH: publish}, lambda: self.now, _fail)
            self.now += timedelta(seconds=2)
            for one in self.controllers.values():
                one.tick()
            await self.hear()

    # -- people -----------------------------------------------------------------------------------

    async def book(self, hall: UUID) -> None:
        """One more booking, up to ten days ahead; at times one is moved or cancelled besides."""
        start = self.now + timedelta(minutes=self.chance.randrange(30, 14_400))
        booking, span = new_id(), Span(start, start + timedelta(hours=self.chance.choice((1, 2))))
        promise = {"resources": [hall], "purpose": "training", "now": self.now}
        try:
            await locks.grant(reservation=booking, holder=booking, span=span, **promise)  # type: ignore[arg-type]
        except NoFreePin:
            return
        self.granted += 1
        mine = self.live.setdefault(hall, [])
        mine.append((booking, span))
        if self.chance.random() < 0.1:
            gone, _ = mine.pop(self.chance.randrange(len(mine)))
            await locks.revoke(gone, now=self.now)
        elif self.chance.random() < 0.1:
            moved, old = mine.pop(self.chance.randrange(len(mine)))
            later = Span(old.start + timedelta(hours=3), old.end + timedelta(hours=3))
            if old.start > self.now:
                await locks.move(reservation=moved, holder=moved, span=later, **promise)  # type: ignore[arg-type]
                old = later
            mine.append((moved, old))

    async def type_codes(self) -> None:
        """At each hall the code of a booking is typed in the middle of its time, and long after it."""
        for bookings in self.live.values():
            bookings[:] = [one for one in bookings if one[1].end > self.now - timedelta(days=1)]
            if not bookings:
                continue
            booking, span = self.chance.choice(bookings)
            row = await db.row(
                _Code,
                "SELECT id, controller, pin, applied_at IS NOT NULL AS is_in FROM access_grant"
                " WHERE reservation = $1 AND gone_ver IS NULL AND pin IS NOT NULL",
                booking,
            )
            if row is not None and row.is_in:
                pin = Presented(pin=codes.read_pin(row.id, row.pin))
                door = self.controllers[row.controller]
                middle = int((span.start + (span.end - span.start) / 2).timestamp())
                self.typed += 2
                self.wrong["refused_inside"] += not door.present("d1", pin, middle).granted
                self.wrong["granted_outside"] += door.present("d1", pin, middle + 400 * 86_400).granted


class _Code(db.Record):
    id: UUID
    controller: str
    pin: bytes
    is_in: bool


def _fail(debt: outbox.Debt, error: Exception) -> None:
    raise SystemExit(f"{debt.key}: {error!r}")


async def _day(run: Soak, halls: list[UUID]) -> None:
    for _ in range(TURNS):
        turn_ends = run.now + TURN
        for hall in halls:
            for _ in range(A_DAY // TURNS):
                await run.book(hall)
        await run.serve()
        await run.type_codes()
        run.now = turn_ends
        await sweeps.expire_ended(run.now)
        await sweeps.refresh_horizon(run.now)
        await sweeps.reconcile(run.now)
        await run.serve()
    await locks.forget_old(run.now)


async def _soak(address: str, folder: Path, count: int, grants: int) -> dict[str, float]:
    locks.configure(Settings(database_url=address, secret_key=bytes(range(32))))
    await db.open_pool(address, 4)
    now = utc_now()
    run = Soak(random.Random(count), now, now)
    halls, _ = await build(count, folder, now)
    run.add_all(folder)
    await run.hear()
    took: list[float] = []
    while run.granted < grants:
        begun, before = time.perf_counter(), run.granted
        await _day(run, halls)
        took.append((time.perf_counter() - begun) * 1_000 / max(1, run.granted - before))
        say = f"day {len(took)}: {run.granted:,} grants, {took[-1]:.1f} ms each, {run.wrong}"
        print(say, file=sys.stderr, flush=True)
    for _ in range(12 * TURNS):  # all that was booked comes to its end
        run.now += TURN
        await sweeps.expire_ended(run.now)
        await sweeps.refresh_horizon(run.now)
        await run.serve()
    run.now += timedelta(days=8)
    await locks.forget_old(run.now)
    found = await _left(run)
    await db.close_pool()
    tenth = max(1, len(took) // 10)
    return {
        "controllers": count,
        "grants": run.granted,
        "simulated_days": round((run.now - run.begin) / timedelta(days=1)),
        "typed": run.typed,
        **run.wrong,
        **found,
        "first_days_ms_per_grant": round(sum(took[1 : 1 + tenth]) / tenth, 2),
        "last_days_ms_per_grant": round(sum(took[-tenth:]) / tenth, 2),
    }


async def _left(run: Soak) -> dict[str, float]:
    """Return what has piled up: all but the last two must be 0."""
    counts = {
        "not_confirmed_gone": "SELECT count(*) FROM access_grant WHERE gone_at IS NULL",
        "codes_kept": "SELECT count(*) FROM access_grant WHERE pin IS NOT NULL",
        "not_in_sync": "SELECT count(*) FROM controller WHERE (rep_epoch, rep_ver) <> (epoch, want_ver)",
        "in_quarantine": "SELECT count(*) FROM controller WHERE quarantine",
        "owed": "SELECT count(*) FROM outbox WHERE kind = 'locks.publish'",
        "database_mib": "SELECT pg_database_size(current_database()) / 1048576",
    }
    found: dict[str, float] = {name: await db.value(int, sql) or 0 for name, sql in counts.items()}
    held = [one.snapshot for one in run.controllers.values()]
    found["grants_in_doors"] = sum(len(one.grants) for one in held if one is not None)
    found["largest_memory_kib"] = max(one.store.size() for one in run.controllers.values()) // 1_024
    return found


def soak(count: int, grants: int) -> dict[str, float]:
    """Run so many grants at so many controllers and return what was found."""
    with (
        postgres.temporary() as server,
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder,
    ):
        server.create("bench")
        asyncio.run(migrate(server.url(postgres.OWNER, "bench")))
        return asyncio.run(_soak(server.url(postgres.APP, "bench"), Path(folder), count, grants))
