"""Messages owed to the outside. A row is a debt, not news: it says what to do, not what happened."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import asyncpg
import msgspec
from piccolo.columns import BigInt, BigSerial, Integer, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from booking import db
from booking.ids import new_id

LEASE = timedelta(seconds=12)  # renewed while the handler works: a worker that dies costs no more than this
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=10)


class Outbox(Table, tablename="outbox"):
    """One debt. The same (kind, key) put again before it is settled is one debt with a higher `rev`."""

    id = BigSerial(primary_key=True)
    kind = Varchar(length=40, default=None)
    key = Varchar(length=80, default=None)
    payload = Text(default="{}", help_text="JSON; never a PIN or a personal name.")
    rev = BigInt(default=1)
    due_at = Timestamptz(default=None)
    attempts = Integer(default=0)
    last_error = Text(null=True, default=None)
    created_at = Timestamptz(default=None)

    outbox_one_debt = Unique([kind, key])


class Debt(msgspec.Struct, frozen=True):
    """A claimed row."""

    id: int
    kind: str
    key: str
    payload: str
    rev: int
    attempts: int

    def read(self, kind: type[db.T]) -> db.T:
        """Return the payload as a `kind`."""
        return msgspec.json.decode(self.payload, type=kind)


class Postpone(Exception):
    """Raised by a handler that can't act yet: try again after `wait`, without counting it a failure."""

    def __init__(self, wait: timedelta, why: str) -> None:
        super().__init__(why)
        self.wait = wait


Handler = Callable[[Debt, datetime], Awaitable[None]]


async def put(
    kind: str,
    *,
    key: str | None = None,
    payload: object = None,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """The debt is recorded in the current transaction, and workers are told when it commits.

    A key that is already owed is owed once more (`rev`), also while somebody is paying it.
    Raises RuntimeError outside a transaction.
    """
    if not db.in_transaction():
        raise RuntimeError("a debt is recorded together with its cause: open a transaction")
    await db.run(
        "WITH debt AS (INSERT INTO outbox (kind, key, payload, rev, due_at, attempts, created_at)"
        " VALUES ($1, $2, $3, 1, $4, 0, $5) ON CONFLICT (kind, key) DO UPDATE SET rev = outbox.rev + 1,"
        " payload = excluded.payload, due_at = least(outbox.due_at, excluded.due_at), attempts = 0 RETURNING kind)"
        " SELECT pg_notify('outbox', kind) FROM debt",
        kind,
        key or str(new_id()),
        msgspec.json.encode(payload if payload is not None else {}).decode(),
        due_at or now,
        now,
    )


async def claim(kinds: list[str], now: datetime) -> Debt | None:
    """Return one due debt of these kinds, leased, or None. No transaction stays open."""
    found = await claim_some(kinds, now, 1)
    return found[0] if found else None


async def claim_some(kinds: list[str], now: datetime, limit: int) -> list[Debt]:
    """Return up to so many due debts of these kinds, leased, the longest due first.

    The disk is not waited for: a claim that a crash of the database undoes is a debt that is claimed again.
    """
    return await db.rows(
        Debt,
        "UPDATE outbox SET due_at = $2, attempts = attempts + 1 WHERE id = ANY(ARRAY("
        " SELECT id FROM outbox WHERE kind = ANY($1) AND due_at <= $3"
        " ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $4"
        f")) AND {db.NOT_WAITED_FOR} RETURNING id, kind, key, payload, rev, attempts",
        kinds,
        now + LEASE,
        now,
        limit,
    )


async def settle(debt: Debt, now: datetime, *, is_repeatable: bool = False) -> None:
    """The debt is gone, unless it grew while it was being paid: then it is due again at once.

    `is_repeatable`: the disk is not waited for, since paying it again after a crash of the database does no harm.
    """
    unwaited = f" AND {db.NOT_WAITED_FOR}" if is_repeatable else ""
    gone = await db.run(f"DELETE FROM outbox WHERE id = $1 AND rev = $2{unwaited}", debt.id, debt.rev)
    if not gone:
        # Not if somebody has claimed the grown one by now: he pays it.
        await db.run("UPDATE outbox SET due_at = $2 WHERE id = $1 AND attempts = 0", debt.id, now)


async def fail(debt: Debt, why: str, now: datetime) -> None:
    """The debt is due again after a wait that doubles with each attempt."""
    wait = min(FIRST_WAIT * 2 ** min(debt.attempts - 1, 12), LONGEST_WAIT)
    await db.run(
        "UPDATE outbox SET due_at = $2, last_error = $3 WHERE id = $1", debt.id, now + wait, why[:500]
    )


async def postpone(debt: Debt, pause: Postpone, now: datetime) -> None:
    """The debt is due again after the handler's own wait."""
    await db.run(
        "UPDATE outbox SET due_at = $2, attempts = greatest(attempts - 1, 0), last_error = $3 WHERE id = $1",
        debt.id,
        now + pause.wait,
        str(pause)[:500],
    )


@contextlib.asynccontextmanager
async def _leased(debt: Debt, read_clock: Callable[[], datetime]) -> AsyncIterator[None]:
    """Nobody else claims the debt while we are inside, unless it grows."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 4)
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await db.run(
                    "UPDATE outbox SET due_at = $2 WHERE id = $1 AND rev = $3 AND attempts = $4",
                    debt.id,
                    read_clock() + LEASE,
                    debt.rev,
                    debt.attempts,
                )

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing


OnError = Callable[[Debt, Exception], None]


async def drain(
    handlers: Mapping[str, Handler], read_clock: Callable[[], datetime], on_error: OnError
) -> int:
    """Every due debt of these kinds has been tried once; returns how many were paid."""
    paid = 0
    kinds = list(handlers)
    while (debt := await claim(kinds, read_clock())) is not None:
        paid += await _pay(debt, handlers, read_clock, on_error)
    return paid


async def _pay(
    debt: Debt,
    handlers: Mapping[str, Handler],
    read_clock: Callable[[], datetime],
    on_error: OnError,
    *,
    is_repeatable: bool = False,
) -> bool:
    """The debt has been tried and stands accordingly; True if it was paid."""
    try:
        async with _leased(debt, read_clock):
            await handlers[debt.kind](debt, read_clock())
    except Postpone as pause:
        await postpone(debt, pause, read_clock())
    except Exception as error:  # the debt survives whatever a handler meets
        on_error(debt, error)
        await fail(debt, f"{type(error).__name__}: {error}", read_clock())
    else:
        await settle(debt, read_clock(), is_repeatable=is_repeatable)
        return True
    return False


class Lanes:
    """Debts whose paying may be repeated, paid several at a time: a slow one holds up none that comes later."""

    def __init__(
        self,
        count: int,
        handlers: Mapping[str, Handler],
        read_clock: Callable[[], datetime],
        on_error: OnError,
    ) -> None:
        self._count, self._handlers, self._read_clock = count, handlers, read_clock
        self._on_error, self._working = on_error, set[asyncio.Task[bool]]()

    async def pay(self, wake: asyncio.Event, stop: asyncio.Event, can_pay: Callable[[], bool]) -> None:
        """Until told to stop, and while we can: whatever is due is paid, looked for at each wake and each second."""
        try:
            while not stop.is_set():
                wake.clear()
                is_full = can_pay() and await self._begin()
                await self._wait(wake, is_full)
        finally:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)

    async def _begin(self) -> bool:
        """As many due debts as there are free lanes are being paid; True if there may be more of them."""
        free = self._count - len(self._working)
        found = await claim_some(list(self._handlers), self._read_clock(), free) if free else []
        for debt in found:
            paying = _pay(debt, self._handlers, self._read_clock, self._on_error, is_repeatable=True)
            self._working.add(asyncio.create_task(paying))
        return len(found) == free

    async def _wait(self, wake: asyncio.Event, is_full: bool) -> None:
        """Return at a wake, after a second, or, when every lane is taken, as soon as one is free."""
        waking = asyncio.create_task(wake.wait())
        try:
            busy = self._working if is_full else set[asyncio.Task[bool]]()
            await asyncio.wait([waking, *busy], timeout=1, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
        done = {task for task in self._working if task.done()}
        self._working -= done
        for task in done:
            task.result()  # the database is gone: whoever runs us begins anew
