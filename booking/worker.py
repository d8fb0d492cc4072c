"""The second process: APScheduler ticks drain the outbox, hold the MQTT link and run what is due.

Every job is an idempotent sweep over rows claimed with SKIP LOCKED, so any number of workers may run.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import asyncpg
import uvloop
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from booking import billing, db, feeds, idempotency, locks, messages, outbox, places, reservations
from booking.clock import utc_now
from booking.outbox import Debt, Handler
from booking.people import Actor
from booking.people import actions as people_actions
from booking.settings import Settings

log = logging.getLogger("booking.worker")

# Which function pays which debt. Those of `locks.LINKED` need the MQTT link and run where it is held.
HANDLERS: dict[str, Handler] = {**billing.HANDLERS, **messages.HANDLERS, **reservations.HANDLERS}


async def settle_events(now: datetime) -> None:
    """Every stored Stripe event has been looked up at Stripe and its news applied, once."""
    while (event := await billing.claim_event(now)) is not None:
        try:
            outcome = await billing.read_outcome(event)
            if outcome is not None:
                await reservations.settle_payment(outcome, now=now)
        except Exception as error:  # the event stays and is tried again
            log.exception("event %s failed", event.id)
            await billing.fail_event(event, f"{type(error).__name__}: {error}", now)
        else:
            await billing.finish_event(event, now)


async def settle_payments(now: datetime) -> None:
    """Payments whose webhook never came are found by asking Stripe; one that fails leaves the others."""
    for outcome in await billing.reconcile_payments(now):
        try:
            await reservations.settle_payment(outcome, now=now)
        except Exception:  # it is asked about again
            log.exception("payment %s could not be settled", outcome.payment_id)


async def run_calendars(now: datetime) -> None:
    """Every invoice run whose date has come has been done; done ones stay done."""
    for municipality, month in await billing.due_runs(now):
        result = await billing.run_invoices(municipality, month, by=Actor.system(), now=now)
        log.info("invoice run %s %s: %d issued", municipality, month, result.issued)


async def tidy(now: datetime) -> None:
    """What is kept only for a while is gone when its time is over."""
    await people_actions.forget_old(now)
    await idempotency.forget_old(now)
    await locks.forget_old(now)
    await locks.forget_events(now)
    await messages.forget_old(now)


async def keep_places(now: datetime) -> None:
    """Every resource has rules in force, and every calendar is known two years ahead."""
    await places.derive_missing(now)
    await places.roll_forward(now)


Sweep = Callable[[datetime], Awaitable[object]]
SWEEPS: list[tuple[Sweep, float]] = [
    (reservations.expire_due, 1),
    (reservations.complete_due, 15),
    (reservations.tell_overdue, 60),
    (reservations.end_waiting, 60),
    (reservations.watch_trips, 30),
    (settle_payments, 20),
    (run_calendars, 60),
    (tidy, 600),
    (keep_places, 3600),
]


def _paying(kinds: Iterable[str]) -> Sweep:
    lane = {kind: HANDLERS[kind] for kind in kinds}

    async def pay(_now: datetime) -> None:
        await outbox.drain(lane, utc_now, _log_failure)

    return pay


# Each lane has a loop of its own: a month's documents must not keep a payer from the checkout page.
QUICK = frozenset(HANDLERS).difference(billing.SLOW, reservations.SLOW, *messages.LANES)
SLOW = (billing.SLOW, reservations.SLOW, *messages.LANES)
LANES: list[Sweep] = [_paying(QUICK), settle_events, *map(_paying, SLOW)]


class Worker:
    """Wakes on NOTIFY and on ticks, and pays what is owed until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wakes = [asyncio.Event() for _ in LANES]
        self._stop = asyncio.Event()
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    async def run(self) -> None:
        """The worker works until SIGTERM or SIGINT, then finishes what it has begun."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self.stop)
        billing.configure(self._settings)
        locks.configure(self._settings)
        messages.configure(self._settings, feeds.SOURCES)
        await db.open_pool(self._settings.database_url, self._settings.pool_size)
        for sweep, seconds in SWEEPS:
            self._scheduler.add_job(
                self._guarded, "interval", seconds=seconds, args=[sweep], id=sweep.__name__
            )
        self._scheduler.start()
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._guarded(keep_places))]
        for lane, wake in zip(LANES, self._wakes, strict=True):
            tasks.append(asyncio.create_task(self._work(lane, wake)))
        if self._settings.mqtt_url is not None:
            tasks.append(asyncio.create_task(locks.hold_link(self._settings, self._stop)))
        log.info("worker is up")
        await self._stop.wait()
        await self._finish(tasks)

    def stop(self) -> None:
        """Stop after what is under way."""
        self._stop.set()
        self._wake()

    def _wake(self) -> None:
        for wake in self._wakes:
            wake.set()

    async def _finish(self, tasks: list[asyncio.Task[None]]) -> None:
        self._scheduler.shutdown(wait=False)
        done, late = await asyncio.wait(tasks, timeout=10)
        for task in late:
            task.cancel()
        await asyncio.gather(*done, *late, return_exceptions=True)
        await db.close_pool()
        log.info("worker is down")

    async def _guarded(self, sweep: Sweep) -> None:
        try:
            await sweep(utc_now())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("%s: the database is away (%s)", sweep.__name__, type(error).__name__)
        except Exception:  # what fails is tried again at its next tick
            log.exception("%s failed", sweep.__name__)

    async def _work(self, lane: Sweep, wake: asyncio.Event) -> None:
        while not self._stop.is_set():
            wake.clear()  # before looking: what is put meanwhile wakes us again
            await self._guarded(lane)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await wake.wait()

    async def _listen(self) -> None:
        """A notification is a hint that saves up to a second; the tick is the guarantee."""
        while not self._stop.is_set():
            try:
                connection = await db.dedicated()
                try:
                    await connection.add_listener("outbox", lambda *_: self._wake())
                    while not (self._stop.is_set() or connection.is_closed()):
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(1):
                                await self._stop.wait()
                finally:
                    await connection.close(timeout=2)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("listener: %s", type(error).__name__)
                await asyncio.sleep(1)


def _log_failure(debt: Debt, error: Exception) -> None:
    log.warning("%s %s: attempt %d failed: %s", debt.kind, debt.key, debt.attempts, error)


def run(settings: Settings) -> int:
    """Run a worker until it is told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("apscheduler", "stripe", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)  # one line per tick or request says nothing
    uvloop.run(Worker(settings).run())  # as the web process, by uvicorn
    return 0
