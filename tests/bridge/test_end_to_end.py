"""Booking → server → broker → bridge process → the locks' own broker → lock, confirmed, and back."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from booking import broker, db, locks
from booking.bridge.config import CONFIG_FILE
from booking.bridge.contract import Message
from booking.clock import utc_now
from booking.controller.main import KEY_FILE
from tests.all import which
from tests.bridge.simulated_esp_rfid import HOST, TOPIC, SimulatedEspRfid
from tests.controller.parts import Process, RunningBroker, eventually, free_port, running_broker
from tests.locks.conftest import Hall, hours
from tests.locks.test_end_to_end import linked, pin_of, until


class Attached:
    """A double on the locks' broker, and all that was said there."""

    def __init__(self, double: SimulatedEspRfid, url: str) -> None:
        self.double, self.heard = double, dict[str, bytes]()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_message = self._on_message
        parts = urlsplit(url)
        self.client.connect_async(parts.hostname or "", parts.port or 0, clean_start=True)
        self.client.loop_start()
        eventually(self.client.is_connected, what="the double's connection")

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.heard[message.topic] = bytes(message.payload)
        if message.topic == f"{TOPIC}/cmd":
            for reply in self.double.take(Message(message.topic, bytes(message.payload))):
                self.client.publish(reply.topic, reply.payload, 0)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[str]:
    """A mosquitto next to the locks: no passwords, as in many a building."""
    port, program = free_port(), which("mosquitto")
    assert program is not None
    set_up = tmp_path / "local.conf"
    set_up.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    running = subprocess.Popen(
        [program, "-c", str(set_up)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield f"mqtt://127.0.0.1:{port}"
    running.kill()
    running.wait(10)


@pytest.fixture
def mqtt(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


@contextlib.contextmanager
def running_bridge(hall: Hall, mqtt: RunningBroker, local: str, state: Path) -> Iterator[Process]:
    state.mkdir(exist_ok=True)
    (state / KEY_FILE).write_bytes(hall.key_file)
    board = {"driver": "esp_rfid", "topic": TOPIC, "hostname": HOST, "ip": "192.168.1.40"}
    other = {**board, "hostname": "changing-board", "topic": "/rfid2"}
    body = {"local": local, "doors": {"d1": board, "d2": other}, "home_assistant": {"opens_once": True}}
    (state / CONFIG_FILE).write_text(json.dumps(body))
    assert broker.add_accounts(mqtt.state, {hall.controller: hall.password})
    argv = [sys.executable, "-m", "booking.bridge", "--state", str(state), "--broker", mqtt.broker.url]
    process = Process(argv, state / "log")
    process.start()
    try:
        eventually(lambda: "ready" in process.said, what=f"the bridge's start ({process.said})")
        yield process
    finally:
        process.kill()


async def test_a_booking__is_applied_only_when_the_lock_confirmed_and_gone_only_likewise(
    hall: Hall,
    mqtt: RunningBroker,
    local: str,
    tmp_path: Path,
) -> None:
    await db.run("DELETE FROM access_rule r USING door d WHERE d.id = r.door AND d.wire_id = 'd2'")
    board = SimulatedEspRfid(fault="silent")
    attached = await asyncio.to_thread(Attached, board, local)
    applied = "SELECT applied_at IS NOT NULL FROM access_grant WHERE reservation = $1"
    gone = "SELECT gone_at IS NOT NULL FROM access_grant WHERE reservation = $1"
    try:
        with running_bridge(hall, mqtt, local, tmp_path / "bridge") as bridge:
            async with linked(mqtt):
                now = utc_now()
                booking = await hall.book(hours(now, 1, 2), now)

                async def is_reported() -> bool:
                    reported = "SELECT rep_ver > 0 FROM controller WHERE id = $1"
                    return bool(await db.value(bool, reported, hall.controller))

                await until(is_reported, 30, "a report of the stored snapshot")
                assert not await db.value(bool, applied, booking), "the lock has not answered yet"
                assert (await locks.states_of([booking]))[booking] == "on_broker"
                board.fault = None

                async def is_applied() -> bool:
                    return bool(await db.value(bool, applied, booking))

                await until(is_applied, 60, f"the lock's confirmation ({bridge.said})")
                pin = await pin_of(booking)
                assert pin in board.users
                assert (await locks.states_of([booking]))[booking] == "applied"

                begun = time.monotonic()
                await locks.revoke(booking, now=utc_now())

                async def is_gone() -> bool:
                    return bool(await db.value(bool, gone, booking))

                await until(is_gone, 60, "the confirmed removal")
                assert pin not in board.users
                assert time.monotonic() - begun < 30

                homes = [topic for topic in attached.heard if topic.startswith("homeassistant/lock/")]
                assert homes
                assert attached.heard[f"booking/{hall.controller}/availability"] == b"online"
                bridge.kill()
                eventually(
                    lambda: attached.heard[f"booking/{hall.controller}/availability"] == b"offline",
                    what="the will",
                )
    finally:
        attached.stop()
