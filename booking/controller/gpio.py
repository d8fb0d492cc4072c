"""Real doors on the pins of a small computer (needs the extra `gpio`: gpiozero with lgpio)."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from booking.controller import wiegand
from booking.controller.doors import Sensed
from booking.controller.entry import Entry
from booking.controller.wiring import DoorPins, WiegandPins

BOUNCE_S = 0.05


class Output(Protocol):
    """The part of gpiozero's DigitalOutputDevice that is used."""

    def on(self) -> None:
        """Active."""

    def off(self) -> None:
        """Inactive."""

    def close(self) -> None:
        """The pin is free."""


class Input(Protocol):
    """The part of gpiozero's DigitalInputDevice that is used."""

    is_active: bool
    when_activated: Callable[[], None] | None
    when_deactivated: Callable[[], None] | None

    def close(self) -> None:
        """The pin is free."""


class Pins(Protocol):
    """Where pins come from."""

    def output(self, pin: int, *, active_high: bool) -> Output:
        """Return an output, inactive."""

    def input(self, pin: int, *, bounce_s: float | None) -> Input:
        """Return an input pulled up: active while it is connected to ground."""


class GpioPins:
    """gpiozero. Raises OSError where it is not installed or there are no pins."""

    def __init__(self) -> None:
        try:
            import gpiozero
        except ImportError as error:
            raise OSError("doors on pins need gpiozero: pip install 'booking[gpio]'") from error
        self._gpiozero = gpiozero

    def output(self, pin: int, *, active_high: bool) -> Output:
        """Return an output, inactive."""
        made: Output = self._gpiozero.DigitalOutputDevice(pin, active_high=active_high, initial_value=False)
        return made

    def input(self, pin: int, *, bounce_s: float | None) -> Input:
        """Return an input pulled up: active while it is connected to ground."""
        made: Input = self._gpiozero.DigitalInputDevice(pin, pull_up=True, bounce_time=bounce_s)
        return made


class GpioBolts:
    """One output per door. An inactive output is a locked door, so that a dead process locks."""

    def __init__(self, pins: Pins, doors: dict[str, DoorPins]) -> None:
        self._bolts = {
            name: pins.output(door.bolt, active_high=door.active_high) for name, door in doors.items()
        }
        self._lights = {
            name: pins.output(door.light, active_high=True)
            for name, door in doors.items()
            if door.light is not None
        }

    def unlock(self, door: str) -> None:
        """Release the bolt."""
        if door in self._bolts:
            self._bolts[door].on()

    def lock(self, door: str) -> None:
        """Drop the bolt."""
        if door in self._bolts:
            self._bolts[door].off()

    def identify(self, door: str | None) -> None:
        """The light is on for two seconds; no effect on a door."""
        for name, light in self._lights.items():
            if door in (None, name):
                light.on()
                threading.Timer(2, light.off).start()

    def close(self) -> None:
        """Locked, and the pins are free."""
        for each in (*self._bolts.values(), *self._lights.values()):
            each.off()
            each.close()


def watch(pins: Pins, name: str, door: DoorPins, sense: Callable[[str, Sensed], None]) -> list[Input]:
    """Contacts of a door are told from now on; the position at once."""
    watched: list[Input] = []
    if door.contact is not None:
        contact = pins.input(door.contact, bounce_s=BOUNCE_S)
        contact.when_activated = lambda: sense(name, "closed")
        contact.when_deactivated = lambda: sense(name, "opened")
        sense(name, "closed" if contact.is_active else "opened")
        watched.append(contact)
    for pin, what in ((door.rex, "rex"), (door.tamper, "tamper"), (door.fire, "fire")):
        if pin is not None:
            watched.append(_told(pins.input(pin, bounce_s=BOUNCE_S), name, what, sense))
    return watched


def _told(wire: Input, name: str, what: str, sense: Callable[[str, Sensed], None]) -> Input:
    known: dict[str, Sensed] = {"rex": "rex", "tamper": "tamper", "fire": "fire"}
    wire.when_activated = lambda: sense(name, known[what])
    return wire


class WiegandReader:
    """Two wires of one reader. `tick` must be called some fifty times a second."""

    def __init__(self, pins: Pins, wires: WiegandPins, entry: Entry) -> None:
        self._entry, self._frames, self._lock = entry, wiegand.Frames(), threading.Lock()
        self._wires = [pins.input(pin, bounce_s=None) for pin in (wires.d0, wires.d1)]
        for bit, wire in enumerate(self._wires):
            wire.when_activated = lambda bit=bit: self.pulse(bit, _now_ms())

    def pulse(self, bit: int, now_ms: int) -> None:
        """A wire fell."""
        with self._lock:
            ended = self._frames.pulse(bit, now_ms)
        self._take(ended, now_ms)

    def tick(self, now_ms: int) -> None:
        """A frame that silence has ended is acted on."""
        with self._lock:
            ended = self._frames.ended(now_ms)
        self._take(ended, now_ms)

    def _take(self, bits: list[int] | None, now_ms: int) -> None:
        said = wiegand.decode(bits) if bits else None
        if isinstance(said, wiegand.Key):
            self._entry.key(said.name, now_ms)
        elif isinstance(said, wiegand.Card):
            self._entry.card(said.uid, now_ms)

    def close(self) -> None:
        """The pins are free."""
        for wire in self._wires:
            wire.close()


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
