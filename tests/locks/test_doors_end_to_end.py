"""Orders, shared and reserve codes, keys in stages, accounts and retirement – over a real broker and controller."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from booking import broker, db, locks
from booking.clock import utc_now
from booking.controller.main import KEY_FILE
from booking.locks import reserve
from booking.people import Actor
from tests.controller.parts import Process, RunningBroker, free_port, running_broker, running_controller
from tests.locks.conftest import Hall, holder, hours, staff
from tests.locks.parts import linked
from tests.locks.test_end_to_end import pin_of, reaches, typed, until

SYSTEM = Actor.system()


@pytest.fixture
def mqtt(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


def state_of(hall: Hall, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / KEY_FILE).write_bytes(hall.key_file)
    return folder


async def account_is_known(controller: str) -> None:
    known = "SELECT account_secret IS NULL FROM controller WHERE id = $1"
    await until(lambda: db.value(bool, known, controller), what="the account")


async def in_sync(controller: str) -> None:
    same = "SELECT (rep_epoch, rep_ver) = (epoch, want_ver) AND rep_boot > 0 FROM controller WHERE id = $1"
    await until(lambda: db.value(bool, same, controller), what="the wanted version")


async def test_a_share_an_order_and_a_lockdown__reach_the_door_within_a_breath(
    hall: Hall, mqtt: RunningBroker, tmp_path: Path
) -> None:
    door = state_of(hall, tmp_path / "hall-1")
    async with linked(mqtt, str(mqtt.state)):
        await account_is_known(hall.controller)
        with running_controller(door, mqtt.broker.url):
            now = utc_now()
            booking = await hall.book(hours(now, 0.01, 1), now)
            await reaches(booking, "active")  # a booking for this minute opens in time
            me = holder(booking)
            shared = await locks.share(booking, "P12", by=me, now=utc_now())
            await in_sync(hall.controller)
            assert await typed(door, shared.pin) == "leader_first"
            assert await typed(door, await pin_of(booking)) == "granted"
            assert await typed(door, shared.pin) == "granted"

            clerk = staff()
            for op, then in (("open", "granted"), ("lockdown", "mode"), ("release", "granted")):
                asked = await locks.order(
                    hall.entrance, msgspec.convert(op, locks.Op), "prov", by=clerk, now=utc_now()
                )
                await locks.confirm(hall.entrance, asked.id, by=clerk, now=utc_now())
                done = "SELECT ok FROM door_command WHERE id = $1"
                assert await until(lambda done=done, id=asked.id: db.value(bool, done, id), what=op)
                assert await typed(door, await pin_of(booking)) == then
            by_order = "SELECT count(*) > 0 FROM door_event WHERE how = 'cmd' AND kind = 'granted'"
            await until(lambda: db.value(bool, by_order), what="the opening by order")


async def test_a_dark_controllers_reserve_code__opens_and_goes_when_it_is_back(
    hall: Hall, mqtt: RunningBroker, tmp_path: Path
) -> None:
    door = state_of(hall, tmp_path / "hall-1")
    with running_controller(door, mqtt.broker.url) as controller:
        async with linked(mqtt, str(mqtt.state)):
            await in_sync(hall.controller)
            await until(lambda: reserve.stock(utc_now()), what="the stock")
            await in_sync(hall.controller)
        mqtt.process.kill()  # the door is alone; its keypad works
        now = utc_now()
        booking = await hall.book(hours(now, 0.01, 1), now)
        await locks.hand_out(booking, by=holder(booking), now=now)
        view = await locks.access_of(booking, by=holder(booking), now=now)
        assert view.state == "planned"
        code = next(one.reserve_pin for one in view.doors if one.id == hall.entrance)
        assert await typed(door, view.pin) == "unknown"
        assert await typed(door, code) == "granted"
        await asyncio.to_thread(mqtt.restart_without_storage)
        async with linked(mqtt, str(mqtt.state)):
            await reaches(booking, "active")
            await in_sync(hall.controller)
            assert await typed(door, code) == "unknown"
            assert await typed(door, view.pin) == "granted"
        assert (view.pin or "") not in controller.said


async def test_a_key_in_stages__is_heard_under_the_old_until_the_new_one_reports(
    hall: Hall, mqtt: RunningBroker, tmp_path: Path
) -> None:
    door = state_of(hall, tmp_path / "hall-1")
    async with linked(mqtt, str(mqtt.state)):
        await account_is_known(hall.controller)
        with running_controller(door, mqtt.broker.url):
            await in_sync(hall.controller)
            staged = await locks.stage_key(hall.controller, by=SYSTEM, now=utc_now())
            now = utc_now()
            await reaches(await hall.book(hours(now, 1, 2), now), "applied")
        both = json.loads((door / KEY_FILE).read_bytes())
        both["keys"] += json.loads(staged.key_file)["keys"]
        assert "password" not in json.loads(staged.key_file)
        (door / KEY_FILE).write_text(json.dumps(both))
        with running_controller(door, mqtt.broker.url):
            await in_sync(hall.controller)
            await locks.activate_key(hall.controller, by=SYSTEM, now=utc_now())
            await in_sync(hall.controller)
            old = "SELECT old_gen IS NULL AND gen = 2 FROM controller WHERE id = $1"
            await until(lambda: db.value(bool, old, hall.controller), what="the old key's end")
            now = utc_now()
            await reaches(await hall.book(hours(now, 3, 4), now), "applied")


async def test_a_retired_controller__is_emptied_then_loses_its_account(
    hall: Hall, mqtt: RunningBroker, tmp_path: Path
) -> None:
    door = state_of(hall, tmp_path / "hall-1")
    async with linked(mqtt, str(mqtt.state)):
        await account_is_known(hall.controller)
        with running_controller(door, mqtt.broker.url):
            now = utc_now()
            booking = await hall.book(hours(now, 0.01, 2), now)
            await reaches(booking, "active")
            pin = await pin_of(booking)
            with pytest.raises(locks.StillBooked):
                await locks.retire(hall.controller, force=False, by=SYSTEM, now=utc_now())
            await locks.retire(hall.controller, force=True, by=SYSTEM, now=utc_now())
            await reaches(booking, "removed_confirmed")
            assert await typed(door, pin) == "unknown"
            await db.run("UPDATE outbox SET due_at = now() WHERE kind = 'locks.account'")
            gone = lambda: asyncio.to_thread(lambda: broker.password_of(mqtt.state, hall.controller) is None)  # noqa: E731
            await until(gone, what="the account's end", seconds=40)
            view = await locks.controller_of(hall.controller, by=SYSTEM, now=utc_now())
            assert view.state == "retired"
            assert await locks.doors("2401", by=staff(), now=utc_now()) == []


async def test_the_dynamic_security_plugin__learns_a_controller_and_forgets_it(
    hall: Hall, tmp_path: Path
) -> None:
    port, state = free_port(), tmp_path / "dynsec"
    made = broker.prepare_dynamic(state, port)
    running = RunningBroker(state, made, Process(list(made.argv), tmp_path / "log", dict(made.env)))
    running.process.start()
    try:
        running.wait()
        door = state_of(hall, tmp_path / "hall-1")
        async with linked(running, "dynsec"):
            await account_is_known(hall.controller)
            with running_controller(door, running.broker.url):
                now = utc_now()
                booking = await hall.book(hours(now, 1, 2), now)
                await reaches(booking, "applied")
                await locks.retire(hall.controller, force=True, by=SYSTEM, now=utc_now())
                await reaches(booking, "removed_confirmed")
                gone = "SELECT count(*) = 0 FROM outbox WHERE kind = 'locks.account'"
                await db.run("UPDATE outbox SET due_at = now() WHERE kind = 'locks.account'")
                await until(lambda: db.value(bool, gone), what="the account's end", seconds=40)
                known = (state / "dynamic-security.json").read_text
                await until(
                    lambda: asyncio.to_thread(lambda: hall.controller not in known()),
                    what="the plugin's file",
                )
    finally:
        running.process.kill(signal.SIGKILL)
