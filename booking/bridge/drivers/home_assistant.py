"""Doors outward to Home Assistant: a lock and a contact each, for staff's dashboards. Never codes, never windows.

Nothing here decides. A command is refused unless the bridge's configuration maps it to opening once, because an open
door is a decision of the server's (lock-protocol §8), with a reason and a name in the journal.

Wire: Home Assistant MQTT discovery, lock.mqtt, binary_sensor.mqtt (retained configs, availability, birth `online`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from booking.bridge.contract import Message
from booking.lockwire.messages import DoorReport

LOCK, UNLOCK, OPEN = "LOCK", "UNLOCK", "OPEN"
_STATES = {"locked": "LOCKED", "unlocked": "UNLOCKED"}
_BORN: Final = b"online"


class HaDevice(msgspec.Struct, frozen=True):
    """What groups the entities of one bridge."""

    identifiers: list[str]
    name: str
    manufacturer: str
    model: str
    sw_version: str


class HaOrigin(msgspec.Struct, frozen=True):
    """Who made the discovery message."""

    name: str
    sw_version: str


class HaLock(msgspec.Struct, frozen=True):
    """A lock. The command topic is required by Home Assistant, also where every command is refused."""

    name: str
    unique_id: str
    object_id: str
    state_topic: str
    command_topic: str
    availability_topic: str
    device: HaDevice
    origin: HaOrigin
    payload_open: str | UnsetType
    payload_lock: str = LOCK
    payload_unlock: str = UNLOCK
    state_locked: str = "LOCKED"
    state_unlocked: str = "UNLOCKED"
    optimistic: bool = False
    qos: int = 1


class HaContact(msgspec.Struct, frozen=True):
    """A door contact: ON is open."""

    name: str
    unique_id: str
    object_id: str
    state_topic: str
    availability_topic: str
    device: HaDevice
    origin: HaOrigin
    device_class: str = "door"
    payload_on: str = "ON"
    payload_off: str = "OFF"
    qos: int = 1


@dataclass(frozen=True, slots=True)
class HomeAssistant:
    """How one bridge shows its doors. `opens_once` lets `open` and `unlock` release a door for its usual seconds."""

    bridge: str
    doors: Mapping[str, str]  # door id → name for people
    prefix: str = "homeassistant"
    base: str = "booking"
    opens_once: bool = False

    def topics(self) -> tuple[str, ...]:
        """Return what to subscribe to: commands, and Home Assistant's birth."""
        return (f"{self.base}/{self.bridge}/+/command", f"{self.prefix}/status")

    def configs(self, firmware: str) -> list[Message]:
        """Return the discovery messages, retained: a lock and a contact per door."""
        device = HaDevice(
            [f"booking-{self.bridge}"], f"Booking {self.bridge}", "booking", "door bridge", firmware
        )
        origin = HaOrigin("booking", firmware)
        return [message for door in self.doors for message in self._configs(door, device, origin)]

    def gone(self) -> list[Message]:
        """Return what removes the entities: an empty retained config each."""
        return [
            Message(self._config_topic(kind, door), b"", retain=True)
            for door in self.doors
            for kind in ("lock", "binary_sensor")
        ]

    def states(self, doors: Mapping[str, DoorReport]) -> list[Message]:
        """Return the state of each door, retained. What is not known is said as `None`, which resets an entity."""
        said = []
        for door in self.doors:
            report = doors.get(door)
            lock = _STATES.get(report.lock, "None") if report else "None"
            contact = {"open": "ON", "closed": "OFF"}.get(report.pos, "None") if report else "None"
            said.append(Message(self._topic(door, "lock"), lock.encode(), retain=True))
            said.append(Message(self._topic(door, "contact"), contact.encode(), retain=True))
        return said

    def available(self, is_online: bool) -> Message:
        """Return the availability; the offline form is also the will of the connection."""
        said = b"online" if is_online else b"offline"
        return Message(f"{self.base}/{self.bridge}/availability", said, retain=True)

    def is_birth(self, message: Message) -> bool:
        """True if Home Assistant has just started and wants everything again."""
        return message.topic == f"{self.prefix}/status" and message.payload == _BORN

    def command(self, message: Message) -> tuple[str, Literal["open", "refused"]] | None:
        """Return door and what is done about a command; None if it is none. A retained one is always refused."""
        parts = message.topic.split("/")
        if (
            parts[:-2] != [*self.base.split("/"), self.bridge]
            or parts[-1] != "command"
            or parts[-2] not in self.doors
        ):
            return None
        is_opening = message.payload in (OPEN.encode(), UNLOCK.encode())
        return parts[-2], "open" if is_opening and self.opens_once and not message.retain else "refused"

    def _configs(self, door: str, device: HaDevice, origin: HaOrigin) -> Iterable[Message]:
        id, name = f"booking_{self.bridge}_{door}", self.doors[door]
        online = self.available(True).topic
        lock = HaLock(
            name, f"{id}_lock", f"{id}_lock", self._topic(door, "lock"), self._topic(door, "command"), online,
            device, origin, OPEN if self.opens_once else UNSET,
        )  # fmt: skip
        contact = HaContact(
            name, f"{id}_contact", f"{id}_contact", self._topic(door, "contact"), online, device, origin
        )
        yield Message(self._config_topic("lock", door), msgspec.json.encode(lock), retain=True)
        yield Message(self._config_topic("binary_sensor", door), msgspec.json.encode(contact), retain=True)

    def _config_topic(self, kind: str, door: str) -> str:
        return f"{self.prefix}/{kind}/booking-{self.bridge}/{door}/config"

    def _topic(self, door: str, what: str) -> str:
        return f"{self.base}/{self.bridge}/{door}/{what}"
