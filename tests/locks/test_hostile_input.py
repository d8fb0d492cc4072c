"""What a controller may say wrong or on purpose: it harms nobody else, and its own log goes on."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest

from booking import db, locks
from booking.ids import new_id
from booking.locks import alarms, commands, ignored, incoming, reserve, snapshots, sweeps
from booking.locks.link import is_database_lost
from booking.locks.packets import Incoming, Packet
from booking.lockwire import envelope, ids
from booking.lockwire.messages import EventAck
from booking.people import Actor
from tests.controller.parts import RunningBroker, running_broker
from tests.locks.conftest import TOWN, Hall, holder, hours, staff
from tests.locks.parts import REPORT, Device, linked
from tests.locks.test_commands import answer, read
from tests.locks.test_end_to_end import until

SYSTEM = Actor.system()


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


@pytest.fixture
def mqtt(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


async def says(
    hall: Hall, name: ids.Up, body: object, now: datetime, version: tuple[int, int] = (1, 1)
) -> list[Packet]:
    """The controller's own sealed message arrives."""
    row = await snapshots.owed(hall.controller)
    assert row is not None
    topic = ids.up(hall.controller, name)
    token = envelope.seal(msgspec.json.encode(body), row.keys(), "up", topic, *version)
    return await incoming.receive(Incoming(topic, token, False), now)


async def acked(hall: Hall, packets: list[Packet]) -> tuple[int, int] | None:
    row = await snapshots.owed(hall.controller)
    assert row is not None
    for packet in packets:
        if packet.topic.endswith("evack"):
            plain = envelope.unseal(packet.payload, [row.keys()], "dn", packet.topic).plain
            ack = msgspec.json.decode(plain, type=EventAck)
            return ack.boot, ack.seq
    return None


async def test_a_report_with_a_nul__is_ignored_counted_and_not_stored(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    epoch, ver, digest, _ = await device.logged()
    await ignored.tell(now - timedelta(days=1))
    await says(hall, "reported", REPORT | {"dig": digest, "fw": "a\x00b"}, now, (epoch, ver))

    assert await db.value(str, "SELECT report FROM controller") is None
    await ignored.tell(now)
    (told,) = [one for one in await ignored.ignored_since(now) if one.message == "reported"]
    assert (told.controller, told.why, told.count) == (hall.controller, "schema", 1)
    await says(hall, "reported", REPORT | {"dig": digest}, now, (epoch, ver))
    assert (await locks.states_of([booking], now=now))[booking] == "applied"


async def test_a_row_with_a_nul_from_before__is_mended_and_pages_and_sweeps_go_on(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now, fw="a\x00b \\u0000")
    with pytest.raises(asyncpg.UntranslatableCharacterError):
        await alarms.watch(now)

    assert [await sweeps.mend_reports(now) for _ in range(2)] == [1, 0]
    await alarms.watch(now)
    await reserve.stock(now)
    assert (await locks.access_of(booking, by=holder(booking), now=now)).state == "applied"
    assert (await locks.doors(TOWN, by=staff(), now=now))[0].firmware == "a b \\u0020"


async def test_one_step_that_fails__keeps_neither_the_other_steps_nor_the_term_from_going_on(
    hall: Hall, mqtt: RunningBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await db.run("UPDATE controller SET report = '{broken', rep_boot = 1")
    ignored.note(hall.controller, "evt", "schema")
    async with linked(mqtt):
        told = "SELECT EXISTS (SELECT FROM journal WHERE action = 'controller.ignored')"
        await until(lambda: db.value(bool, told), what="a step after the one that fails")
        await asyncio.sleep(6)  # a second round
    said = [record.getMessage() for record in caplog.records if record.name == "booking.locks"]

    assert len([text for text in said if text.startswith("sweep: watch failed")]) >= 2
    assert [text for text in said if "trying again" in text] == []


async def test_what_ends_a_term__is_a_lost_connection_and_no_bad_value(pool: str) -> None:
    lost = await db.dedicated()
    sleeping = asyncio.create_task(lost.fetchval("SELECT pg_sleep(20)"))
    await asyncio.sleep(0.5)
    await db.run("SELECT pg_terminate_backend($1)", lost.get_server_pid())
    with pytest.raises(asyncpg.PostgresError) as gone:
        await sleeping
    with pytest.raises(asyncpg.InterfaceError) as again:
        await lost.fetchval("SELECT 1")
    with pytest.raises(Exception) as bad:
        await db.value(int, "SELECT $1::int", 2**40)
    hasty = await db.dedicated()
    await hasty.execute("SET statement_timeout = '20ms'")
    with pytest.raises(asyncpg.QueryCanceledError) as slow:
        await hasty.fetchval("SELECT pg_sleep(2)")
    await hasty.close()

    ends = [is_database_lost(caught.value) for caught in (gone, again, bad, slow)]
    assert ends == [True, True, False, False]


EVENT = {"boot": 1, "t": 1_795_000_000, "mono": 1, "clk": "ntp", "d": "d1", "e": "opened"}
BIG = 2**53 - 1
POISON = (
    {"lost": BIG},
    {"dur_s": BIG},
    {"e": "x\x00"},
    {"why": "x\x00"},
    {"k": "a" * 33},
    {"t": 1},
    {"mono": -1},
)


@pytest.mark.parametrize("poison", POISON)
async def test_a_poison_event__does_not_stop_its_controllers_log(
    hall: Hall, now: datetime, poison: dict[str, object]
) -> None:
    event = {"boot": 1, "t": int(now.timestamp()), "mono": 1, "clk": "ntp", "d": "d1", "e": "opened"}
    batch = [{**event, "seq": 1}, {**event, "seq": 2} | poison, {**event, "seq": 3}]
    answers = await says(hall, "evt", {"ev": batch}, now)

    assert await acked(hall, answers) == (1, 3)
    kinds = await db.column(str, "SELECT kind FROM door_event ORDER BY seq")
    assert kinds[::2] == ["opened", "opened"]
    assert kinds[1] == ("opened" if BIG in poison.values() else "unreadable")
    assert await acked(hall, await says(hall, "evt", {"ev": [{**event, "seq": 4}]}, now)) == (1, 4)
    found, _ = await locks.search(locks.Search(TOWN), by=staff(), now=now, limit=9, offset=0)
    assert len(found) == 4


GARBAGE = (
    [{"foo": 1}],
    [{"d": ["d1"], "nb": BIG, "na": BIG}],
    [{"d": ["d1\x00"], "nb": 1_795_000_000, "na": 1}],
    "x",
)


async def in_quarantine(device: Device, now: datetime) -> commands.Row:
    await device.publish(now)
    await device.report(now)
    await device.send(now, (7, 99), REPORT | {"rs": 50, "dig": "0" * 64})
    row = await db.row(commands.Row, commands.COMMANDS + " WHERE m.op = 'list'")
    assert row is not None
    return row


@pytest.mark.parametrize("windows", GARBAGE)
async def test_a_listing_of_nonsense__is_refused_and_the_operator_can_go_on(
    hall: Hall, device: Device, now: datetime, windows: object
) -> None:
    row = await in_quarantine(device, now)
    body: dict[str, object] = {
        "id": row.id.hex,
        "n": row.n,
        "ok": True,
        "why": None,
        "grants": [{"id": new_id().hex, "w": windows}],
    }
    await answer(hall.controller, body, now)
    view = await locks.quarantine_of(hall.controller, by=SYSTEM)

    assert (view.listed, view.unknown) == (False, [])
    await locks.end_quarantine(hall.controller, by=SYSTEM, now=now)


@pytest.mark.parametrize("kept", ['{"x": [{"foo": 1}]}', '{"x": 4}', "[]", "{broken"])
async def test_a_listing_of_nonsense_from_before__shows_nothing_and_the_operator_can_go_on(
    hall: Hall, device: Device, now: datetime, kept: str
) -> None:
    await in_quarantine(device, now)
    await db.run("UPDATE controller SET listing = $1", kept)
    assert (await locks.quarantine_of(hall.controller, by=SYSTEM)).unknown == []
    await locks.end_quarantine(hall.controller, by=SYSTEM, now=now)


async def test_in_quarantine__an_order_is_refused_and_events_are_kept_but_not_asked_for_again(
    hall: Hall, device: Device, now: datetime
) -> None:
    listing = await in_quarantine(device, now)
    clerk = staff()
    asked = await locks.order(hall.entrance, "lockdown", "brand", by=clerk, now=now)
    await locks.confirm(hall.entrance, asked.id, by=clerk, now=now)
    device.packets.clear()
    for id in (asked.id, listing.id):
        await commands.send(id, device.take, now)
    assert [(await read(packet)).op for packet in device.packets] == ["list"]
    seen = await locks.command_of(hall.entrance, asked.id, by=clerk, now=now)
    assert (seen.state, seen.why) == ("refused", "quarantine")

    gap = {"ev": [EVENT | {"seq": 1}, EVENT | {"seq": 5}]}
    answers = await says(hall, "evt", gap, now)
    assert await acked(hall, answers) == (1, 1)
    assert [packet.topic for packet in answers if packet.topic.endswith("cmd")] == []
    await locks.end_quarantine(hall.controller, by=SYSTEM, now=now)
    answers = await says(hall, "evt", gap, now)
    assert [(await read(packet)).op for packet in answers if packet.topic.endswith("cmd")] == ["replay"]
    await device.publish(now)
    assert (await device.snapshot()).doors[
        "d1"
    ].mode == "lockdown"  # the mode waits in the next snapshot (§8.3)


LOST = "SELECT seq, coalesce(lost, 0) AS lost FROM door_event WHERE kind = 'opened' ORDER BY id"


class Lost(db.Record):
    seq: int
    lost: int


GAPS = (
    ((1, 1), (1, 500), 498),  # overwritten
    ((3, 40), (7, 41), 0),  # nothing between
    ((3, 40), (7, 45), 4),  # overwritten, over reboots
    ((3, 40), (7, 12), 11),  # the memory was lost and began anew at 1
    (None, (4, 30), 29),  # never heard of before
)


@pytest.mark.parametrize(("before", "oldest", "missing"), GAPS)
async def test_events_that_the_controller_keeps_no_more__stand_as_lost(
    hall: Hall,
    device: Device,
    now: datetime,
    before: tuple[int, int] | None,
    oldest: tuple[int, int],
    missing: int,
) -> None:
    if before is not None:
        await db.run("UPDATE controller SET ev_boot = $1, ev_seq = $2", *before)
    await device.publish(now)
    await device.report(now, ev={"first": oldest, "last": (oldest[0], oldest[1] + 1)})
    batch = [EVENT | {"boot": oldest[0], "seq": oldest[1] + n} for n in (0, 1)]
    answers = await says(hall, "evt", {"ev": batch}, now)

    assert await acked(hall, answers) == (oldest[0], oldest[1] + 1)
    assert [one.lost for one in await db.rows(Lost, LOST)] == [missing, 0]


async def test_the_same_hardware_under_a_new_key__has_lost_nothing(
    hall: Hall, device: Device, now: datetime
) -> None:
    await says(hall, "evt", {"ev": [EVENT | {"seq": 1}, EVENT | {"seq": 2}]}, now)
    await locks.replace(hall.controller, by=SYSTEM, now=now)
    await device.publish(now)
    await device.report(now, ev={"first": (1, 3), "last": (1, 3)})
    await says(hall, "evt", {"ev": [EVENT | {"seq": 3}]}, now)

    assert [(one.seq, one.lost) for one in await db.rows(Lost, LOST)] == [(1, 0), (2, 0), (3, 0)]


@pytest.mark.parametrize(("power", "patience"), [("mains", 0.75), ("backup", 0.75), ("battery", 18)])
async def test_a_silent_controller__is_offline_after_three_of_its_own_reports(
    hall: Hall, device: Device, now: datetime, power: str, patience: float
) -> None:
    await device.publish(now)
    await device.report(now, pw={"src": power, "bat": None})
    booking = await hall.book(hours(now, 1, 30), now)  # it lacks this one
    offline = "SELECT count(*) FROM door_alarm WHERE kind = 'offline' AND closed_at IS NULL"
    for later, online in ((patience - 0.01, True), (patience + 0.01, False)):
        then = now + timedelta(hours=later)
        await alarms.watch(then)
        assert (await db.value(int, offline) == 0) is online
        assert (await locks.doors(TOWN, by=staff(), now=then))[0].online is online
        shown = await locks.controller_of(hall.controller, by=staff(), now=then)
        assert shown.state == ("online" if online else "offline")
        seen = await locks.access_of(booking, by=holder(booking), now=then)
        assert ("offline" in seen.doors[0].flags) is not online
        await db.run("UPDATE controller SET retry_at = NULL")
        assert await sweeps.reconcile(then) == (1 if online else 0)
