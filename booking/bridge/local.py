"""The broker next to the locks: a second MQTT connection, never the server's (locks.md §9)."""

import ipaddress
import socket
import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from booking.bridge.contract import Message

KEEPALIVE_S, SLOWEST_RETRY_S, PORT = 30, 10, 1883


class NotLocal(ValueError):
    """PINs would travel in clear text to a broker that is not next to the locks."""


def refuse_far_away(local: str, server: str) -> None:
    """Return if every address of `local` is on this machine or its private network. Raises NotLocal."""
    here, there = urlsplit(local), urlsplit(server)
    if here.scheme != "mqtt" or not here.hostname:
        raise NotLocal("the local broker is given as mqtt://[user:password@]host[:port]")
    if (here.hostname, here.port or PORT) == (there.hostname, there.port or PORT):
        raise NotLocal(
            "the local broker must not be the server's: the locks' messages carry PINs in clear text"
        )
    try:
        found = {item[4][0] for item in socket.getaddrinfo(here.hostname, None)}
    except OSError as error:
        raise NotLocal(f"the local broker {here.hostname} has no address here") from error
    if not all(ipaddress.ip_address(str(address)).is_private for address in found):
        raise NotLocal(f"{here.hostname} is not on this network: PINs would leave the building in clear text")


class LocalBroker:
    """Keeps one connection; what is handed over while there is none is lost, and the wish times out."""

    def __init__(
        self,
        url: str,
        topics: Sequence[str],
        will: Message | None,
        hear: Callable[[Message], None],
        connected: Callable[[bool], None],
    ) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or PORT)
        self._topics, self._hear, self._connected = list(topics), hear, connected
        name = f"booking-bridge-{uuid.uuid4().hex[:8]}"
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
        )
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if will is not None:
            self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        self._client.reconnect_delay_set(1, SLOWEST_RETRY_S)
        self._client.on_socket_open = _set_nodelay
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """A thread connects now and again after every loss."""
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_S, clean_start=True)
        self._client.loop_start()

    def stop(self) -> None:
        """The connection and its thread are gone."""
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, message: Message) -> None:
        """Hand one message over."""
        if self._client.is_connected():
            self._client.publish(message.topic, message.payload, message.qos, message.retain)

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        if not reason.is_failure:
            client.subscribe([(topic, 1) for topic in self._topics])
            self._connected(True)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self._connected(False)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._hear(Message(message.topic, bytes(message.payload), message.retain, message.qos))


def _set_nodelay(_client: Client, _userdata: Any, wire: Any) -> None:
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
