"""Seeded chaos over real parts: many controllers book, move and cancel while every part is killed, frozen and lied to.

A schedule is one controller's random sequence of grants, moves and cancellations during one round of faults. In
each round many run at once; at its end all faults are over, everything must converge, and what every controller
has stored is compared with a ledger that the product knows nothing of (ledger.py).
"""

import asyncio
import math
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from booking import broker, db, locks, postgres
from booking.clock import utc_now
from booking.controller.keypad import press
from booking.controller.main import KEY_FILE
from booking.ids import new_id
from booking.locks import codes, pin_rules
from booking.locks.codes import NoFreePin
from booking.locks.pin_rules import PinRule
from booking.migrate import migrate
from booking.people import Actor
from booking.settings import Settings
from booking.span import Span
from tests.controller.parts import Process, RunningBroker, running_broker
from tests.doors_chaos.eve import operate
from tests.doors_chaos.fleet import NATURE, Nature
from tests.doors_chaos.ledger import Hall, Ledger
from tests.doors_chaos.parts import ROOT, Alone, Fleet, Player, freeze, thaw

SECRET, TOWN = bytes(range(32)), "2401"
LIVE, COPY = "chaos", "chaos_backup"
AT_ONCE, ALONE, FLEETS = (
    100,
    4,
    2,
)  # controllers per round, real processes among them, processes for the others
ROUND_S, STEPS = 4.0, 3
CONVERGE_S = 180.0
CLOCK_S = 31  # a host's clock is believed within 30 s of the server's (§9.4); grace covers that
FAULTS = (
    "broker killed, its file lost", "broker killed, its file kept", "broker frozen", "worker killed",
    "worker frozen", "both workers killed", "controllers killed", "controllers frozen", "controllers cut off",
    "one controller killed", "one controller frozen", "one controller cut off",
)  # fmt: skip
Say = Callable[[str], None]


class _Version(db.Record):
    id: str
    rep_epoch: int
    rep_ver: int


@dataclass
class Chaos:
    """One run."""

    seed: int
    home: Path
    server: postgres.Server
    mqtt: RunningBroker
    say: Say
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
    _few: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(5)
    )  # as many as have a connection
    _busy: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @property
    def address(self) -> str:
        """Where the live database is."""
        return self.server.url(postgres.APP, LIVE)

    # -- building ---------------------------------------------------------------------------------

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

    # -- a schedule -------------------------------------------------------------------------------

    async def schedule(self, hall: Hall, chance: random.Random) -> None:
        """One controller's sequence: bookings are made, moved and cancelled at random moments."""
        for _ in range(STEPS):
            await asyncio.sleep(chance.uniform(0, 2 * ROUND_S / STEPS))
            many = len(hall.live)
            what = chance.choices(
                ("grant", "move", "cancel"), (3 if many < 9 else 0, many > 0, 1.5 * (many > 0))
            )
            async with self._few:
                await self._step(what[0], hall, chance)

    async def _step(self, what: str, hall: Hall, chance: random.Random) -> None:
        start = utc_now().replace(microsecond=0) + timedelta(
            minutes=chance.choice((-30, 1, chance.randrange(17_000)))
        )
        span = Span(start, start + timedelta(hours=chance.choice((2, 3, 8))))
        booking = new_id() if what == "grant" else chance.choice(sorted(hall.live))
        promise = {"reservation": booking, "holder": booking, "resources": [hall.resource], "span": span}
        if what != "cancel":
            self.ledger.allowed[booking] |= set(hall.windows(span))
        try:
            if what == "grant":
                await locks.grant(**promise, purpose="training", now=utc_now())  # type: ignore[arg-type]
                hall.live[booking] = span
            elif what == "move":
                await locks.move(**promise, purpose="training", now=utc_now())  # type: ignore[arg-type]
                hall.live[booking] = span
            else:
                await locks.revoke(booking, now=utc_now())
                del hall.live[booking]
        except (NoFreePin, TimeoutError):  # nothing has happened: no code is free, or no connection
            what = "refused"
        self.steps[what] += 1

    # -- faults -----------------------------------------------------------------------------------

    async def strike(self, fault: str, delay: float, seconds: float) -> None:
        """The fault happens after the delay and is over some seconds later."""
        await asyncio.sleep(delay)
        self.faults[fault] += 1
        await getattr(self, "_" + fault.replace(",", "").replace(" ", "_"))(seconds)

    async def _broker_killed_its_file_lost(self, seconds: float) -> None:
        self.mqtt.process.kill()
        for file in (self.mqtt.state / "data").glob("*"):
            file.unlink()
        await self._broker_back(seconds)

    async def _broker_killed_its_file_kept(self, seconds: float) -> None:
        self.mqtt.process.kill()
        await self._broker_back(seconds)

    async def _broker_back(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.mqtt.process.start()
        await asyncio.to_thread(self.mqtt.wait)

    async def _broker_frozen(self, seconds: float) -> None:
        await self._frozen(self.mqtt.process, seconds)

    async def _worker_killed(self, seconds: float) -> None:
        await self._killed(self.chance.choice(self.workers), seconds)

    async def _worker_frozen(self, seconds: float) -> None:
        await self._frozen(self.chance.choice(self.workers), seconds)

    async def _both_workers_killed(self, seconds: float) -> None:
        await asyncio.gather(*(self._killed(worker, seconds) for worker in self.workers))

    async def _controllers_killed(self, seconds: float) -> None:
        fleet = self.chance.choice(self.fleets)
        async with self._busy[id(fleet)]:
            await asyncio.to_thread(fleet.kill)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(fleet.start)

    async def _controllers_frozen(self, seconds: float) -> None:
        fleet = self.chance.choice(self.fleets)
        async with self._busy[id(fleet)]:
            assert fleet.child is not None
            freeze(fleet.child.pid)
            await asyncio.sleep(seconds)
            thaw(fleet.child.pid)

    async def _controllers_cut_off(self, _seconds: float) -> None:
        fleet = self.chance.choice(self.fleets)
        async with self._busy[id(fleet)]:
            await asyncio.to_thread(fleet.ask, "cut")

    async def _one_controller_killed(self, seconds: float) -> None:
        await self._killed(self._one().process, seconds)

    async def _one_controller_frozen(self, seconds: float) -> None:
        await self._frozen(self._one().process, seconds)

    async def _one_controller_cut_off(self, seconds: float) -> None:
        cable = self._one().cable
        cable.plug(False)
        await asyncio.sleep(seconds)
        cable.plug(True)

    def _one(self) -> Alone:
        return self.chance.choice(list(self.alone.values()))

    async def _killed(self, process: Process, seconds: float) -> None:
        async with self._busy[id(process)]:  # one fault at a time in one process
            process.kill()
            await asyncio.sleep(seconds)
            process.start()

    async def _frozen(self, process: Process, seconds: float) -> None:
        async with self._busy[id(process)]:
            assert process.child is not None
            freeze(process.child.pid)
            await asyncio.sleep(seconds)
            thaw(process.child.pid)

    # -- the database as it was ---------------------------------------------------------------------

    async def back_up(self) -> None:
        """A copy of the database and of the ledger is kept. Both workers die for it."""
        for worker in self.workers:
            worker.kill()
        self.kept = self.ledger.backup()
        await self._copy(LIVE, COPY)
        for worker in self.workers:
            worker.start()

    async def restore(self) -> None:
        """The database is what it was when it was copied; what came later is lost, and doors know better."""
        assert self.kept is not None
        for worker in self.workers:
            worker.kill()
        await self.ledger.read()  # what the doors may still have
        await self._copy(COPY, LIVE)
        self.ledger.restore(self.kept)
        self.kept = None
        for worker in self.workers:
            worker.start()
        self.faults["database restored from a backup"] += 1

    async def _copy(self, source: str, target: str) -> None:
        await db.close_pool()
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'"
        await asyncio.to_thread(self.server.sql, end)
        await asyncio.to_thread(self.server.clone, source, target)
        await db.open_pool(self.address, 6)

    # -- a round ----------------------------------------------------------------------------------

    async def round(self, number: int, halls: list[Hall], faults: list[str], *, lose: bool) -> None:
        """Schedules and faults run together; then all is quiet, and everything must agree."""
        assert self.player is not None
        if lose:
            await self.back_up()
        await self._linked()
        self.player.play(40)
        work = [self.schedule(hall, random.Random(f"{self.seed}/{number}/{hall.name}")) for hall in halls]
        work += [self.strike(one, self.chance.uniform(0, 3), self.chance.uniform(0.2, 2.5)) for one in faults]
        work += [self._watch(ROUND_S * 2)]
        await asyncio.gather(*work)
        if lose:
            await self.restore()
        self.player.stop()
        self._all_up()
        await self._linked()
        took = await self._converge()
        self.worst_s = max(self.worst_s, took)
        await self.ledger.sample()
        await self.ledger.settled()
        await self._clocks()
        await self._keypads()
        broken = dict(self.ledger.found) or "nothing wrong"
        self.say(
            f"round {number + 1}: {', '.join(faults)}{', restored' * lose}; converged in {took:.1f} s; {broken}"
        )

    async def _watch(self, seconds: float) -> None:
        """Look into every controller's memory while things are broken."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(seconds / 4)
            with suppress(OSError, asyncpg.PostgresError):
                await self.ledger.sample()

    async def _linked(self) -> None:
        """A worker holds the link: it is connected to the broker as it runs now."""
        deadline = time.monotonic() + CONVERGE_S
        while not any(
            one.said.count("connected to the broker") > one.said.count("broker connection lost")
            and one.child is not None
            and one.child.poll() is None
            for one in self.workers
        ):
            assert time.monotonic() < deadline, self.workers[0].said[-2_000:] + self.workers[1].said[-2_000:]
            await asyncio.sleep(0.1)

    def _all_up(self) -> None:
        for one in [self.mqtt.process, *self.workers, *(each.process for each in self.alone.values())]:
            assert one.child is not None
            assert one.child.poll() is None, one.said[-2_000:]
        for fleet in self.fleets:
            assert fleet.child is not None
            assert fleet.child.poll() is None, (fleet.folder / "log").read_text()[-2_000:]

    async def _converge(self) -> float:
        begin = time.monotonic()
        behind: list[str] = []
        while time.monotonic() - begin < CONVERGE_S:
            behind = await self._behind()
            if not behind:
                return time.monotonic() - begin
            await asyncio.sleep(0.2)
        for name in behind:
            row = await db.column(
                str,
                "SELECT concat_ws(' ', id, 'wants', epoch, want_ver, 'logged', logged_epoch, logged_ver, 'broker',"
                " broker_epoch, broker_ver, 'reported', rep_epoch, rep_ver, 'boot', rep_boot, rep_rs, 'quarantine',"
                " quarantine, 'seen', last_seen, 'off', offline_at, 'retry', retry_s, retry_at, 'bad',"
                " report::jsonb->>'bad') FROM controller WHERE id = $1",
                name,
            )
            held, _, _ = self.ledger.held(self.ledger.halls[name])
            self.ledger.note("unconverged", f"{row} holds {held}")
        return CONVERGE_S

    async def _behind(self) -> list[str]:
        """Return who does not hold, or has not proved, what is wanted; the operator confirms quarantines."""
        for name in await db.column(str, "SELECT id FROM controller WHERE quarantine ORDER BY id"):
            await locks.end_quarantine(name, by=Actor.system(), now=utc_now())
            self.faults["quarantine confirmed"] += 1
        reported = {
            row.id: (row.rep_epoch, row.rep_ver)
            for row in await db.rows(_Version, "SELECT id, rep_epoch, rep_ver FROM controller")
        }
        unheard = [
            name for name, hall in self.ledger.halls.items() if self.ledger.held(hall)[0] != reported[name]
        ]
        return unheard + await db.column(
            str,
            "SELECT id FROM controller c WHERE quarantine OR (rep_epoch, rep_ver) <> (epoch, want_ver)"
            " OR rep_boot = 0 OR EXISTS (SELECT FROM outbox WHERE kind = 'locks.publish' AND key = c.id)"
            " OR EXISTS (SELECT FROM access_grant g WHERE g.controller = c.id AND g.gone_ver IS NOT NULL"
            "   AND g.gone_at IS NULL) ORDER BY id",
        )

    async def _clocks(self) -> None:
        """Whoever believes a clock believes one that is right, whatever his host says."""
        deadline = time.monotonic() + 60
        while True:
            off: dict[str, int | None] = {}
            for fleet in self.fleets:
                off |= msgspec.convert(await asyncio.to_thread(fleet.ask, "clocks"), dict[str, int | None])
            wrong = {name: by for name, by in off.items() if by is not None and abs(by) > CLOCK_S}
            if not wrong or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)  # an answer that came too late does not count; it is asked for again
        for name, by in wrong.items():
            self.ledger.note("out_of_window", f"{name} believes a clock that is {by} s off")

    async def _keypads(self) -> None:
        """Type at the real controllers' keypads: in the middle of a window, just before it, and an old code."""
        for name, one in self.alone.items():
            hall = self.ledger.halls[name]
            rows = await self.ledger.read()
            _, snap, refused = self.ledger.held(hall)
            inside = {grant.id for grant in snap.grants if grant.id not in refused} if snap else set()
            for row in [row for row in rows if row.id.hex in inside and row.pin is not None][:2]:
                pin, span = (
                    codes.read_pin(row.id, row.pin or b""),
                    hall.live.get(row.reservation or UUID(int=0)),
                )
                if span is None:
                    continue  # already noted by `settled`
                nb, na = hall.windows(span)[0][1:]
                for at, opens in ((nb, True), (nb - 1, False), (na - 1, True), (na, False), (na - 1, True)):
                    outcome = await asyncio.to_thread(press, one.folder, "d1", pin, at)
                    promised = any(
                        start <= at < end
                        for id, other in hall.live.items()
                        for door, start, end in hall.windows(other)
                        if door == "d1" and pin in self._pins_of(rows, id)
                    )
                    if outcome.granted and not (opens or promised):
                        self.ledger.note("out_of_window", f"{name} opened at {at}, outside {nb}–{na}")
                    if opens and not outcome.granted and outcome.why != "locked_out":
                        self.ledger.note(
                            "unconverged", f"{name} refused at {at} ({outcome.why}) in {nb}–{na}"
                        )

    def _pins_of(self, rows: list, reservation: UUID) -> set[str]:  # type: ignore[type-arg]
        return {pin for row in rows if row.reservation == reservation for pin in self.ledger.pins[row.id.hex]}


# --- few codes, so that they collide --------------------------------------------------------------

POOL = [str(314_159 + 7 * number) for number in range(40)]


@asynccontextmanager
async def few_codes(chance: random.Random) -> AsyncIterator[None]:
    """Codes are drawn from 40 instead of a million, so that the same one is drawn again and again."""
    draw = pin_rules.draw

    def scarce(_rule: PinRule) -> str:
        return chance.choice(POOL)

    pin_rules.draw = scarce
    try:
        yield
    finally:
        pin_rules.draw = draw


def _fault_deck(rounds: int, chance: random.Random) -> list[list[str]]:
    """Every fault comes as often as any other; at least three in a round, all of them in a run."""
    each = max(3, math.ceil(len(FAULTS) / rounds))
    deck: list[str] = []
    while len(deck) < each * rounds:
        deck += chance.sample(FAULTS, len(FAULTS))
    brokers = [one for one in FAULTS if one.startswith("broker")]
    found: list[list[str]] = []
    for number in range(rounds):
        mine = deck[number * each : (number + 1) * each]
        first = next((one for one in mine if one in brokers), None)
        found.append([one for one in mine if one not in brokers or one == first])  # one broker at a time
    return found


async def run(
    seed: int, schedules: int, say: Say, *, at_once: int = AT_ONCE
) -> dict[str, float | int | dict[str, int]]:
    """Run so many schedules and return what was found; every count of a violation must be 0."""
    count = min(at_once, schedules)
    rounds = math.ceil(schedules / count)
    with tempfile.TemporaryDirectory(prefix="booking-chaos-") as place, postgres.temporary() as server:
        home = Path(place)
        server.create(LIVE)
        await migrate(server.url(postgres.OWNER, LIVE))
        with running_broker(home / "broker") as mqtt:
            chaos = Chaos(seed, home, server, mqtt, say)
            locks.configure(
                Settings(database_url=chaos.address, secret_key=SECRET, mqtt_url=mqtt.broker.server_url)
            )
            await db.open_pool(chaos.address, 6)
            try:
                async with few_codes(random.Random(seed)):
                    await _rounds(chaos, count, rounds, schedules)
            finally:
                await asyncio.to_thread(chaos.stop)
                await db.close_pool()
    for line in chaos.ledger.said:
        say(f"  {line}")
    kinds = ("lost_revocations", "out_of_window", "unconverged", "duplicate_pins")
    return {
        "schedules": schedules,
        **{kind: chaos.ledger.found[kind] for kind in kinds},
        "worst_converge_s": round(chaos.worst_s, 1),
        "seed": seed,
        "controllers": count,
        "steps": dict(sorted(chaos.steps.items())),
        "faults": dict(sorted(chaos.faults.items())),
        "played_back": chaos.player.said if chaos.player else 0,
    }


async def _rounds(chaos: Chaos, count: int, rounds: int, schedules: int) -> None:
    begin = time.monotonic()
    await chaos.build(count)
    took = await chaos._converge()
    chaos.say(
        f"seed {chaos.seed}: {count} controllers up {time.monotonic() - begin:.1f} s, {took:.1f} s of them converging"
    )
    halls = list(chaos.ledger.halls.values())
    decks = _fault_deck(rounds, chaos.chance)
    for number in range(rounds):
        mine = halls[: schedules - number * count]
        await chaos.round(number, mine, decks[number], lose=number % 4 == min(1, rounds - 1))
