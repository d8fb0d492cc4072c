"""The real building of one controller: bolts, contacts and readers as wired, joined to its decisions."""

import threading
import time
from collections.abc import Callable

from booking.controller import hostclock, osdp, wiegand
from booking.controller.core import Controller
from booking.controller.entry import Entry
from booking.controller.gpio import GpioBolts, Input, Pins, WiegandReader, watch
from booking.controller.osdp import Frame
from booking.controller.osdp_bus import Bus, Port
from booking.controller.timepiece import Moment
from booking.controller.wiring import Wiring
from booking.lockwire.decide import Presented

TICK_S = 0.02
_POWER_ON = time.monotonic_ns() // 1_000_000


def read() -> Moment:
    """Return this computer's clocks; UTC only while the kernel says that it is synchronised."""
    return Moment(time.monotonic_ns() // 1_000_000 - _POWER_ON, hostclock.utc_ms())


class Building:
    """Everything wired. `open_port` is called if there are OSDP readers."""

    def __init__(self, wiring: Wiring, pins: Pins, open_port: Callable[[str, int], Port]) -> None:
        self._wiring, self._pins, self._open_port = wiring, pins, open_port
        self.bolts = GpioBolts(pins, wiring.doors)
        self._watched: list[Input] = []
        self._readers: list[WiegandReader] = []
        self._bus: Bus | None = None
        self._stop = threading.Event()

    def start(self, controller: Controller) -> None:
        """Contacts and readers speak to the controller from now on. Raises OSError if a line cannot be opened."""
        for name, door in self._wiring.doors.items():
            self._watched += watch(self._pins, name, door, controller.sense)
            if door.wiegand is not None:
                entry = Entry(_presenter(controller, name), controller.pin_lengths)
                self._readers.append(WiegandReader(self._pins, door.wiegand, entry))
        self._start_bus(controller)
        threading.Thread(target=self._tick, name="readers", daemon=True).start()

    def _start_bus(self, controller: Controller) -> None:
        doors = {door.osdp: name for name, door in self._wiring.doors.items() if door.osdp is not None}
        if not doors or self._wiring.osdp is None:
            return
        hear = {address: _hearer(self, controller, address, name) for address, name in doors.items()}
        self._bus = Bus(self._open_port(self._wiring.osdp.port, self._wiring.osdp.baud), hear)
        self._bus.start()

    def show(self, address: int, granted: bool) -> None:
        """The OSDP reader says whether the door opened."""
        if self._bus is not None:
            self._bus.show(address, granted)

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            for reader in self._readers:
                reader.tick(time.monotonic_ns() // 1_000_000)

    def stop(self) -> None:
        """Every bolt is home and every pin is free."""
        self._stop.set()
        if self._bus is not None:
            self._bus.stop()
        for wire in self._watched:
            wire.close()
        for reader in self._readers:
            reader.close()
        self.bolts.close()


def _presenter(controller: Controller, door: str) -> Callable[[Presented], bool]:
    return lambda presented: controller.present(door, presented).granted


def _hearer(building: Building, controller: Controller, address: int, door: str) -> Callable[[Frame], None]:
    entry = Entry(_presenter(controller, door), controller.pin_lengths)

    def hear(frame: Frame) -> None:
        now = time.monotonic_ns() // 1_000_000
        outcomes = [entry.key(key, now) for key in osdp.keys_of(frame)]
        card = wiegand.decode(osdp.bits_of(frame))
        if isinstance(card, wiegand.Card):
            outcomes.append(entry.card(card.uid, now))
        for granted in outcomes:
            if granted is not None:
                building.show(address, granted)

    return hear
