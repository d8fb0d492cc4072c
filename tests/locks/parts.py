"""The other end by hand, and what a test asks of a booking's code."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, locks
from booking.locks import reports, snapshots, vault
from booking.locks.packets import Packet
from booking.lockwire import snapshot
from booking.lockwire.envelope import Opened
from booking.lockwire.messages import Report
from booking.lockwire.snapshot import Snapshot
from booking.settings import Settings
from tests.controller.parts import RunningBroker
from tests.locks.conftest import SECRET, Hall, holder

REPORT = {
    "boot": 1,
    "rs": 1,
    "sid": "q7Zr2mVb0TgkXc9LwE4sJA",
    "dig": None,
    "rej": [],
    "pend": [],
    "bad": None,
    "cap": {
        "grants": 500,
        "reserve": 100,
        "max_doc": 32_768,
        "pin_min": 4,
        "pin_max": 8,
        "events": 5_000,
        "feat": ["pin"],
    },
    "clk": {"utc_ms": None, "src": "none", "err_ms": None},
    "pw": {"src": "mains", "bat": None},
    "doors": {"d1": {"pos": "closed", "lock": "locked", "mode": "normal", "fail": "secure"}},
    "ev": {"first": None, "last": None},
    "fw": "test",
}


class Device:
    """The other end, by hand: keeps what is published, and reports whatever the test says it has."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.rs, self.packets = hall, 0, list[Packet]()

    async def take(self, packet: Packet) -> int:
        self.packets.append(packet)
        return 0

    async def publish(self, now: datetime) -> None:
        await snapshots.publish(self.hall.controller, self.take, now)

    async def logged(self) -> tuple[int, int, str, bytes]:
        row = await db.row(
            _Log,
            "SELECT epoch, ver, digest, octets FROM snapshot_log WHERE controller = $1 ORDER BY epoch DESC, ver DESC LIMIT 1",
            self.hall.controller,
        )
        assert row is not None
        plain = vault.unseal(row.octets, f"snapshot:{self.hall.controller}:{row.epoch}:{row.ver}")
        return row.epoch, row.ver, row.digest, plain

    async def snapshot(self) -> Snapshot:
        return snapshot.decode((await self.logged())[3])

    async def report(self, now: datetime, version: tuple[int, int] | None = None, **more: object) -> None:
        epoch, ver, digest, _ = await self.logged()
        self.rs += 1
        body = REPORT | {"rs": self.rs, "dig": digest} | more
        await self.send(now, version or (epoch, ver), body)

    async def send(self, now: datetime, version: tuple[int, int], body: object) -> None:
        row = await snapshots.owed(self.hall.controller)
        assert row is not None
        await reports.judge(row, Opened(row.gen, *version, b""), msgspec.convert(body, Report), now)


class _Log(db.Record):
    epoch: int
    ver: int
    digest: str
    octets: bytes


async def state(reservation: UUID, now: datetime) -> str:
    return (await locks.states_of([reservation], now=now))[reservation]


async def pin_of(reservation: UUID, now: datetime) -> str | None:
    return (await locks.access_of(reservation, by=holder(reservation), now=now)).pin


FULL = {**REPORT["cap"], "feat": ["pin", "card", "pin+card", "after", "max", "reserve"]}  # type: ignore[dict-item]


@contextlib.asynccontextmanager
async def linked(mqtt: RunningBroker, accounts: str | None = None) -> AsyncIterator[None]:
    """A worker that holds the link, and keeps the broker's accounts where it is told how."""
    settings = Settings(
        database_url="", secret_key=SECRET, mqtt_url=mqtt.broker.server_url, mqtt_accounts=accounts
    )
    if accounts:
        await db.run("UPDATE outbox SET due_at = now()")  # the hall was enrolled on the day the tests play on
    stop = asyncio.Event()
    holding = asyncio.create_task(locks.hold_link(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(holding, 20)
