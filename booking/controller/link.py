"""The wire of a controller: MQTT 5 through paho, rebuilt by itself for ever (lock protocol §2)."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from booking.controller.core import Arrived, Controller
from booking.controller.voice import Out
from booking.lockwire import ids

KEEPALIVE_S, SLOWEST_RETRY_S = 60, 2
WITH_WILL = 0x04
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Link:
    """Keeps one controller connected; while it is not, messages out are dropped and said again later."""

    def __init__(
        self,
        url: str,
        password: str,
        controller: Controller,
        say: Callable[[str], None],
        ca: Path | None = None,
    ) -> None:
        self._controller, self._say = controller, say
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("the broker is given as mqtt://host:port or mqtts://host:port")
        self._address = (parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883))
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=controller.name, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(controller.name, password)
        if parts.scheme == "mqtts":
            # With a CA file only that authority is believed (§15.1).
            self._client.tls_set_context(ssl.create_default_context(cafile=ca))
        elif self._address[0] not in LOOPBACK:
            say("WARNING: mqtt:// sends the password in clear; use mqtts:// beyond this machine")
        self._client.reconnect_delay_set(1, SLOWEST_RETRY_S)
        self._wire()

    def _wire(self) -> None:
        self._client.on_pre_connect = self._on_pre_connect
        self._client.on_socket_open = _set_nodelay
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

    def start(self) -> None:
        """A thread connects now and again after every loss."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.MaximumPacketSize = -(-self._controller.cap.max_doc * 4 // 3) + 2_048
        self._client.connect_async(
            *self._address, keepalive=KEEPALIVE_S, clean_start=True, properties=properties
        )
        self._client.loop_start()

    def stop(self) -> None:
        """The broker has published our will and the thread is gone."""
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=WITH_WILL))
        self._client.loop_stop()

    def send(self, out: Out) -> None:
        """Hand one message to paho. A message lost with the connection is said again after the next one."""
        if not self._client.is_connected():
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if not out.topic.endswith("/status"):
            properties.ContentType = "application/jose"
        if out.correlation is not None:
            properties.CorrelationData = out.correlation
        self._client.publish(out.topic, out.payload, out.qos, out.retain, properties)

    def _on_pre_connect(self, _client: Client, _userdata: Any) -> None:
        will = self._controller.connecting()
        self._client.will_set(will.topic, will.payload, will.qos, will.retain)

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._say(f"broker refused us: {reason}")
            return
        name = self._controller.name
        client.subscribe(
            [
                (ids.down(name, "desired"), SubscribeOptions(qos=1, retainAsPublished=True)),
                (ids.down(name, "cmd"), _live(1)),
                (ids.down(name, "evack"), _live(1)),
                (ids.down(name, "time"), _live(0)),
            ]
        )
        self._say("connected")
        self._controller.connected()

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self._controller.disconnected()
        self._say(f"disconnected ({reason}); the doors go on working")

    def _on_publish(
        self, _client: Client, _userdata: Any, _mid: int, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            self._say(f"ALARM: the broker refused what we said: {reason}")

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            self._controller.receive(Arrived(message.topic, bytes(message.payload), message.retain))
        except (
            Exception
        ) as error:  # a full disk, a broken relay: the wire must outlive it, or nobody would know
            self._say(f"ALARM: a message could not be carried out: {type(error).__name__}")


def _live(qos: int) -> SubscribeOptions:
    """Never what the broker has stored, and a retained message must look like one (§2.6)."""
    never = SubscribeOptions.RETAIN_DO_NOT_SEND
    return SubscribeOptions(qos=qos, retainAsPublished=True, retainHandling=never)


def _set_nodelay(_client: Client, _userdata: Any, wire: Any) -> None:
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
