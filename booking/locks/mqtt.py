"""The server's wire: MQTT 5 through paho, the only importer of it on this side. It moves packets, nothing else."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from booking.locks.packets import Incoming, Packet

log = logging.getLogger("booking.locks.mqtt")

KEEPALIVE_S, SESSION_S, PUBACK_S = 15, 3_600, 10
TAKEN_OVER = 0x8E
# The broker's file is written for every acknowledgement of ours: a hint, and a question that is asked again, need none.
HEARD = {"reported": 1, "evt": 1, "res": 1, "time": 0, "status": 0}


class BrokerUnavailable(Exception):
    """The broker has not taken the packet; the same one may be sent again."""


class Wire:
    """One connection with one fixed client id, rebuilt by itself; paho's thread hands everything to our loop."""

    def __init__(
        self,
        url: str,
        *,
        on_message: Callable[[Incoming], None],
        on_connected: Callable[[bool], None],
        on_taken_over: Callable[[], None] = lambda: None,
        ca: Path | None = None,
    ) -> None:
        """`ca` is the file of whose certificates the broker may show; None is the system's list.

        `on_connected(session_present)`, `on_message` and `on_taken_over` run in the event loop.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or not parts.username:
            raise ValueError("MQTT_URL looks like mqtt://user:password@host:port")
        self._loop = asyncio.get_running_loop()
        self._on_message, self._on_connected = on_message, on_connected
        self._on_taken_over = on_taken_over
        self._acks: dict[int, asyncio.Future[int]] = {}
        self._address = (parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883))
        user = unquote(parts.username)
        self._client = Client(CallbackAPIVersion.VERSION2, user, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(user, unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context(cafile=ca))
        self._client.reconnect_delay_set(1, 1)  # one server; every door waits for it
        self._client.on_socket_open = _set_nodelay
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._arrived
        self._client.on_publish = self._acknowledged

    @property
    def is_connected(self) -> bool:
        """True while the broker answers."""
        return self._client.is_connected()

    def start(self) -> None:
        """A thread connects now and again after every loss."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        self._client.connect_async(
            *self._address, keepalive=KEEPALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()

    async def stop(self) -> None:
        """The connection is closed and its thread is gone."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._fail_all("the link was stopped")

    async def send(self, packet: Packet) -> int:
        """Return the broker's reason code (0 for QoS 0). Raises BrokerUnavailable."""
        if not self._client.is_connected():
            raise BrokerUnavailable("not connected to the broker")
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = "application/jose"
        if packet.correlation is not None:
            properties.CorrelationData = packet.correlation
        if packet.response is not None:
            properties.ResponseTopic = packet.response
        if packet.expiry_s is not None:
            properties.MessageExpiryInterval = packet.expiry_s
        # paho only queues here, so the loop isn't held up; the PUBACK reaches us through the loop, later.
        info = self._client.publish(packet.topic, packet.payload, packet.qos, packet.retain, properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerUnavailable(f"the broker connection refused the packet ({info.rc})")
        if packet.qos == 0:
            return 0
        waiting: asyncio.Future[int] = self._loop.create_future()
        self._acks[info.mid] = waiting
        try:
            async with asyncio.timeout(PUBACK_S):
                return await waiting
        except TimeoutError as error:
            raise BrokerUnavailable("no PUBACK within 10 s") from error
        finally:
            self._acks.pop(info.mid, None)

    # -- called in paho's thread --------------------------------------------------------------

    def _connected(
        self, client: Client, _user: Any, flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            log.error("the broker refused the server: %s", reason)
            return
        client.subscribe(
            [
                (f"lk/v1/+/up/{name}", SubscribeOptions(qos=qos, retainAsPublished=True))
                for name, qos in HEARD.items()
            ]
        )
        self._in_loop(self._on_connected, flags.session_present)

    def _disconnected(
        self,
        _client: Client,
        _user: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        if reason.value == TAKEN_OVER:
            log.error(
                "another server has taken over the broker connection: two installations share one account"
            )
            self._in_loop(self._on_taken_over)
        else:
            log.warning("broker connection lost: %s", reason)
        self._in_loop(self._fail_all, "the broker connection was lost")

    def _arrived(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        incoming = Incoming(message.topic, bytes(message.payload), message.retain)
        self._in_loop(self._on_message, incoming)

    def _acknowledged(
        self, _client: Client, _user: Any, mid: int, reason: ReasonCode, _props: Properties
    ) -> None:
        self._in_loop(self._resolve, mid, reason.value)

    def _in_loop(self, call: Callable[..., None], *args: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)

    # -- called in the loop -------------------------------------------------------------------

    def _resolve(self, mid: int, reason: int) -> None:
        waiting = self._acks.get(mid)
        if waiting is not None and not waiting.done():
            waiting.set_result(reason)

    def _fail_all(self, why: str) -> None:
        for waiting in self._acks.values():
            if not waiting.done():
                waiting.set_exception(BrokerUnavailable(why))


def _set_nodelay(_client: Client, _user: Any, wire: Any) -> None:
    """Without it a round trip takes 88 ms instead of 0.6 (locks.md §6)."""
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
