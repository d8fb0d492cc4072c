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
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from bench.common import machine, options, progress, report, say, server
from booking import billing, db, locks, people, places, postgres, reservations
from booking.clock import SWEDEN, at_local, utc_now
from booking.demo.seed import found
from booking.demo.state import free_port
from booking.migrate import migrate
from booking.people import Actor
from booking.people import actions as people_actions
from booking.places import Resource
from booking.reservations import Customer, Wish
from booking.settings import Settings
from booking.span import Span

ROOT = Path(__file__).parents[1]
CONTESTED, PARKED = "Hammarhallen", "Norrskenshallen"
OWNER = "2401"
DAYS = 340  # ahead that may be booked; each has three hours of its own
HONEST = {"slot_taken", "affected_bookings", "block_overlaps"}
PATHS = ("single", "single", "single", "single", "series", "block", "approval", "move")


@dataclass
class Client:
    """A browser that somebody has logged in from, on one of the two processes."""

    http: httpx.AsyncClient
    csrf: str

    async def send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Return the answer to a creating request."""
        headers = {"X-CSRF-Token": self.csrf, "Idempotency-Key": str(uuid4())}
        return await self.http.post(path, json=body, headers=headers)


@dataclass
class Try:
    """One wish of a round: the request, what it would take (leaf, from, until), and the answer."""

    client: Client
    path: str
    url: str
    body: dict[str, Any]
    takes: list[tuple[int, datetime, datetime]]
    status: int = 0
    code: str = ""
    worse: str = ""

    @property
    def won(self) -> bool:
        """True if the client was told that it got the time."""
        return self.status in (200, 201)


@dataclass
class World:
    """What the rounds need to know."""

    residents: list[Client]
    clubs: list[Client]
    staff: list[Client]
    halls: list[Resource]
    rules: dict[UUID, places.Rules]
    club: UUID
    requests: dict[int, list[UUID]] = field(default_factory=dict)
    movers: dict[int, list[UUID]] = field(default_factory=dict)
    targets: dict[UUID, tuple[Resource, Span]] = field(default_factory=dict)


async def storm(
    address: str, folder: Path, rounds: int, clients: int, seed: int
) -> dict[str, float | int | str]:
    """Return what the rounds came to."""
    chance, now = random.Random(seed), utc_now()
    settings = Settings(
        database_url=address,
        secret_key=bytes([7]) * 32,
        stripe_api_base="http://127.0.0.1:9",
        stripe_keys={OWNER: "sk_test_x"},
        stripe_webhook_secrets={OWNER: ("whsec_x",)},
        demo=True,
        keypad_dir=folder / "controllers",
    )
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
            world = await _world(webs, clients, now, open_clients)
            with progress(f"preparing {rounds} rounds of requests and bookings to move", rounds) as more:
                for number in range(rounds):
                    await _prepare(world, number, chance, now)
                    more(1)
            deadlocks = await _deadlocks()
            begun = time.monotonic()
            with progress(f"{rounds} rounds of {clients} clients", rounds) as more:
                for number in range(rounds):
                    wishes = _wishes(world, number, clients, chance, now)
                    started = time.monotonic()
                    await asyncio.gather(*(_send(one) for one in wishes))
                    slowest = max(slowest, time.monotonic() - started)
                    tally.update(await _judge(wishes))
                    tries.update(one.path for one in wishes)
                    tries.update(f"{one.path} won" for one in wishes if one.won)
                    await _clear(world)
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


@contextmanager
def web(address: str, folder: Path, number: int) -> Iterator[str]:
    """The address of a real `booking web` process."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": address,
        "BOOKING_SECRET_KEY": "07" * 32,
        "PORT": str(port),
        "BOOKING_DEMO": "1",
        "BOOKING_KEYPADS": str(folder / "controllers"),
    }
    with (folder / f"web{number}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "booking", "web"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            _await_ready(port, folder / f"web{number}.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _await_ready(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"the web process did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


async def _world(webs: list[str], clients: int, now: datetime, stack: AsyncExitStack) -> World:
    async def enter(account: UUID, number: int) -> Client:
        token, _ = await people_actions.start_session(account, now)
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=webs[number % len(webs)], cookies={"booking_session": token}, timeout=60
            )
        )
        return Client(http, (await http.get("/api/me")).json()["csrf"])

    async def account(email: str) -> UUID:
        known = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
        return known or await people_actions.register(
            name="Storm", email=email, password="storm-storm-storm", home=OWNER, now=now
        )

    residents = [await enter(await account(f"storm{n}@bench.test"), n) for n in range(clients)]
    clubs = [await enter(await account("ali@demo.test"), n) for n in range(2)]
    staff = [await enter(await account("stina@demo.test"), n) for n in range(2)]
    _, halls = await places.facility(
        await db.value(str, "SELECT slug FROM facility WHERE name = $1", CONTESTED) or ""
    )
    halls = [one for one in halls if one.kind in ("hall", "hall_part", "court") and not one.picks_unit]
    rules = await places.rules_on([one.id for one in halls], (now + timedelta(days=30)).date())
    actor = await people.actor_of_account(await account("ali@demo.test"), now)
    if actor is None:
        raise SystemExit("the demonstration has no association")
    club = await db.value(
        UUID,
        "SELECT id FROM party WHERE id = ANY($1) AND kind = 'association' ORDER BY name",
        list(actor.acts_for),
    )
    if club is None:
        raise SystemExit("the demonstration has no association")
    return World(residents, clubs, staff, halls, rules, club)


def _moment(number: int, now: datetime) -> datetime:
    """The instant that all wishes of the round cover: another evening for every round, then another hour."""
    day = (now.astimezone(SWEDEN) + timedelta(days=3 + number % DAYS)).date()
    return at_local(day.year, day.month, day.day, (11 + 4 * (number // DAYS)) * 60)


def _span(moment: datetime, rules: places.Rules, chance: random.Random) -> Span:
    """A random stretch that covers the moment, on the raster and within the rules."""
    step = timedelta(minutes=rules.step_min)
    least = max(rules.min_min, 60)
    length = timedelta(
        minutes=chance.choice([m for m in (60, 90, 120, 150, 180) if least <= m <= rules.max_min])
    )
    start = moment - step * chance.randrange(max(1, min(3, int(length / step))))
    return Span(start, start + length)


async def _prepare(world: World, number: int, chance: random.Random, now: datetime) -> None:
    """A request that waits without holding time, and a booking elsewhere that will want to move here."""
    staff = Actor.system()
    moment = _moment(number, now)
    hall = chance.choice(world.halls)
    await db.run(
        "UPDATE effective_rule SET needs_approval = true, pending_holds = false WHERE resource = $1", hall.id
    )
    wanted = _span(moment, world.rules[hall.id], chance)
    request = await _book(hall, wanted, world.club, staff, now)
    await db.run("UPDATE effective_rule SET needs_approval = false WHERE resource = $1", hall.id)
    world.requests[number], world.targets[request] = [request], (hall, wanted)
    _, parked = await places.facility(
        await db.value(str, "SELECT slug FROM facility WHERE name = $1", PARKED) or ""
    )
    whole = next(one for one in parked if one.part_of is None and one.kind == "hall")
    start = _moment(number, now)
    mover = await _book(whole, Span(start, start + timedelta(hours=2)), world.club, staff, now)
    there = chance.choice(world.halls)
    world.movers[number], world.targets[mover] = (
        [mover],
        (there, _span(moment, world.rules[there.id], chance)),
    )


async def _book(hall: Resource, span: Span, club: UUID, by: Actor, now: datetime) -> UUID:
    hold = await reservations.hold(Wish(hall.id, span, "training", Customer(club)), by=by, now=now)
    price = await db.value(int, "SELECT price_ore FROM reservation WHERE id = $1", hold) or 0
    await db.run(
        "UPDATE reservation SET account = (SELECT id FROM account WHERE email = 'ali@demo.test') WHERE id = $1",
        hold,
    )
    actor = await people.actor_of_account(
        await db.value(UUID, "SELECT id FROM account WHERE email = 'ali@demo.test'") or club, now
    )
    if actor is None:
        raise SystemExit("the demonstration has no association")
    terms = (await places.rules_on([hall.id], span.start.astimezone(SWEDEN).date()))[hall.id].terms
    return await reservations.reserve(
        hold,
        method="invoice",
        expected_ore=price,
        by=actor,
        now=now,
        return_url="http://127.0.0.1:9/{id}",
        terms_version=terms,
    )


def _wishes(world: World, number: int, count: int, chance: random.Random, now: datetime) -> list[Try]:
    moment, made = _moment(number, now), list[Try]()
    requests, movers = list(world.requests[number]), list(world.movers[number])
    for index in range(count):
        path = chance.choice(PATHS)
        if path == "approval" and requests:
            made.append(_approval(world, requests.pop(), chance))
        elif path == "move" and movers:
            made.append(_move(world, movers.pop(), chance))
        elif path == "series":
            made.append(_series(world, moment, chance))
        elif path == "block":
            made.append(_block(world, moment, chance))
        else:
            made.append(_single(world, world.residents[index], moment, chance))
    chance.shuffle(made)
    return made


def _takes(world: World, hall: Resource, span: Span) -> list[tuple[int, datetime, datetime]]:
    until = span.end + timedelta(minutes=world.rules[hall.id].gap_min)
    return [(leaf, span.start, until) for leaf in hall.leaves]


def _times(span: Span) -> dict[str, str]:
    return {"start": span.start.isoformat(), "end": span.end.isoformat()}


def _single(world: World, client: Client, moment: datetime, chance: random.Random) -> Try:
    hall = chance.choice(world.halls)
    span = _span(moment, world.rules[hall.id], chance)
    body = {"resource_id": str(hall.id), "purpose": "training", **_times(span)}
    return Try(client, "single", "/api/holds", body, _takes(world, hall, span))


def _series(world: World, moment: datetime, chance: random.Random) -> Try:
    hall = chance.choice(world.halls)
    first = _span(moment, world.rules[hall.id], chance)
    wall = first.start.astimezone(SWEDEN)
    close = first.end.astimezone(SWEDEN)
    spans = []
    for week in range(3):
        day = wall.date() + timedelta(days=7 * week)
        start = at_local(day.year, day.month, day.day, wall.hour * 60 + wall.minute)
        spans.append(Span(start, start + first.length))
    wish = {
        "resource_id": str(hall.id),
        "party_id": str(world.club),
        "purpose": "training",
        "first": {"date": str(wall.date()), "from": f"{wall:%H:%M}", "to": f"{close:%H:%M}"},
        "rrule": "FREQ=WEEKLY;COUNT=3",
    }
    body = {
        "wish": wish,
        "method": "invoice",
        "occurrences": [_times(span) for span in spans],
        "expected_total_ore": 0,
    }
    takes = [one for span in spans for one in _takes(world, hall, span)]
    return Try(chance.choice(world.clubs), "series", "/api/series", body, takes)


def _block(world: World, moment: datetime, chance: random.Random) -> Try:
    several = chance.sample(world.halls, chance.choice((1, 1, 2)))
    span = _span(moment, world.rules[several[0].id], chance)
    wish = {
        "municipality": OWNER,
        "category": "maintenance",
        "title": "Storm",
        "reason": "Golvet lagas",
        "resource_ids": [str(one.id) for one in several],
        **_times(span),
    }
    takes = [one for hall in several for one in _takes(world, hall, span)]
    return Try(chance.choice(world.staff), "block", "/api/blocks", {"wish": wish}, takes)


def _approval(world: World, request: UUID, chance: random.Random) -> Try:
    hall, span = world.targets[request]
    return Try(
        chance.choice(world.staff),
        "approval",
        f"/api/requests/{request}/approve",
        {},
        _takes(world, hall, span),
    )


def _move(world: World, mover: UUID, chance: random.Random) -> Try:
    hall, span = world.targets[mover]
    body = {"resource_id": str(hall.id), **_times(span)}
    return Try(
        chance.choice(world.clubs), "move", f"/api/reservations/{mover}/move", body, _takes(world, hall, span)
    )


async def _send(one: Try) -> None:
    try:
        answer = await _priced(one) if one.path == "series" else await one.client.send(one.url, one.body)
    except httpx.TransportError as error:
        one.code = one.worse = type(error).__name__
        return
    one.status = answer.status_code
    if not one.won:
        told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        one.code = str(told.get("code", answer.status_code))
        if one.status != 409 or one.code not in HONEST:
            one.worse = f"{one.path}: {answer.status_code} {one.code} {told.get('detail', '')}"


async def _priced(one: Try) -> httpx.Response:
    """A series says the sum it saw; who does not know it yet is told by the first answer."""
    answer = await one.client.send(one.url, one.body)
    if answer.status_code == 409 and answer.json().get("code") == "price_changed":
        one.body["expected_total_ore"] = answer.json()["total_ore"]
        answer = await one.client.send(one.url, one.body)
    return answer


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


async def _clear(world: World) -> None:
    """The next round finds the hall empty."""
    leaves = sorted({leaf for hall in world.halls for leaf in hall.leaves})
    await db.run("DELETE FROM occupancy WHERE leaf = ANY($1)", leaves)
    await db.run("UPDATE reservation SET state = 'expired' WHERE state = 'held'")


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
