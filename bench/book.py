"""How many bookings a second people can make over HTTP, against what PostgreSQL can do with the very same SQL.

`./run bench book [--seconds 10] [--rounds 2] [--clients 16] [--json]`. A booking is what a customer's page does: hold a
time, then reserve it on invoice. Both are committed with occupancy, charge, doors, journal, outbox and the answer
kept for a repeated key. Two real web processes; the clients are so thin that they are not what is measured.

The rival is pgbench with as many connections. Its script is not written but recorded: the application itself makes
bookings once more with a logger on its connection, and what it sent becomes the script, prepared, with only ids and
times made fresh. So it can't drift from the product.

    http_rps       bookings a second over HTTP (hold and reserve)
    pgbench_tps    the same two transactions a second by pgbench, without Python, HTTP, rules or prices
    ratio          the first by the second
    ratio_all_sql  the same where pgbench also runs what the requests ask outside the transactions
"""

import asyncio
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from asyncpg.connection import LoggedQuery

from bench.common import Numbers, machine, options, p50, p95, progress, report, say, server
from bench.storm import OWNER, web
from booking import billing, db, locks, people, places, postgres
from booking.app import create_app
from booking.clock import SWEDEN, utc_now
from booking.demo.seed import found
from booking.migrate import migrate
from booking.people import actions as people_actions
from booking.people.passwords import csrf_token
from booking.settings import Settings

KEY = bytes([7]) * 32
MOST_RESOURCES, FIRST_DAY, LAST_DAY = 12, 20, 330
PER_CLIENT = 300_000  # iterations a pgbench client may make before it would meet the next one's
APART = 3  # days from one to the next at a place: a door keeps a code for a day after its use


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be booked once."""

    resource: UUID
    start: datetime
    end: datetime
    terms: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is logged in and may pay on invoice."""

    token: str
    party: UUID


@dataclass
class Thin:
    """A keep-alive HTTP/1.1 client for answers with a Content-Length; costs hardly anything."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    person: Person
    answers: list[float] = field(default_factory=list)

    @classmethod
    async def open(cls, address: str, person: Person) -> "Thin":
        """Return a client with its connection open."""
        host, _, port = address.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)), person)

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer."""
        data = json.dumps(body).encode()
        head = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(data)}"]
        head += [f"{name}: {value}" for name, value in headers(self.person).items()]
        began = time.perf_counter()
        self.writer.write("\r\n".join([*head, "", ""]).encode() + data)
        top = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = re.search(r"content-length: (\d+)", top)
        told = json.loads(await self.reader.readexactly(int(size[1]) if size else 0) or b"{}")
        self.answers.append((time.perf_counter() - began) * 1000)
        return int(top[9:12]), told


def headers(person: Person) -> dict[str, str]:
    """Return what a page sends with a creating request."""
    return {
        "Content-Type": "application/json",
        "Cookie": f"booking_session={person.token}",
        "X-CSRF-Token": csrf_token(KEY, person.token),
        "Idempotency-Key": str(uuid4()),
    }


def wish(slot: Slot, person: Person) -> dict[str, Any]:
    """Return the body that holds the time."""
    times = {"start": slot.start.isoformat(), "end": slot.end.isoformat()}
    return {"resource_id": str(slot.resource), "party_id": str(person.party), "purpose": "other", **times}


def order(slot: Slot, hold: dict[str, Any]) -> dict[str, Any]:
    """Return the body that reserves what is held."""
    return {
        "hold_id": hold["id"],
        "method": "invoice",
        "expected_price_ore": hold["price"]["total_ore"],
        "terms_accepted": True,
        "terms_version": slot.terms,
    }


def settings_of(address: str, folder: Path, pool: int) -> Settings:
    """Return the settings of a process on this database."""
    return Settings(
        database_url=address,
        secret_key=KEY,
        stripe_api_base="http://127.0.0.1:9",
        stripe_keys={OWNER: "sk_test_x"},
        stripe_webhook_secrets={OWNER: ("whsec_x",)},
        demo=True,
        keypad_dir=folder / "controllers",
        pool_size=pool,
    )


async def settle(address: str, folder: Path, clients: int, now: datetime) -> list[Person]:
    """The demonstration's towns stand, and so many people of one of them may be invoiced and are logged in."""
    known = settings_of(address, folder, 4)
    billing.configure(known)
    locks.configure(known)
    await db.open_pool(address, 4)
    say("laying out the demonstration's places and people")
    await found(known, now)
    persons = []
    for number in range(clients):
        email, password = f"book{number}@bench.test", "book-book-book"
        account = await people_actions.register(
            name="Book", email=email, password=password, home=OWNER, now=now
        )
        token, _ = await people_actions.start_session(account, now)
        actor = await people.actor_of_session(token, now)
        if actor is None or actor.party is None:
            raise SystemExit("a person who has just registered is not there")
        await db.run(
            "UPDATE party SET may_be_invoiced = true, born = $2 WHERE id = $1", actor.party, date(1980, 1, 1)
        )
        persons.append(Person(token, actor.party))
    await db.run("ANALYZE")
    await db.close_pool()
    return persons


async def bookable(address: str, now: datetime) -> dict[UUID, list[Slot]]:
    """Return the free times of every resource that anybody may book at once, each time apart from the others."""
    await db.open_pool(address, 2)
    today = now.astimezone(SWEDEN).date()
    first, last = today + timedelta(days=FIRST_DAY), today + timedelta(days=LAST_DAY)
    every = [one for one in await places.resources(municipalities=[OWNER]) if one.kind != "equipment"]
    rules = await places.rules_on([one.id for one in every], first)
    opening = await places.open_days([one.calendar for one in every], first, last)
    result: dict[UUID, list[Slot]] = {}
    used: set[int] = set()
    for one in sorted(every, key=lambda each: len(each.leaves)):
        rule = rules[one.id]
        shy = rule.needs_approval or rule.quota_open or rule.quota_week or rule.needs_driver or rule.kinds
        if shy or rule.max_min < 120 or used & set(one.leaves):
            continue
        used |= set(one.leaves)
        slots = [
            Slot(one.id, start, start + timedelta(hours=2), rule.terms)
            for day, spans in opening[one.calendar].items()
            for span in spans
            if span.start.astimezone(SWEDEN).date() == day
            for start in _starts(span.start, span.end)
        ]
        if slots:
            result[one.id] = slots
        if len(result) == MOST_RESOURCES:
            break
    await db.close_pool()
    return result


def _starts(opens: datetime, closes: datetime) -> Iterator[datetime]:
    start = opens
    while start + timedelta(hours=2) <= closes:
        yield start
        start += timedelta(hours=3)  # whatever distance the place keeps


# --- HTTP ---


async def over_http(
    webs: Sequence[str], persons: Sequence[Person], slots: Iterator[Slot], seconds: float
) -> tuple[float, list[float]]:
    """Return bookings a second and how long each request took (ms)."""
    clients = [await Thin.open(webs[n % len(webs)], one) for n, one in enumerate(persons)]
    ends, done = time.perf_counter() + seconds, 0

    async def keep_booking(client: Thin) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            slot = next(slots)
            status, hold = await client.post("/api/holds", wish(slot, client.person))
            if status != 201:
                raise SystemExit(f"a hold was refused: {status} {hold}")
            status, made = await client.post("/api/reservations", order(slot, hold))
            if status != 201 or made["state"] != "confirmed":
                raise SystemExit(f"a booking was refused: {status} {made}")
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(keep_booking(one) for one in clients))
    took = time.perf_counter() - began
    for one in clients:
        one.writer.close()
    return done / took, [answer for one in clients for answer in one.answers]


# --- the recorded rival ---


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as the application sent it, with its arguments and their types."""

    sql: str
    args: tuple[object, ...]
    types: tuple[str, ...]


async def recorded(
    address: str, folder: Path, person: Person, pairs: Sequence[tuple[Slot, Slot]]
) -> list[list[Sent]]:
    """Return what the application sends for a booking of each pair's second time; the first warms its caches."""
    app = create_app(settings_of(address, folder, 1))
    await db.open_pool(address, 1)  # without the life span: nobody else speaks on the only connection
    async with db.connected() as connection:
        raw = getattr(connection, "_con", connection)
    heard: list[tuple[str, tuple[Any, ...]]] = []
    result = []

    def listen(one: LoggedQuery) -> None:
        heard.append((one.query, tuple(one.args or ())))

    raw.add_query_logger(listen)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bench") as client:
        for pair in pairs:
            for slot in pair:
                heard.clear()
                hold = await client.post("/api/holds", json=wish(slot, person), headers=headers(person))
                hold.raise_for_status()
                made = await client.post(
                    "/api/reservations", json=order(slot, hold.json()), headers=headers(person)
                )
                made.raise_for_status()
            sent = list(heard)
            result.append(await _typed(raw, sent))
    raw.remove_query_logger(listen)
    await db.close_pool()
    return result


async def _typed(connection: asyncpg.Connection, heard: list[tuple[str, tuple[Any, ...]]]) -> list[Sent]:
    sent = []
    for sql, args in heard:
        many = (bool(args) and all(isinstance(one, tuple) for one in args)) or ("$1" in sql and not args)
        types: tuple[str, ...] = ()
        if "$1" in sql:
            prepared = await connection.prepare(sql)
            types = tuple(
                one.name.removesuffix("[]") + "[]" * (one.kind == "array")
                for one in prepared.get_parameters()
            )
        for each in args if many else (args,):
            sent.append(Sent(sql, tuple(each), types))
    return sent


def in_transactions(sent: Sequence[Sent]) -> list[Sent]:
    """Return the statements from each BEGIN to its COMMIT."""
    inside, kept = False, []
    for one in sent:
        inside = inside or one.sql.startswith("BEGIN")
        if inside:
            kept.append(one)
        if one.sql.startswith("COMMIT"):
            inside = False
    return kept


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def uuids_in(sent: Sequence[Sent]) -> set[str]:
    """Return every id that the statements carry."""
    return {one for each in sent for one in _UUID.findall(repr(each.args))}


@dataclass(frozen=True, slots=True)
class Script:
    """Writes statements for pgbench: ids in `fresh` and times from `since` on are made anew in every run."""

    fresh: set[str]
    since: datetime

    def text(self, sent: Sequence[Sent]) -> str:
        """Return the script."""
        head = ["\\set n :n + 1", f"\\set id :client_id * {PER_CLIENT} + :n", f"\\set later :id * {APART}"]
        return "\n".join([*head, *(self._statement(one) for one in sent)]) + "\n"

    def _statement(self, one: Sent) -> str:
        def argument(found: re.Match[str]) -> str:
            number = int(found[1]) - 1
            return f"({self._value(one.args[number])})::{one.types[number]}"

        flat = " ".join(re.sub(r"--[^\n]*", "", one.sql).split()).rstrip(";")
        return re.sub(r"\$(\d+)", argument, flat) + ";"

    def _value(self, value: object) -> str:
        match value:
            case None:
                return "NULL"
            case bool() | int() | float():
                return str(value)
            case bytes():
                return f"'\\x{value.hex()}'"
            case datetime():
                moved = " + :later * interval '1 day'" if value >= self.since else ""
                return f"timestamptz {_quoted(value.isoformat())}{moved}"
            case date():
                return _quoted(value.isoformat())
            case list() | tuple():
                return "ARRAY[" + ", ".join(self._value(one) for one in value) + "]" if value else "'{}'"
            case _:
                return self._words(str(value))

    def _words(self, text: str) -> str:
        parts = re.split(f"({_UUID.pattern})", text)
        return " || ".join(
            _quoted(part[:24]) + " || lpad(to_hex(:id::bigint), 12, '0')"
            if part in self.fresh
            else _quoted(part)
            for part in parts
            if part or len(parts) == 1
        )


def _quoted(text: str) -> str:
    """Return a literal in which pgbench sees no variable."""
    plain = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{plain}'"


def by_pgbench(
    running: postgres.Server, database: str, scripts: Sequence[Path], clients: int, seconds: float
) -> float:
    """Return how many scripts a second pgbench ran; with any error it counts for nothing."""
    files = [word for one in scripts for word in ("-f", str(one))]
    done = subprocess.run(
        [
            running.programs / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2",
            "-T", str(max(1, round(seconds))), "-D", f"n={next(_fresh)}", *files,
            running.url(postgres.APP, database),
        ],
        check=False,
        cwd="/",
        env=os.environ | {"PGOPTIONS": "-c timezone=UTC -c jit=off"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    speed = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or speed is None or "number of failed transactions: 0 " not in done.stdout:
        raise SystemExit(f"pgbench: {done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return float(speed[1])


_fresh = count(0, 40_000)  # each run of pgbench has times of its own


async def measure(running: postgres.Server, folder: Path, args: Any) -> Numbers:
    """Return what was measured."""
    now = utc_now()
    running.create("book")
    await migrate(running.url(postgres.OWNER, "book"))
    persons = await settle(running.url(postgres.APP, "book"), folder, args.clients, now)
    slots = await bookable(running.url(postgres.APP, "book"), now)
    for name in ("recorded", "rival", "product"):
        running.clone("book", name)
    say(f"recording one booking each of {len(slots)} resources, twice")
    pairs = [(found[0], found[APART * 4]) for found in slots.values()]
    again = [(found[1], found[APART * 8]) for found in slots.values()]
    address = running.url(postgres.APP, "recorded")
    first = await recorded(address, folder, persons[0], pairs)
    second = await recorded(address, folder, persons[0], again)
    inside, whole = [], []
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        script = Script(uuids_in(one) - uuids_in(other), now + timedelta(days=FIRST_DAY - 2))
        for kind, kept in ((inside, in_transactions(one)), (whole, one)):
            path = folder / f"{'inside' if kind is inside else 'whole'}{number}.sql"
            path.write_text(script.text(kept))
            kind.append(path)
    statements = sum(len(in_transactions(one)) for one in first) / len(first)
    every = iter([one for each in zip(*slots.values(), strict=False) for one in each][3 * len(slots) :])
    http, rival, all_sql, answers = list[float](), list[float](), list[float](), list[float]()
    with ExitStack() as stack:
        webs = [
            stack.enter_context(web(running.url(postgres.APP, "product"), folder, n))
            for n in range(args.webs)
        ]
        await over_http(webs, persons, every, 2)
        by_pgbench(running, "rival", inside, args.clients, 2)
        with progress(f"{args.rounds} rounds of {args.seconds} s each way", args.rounds * 3) as more:
            for _ in range(args.rounds):
                speed, took = await over_http(webs, persons, every, args.seconds)
                http.append(speed)
                answers += took
                more(1)
                rival.append(by_pgbench(running, "rival", inside, args.clients, args.seconds))
                more(1)
                all_sql.append(by_pgbench(running, "rival", whole, args.clients, args.seconds))
                more(1)
    mean = [sum(each) / len(each) for each in (http, rival, all_sql)]
    return {
        "http_rps": round(mean[0], 1),
        "pgbench_tps": round(mean[1], 1),
        "ratio": round(mean[0] / mean[1], 3),
        "ratio_all_sql": round(mean[0] / mean[2], 3),
        "request_p50_ms": p50(answers),
        "request_p95_ms": p95(answers),
        "statements_per_booking": round(statements, 1),
        "resources": len(slots),
        "clients": args.clients,
        "webs": args.webs,
        "durable": int(not args.forgetful),
        **machine(),
    }


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--forgetful", action="store_true", help="without fsync: what the processors allow")
    parser.add_argument("--scripts", type=Path, help="also leave pgbench's scripts in this folder")
    args = parser.parse_args()
    with (
        postgres.temporary() if args.forgetful else server(None) as running,
        tempfile.TemporaryDirectory(prefix="booking-book-") as name,
    ):
        folder = args.scripts or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = asyncio.run(measure(running, folder, args))
    report(numbers, as_json=args.json)


if __name__ == "__main__":
    main()
