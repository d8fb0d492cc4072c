"""Non-volatile memory: one SQLite file, every change one durable transaction (lock protocol §11.1)."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from booking.lockwire.messages import Bad, Event, Refusal

T = TypeVar("T")
RING = 5_000
Version = tuple[int, int]  # (epoch, ver), compared in this order

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS memory (id TEXT PRIMARY KEY, opened_at INTEGER, openings INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (i INTEGER PRIMARY KEY AUTOINCREMENT, boot INTEGER, seq INTEGER, body BLOB);
CREATE TABLE IF NOT EXISTS result (i INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, body BLOB);
"""


class Stored(msgspec.Struct, frozen=True):
    """The version in force. `octets` is the plain text, PINs included."""

    epoch: int
    ver: int
    gen: int
    digest: str
    octets: bytes
    refused: list[Refusal]

    def __repr__(self) -> str:
        return f"Stored(epoch={self.epoch}, ver={self.ver}, digest={self.digest!r})"


class Store:
    """The file under --state. Used under the controller's one lock."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._acked = self.get("acked", int) or 0

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """All inside is durable when this returns, or none of it happened; nested use joins."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get(self, name: str, kind: type[T]) -> T | None:
        """Return a fact, or None if it was never set."""
        row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=kind)

    def put(self, name: str, value: object) -> None:
        """The fact has this value."""
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, msgspec.msgpack.encode(value)))

    def keep_snapshot(self, stored: Stored, grants: set[str]) -> None:
        """The snapshot is in force and memory of grants that are gone is dropped."""
        with self.change():
            self.put("snapshot", stored)
            self.put("bad", None)
            kept = json.dumps(sorted(grants))
            self._db.execute("DELETE FROM memory WHERE id NOT IN (SELECT value FROM json_each(?))", (kept,))

    def bad(self) -> Bad | None:
        """Return the last dropped snapshot since the stored one."""
        return self.get("bad", Bad | None)  # type: ignore[arg-type]  # a union is no type[T] to mypy

    def memory(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return last opening (s) and number of openings per grant."""
        rows = self._db.execute("SELECT id, opened_at, openings FROM memory").fetchall()
        return {id: at for id, at, _ in rows if at is not None}, {id: count for id, _, count in rows}

    def count_opening(self, grant: str, at: int | None) -> None:
        """The grant has opened once more."""
        self._db.execute(
            "INSERT INTO memory VALUES (?1, ?2, 1) ON CONFLICT (id) DO UPDATE"
            " SET opened_at = coalesce(?2, opened_at), openings = openings + 1",
            (grant, at),
        )

    # -- events -------------------------------------------------------------------------------

    def add_event(self, event: Event) -> int:
        """The event is kept, in the row returned; the ring's oldest is overwritten and its successor says so."""
        body = msgspec.json.encode(event)
        made = self._db.execute(
            "INSERT INTO event (boot, seq, body) VALUES (?, ?, ?)", (event.boot, event.seq, body)
        )
        self.put("seq", event.seq)
        count, oldest = self._db.execute("SELECT max(i) - min(i) + 1, min(i) FROM event").fetchone()
        if count > RING:
            self._overwrite(oldest)
        return int(made.lastrowid or 0)

    def _overwrite(self, oldest: int) -> None:
        (body,) = self._db.execute("SELECT body FROM event WHERE i = ?", (oldest,)).fetchone()
        self._db.execute("DELETE FROM event WHERE i = ?", (oldest,))
        if oldest <= self.acked():
            return
        lost = msgspec.json.decode(body, type=Event).lost or 0
        i, successor = self._db.execute("SELECT i, body FROM event ORDER BY i LIMIT 1").fetchone()
        event = msgspec.structs.replace(msgspec.json.decode(successor, type=Event), lost=lost + 1)
        self._db.execute("UPDATE event SET body = ? WHERE i = ?", (msgspec.json.encode(event), i))

    def events_after(self, i: int, limit: int) -> list[tuple[int, Event]]:
        """Return kept events later than row i, oldest first."""
        rows = self._db.execute("SELECT i, body FROM event WHERE i > ? ORDER BY i LIMIT ?", (i, limit))
        return [(i, msgspec.json.decode(body, type=Event)) for i, body in rows.fetchall()]

    def events_between(self, first: tuple[int, int], last: tuple[int, int], limit: int) -> list[Event]:
        """Return kept events within two positions, both included."""
        rows = self._db.execute(
            "SELECT body FROM event WHERE (boot, seq) >= (?, ?) AND (boot, seq) <= (?, ?) ORDER BY i LIMIT ?",
            (*first, *last, limit),
        )
        return [msgspec.json.decode(body, type=Event) for (body,) in rows.fetchall()]

    def ends(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Return the positions of the oldest and the newest event kept."""
        query = "SELECT boot, seq FROM event ORDER BY i {} LIMIT 1"
        found = [self._db.execute(query.format(way)).fetchone() for way in ("ASC", "DESC")]
        return found[0], found[1]

    def acked(self) -> int:
        """Return the row up to which the server has stored our events."""
        return self._acked

    def acknowledge(self, boot: int, seq: int) -> bool:
        """Everything up to the position is stored by the server; False if that was known already."""
        row = self._db.execute("SELECT max(i) FROM event WHERE (boot, seq) <= (?, ?)", (boot, seq)).fetchone()
        if row[0] is None or row[0] <= self.acked():
            return False
        self.put("acked", row[0])
        self._acked = int(row[0])
        return True

    # -- commands -----------------------------------------------------------------------------

    def results_of(self, command: str) -> list[bytes] | None:
        """Return the answers given to one of the last 16 commands, in parts if there were parts."""
        row = self._db.execute("SELECT body FROM result WHERE id = ?", (command,)).fetchone()
        try:
            return None if row is None else msgspec.msgpack.decode(row[0], type=list[bytes])
        except (msgspec.MsgspecError, TypeError):  # kept by an older program; its number is spent: `stale`
            return None

    def keep_results(self, command: str, bodies: list[bytes]) -> None:
        """A repeated command will get the same answers."""
        packed = msgspec.msgpack.encode(bodies)
        self._db.execute("INSERT OR REPLACE INTO result (id, body) VALUES (?, ?)", (command, packed))
        self._db.execute("DELETE FROM result WHERE i <= (SELECT max(i) - 16 FROM result)")

    def size(self) -> int:
        """Return how many bytes the memory takes, its free pages included."""
        (pages,), (each,) = (
            self._db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
        )
        return int(pages) * int(each)

    def close(self) -> None:
        """The file is closed."""
        self._db.close()
