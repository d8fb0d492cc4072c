"""The database: one engine, one way to open a transaction, one way to take locks, one exclusion constraint."""

import asyncio
import contextlib
import functools
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from piccolo.constraints import Constraint
from piccolo.engine.postgres import PostgresEngine

os.environ.setdefault("PICCOLO_CONF", "booking.piccolo_conf")

T = TypeVar("T")
P = ParamSpec("P")
_BUILTIN = (UUID, datetime, date, time, timedelta, Decimal, bytes)  # what asyncpg already decodes
Connection = asyncpg.Connection | PoolConnectionProxy

# Limits of an application connection: a request never waits long for another one's row.
LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
    "plan_cache_mode": "force_generic_plan",  # each statement is planned once, docs/decisions/0018-plans.md
    "jit": "off",  # compiling takes longer than our longest query
    "application_name": "booking",
}

# A condition that always holds. Its transaction's commit does not wait for the disk: for what is done again
# anyway if a crash of the database undoes it. A later commit that waits makes everything before it durable, too.
NOT_WAITED_FOR = "(SELECT set_config('synchronous_commit', 'off', true)) = 'off'"


class Record(msgspec.Struct):
    """Base of what `rows` and `row` return: one field per column."""


class Engine(PostgresEngine):
    """Piccolo's engine, without its habit of connecting when it is imported."""

    async def check_version(self) -> None:
        """Not done at import; `booking migrate` checks the server."""

    async def prep_database(self) -> None:
        """Extensions come with migration 1."""


class _Held:
    """What Piccolo's own queries look for to join our transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection


DB = Engine(config={"dsn": os.environ.get("DATABASE_URL", "postgresql:///booking")})


class Exclude(Constraint):
    """PostgreSQL EXCLUDE USING gist, which Piccolo lacks. A changed predicate needs a new name."""

    def __init__(self, elements: str, where: str | None = None, name: str | None = None) -> None:
        self.elements, self.where = elements, where
        super().__init__(name=name, elements=elements, where=where)

    def serialise_self(self) -> None:
        """Nothing to turn into text: it is text."""

    @property
    def ddl(self) -> str:
        """The constraint as PostgreSQL reads it."""
        where = f" WHERE ({self.where})" if self.where else ""
        return f"EXCLUDE USING gist ({self.elements}){where}"

    def _table_str(self) -> str:
        return f"{self._meta.name} = Exclude({self.elements!r}, where={self.where!r})"


async def _keep_session(_connection: Connection) -> None:
    """Skip asyncpg's RESET ALL: pool connections never carry session state (a test holds us to it)."""


async def open_pool(dsn: str, size: int, **limits: str) -> None:
    """The pool is open and every query of this process goes to `dsn`. `limits` override LIMITS."""
    DB.config = {"dsn": dsn}
    await DB.start_connection_pool(
        min_size=1, max_size=size, reset=_keep_session, server_settings={**LIMITS, **limits}
    )


async def close_pool() -> None:
    """All connections are closed."""
    if DB.pool is not None:
        await DB.close_connection_pool()


def in_transaction() -> bool:
    """True inside `transaction()`."""
    return DB.current_transaction.get() is not None


def _current() -> Connection | None:
    held = DB.current_transaction.get()
    return None if held is None else held.connection


@contextlib.asynccontextmanager
async def transaction() -> AsyncIterator[Connection]:
    """All that happens inside is committed together or not at all; nested use joins the outer one.

    Used instead of Piccolo's own, which leaks the connection when COMMIT fails (design/stack.md §3).
    """
    if (held := _current()) is not None:
        yield held
        return
    if DB.pool is None:
        raise RuntimeError("open_pool() has not run")
    async with DB.pool.acquire(timeout=10) as connection, connection.transaction():
        token = DB.current_transaction.set(cast(Any, _Held(connection)))
        try:
            yield connection
        finally:
            DB.current_transaction.reset(token)


async def retried(act: Callable[[], Awaitable[T]]) -> T:
    """Act, and act again (at most three times more) when the database broke a tie against us.

    Inside a transaction there is nothing to repeat here: its owner repeats all of it.
    """
    for attempt in range(4):
        try:
            return await act()
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if in_transaction() or attempt == 3:
                raise
            await asyncio.sleep(random.uniform(0.005, 0.03) * 2**attempt)  # noqa: S311 jitter, not a secret
    raise AssertionError("unreachable")


def retrying(act: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return the action of one transaction as one that is `retried`."""

    @functools.wraps(act)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        return await retried(lambda: act(*args, **kwargs))

    return again


@contextlib.asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """What happens inside can fail without spoiling the transaction around it."""
    held = _current()
    if held is None:
        raise RuntimeError("a savepoint needs a transaction")
    async with held.transaction():
        yield


async def take_locks(space: str, keys: Iterable[object]) -> None:
    """Hold one advisory lock per key until the transaction ends, always taken in the same order.

    Serialises writers who would otherwise deadlock on the exclusion constraint (design/stack.md §5.3).
    """
    held = _current()
    if held is None:
        raise RuntimeError("locks need a transaction")
    names = sorted({f"{space}:{key}" for key in keys})
    await held.execute(
        "SELECT pg_advisory_xact_lock(h) FROM (SELECT DISTINCT hashtextextended(k, 0) AS h"
        " FROM unnest($1::text[]) k ORDER BY 1) locks",
        names,
    )


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[Connection]:
    """The transaction's connection, or one from the pool for a single statement."""
    if (held := _current()) is not None:
        yield held
        return
    if DB.pool is None:
        raise RuntimeError("open_pool() has not run")
    async with DB.pool.acquire(timeout=10) as connection:
        yield connection


async def rows(kind: type[T], sql: str, *args: object) -> list[T]:
    """Return every row as a `kind` (a msgspec Struct or dataclass with the columns' names)."""
    async with connected() as connection:
        found = await connection.fetch(sql, *args)
    return [msgspec.convert(dict(row), kind, builtin_types=_BUILTIN) for row in found]


async def row(kind: type[T], sql: str, *args: object) -> T | None:
    """Return the first row as a `kind`, or None."""
    found = await rows(kind, sql, *args)
    return found[0] if found else None


async def value(kind: type[T], sql: str, *args: object) -> T | None:
    """Return the first column of the first row, or None where there is no row or it is NULL."""
    async with connected() as connection:
        found = await connection.fetchval(sql, *args)
    return None if found is None else msgspec.convert(found, kind, builtin_types=_BUILTIN)


async def column(kind: type[T], sql: str, *args: object) -> list[T]:
    """Return the first column of every row."""
    async with connected() as connection:
        found = await connection.fetch(sql, *args)
    return [msgspec.convert(record[0], kind, builtin_types=_BUILTIN) for record in found]


async def run(sql: str, *args: object) -> int:
    """The statement has run; returns how many rows it touched."""
    async with connected() as connection:
        tag = await connection.execute(sql, *args)
    last = tag.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0


async def run_many(sql: str, sets: list[tuple[object, ...]]) -> None:
    """The statement has run once per set of arguments."""
    async with connected() as connection:
        await connection.executemany(sql, sets)


def where(*asked: tuple[str, object], first: int = 1) -> tuple[str, list[object]]:
    """Return the condition of those whose value is not None, their `{}` numbered from `first` on, and the values.

    A statement is planned once for all values: a filter that nobody asked for must not stand in it.
    """
    given = [(sql, value) for sql, value in asked if value is not None]
    conditions = [sql.format(f"${n}") for n, (sql, _) in enumerate(given, first)]
    return " AND ".join(conditions) or "true", [value for _, value in given]


async def dedicated() -> asyncpg.Connection:
    """Return a connection outside the pool, for LISTEN and session locks. The caller closes it."""
    settings: dict[str, Any] = {"timezone": "UTC", "application_name": "booking-session"}
    connection: asyncpg.Connection = await asyncpg.connect(**DB.config, server_settings=settings)
    return connection
