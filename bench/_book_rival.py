"""What the application sends to PostgreSQL, recorded, and written again as a script for pgbench."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from asyncpg.connection import LoggedQuery

from bench._book_people import APART, Person, Slot, headers, order, wish
from bench._web import settings_of
from booking import db, postgres
from booking.app import create_app

PER_CLIENT = 300_000  # iterations a pgbench client may make before it would meet the next one's


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
        env=os.environ | {"PGOPTIONS": "-c timezone=UTC -c jit=off -c plan_cache_mode=force_generic_plan"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    speed = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or speed is None or "number of failed transactions: 0 " not in done.stdout:
        raise SystemExit(f"pgbench: {done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return float(speed[1])


_fresh = count(0, 40_000)  # each run of pgbench has times of its own
