"""Another controller's account on a real mosquitto reads and writes nothing of ours, on any topic.

And what was recorded at the broker, played back, cut, damaged or too big, has no effect and is counted.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest

from booking import broker, db, locks
from booking.clock import utc_now
from booking.controller.main import KEY_FILE
from booking.locks import ignored
from booking.lockwire import ids
from booking.lockwire.envelope import MAX_COMPACT
from booking.people import Actor
from tests.controller.parts import (
    Process,
    RunningBroker,
    eventually,
    free_port,
    running_broker,
    running_controller,
)
from tests.doors_chaos.eve import Eve, Heard, operate
from tests.locks.conftest import Hall, hours, staff
from tests.locks.parts import linked
from tests.locks.test_doors_end_to_end import account_is_known
from tests.locks.test_end_to_end import pin_of, reaches, typed, until

OURS, THEIRS = "hall-1", "hall-2"
NOT_AUTHORISED = 0x87
OF_OURS = [ids.down(OURS, name) for name in get_args(ids.Down)] + [
    ids.up(OURS, name) for name in get_args(ids.Up)
]
OUTSIDE = [
    ids.down(THEIRS, "desired"),  # their own, but the server's to write
    "lk/v1", "lk/v1/", f"lk/v1/{OURS}", f"lk/v1/{OURS}/dn", f"lk/v1/{OURS}/dn/desired/more",
    f"lk/v1/{THEIRS}/../{OURS}/dn/desired", f"lk/v2/{OURS}/dn/desired", f"/lk/v1/{OURS}/dn/desired",
    f"LK/v1/{OURS}/dn/desired", "homeassistant/lock/x/config", "$CONTROL/dynamic-security/v1", "$SYS/broker/uptime",
]  # fmt: skip
FILTERS = [
    *OF_OURS, "#", "+/#", "lk/#", "lk/v1/#", "lk/v1/+/#", "lk/+/+/+/+", "+/+/+/+/+", "+/v1/+/dn/desired",
    f"lk/v1/{OURS}/#", f"lk/v1/{OURS}/dn/#", f"lk/v1/{OURS}/up/#", f"$share/g/lk/v1/{OURS}/#", "$share/g/#",
    "$SYS/#", "$CONTROL/#", "$CONTROL/dynamic-security/v1/response",
]  # fmt: skip


@contextmanager
def plugged_broker(state: Path) -> Iterator[RunningBroker]:
    made = broker.prepare_dynamic(state, free_port())
    running = RunningBroker(state, made, Process(list(made.argv), state / "log", dict(made.env)))
    running.process.start()
    try:
        running.wait()
        yield running
    finally:
        running.process.kill()


@pytest.fixture(params=["password and ACL files", "dynamic-security plugin"])
def mqtt(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBroker]:
    """Both ways in which we keep a mosquitto's accounts."""
    kind = running_broker if request.param.startswith("password") else plugged_broker
    with kind(tmp_path / "broker") as running:
        yield running


@pytest.fixture
async def theirs(hall: Hall, mqtt: RunningBroker) -> AsyncIterator[locks.Enrolment]:
    """The other controller is enrolled, both have an account, and the link is held."""
    now = utc_now()
    made = await locks.enrol(THEIRS, facility=hall.facility, by=Actor.system(), now=now, simulated=True)
    await locks.add_door(THEIRS, "d1", "Deras")
    dynamic = (mqtt.state / "dynamic-security.json").exists()
    async with linked(mqtt, "dynsec" if dynamic else str(mqtt.state)):
        for name in (OURS, THEIRS):
            await account_is_known(name)
        yield made


def door_of(hall: Hall, folder: Path) -> Path:
    folder.mkdir()
    (folder / KEY_FILE).write_bytes(hall.key_file)
    return folder


async def test_another_controllers_account__reads_and_writes_nothing_of_ours(
    hall: Hall, mqtt: RunningBroker, theirs: locks.Enrolment, tmp_path: Path
) -> None:
    door = door_of(hall, tmp_path / "hall-1")
    with running_controller(door, mqtt.broker.url) as controller:
        now = utc_now()
        await reaches(await hall.book(hours(now, -0.5, 1), now), "active")
        await asyncio.to_thread(attack_by_name_and_will, mqtt, theirs.password)
        eve = await asyncio.to_thread(Eve, mqtt.broker.url, THEIRS, theirs.password, THEIRS)
        for wanted in FILTERS:
            eve.listen(wanted)
        for topic in OF_OURS + OUTSIDE:
            assert await asyncio.to_thread(say, eve, topic, b"forged") == NOT_AUTHORISED, topic

        # Everything there is is said while they listen: snapshot, report, events, order, result, time.
        second = await hall.book(hours(now, -0.5, 2), now)
        await reaches(second, "active")
        assert await typed(door, await pin_of(second)) == "granted"
        await reaches(second, "used")
        asked = await locks.order(hall.entrance, "identify", "prov", by=staff(), now=utc_now())
        await locks.confirm(hall.entrance, asked.id, by=staff(), now=utc_now())
        done = "SELECT ok FROM door_command WHERE id = $1"
        assert await until(lambda: db.value(bool, done, asked.id), what="the order")
        # What is theirs does come: their first snapshot, published after all that.
        await locks.add_door(THEIRS, "d2", "Deras")
        eve.listen(ids.down(THEIRS, "desired"))
        heard = await asyncio.to_thread(eventually, eve.all_heard, 20, "what is theirs")
        assert {topic for topic, _, _ in heard} == {ids.down(THEIRS, "desired")}
        assert "disconnected" not in controller.said
        assert eve.ended == []
        await asyncio.to_thread(eve.stop)
    forged = "SELECT count(*) FROM controller WHERE id = $1 AND report IS NOT NULL"
    assert await db.value(int, forged, OURS) == 1


def say(eve: Eve, topic: str, payload: bytes) -> int:
    return eve.say(topic, payload, retain=True)


def attack_by_name_and_will(mqtt: RunningBroker, password: str) -> None:
    """Connect under the server's and our controller's client ids, leave a will on our topic, and die."""
    for name in (broker.SERVER, OURS):
        try:
            eve = Eve(mqtt.broker.url, THEIRS, password, name, will=ids.up(OURS, "status"), patience=3)
        except AssertionError:
            continue  # refused, as the plugin does
        eve.die()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


async def test_recorded_messages_played_back_cut_damaged_or_too_big__have_no_effect_and_are_counted(
    hall: Hall, plain: RunningBroker, tmp_path: Path
) -> None:
    broker.add_accounts(plain.state, {OURS: hall.password})
    operator = await asyncio.to_thread(operate, plain)
    ignored._counts.clear()
    ignored._told.clear()
    door, begun = door_of(hall, tmp_path / "hall-1"), utc_now()
    async with linked(plain):
        with running_controller(door, plain.broker.url):
            now = utc_now()
            cancelled = await hall.book(hours(now, -0.5, 1), now)
            await reaches(cancelled, "active")
            pin = await pin_of(cancelled)
            assert await typed(door, pin) == "granted"
            await locks.revoke(cancelled, now=utc_now())
            await reaches(cancelled, "removed_confirmed")
            kept = await hall.book(hours(now, -0.5, 1), now)
            await reaches(kept, "active")
            recorded = await asyncio.to_thread(operator.all_heard)
            before = await looks(kept, cancelled)
            played = [one for one in recorded for _ in range(2)]
            for topic, payload, retain in [*played, *damaged(recorded), *oversized()]:
                await asyncio.to_thread(operator.say, topic, payload, retain=retain)
            await until(
                lambda: counted({("reported", "older"), ("reported", "decrypt"), ("evt", "older")}, begun)
            )
            await until(
                lambda: counted({("reported", "size"), ("reported", "header"), ("status", "schema")}, begun)
            )

            assert await looks(kept, cancelled) == before
            assert await typed(door, pin) == "unknown"
            assert await typed(door, await pin_of(kept)) == "granted"
        # Our retained topics hold what was played back last; the next connection gets over that, too.
        with running_controller(door, plain.broker.url):
            third = await hall.book(hours(utc_now(), -0.5, 1), utc_now())
            await reaches(third, "active", seconds=40)
            assert await typed(door, pin) == "unknown"
    await asyncio.to_thread(operator.stop)


async def looks(*bookings: object) -> object:
    ours = await db.value(str, "SELECT concat(quarantine, epoch, '.', want_ver) FROM controller")
    return ours, await locks.states_of(list(bookings))  # type: ignore[arg-type]


def damaged(recorded: list[Heard]) -> list[Heard]:
    """One bit wrong, at several places, and cut short at several lengths."""
    found: list[Heard] = []
    for topic, payload, retain in {one[0]: one for one in recorded if len(one[1]) > 40}.values():
        for at in (0, 10, len(payload) // 2, len(payload) - 3):
            found.append((topic, payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :], retain))
            found.append((topic, payload[: at + 1], retain))
    return found


def oversized() -> list[Heard]:
    return [(topic, b"e" * (MAX_COMPACT + 1), True) for topic in OF_OURS]


async def counted(wanted: set[tuple[str, str]], since: object) -> bool:
    await ignored.tell(utc_now())
    found = await locks.ignored_since(since)  # type: ignore[arg-type]
    assert {one.controller for one in found} <= {OURS}
    return wanted <= {(one.message, one.why) for one in found if one.count > 0}
