"""The reference controller as a process, over a real broker."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from booking import broker
from booking.controller.hardware import Outcome
from booking.controller.keypad import KeypadTrouble, press
from booking.lockwire import ids, snapshot
from booking.lockwire.messages import Events, Report
from booking.simulated.keypad import socket_path
from tests.controller.conftest import PIN, a_grant, a_snapshot
from tests.controller.parts import (
    HandServer,
    RunningBroker,
    eventually,
    key_file,
    running_broker,
    running_controller,
)

NAME = "hall-1"


@pytest.fixture
def mqtt(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def state(mqtt: RunningBroker, tmp_path: Path) -> Path:
    state = tmp_path / "hall-1"
    key_file(state, NAME, "hall-1-password")
    assert broker.add_accounts(mqtt.state, {NAME: "hall-1-password"})
    return state


@pytest.fixture
def server(mqtt: RunningBroker) -> Iterator[HandServer]:
    made = HandServer(mqtt.broker.server_url, NAME)
    yield made
    made.stop()


def a_current_snapshot(*, with_grant: bool = True) -> snapshot.Snapshot:
    now = int(time.time())
    window = snapshot.Window(d=["d1"], nb=now - 60, na=now + 3_600)
    grants = [a_grant(w=[window])] if with_grant else []
    return a_snapshot(*grants, iat=now, hz=(now, now + 14 * snapshot.DAY))


def publish(server: HandServer, ver: int, *, with_grant: bool = True) -> bytes:
    server.version = (1, ver)
    octets = snapshot.encode(a_current_snapshot(with_grant=with_grant))
    token = server.publish("desired", octets, retain=True)
    digest = snapshot.digest(octets)
    server.wait_for("reported", Report, lambda report, _: report.dig == digest)
    return token


def test_a_hand_sealed_snapshot__makes_the_simulated_keypad_open(
    mqtt: RunningBroker, state: Path, server: HandServer
) -> None:
    with running_controller(state, mqtt.broker.url) as controller:
        assert press(state, "d1", PIN).granted is False
        publish(server, 1)

        assert press(state, "d1", PIN) == Outcome(True, "granted", None, 5)
        assert press(state, "d1", PIN, at=int(time.time()) + 7_200).why == "late"
        server.wait_for("evt", Events, lambda body, _: any(event.e == "granted" for event in body.ev))
        assert "SIMULATED" in controller.said
        assert PIN not in controller.said


def test_on_the_fallback_broker_from_a_wheel__the_same_door_opens(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker", only="iotcore") as mqtt:
        state = tmp_path / "hall-1"
        key_file(state, NAME, "hall-1-password")
        server = HandServer(mqtt.broker.server_url, NAME)
        with running_controller(state, mqtt.broker.url) as controller:
            eventually(
                lambda: "disconnected" in controller.said or "refused" in controller.said
            )  # no account
            assert broker.add_accounts(mqtt.state, {NAME: "hall-1-password"})
            eventually(lambda: "\n[hall-1] connected" in controller.said, seconds=20)
            eventually(server.client.is_connected, seconds=20)
            publish(server, 1)
            assert press(state, "d1", PIN).granted
        server.stop()
        assert "iotcore" in mqtt.broker.sentence


def test_killed_and_restarted_without_any_broker__the_door_goes_on_working(
    mqtt: RunningBroker, state: Path, server: HandServer
) -> None:
    with running_controller(state, mqtt.broker.url) as controller:
        publish(server, 1)
        controller.kill()
    mqtt.process.kill()
    with running_controller(state, mqtt.broker.url):
        assert press(state, "d1", PIN).granted


def test_recorded_octets_of_an_older_snapshot__are_not_applied(
    mqtt: RunningBroker, state: Path, server: HandServer
) -> None:
    with running_controller(state, mqtt.broker.url):
        old = publish(server, 1)
        publish(server, 2, with_grant=False)
        server.raw(ids.down(NAME, "desired"), old, retain=True)
        server.wait_for("evt", Events, lambda body, _: any(event.e == "stale" for event in body.ev))

        assert press(state, "d1", PIN).why == "unknown"


def test_a_broker_killed_with_loss_of_its_storage__finds_the_controller_back(
    mqtt: RunningBroker, state: Path, server: HandServer
) -> None:
    with running_controller(state, mqtt.broker.url):
        publish(server, 1)
        mqtt.restart_without_storage()
        eventually(server.client.is_connected)
        publish(server, 2, with_grant=False)

        assert press(state, "d1", PIN).why == "unknown"


def test_a_stranger_s_accounts_and_topics__are_refused_by_the_broker(
    mqtt: RunningBroker, state: Path, server: HandServer
) -> None:
    broker.add_accounts(mqtt.state, {"hall-2": "hall-2-password"})
    with running_controller(state, mqtt.broker.url):
        publish(server, 1)
        key_file(state.with_name("hall-2"), NAME, "hall-2-password")
        with running_controller(state.with_name("hall-2"), mqtt.broker.url) as stranger:
            eventually(lambda: "refused" in stranger.said or "disconnected" in stranger.said)
        publish(server, 2)


def test_a_controller_s_account__reaches_its_own_topics_only(mqtt: RunningBroker, server: HandServer) -> None:
    broker.add_accounts(mqtt.state, {"hall-2": "hall-2-password"})
    heard: list[str] = []
    spy = Client(CallbackAPIVersion.VERSION2, "lk-server", protocol=MQTTProtocolVersion.MQTTv5)
    spy.username_pw_set("hall-2", "hall-2-password")  # with the server's client id: must not throw it off
    spy.on_message = lambda _client, _user, message: heard.append(message.topic)
    refused: list[int] = []
    spy.on_publish = lambda _client, _user, _mid, reason, _props: refused.append(reason.value)
    spy.on_connect = lambda client, *_: client.subscribe("#", 1)
    spy.connect("127.0.0.1", urlsplit(mqtt.broker.url).port or 0, clean_start=True)
    spy.loop_start()
    eventually(spy.is_connected)
    for topic in (ids.down(NAME, "desired"), ids.up(NAME, "reported"), ids.down("hall-2", "cmd")):
        spy.publish(topic, b"forged", 1)
    eventually(lambda: len(refused) == 3)
    server.publish("desired", b"{}", retain=True)
    server.raw(ids.down("hall-2", "desired"), b"for hall-2")
    eventually(lambda: heard)
    spy.loop_stop()

    assert heard == [ids.down("hall-2", "desired")]
    assert refused == [0x87, 0x87, 0x87]
    assert server.client.is_connected()


def test_an_added_account__leaves_the_connected_ones_alone(
    mqtt: RunningBroker, state: Path, server: HandServer
) -> None:
    with running_controller(state, mqtt.broker.url) as controller:
        publish(server, 1)
        broker.add_accounts(mqtt.state, {"hall-9": "hall-9-password"})
        publish(server, 2)
        assert "disconnected" not in controller.said
        assert (mqtt.state / "passwords").read_text().count("$7$") == 3
        assert (mqtt.state / "accounts.json").stat().st_mode & 0o077 == 0


def test_a_second_controller_on_the_same_memory__does_not_start(mqtt: RunningBroker, state: Path) -> None:
    with running_controller(state, mqtt.broker.url) as first:
        with pytest.raises(AssertionError), running_controller(state, mqtt.broker.url):
            pass
        assert first.child is not None
        assert first.child.poll() is None


def test_sigterm__stops_cleanly_and_removes_the_keypad(mqtt: RunningBroker, state: Path) -> None:
    with running_controller(state, mqtt.broker.url) as controller:
        assert controller.kill(signal.SIGTERM) == 0
    assert not socket_path(state).exists()
    with pytest.raises(KeypadTrouble, match="not running"):
        press(state, "d1", PIN)


def test_start_and_size__stay_within_bounds(mqtt: RunningBroker, state: Path) -> None:
    begin = time.monotonic()
    with running_controller(state, mqtt.broker.url) as controller:
        seconds = time.monotonic() - begin
        assert controller.child is not None
        status = Path(f"/proc/{controller.child.pid}/status").read_text()
        rss_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    print(f"controller: start {seconds:.2f} s, {rss_kb / 1024:.0f} MB")
    assert rss_kb < 60 * 1_024
    assert seconds < 8  # 2 s on an idle machine; the suite runs in parallel


def test_a_deep_state_directory__still_has_a_keypad(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    assert len(str(socket_path(deep))) < 107
