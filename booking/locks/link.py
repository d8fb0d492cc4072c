"""Hold the link: one worker at a time speaks to the broker, publishes what is owed and hears what comes back."""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from booking import db, outbox
from booking.clock import utc_now
from booking.locks import (
    accounts,
    alarms,
    commands,
    covering,
    credentials,
    facts,
    ignored,
    incoming,
    reserve,
    snapshots,
    sweeps,
    telling,
)
from booking.locks.mqtt import BrokerUnavailable, Wire
from booking.locks.packets import Incoming, Packet
from booking.locks.versions import PUBLISH, owe
from booking.lockwire import ids
from booking.outbox import Debt, Handler, Postpone
from booking.settings import Settings

log = logging.getLogger("booking.locks")

_LEADER = 7_366_301  # any constant: the advisory lock of whoever holds the link
LANES = 4  # messages of one controller stay in order, those of different ones don't wait for each other
PUBLISHING = (
    6  # publishing waits for the database's and the broker's disk; different controllers don't for each other
)
RECONCILE_S, TIDY_S, CHECK_S = 5.0, 300.0, 2.0
LONGEST_LANE = 20_000

Step = Callable[[datetime], Awaitable[object]]
FIRST: tuple[Step, ...] = (sweeps.mend_reports,)
ALWAYS: tuple[Step, ...] = (sweeps.reconcile, alarms.watch, telling.tell_ready, ignored.tell)
TIDY: tuple[Step, ...] = (
    sweeps.refresh_horizon,
    sweeps.expire_ended,
    reserve.take_back_ended,
    reserve.stock,
    credentials.rotate_due,
    covering.cover_new_doors,
    facts.settle_facts,
)
_LOST = (
    OSError,
    asyncpg.InterfaceError,  # asyncpg's own DataError is one, too, and a ValueError
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)


async def hold_link(settings: Settings, stop: asyncio.Event) -> None:
    """Until told to stop: become the one who holds the link, hold it, and try again after any loss."""
    while not stop.is_set():
        try:
            await _lead(settings, stop)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("link: %s, trying again", type(error).__name__)
        except Exception:  # whatever it was, doors must not wait for an operator
            log.exception("link: lost, trying again")
        await _pause(stop, CHECK_S)


async def _lead(settings: Settings, stop: asyncio.Event) -> None:
    """Hold the link as long as the advisory lock is ours; it goes with its connection, also after kill -9."""
    connection = await db.dedicated()
    try:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER):
            await _pause(stop, CHECK_S)
            if stop.is_set():
                return
        log.info("this worker holds the lock link")
        await Link(settings.mqtt_url or "", settings.mqtt_accounts, settings.mqtt_ca).run(connection, stop)
    finally:
        await connection.close(timeout=2)


class Link:
    """One term of holding the link."""

    def __init__(self, url: str, accounts_mode: str | None, ca: Path | None = None) -> None:
        self._url, self._accounts, self._ca = url, accounts_mode, ca
        self._wire: Wire | None = None
        self._lanes: list[asyncio.Queue[Incoming]] = [asyncio.Queue(LONGEST_LANE) for _ in range(LANES)]
        self._continuity: set[str] = set()
        self._asked: set[str] = set()  # asked for a fresh report
        self._wake = asyncio.Event()

    @property
    def handlers(self) -> dict[str, Handler]:
        """Which debts are paid here."""
        return {PUBLISH: self._publish, commands.SEND: self._command, accounts.SET: self._account}

    async def run(self, leader: asyncpg.Connection, stop: asyncio.Event) -> None:
        """Work until told to stop or the leader's connection is lost."""
        self._wire = Wire(
            self._url,
            ca=self._ca,
            on_message=self._arrived,
            on_connected=self._connected,
            on_taken_over=self._taken_over,
        )
        await leader.add_listener("outbox", self._notified)
        self._wire.start()
        tasks = [asyncio.create_task(self._hear(lane)) for lane in self._lanes]
        tasks += [
            asyncio.create_task(self._pay(stop)),
            asyncio.create_task(self._sweep(stop)),
            asyncio.create_task(_until_lost(leader, stop)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._wire.stop()

    # -- what comes back ----------------------------------------------------------------------

    def _connected(self, session_present: bool) -> None:
        log.info("connected to the broker, session %s", "kept" if session_present else "new")
        if not session_present:
            asyncio.get_running_loop().create_task(self._owe_everything())
        self._wake.set()

    def _taken_over(self) -> None:
        asyncio.get_running_loop().create_task(self._note_two_servers())

    async def _note_two_servers(self) -> None:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await alarms.note_two_servers(utc_now())

    async def _owe_everything(self) -> None:
        """The broker has forgotten: every controller is owed its current version again (§12.4)."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with db.transaction():
                everyone = await db.column(
                    str,
                    "SELECT id FROM controller WHERE NOT quarantine AND (retired_at IS NULL"
                    " OR (rep_epoch, rep_ver) <> (epoch, want_ver)) ORDER BY id",
                )
                await owe(everyone, utc_now())

    def _arrived(self, message: Incoming) -> None:
        lane = self._lanes[zlib.crc32(message.topic.split("/")[2].encode()) % LANES]
        with contextlib.suppress(asyncio.QueueFull):  # everything that matters is said again
            lane.put_nowait(message)

    async def _hear(self, lane: asyncio.Queue[Incoming]) -> None:
        while True:
            message = await lane.get()
            try:
                for answer in await incoming.receive(message, utc_now()):
                    await self._send(answer)
                await self._note_continuity(message)
            except BrokerUnavailable:
                continue  # the controller asks or sends again
            except Exception:  # one bad message must not deafen us
                log.exception("message on %s", message.topic)

    async def _note_continuity(self, message: Incoming) -> None:
        """A report has been read since we hold the link; only then may its controller be published to (§12.4).

        Whether it was recognised is the row's business: an unknown one has put it into quarantine by now. The
        retained copy may be an old one that somebody has played back, so a fresh report is asked for, once.
        """
        found = ids.parse_topic(message.topic)
        if found is None or found[2] != "reported" or found[0] in self._continuity & self._asked:
            return
        if not await incoming.is_genuine(message):
            return
        if found[0] not in self._continuity:
            self._continuity.add(found[0])
            due = "UPDATE outbox SET due_at = $3 WHERE kind = $1 AND key = $2 AND due_at > $3"
            await db.run(due, PUBLISH, found[0], utc_now())
            self._wake.set()
        if found[0] not in self._asked:
            await self._ask_report(found[0])

    async def _ask_report(self, controller: str) -> None:
        packet = await commands.ask_report(controller, utc_now())
        if packet is not None:
            await self._send(packet)
        self._asked.add(controller)

    async def _ask_the_silent(self, _now: datetime) -> None:
        """Whose retained report is missing or spoilt would be heard of in 15 minutes only: he is asked, once."""
        if self._wire is None or not self._wire.is_connected:
            return
        every = "SELECT id FROM controller WHERE rep_boot > 0 AND NOT quarantine AND retired_at IS NULL ORDER BY id"
        for name in await db.column(str, every):
            if name not in self._asked:
                with contextlib.suppress(BrokerUnavailable):
                    await self._ask_report(name)

    # -- what is owed -------------------------------------------------------------------------

    async def _send(self, packet: Packet) -> int:
        if self._wire is None:
            raise BrokerUnavailable("not connected")
        return await self._wire.send(packet)

    async def _publish(self, debt: Debt, now: datetime) -> None:
        try:
            reason = await snapshots.publish(debt.key, self._send, now, heard=self._continuity)
        except snapshots.Unheard as error:
            raise Postpone(timedelta(seconds=1), str(error)) from error
        except BrokerUnavailable as error:
            raise Postpone(timedelta(seconds=1), str(error)) from error
        if reason is not None and reason >= 0x80:
            log.error("the broker refuses our snapshots: reason %#x; check the account's access list", reason)
            raise Postpone(timedelta(seconds=30), f"refused with {reason:#x}")

    async def _command(self, debt: Debt, now: datetime) -> None:
        try:
            await commands.send(UUID(debt.key), self._send, now)
        except BrokerUnavailable as error:
            raise Postpone(timedelta(seconds=1), str(error)) from error

    async def _account(self, debt: Debt, now: datetime) -> None:
        try:
            await accounts.settle(debt.key, self._accounts, self._send, now)
        except BrokerUnavailable as error:
            raise Postpone(timedelta(seconds=1), str(error)) from error

    def _notified(self, *_: object) -> None:
        self._wake.set()

    async def _pay(self, stop: asyncio.Event) -> None:
        lanes = outbox.Lanes(PUBLISHING, self.handlers, utc_now, _log_failure)
        await lanes.pay(self._wake, stop, lambda: self._wire is not None and self._wire.is_connected)

    async def _sweep(self, stop: asyncio.Event) -> None:
        since_tidy = TIDY_S
        while not stop.is_set():
            is_due = since_tidy >= TIDY_S
            for step in (
                *(FIRST if is_due else ()),
                *ALWAYS,
                self._ask_the_silent,
                *(TIDY if is_due else ()),
            ):
                await _take(step)
            since_tidy = 0 if is_due else since_tidy
            await _pause(stop, RECONCILE_S)
            since_tidy += RECONCILE_S


async def _take(step: Step) -> None:
    """What one step cannot do leaves the others to do theirs; only a lost database ends the term."""
    try:
        await step(utc_now())
    except Exception as error:
        if is_database_lost(error):
            raise
        log.exception("sweep: %s failed, the others go on", step.__qualname__)


def is_database_lost(error: Exception) -> bool:
    """True if the connection is gone; a bad value or a statement that took too long is not that."""
    return isinstance(error, _LOST) and not isinstance(error, (TimeoutError, ValueError))


async def _until_lost(leader: asyncpg.Connection, stop: asyncio.Event) -> None:
    """Return when told to stop; raise when the lock may be somebody else's."""
    while not stop.is_set():
        await leader.fetchval("SELECT 1", timeout=5)
        await _pause(stop, CHECK_S)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _log_failure(debt: Debt, error: Exception) -> None:
    log.warning("%s %s: attempt %d failed: %s", debt.kind, debt.key, debt.attempts, error)
