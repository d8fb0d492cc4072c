"""An MQTT client with any account, by hand: it hears, says, dies; and an account that may do everything."""

import os
import queue
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from booking import broker
from tests.controller.parts import RunningBroker, eventually

OPERATOR = "operator"


Heard = tuple[str, bytes, bool]  # topic, payload, retain


@dataclass
class Eve:
    """One MQTT client with any account: what it hears, and what the broker answers to what it says."""

    url: str
    user: str
    password: str
    client_id: str
    will: str | None = None
    patience: float = 30
    heard: "queue.Queue[Heard]" = field(default_factory=queue.Queue)
    refusals: dict[int, int] = field(default_factory=dict)
    ended: list[int] = field(default_factory=list)
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.client = Client(CallbackAPIVersion.VERSION2, self.client_id, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.username_pw_set(self.user, self.password)
        if self.will:
            self.client.will_set(self.will, b"forged", 1, True)
        self.client.on_message = self._hear
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self.refusals.update({mid: reason.value})
        self.client.on_disconnect = lambda _c, _u, _f, reason, _p: self.ended.append(reason.value)
        self.client.connect(parts.hostname or "", parts.port or 0, clean_start=True)
        self.client.loop_start()
        try:
            eventually(self.client.is_connected, self.patience, "the connection")
        except AssertionError:
            self.client.loop_stop()
            raise

    def _hear(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload), message.retain))

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Return the broker's reason code."""
        info = self.client.publish(topic, payload, 1, retain, Properties(PacketTypes.PUBLISH))  # type: ignore[no-untyped-call]
        answer: int = eventually(lambda: self.refusals.get(info.mid, -1) + 1, what=f"the answer for {topic}")
        return answer - 1

    def all_heard(self) -> list[Heard]:
        """Return everything so far."""
        found: list[Heard] = []
        with suppress(queue.Empty):
            while True:
                found.append(self.heard.get_nowait())
        return found

    def listen(self, wanted: str) -> None:
        """Hear what comes on these topics, retained or not, as it was said."""
        self.client.subscribe(wanted, options=SubscribeOptions(qos=1, retainAsPublished=True))

    def die(self) -> None:
        """The connection breaks without a goodbye: the will is due."""
        self.client.loop_stop()
        self.client._sock_close()

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def operate(mqtt: RunningBroker, *, listen: str | None = "#") -> Eve:
    """Return whoever runs the broker: reads and writes every topic. Accounts added later take the right away."""
    broker.add_accounts(mqtt.state, {OPERATOR: OPERATOR})
    with (mqtt.state / "acl").open("a") as rules:
        rules.write(f"\nuser {OPERATOR}\ntopic readwrite #\ntopic read $SYS/#\n")
    os.kill(int((mqtt.state / "broker.pid").read_text()), signal.SIGHUP)
    eve: Eve = eventually(lambda: _connected(mqtt), what="the operator's account")
    if listen is not None:
        eve.listen(listen)
    return eve


def _connected(mqtt: RunningBroker) -> Eve | None:
    try:
        eve = Eve(mqtt.broker.url, OPERATOR, OPERATOR, OPERATOR, patience=5)
    except AssertionError:
        return None
    if eve.say("operator/may", b"") < 0x80:
        return eve
    eve.stop()
    return None
