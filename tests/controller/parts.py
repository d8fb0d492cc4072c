"""Real parts for tests: a mosquitto and controller processes, each owned by the test that started it."""

import base64
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from booking import broker
from booking.controller.main import KEY_FILE
from booking.lockwire import ids
from booking.lockwire.envelope import Opened, seal, unseal
from booking.lockwire.keys import derive
from booking.lockwire.messages import TimeAnswer, TimeRequest

MASTER = bytes(range(32))


def eventually(happened: Callable[[], Any], seconds: float = 30.0, what: str = "it") -> Any:
    """Return the first true answer, or fail after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := happened():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """A child and its output."""

    argv: list[str]
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    child: subprocess.Popen[bytes] | None = None
    begin: int = 0

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.begin = out.tell()
            env = {**os.environ, **self.env}
            self.child = subprocess.Popen(self.argv, stdout=out, stderr=out, env=env)

    def kill(self, number: int = signal.SIGKILL) -> int:
        assert self.child is not None
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(15)

    @property
    def said(self) -> str:
        """What this child has printed since its latest start."""
        return self.log.read_bytes()[self.begin :].decode()


@dataclass
class RunningBroker:
    """Our broker, with everything needed to connect to it."""

    state: Path
    broker: broker.Broker
    process: Process

    def wait(self) -> None:
        address = ("127.0.0.1", urlsplit(self.broker.url).port or 0)

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(address) == 0

        eventually(answers, what=f"the broker's start ({self.process.said})")

    def restart_without_storage(self) -> None:
        """kill -9 and loss of everything it remembered."""
        self.process.kill()
        for file in (self.state / "data").glob("*"):
            file.unlink()
        self.process.start()
        self.wait()


@contextmanager
def running_broker(state: Path, only: str = "mosquitto") -> Iterator[RunningBroker]:
    made = broker.prepare(state, free_port(), only=only)
    running = RunningBroker(state, made, Process(list(made.argv), state / "log", dict(made.env)))
    running.process.start()
    try:
        running.wait()
        yield running
    finally:
        running.process.kill(signal.SIGTERM if only == "iotcore" else signal.SIGKILL)


def key_file(state: Path, name: str, password: str, master: bytes = MASTER, gen: int = 1) -> None:
    state.mkdir(parents=True, exist_ok=True)
    key = base64.urlsafe_b64encode(master).decode().rstrip("=")
    body = {"controller": name, "password": password, "keys": [{"gen": gen, "key": key}]}
    (state / KEY_FILE).write_text(json.dumps(body))


@contextmanager
def running_controller(state: Path, url: str, *more: str) -> Iterator[Process]:
    argv = [sys.executable, "-m", "booking.controller", "--state", str(state), "--broker", url, "--simulated"]
    process = Process([*argv, *more], state / "log")
    process.start()
    try:
        ended = process.child
        assert ended is not None
        eventually(
            lambda: "ready, stored" in process.said or ended.poll() is not None, what="the controller's start"
        )
        assert ended.poll() is None, process.said
        yield process
    finally:
        process.kill()


class HandServer:
    """The server's side of the protocol by hand: answers time, keeps what arrives, publishes what it is told."""

    def __init__(self, url: str, name: str) -> None:
        parts = urlsplit(url)
        self.name, self.keys, self.version = name, derive(MASTER, name, 1), (1, 1)
        self.arrived: queue.Queue[tuple[str, Opened]] = queue.Queue()
        self.client = Client(CallbackAPIVersion.VERSION2, "lk-server", protocol=MQTTProtocolVersion.MQTTv5)
        self.client.username_pw_set(parts.username, parts.password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe("lk/v1/+/up/#", 1)
        self.client.on_message = self._on_message
        self.client.connect_async(parts.hostname or "", parts.port or 0, clean_start=True)
        self.client.loop_start()
        eventually(self.client.is_connected, what="the server's connection")

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        if message.topic.endswith("/status"):
            return
        opened = unseal(bytes(message.payload), [self.keys], "up", message.topic)
        name = message.topic.rsplit("/", 1)[1]
        if name == "time":
            asked = msgspec.json.decode(opened.plain, type=TimeRequest)
            self.publish("time", TimeAnswer(asked.n, time.time_ns() // 1_000_000), qos=0)
        self.arrived.put((name, opened))

    def publish(self, name: ids.Down, body: object, *, qos: int = 1, retain: bool = False) -> bytes:
        topic = ids.down(self.name, name)
        plain = body if isinstance(body, bytes) else msgspec.json.encode(body)
        token = seal(plain, self.keys, "dn", topic, *self.version)
        self.raw(topic, token, qos, retain)
        return token

    def raw(self, topic: str, token: bytes, qos: int = 1, retain: bool = False) -> None:
        self.client.publish(topic, token, qos, retain, Properties(PacketTypes.PUBLISH))  # type: ignore[no-untyped-call]

    def wait_for(
        self, name: str, kind: type[Any], fits: Callable[[Any, Opened], bool], seconds: float = 30
    ) -> Any:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                got, opened = self.arrived.get(timeout=left)
            except queue.Empty:
                break
            if got == name and fits(body := msgspec.json.decode(opened.plain, type=kind), opened):
                return body
        raise AssertionError(f"no such {name} within {seconds} s")

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
