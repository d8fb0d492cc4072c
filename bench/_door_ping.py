"""The baseline of the doors: a raw paho ping-pong on the same broker, with packets of the same size."""

import statistics
import threading
import time

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from booking import broker
from booking.locks.mqtt import _set_nodelay
from tests.controller.parts import RunningBroker

PINGS, WARM_UP = 200, 20


def ping_pong(mqtt: RunningBroker, sizes: tuple[int, int]) -> float:
    """Return the median round trip of two raw paho clients, in milliseconds."""
    names = ("ping", "pong")
    broker.add_accounts(mqtt.state, dict.fromkeys(names, "bench"))
    time.sleep(0.5)
    # Each may write its own up/ and read its own dn/ only, so the server's account carries both ways.
    server = broker.password_of(mqtt.state, broker.SERVER) or ""
    came = threading.Event()
    a, b = _client(mqtt, broker.SERVER, server), _client(mqtt, "pong", "bench")
    a.on_message = lambda *_: came.set()

    def answer(client: Client, _user: object, _message: MQTTMessage) -> None:
        client.publish("lk/v1/pong/up/reported", bytes(sizes[1]), 1, True)

    b.on_message = answer
    a.subscribe("lk/v1/pong/up/#", 1)
    b.subscribe("lk/v1/pong/dn/#", 1)
    time.sleep(0.5)
    took = []
    for _ in range(PINGS + WARM_UP):
        came.clear()
        begin = time.perf_counter()
        a.publish("lk/v1/pong/dn/desired", bytes(sizes[0]), 1, True)
        if not came.wait(10):
            raise SystemExit("the ping-pong got no answer")
        took.append((time.perf_counter() - begin) * 1_000)
    for client in (a, b):
        client.disconnect()
        client.loop_stop()
    return statistics.median(took[WARM_UP:])


def _client(mqtt: RunningBroker, name: str, password: str) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(name, password)
    client.on_socket_open = _set_nodelay
    client.connect("127.0.0.1", int(mqtt.broker.url.rsplit(":", 1)[1]))
    client.loop_start()
    return client
