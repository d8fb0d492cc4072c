"""Hostile payloads through the server's whole way in, database included; also those a controller seals itself."""

from datetime import datetime, timedelta

import msgspec
import pytest

from booking import db, locks
from booking.conformance import forge
from booking.conformance.vectors import REPORT
from booking.controller.main import KeyFile
from booking.locks import alarms, facts, ignored, incoming, reserve, sweeps, vault
from booking.locks.packets import Incoming
from booking.lockwire import ids
from tests.controller.test_fuzz import up_bases
from tests.locks.conftest import SECRET, TOWN, holder, hours, make_hall, staff
from tests.lockwire.fuzz import Base, payloads, well_sealed

COUNT, SEALED, SEED = 1_500, 2_000, 7


@pytest.mark.timeout(110)
async def test_fuzzed_payloads__neither_raise_nor_move_a_grant_nor_make_rows(
    pool: str, now: datetime
) -> None:
    vault.open_vault(SECRET)
    hall = await make_hall()
    keys = msgspec.json.decode(hall.key_file, type=KeyFile).derived()[-1]
    booking = await hall.book(hours(now, 1, 2), now)
    bases = [Base(ids.up(hall.controller, _name(base)), base.plain) for base in up_bases()]
    before = await locks.states_of([booking])
    for number, (topic, payload) in enumerate(payloads(SEED, COUNT, bases, keys, "up")):
        await incoming.receive(Incoming(topic, payload, number % 2 == 0), now + timedelta(seconds=number))
    for name in ("status", "reported", "nonsense"):
        for payload in (b"{}", b"[" * 20_000, b"\xff", b'{"st":"offline","boot":1,"sid":1}'):
            await incoming.receive(Incoming(ids.up(hall.controller, "status"), payload, False), now)
            await incoming.receive(Incoming(f"lk/v1/nobody-1/up/{name}", payload, False), now)

    assert await locks.states_of([booking]) == before
    assert await db.value(int, "SELECT count(*) FROM controller") == 1


FORGET = (
    "UPDATE controller SET quarantine = false, rep_boot = 0, rep_rs = 0, ev_boot = 17, ev_seq = 9120"
    " WHERE id = $1"
)


@pytest.mark.timeout(110)
async def test_a_mad_controllers_own_messages__leave_sweeps_pages_and_its_log_at_work(
    pool: str, now: datetime
) -> None:
    """All of them are well sealed, so that all of them reach the database as far as their texts let them."""
    vault.open_vault(SECRET)
    hall = await make_hall()
    keys = msgspec.json.decode(hall.key_file, type=KeyFile).derived()[-1]
    booking = await hall.book(hours(now, 1, 2), now)
    bases = [Base(ids.up(hall.controller, _name(base)), base.plain) for base in up_bases()]
    for number, (topic, payload) in enumerate(well_sealed(SEED, SEALED, bases, keys)):
        at = now + timedelta(seconds=number)
        await incoming.receive(Incoming(topic, payload, False), at)
        if number % 20 == 0:
            for step in (sweeps.reconcile, alarms.watch, ignored.tell, reserve.stock, facts.settle_facts):
                await step(at)
            await locks.doors(TOWN, by=staff(), now=at)
            await locks.access_of(booking, by=holder(booking), now=at)
            await db.run(FORGET, hall.controller)

    assert await db.value(int, "SELECT count(*) FROM controller WHERE report IS NOT NULL") == 1
    assert (await db.value(int, "SELECT count(*) FROM door_event") or 0) > 0


async def test_a_report_of_a_version_never_written__confirms_nothing(pool: str, now: datetime) -> None:
    """Found by the fuzzer: a restored database would have called new codes confirmed (§12.2.2)."""
    vault.open_vault(SECRET)
    hall = await make_hall()
    keys = msgspec.json.decode(hall.key_file, type=KeyFile).derived()[-1]
    booking = await hall.book(hours(now, 1, 2), now)
    topic = ids.up(hall.controller, "reported")
    header = forge.header_of(keys.kid("up"), topic, (7, 900), {})
    token = forge.sealed(msgspec.json.encode(REPORT), keys.up, header)
    await incoming.receive(Incoming(topic, token, False), now)

    assert await locks.states_of([booking]) == {booking: "planned"}


def _name(base: Base) -> ids.Up:
    name: ids.Up = base.topic.rsplit("/", 1)[1]  # type: ignore[assignment]
    return name
