"""What the simulated Stripe remembers: one SQLite file, one transaction per request, safe against kill -9."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Thing = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, account TEXT, kind TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS thing_kind ON thing (account, kind, seq);
CREATE TABLE IF NOT EXISTS answered (account TEXT, key TEXT, fingerprint TEXT, status INTEGER, body TEXT,
  PRIMARY KEY (account, key));
CREATE TABLE IF NOT EXISTS delivery (seq INTEGER PRIMARY KEY, event TEXT, account TEXT, due REAL,
  attempts INTEGER DEFAULT 0);
"""


class Store:
    """All objects of all accounts. Every use happens inside `with store.change()`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        self._lock = threading.RLock()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All inside is on disk afterwards, or none of it is when an exception leaves the block."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """The file is released."""
        with self._lock:
            self._db.close()

    def next_id(self, prefix: str) -> str:
        """Return an id that was never used before: "pi_test_000012"."""
        (last,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM thing").fetchone()
        return f"{prefix}_{last + 1:06d}"

    def save(self, account: str, thing: Thing) -> Thing:
        """The object is stored, new or changed."""
        self._db.execute(
            "INSERT INTO thing (id, account, kind, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (thing["id"], account, thing["object"], json.dumps(thing)),
        )
        return thing

    def find(self, account: str, kind: str, thing_id: str) -> Thing | None:
        """Return an object of this account, or None: another account's looks absent."""
        row = self._db.execute(
            "SELECT body FROM thing WHERE id = ? AND account = ? AND kind = ?", (thing_id, account, kind)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def account_of(self, thing_id: str) -> str | None:
        """Return whose object this is."""
        row = self._db.execute("SELECT account FROM thing WHERE id = ?", (thing_id,)).fetchone()
        return None if row is None else row[0]

    def all(self, account: str, kind: str) -> list[Thing]:
        """Return every object of a kind, newest first, as Stripe lists them."""
        rows = self._db.execute(
            "SELECT body FROM thing WHERE account = ? AND kind = ? ORDER BY seq DESC", (account, kind)
        )
        return [json.loads(body) for (body,) in rows]

    def answered(self, account: str, key: str) -> tuple[str, int, str] | None:
        """Return fingerprint, status and body of the first answer to an idempotency key."""
        row: tuple[str, int, str] | None = self._db.execute(
            "SELECT fingerprint, status, body FROM answered WHERE account = ? AND key = ?", (account, key)
        ).fetchone()
        return row

    def remember(self, account: str, key: str, fingerprint: str, status: int, body: str) -> None:
        """The same key will be answered with this again."""
        self._db.execute(
            "INSERT INTO answered VALUES (?, ?, ?, ?, ?)", (account, key, fingerprint, status, body)
        )

    def forget_keys(self) -> None:
        """No idempotency key is known any more, as at Stripe after 24 hours."""
        self._db.execute("DELETE FROM answered")

    def owe(self, account: str, event: str, due: float) -> None:
        """The event is to be sent to the account's webhook at `due` (seconds since the epoch)."""
        self._db.execute("INSERT INTO delivery (event, account, due) VALUES (?, ?, ?)", (event, account, due))

    def owed(self, now: float) -> list[tuple[int, str, str, int]]:
        """Return due deliveries as (seq, event id, account, attempts), oldest first."""
        return self._db.execute(
            "SELECT seq, event, account, attempts FROM delivery WHERE due <= ? ORDER BY due, seq LIMIT 50",
            (now,),
        ).fetchall()

    def undelivered(self) -> int:
        """Return how many deliveries are still owed."""
        (count,) = self._db.execute("SELECT count(*) FROM delivery").fetchone()
        return int(count)

    def delivered(self, seq: int) -> None:
        """The delivery is done."""
        self._db.execute("DELETE FROM delivery WHERE seq = ?", (seq,))

    def try_later(self, seq: int, due: float) -> None:
        """The delivery is due again later."""
        self._db.execute("UPDATE delivery SET due = ?, attempts = attempts + 1 WHERE seq = ?", (due, seq))
