"""The server's connection to the broker, and everything one controller was heard to say."""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from ssl import create_default_context
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from booking.lockwire import ids
from booking.lockwire.envelope import Dropped, Opened, unseal
from booking.lockwire.keys import Keys
from booking.lockwire.messages import Events, Report, Result, Status, TimeRequest
from booking.lockwire.strict import StrictError, parse

T = TypeVar("T")
KINDS: dict[str, type[msgspec.Struct]] = {
    "reported": Report,
    "evt": Events,
    "res": Result,
    "time": TimeRequest,
    "status": Status,
}
SERVER = "lk-server"


def misfit(error: StrictError, plain: bytes) -> str:
    """Return which member does not fit, what it should be and what it is; nothing if that is not the fault."""
    if not isinstance(error.__cause__, msgspec.ValidationError):
        return ""
    text = str(error.__cause__)
    value: object = json.loads(plain)
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", text.partition("`$")[2]):
        inner = value if isinstance(value, list | dict) else {}
        value = inner.get(name) if isinstance(inner, dict) else inner[int(index)]
    return f": {text}, which is {json.dumps(value)[:80]}"


class NoBroker(Exception):
    """The broker could not be reached or refused us; the text says what to check."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of the controller, opened and of the right form."""

    name: str
    body: object
    version: tuple[int, int]
    gen: int
    correlation: bytes | None
    at: float  # monotonic seconds
    raw: bytes


class Wire:
    """Speaks as the server; hears one controller. `keys` may grow."""

    def __init__(self, url: str, controller: str, keys: list[Keys], ca: Path | None = None) -> None:
        self.controller, self.keys = controller, keys
        self.heard: list[Heard] = []
        self.faults: list[str] = []  # what the controller said that breaks the protocol
        self._ivs: dict[tuple[int, bytes], bytes] = {}  # the message each key and IV sealed
        self.on_heard: Callable[[Heard], None] = lambda _: None
        self._news = threading.Condition()
        self._refused: str | None = None
        self._is_up = threading.Event()
        parts = urlsplit(url)
        name = unquote(parts.username or SERVER)
        self._client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        if parts.username:
            self._client.username_pw_set(name, unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set_context(create_default_context(cafile=ca))
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._start(parts.hostname or "127.0.0.1", parts.port or (8883 if parts.scheme == "mqtts" else 1883))

    def _start(self, host: str, port: int) -> None:
        try:
            self._client.connect(host, port, clean_start=True)
        except OSError as error:
            raise NoBroker(f"no broker at {host}:{port} ({error}); check --broker") from error
        self._client.loop_start()
        if not self._is_up.wait(10):
            self.close()
            raise NoBroker(self._refused or "the broker accepts the connection but does not answer")

    def _on_connect(
        self, client: Client, _user: Any, _flags: Any, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refused = f"the broker refused the server's account ({reason}); put it into --broker"
            return
        client.subscribe(f"lk/v1/{self.controller}/up/#", 1)
        self._is_up.set()

    def _on_message(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        found = ids.parse_topic(message.topic)
        name = found[2] if found else ""
        heard = self._understand(name, message) if name in KINDS and message.payload else None
        if heard is None:
            return
        self.on_heard(heard)
        with self._news:
            self.heard.append(heard)
            self._news.notify_all()

    def _understand(self, name: str, message: MQTTMessage) -> Heard | None:
        payload = bytes(message.payload)
        correlation = getattr(message.properties, "CorrelationData", None)
        try:
            plain = name == "status"
            opened = Opened(0, 0, 0, payload) if plain else unseal(payload, self.keys, "up", message.topic)
            body = parse(opened.plain, KINDS[name])
            if not plain:
                self._note_iv(payload, opened.gen, name)
        except Dropped as error:
            if not message.retain:  # a stored copy may stem from an earlier enrolment
                self.faults.append(f"up/{name}: {error} - wrong --key?")
            return None
        except StrictError as error:
            if not message.retain:
                self.faults.append(f"up/{name}: {error}{misfit(error, opened.plain)}")
            return None
        version = (opened.epoch, opened.ver)
        return Heard(name, body, version, opened.gen, correlation, time.monotonic(), opened.plain)

    def _note_iv(self, token: bytes, gen: int, name: str) -> None:
        """An IV that sealed something else under this key before is a fault (§4.2); the same octets again are not."""
        iv = token.split(b".")[2]
        if self._ivs.setdefault((gen, iv), token) != token:
            self.faults.append(f"up/{name}: an IV that sealed another message before (§4.2)")

    def mark(self) -> int:
        """Return a place in what was heard, for `wait`."""
        return len(self.heard)

    def find(self, kind: type[T], fits: Callable[[T, Heard], bool], since: int = 0) -> T | None:
        """Return the first such message heard since the mark."""
        for heard in self.heard[since:]:
            if isinstance(heard.body, kind) and fits(heard.body, heard):
                return heard.body
        return None

    def wait(
        self, kind: type[T], fits: Callable[[T, Heard], bool], seconds: float, since: int = 0
    ) -> T | None:
        """Return such a message as soon as it is there, None after the time."""
        deadline = time.monotonic() + seconds
        with self._news:
            while (found := self.find(kind, fits, since)) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._news.wait(min(left, 0.5))
        return found

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """The broker has the message."""
        sent = self.send(topic, payload, qos=qos, retain=retain)
        if qos:
            sent.wait_for_publish(10)

    def send(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> MQTTMessageInfo:
        """The message is on its way; may be called where messages arrive."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = "application/jose"
        return self._client.publish(topic, payload, qos, retain, properties)

    def close(self) -> None:
        """Disconnected."""
        self._client.disconnect()
        self._client.loop_stop()
