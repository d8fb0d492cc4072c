"""bridge.json in the state directory: which lock is behind which door, and the broker next to them."""

from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from booking.bridge.contract import Driver
from booking.bridge.drivers.esp_rfid import EspRfid
from booking.bridge.drivers.home_assistant import HomeAssistant
from booking.bridge.drivers.nuki_hub import NukiHub
from booking.bridge.drivers.zigbee2mqtt import Zigbee2Mqtt
from booking.bridge.drivers.zwave_js_ui import ZwaveJsUi
from booking.lockwire.snapshot import DoorId

CONFIG_FILE: Final = "bridge.json"

Slots = Annotated[int, Meta(ge=1, le=1_000)]
Topic = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^#+\x00]+$(?!\n)")]


class _Lock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="driver"):
    name: str = ""


class ZigbeeLock(_Lock, frozen=True, kw_only=True, tag="zigbee2mqtt"):
    """A lock of zigbee2mqtt. Places first … first + slots − 1 belong to us alone."""

    device: Topic
    base: Topic = "zigbee2mqtt"
    first: int = 1
    slots: Slots = 20
    shortest: int = 4
    longest: int = 8
    reads_back: bool = True

    def made(self, zone: ZoneInfo) -> Driver:
        """Return its driver."""
        return Zigbee2Mqtt(self.device, base=self.base, first=self.first, slots=self.slots, shortest=self.shortest,
                           longest=self.longest, reads_back=self.reads_back)  # fmt: skip


class ZwaveLock(_Lock, frozen=True, kw_only=True, tag="zwave_js_ui"):
    """A lock of zwave-js-ui. `windows` is its number of year-day schedules per user."""

    node: Annotated[int, Meta(ge=1, le=4_000)]
    prefix: Topic = "zwave"
    gateway: Topic = "zwave-js-ui"
    first: Annotated[int, Meta(ge=1)] = 1
    slots: Slots = 20
    windows: Annotated[int, Meta(ge=1, le=10)] = 1

    def made(self, zone: ZoneInfo) -> Driver:
        """Return its driver."""
        return ZwaveJsUi(self.node, zone, prefix=self.prefix, gateway=self.gateway, first=self.first,
                         slots=self.slots, windows=self.windows)  # fmt: skip


class NukiLock(_Lock, frozen=True, kw_only=True, tag="nuki_hub"):
    """A lock of nuki_hub. `listed` is the list's length as set there."""

    path: Topic
    listed: Annotated[int, Meta(ge=2, le=200)] = 10
    unlock: str = "unlatch"

    def made(self, zone: ZoneInfo) -> Driver:
        """Return its driver."""
        return NukiHub(self.path, zone, listed=self.listed, unlock=self.unlock)


class EspRfidBoard(_Lock, frozen=True, kw_only=True, tag="esp_rfid"):
    """An esp-rfid board in PIN mode."""

    topic: Topic
    hostname: str
    ip: str
    slots: Slots = 200
    longest: int = 10

    def made(self, zone: ZoneInfo) -> Driver:
        """Return its driver."""
        return EspRfid(self.topic, self.hostname, self.ip, slots=self.slots, longest=self.longest)


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the doors are shown to Home Assistant."""

    prefix: Topic = "homeassistant"
    base: Topic = "booking"
    opens_once: bool = False


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `local` holds the local broker's password: the file is the owner's alone."""

    local: str
    doors: Annotated[
        dict[DoorId, ZigbeeLock | ZwaveLock | NukiLock | EspRfidBoard], Meta(min_length=1, max_length=32)
    ]
    tz: str = "Europe/Stockholm"
    home_assistant: Shown | None = None

    def __repr__(self) -> str:
        return f"Config(doors={sorted(self.doors)})"

    def drivers(self) -> dict[str, Driver]:
        """Return a driver per door."""
        zone = ZoneInfo(self.tz)
        return {door: lock.made(zone) for door, lock in self.doors.items()}

    def shown(self, bridge: str) -> HomeAssistant | None:
        """Return how Home Assistant sees the doors, None if it does not."""
        if self.home_assistant is None:
            return None
        names = {door: lock.name or door for door, lock in self.doors.items()}
        shown = self.home_assistant
        return HomeAssistant(bridge, names, shown.prefix, shown.base, shown.opens_once)


class BadConfig(Exception):
    """bridge.json can't be used; the text says where."""


def read(state: Path) -> Config:
    """Return the configuration. Raises BadConfig."""
    path = state / CONFIG_FILE
    try:
        config = msgspec.json.decode(path.read_bytes(), type=Config)
        ZoneInfo(config.tz)
    except (OSError, msgspec.DecodeError) as error:
        raise BadConfig(f"{path} can't be used: {error}; see docs/how-to/bridge.md") from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadConfig(f"{path}: `tz` is no time zone name") from error
    _refuse_shared(config)
    return config


def _refuse_shared(config: Config) -> None:
    """One lock behind two doors would be told two things. Raises BadConfig."""
    seen: dict[str, str] = {}
    for door, lock in config.doors.items():
        address = repr(msgspec.structs.replace(lock, name=""))
        if address in seen:
            raise BadConfig(f"doors {seen[address]} and {door} name the same lock")
        seen[address] = door
