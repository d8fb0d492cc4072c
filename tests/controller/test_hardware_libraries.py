"""The hardware modules on the real libraries: gpiozero's mock pins, pyserial over a pseudo-terminal."""

import itertools
import os
import pty
import threading
import time
import tty
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from booking.controller import osdp
from booking.controller.entry import Entry
from booking.controller.gpio import GpioBolts, GpioPins, WiegandReader, watch
from booking.controller.osdp import Frame
from booking.controller.osdp_bus import Bus, open_port
from booking.controller.wiring import DoorPins, WiegandPins
from booking.lockwire.decide import Presented
from tests.controller.parts import eventually


@pytest.fixture
def board() -> Iterator[MockFactory]:
    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


def test_a_bolt__follows_its_pin_and_is_home_when_let_go(board: MockFactory) -> None:
    bolts = GpioBolts(GpioPins(), {"d1": DoorPins(bolt=17), "d2": DoorPins(bolt=18, active_high=False)})
    assert [board.pin(17).state, board.pin(18).state] == [0, 1]
    bolts.unlock("d1")
    bolts.unlock("d2")
    assert [board.pin(17).state, board.pin(18).state] == [1, 0]
    bolts.lock("d1")
    assert board.pin(17).state == 0
    bolts.close()


def test_a_contact__is_told_at_once_and_at_each_change(board: MockFactory) -> None:
    seen: list[tuple[str, str]] = []
    wires = watch(GpioPins(), "d1", DoorPins(bolt=17, contact=27), lambda *what: seen.append(what))
    time.sleep(0.1)  # gpiozero's own bounce time
    board.pin(27).drive_low()
    eventually(lambda: seen == [("d1", "opened"), ("d1", "closed")], seconds=5)
    for wire in wires:
        wire.close()


def test_pulses__are_a_pin(board: MockFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    ms = itertools.count(1_000, 2)  # pulses come 2 ms apart, however busy the machine is
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(ms) * 1_000_000)
    seen: list[Presented] = []
    entry = Entry(lambda presented: not seen.append(presented), lambda: frozenset({6}))  # type: ignore[func-returns-value]
    reader = WiegandReader(GpioPins(), WiegandPins(23, 24), entry)
    for key in "004216":
        for bit in f"{15 - int(key):04b}{int(key):04b}":
            pin = board.pin(24 if bit == "1" else 23)
            pin.drive_low()
            pin.drive_high()
        reader.tick(next(ms) + 100)
    assert seen == [Presented(pin="004216")]
    reader.close()


def test_an_osdp_keypad__is_heard_over_a_serial_line() -> None:
    near, far = pty.openpty()
    for end in (near, far):
        tty.setraw(end)
    heard: list[Frame] = []
    bus = Bus(open_port(os.ttyname(far), 9600), {0: heard.append})

    def reader() -> None:
        try:
            while command := os.read(near, 64):
                frame = osdp.parse(command)
                keys = frame.sequence == 2
                data, code = (b"\0\x02" + b"42", osdp.KEYPAD) if keys else (b"", osdp.ACK)
                os.write(near, b"\xff" + osdp.build(osdp.REPLY, frame.sequence, code, data))
        except OSError:
            return

    threading.Thread(target=reader, daemon=True).start()
    bus.start()
    eventually(lambda: heard, seconds=10)
    bus.stop()
    os.close(far)
    assert osdp.keys_of(heard[0]) == ["4", "2"]
