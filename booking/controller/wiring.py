"""Which pin is which door: the file `wiring.json` beside `controller.json`."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from booking.lockwire.snapshot import DoorId, Pin

WIRING = "wiring.json"
GpioPin = Annotated[int, msgspec.Meta(ge=0, le=27)]  # BCM numbers of a Raspberry Pi header


class WiegandPins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The two data wires of a reader."""

    d0: GpioPin
    d1: GpioPin


class DoorPins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One door: its bolt, its contacts to ground, its reader. `fail` says what happens without power."""

    bolt: GpioPin
    fail: Literal["secure", "safe"] = "secure"
    active_high: bool = True
    contact: GpioPin | None = None
    rex: GpioPin | None = None
    tamper: GpioPin | None = None
    fire: GpioPin | None = None
    light: GpioPin | None = None
    wiegand: WiegandPins | None = None
    osdp: Annotated[int, msgspec.Meta(ge=0, le=126)] | None = None


class OsdpLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The RS-485 adapter of the readers."""

    port: str
    baud: Literal[9600, 19200, 38400, 57600, 115200, 230400] = 9600


class Wiring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything soldered to this computer."""

    doors: Annotated[dict[DoorId, DoorPins], msgspec.Meta(min_length=1, max_length=32)]
    osdp: OsdpLine | None = None
    static_pins: list[Pin] = []


class BadWiring(Exception):
    """The file cannot be used; the text says what to change."""


def load(state: Path) -> Wiring:
    """Return the wiring. Raises BadWiring."""
    path = state / WIRING
    try:
        wiring = msgspec.json.decode(path.read_bytes(), type=Wiring)
    except OSError as error:
        raise BadWiring(
            f"{path} is missing: say which pin is which door, or start with --simulated"
        ) from error
    except msgspec.MsgspecError as error:
        raise BadWiring(f"{path}: {error}") from error
    used = [pin for door in wiring.doors.values() for pin in _pins(door)]
    twice = sorted({pin for pin in used if used.count(pin) > 1})
    if twice:
        raise BadWiring(f"{path}: pin {twice[0]} is used twice")
    addresses = [door.osdp for door in wiring.doors.values() if door.osdp is not None]
    if addresses and wiring.osdp is None:
        raise BadWiring(f'{path}: a door has an OSDP reader; say on which line: "osdp": {{"port": …}}')
    if len(set(addresses)) != len(addresses):
        raise BadWiring(f"{path}: two doors share an OSDP address")
    return wiring


def _pins(door: DoorPins) -> list[int]:
    wires = (door.wiegand.d0, door.wiegand.d1) if door.wiegand else ()
    single = (door.bolt, door.contact, door.rex, door.tamper, door.fire, door.light, *wires)
    return [pin for pin in single if pin is not None]
