"""A simulated building for one controller: bolts that only say, contacts and a clock that can be turned."""

import time
from collections.abc import Callable
from pathlib import Path

from booking.controller.core import Controller
from booking.controller.doors import Sensed
from booking.controller.hardware import SimulatedBolts
from booking.controller.keypad import SimulatedKeypad
from booking.controller.timepiece import Moment


class SimulatedWorld:
    """What the simulated keypad's socket may change.

    `skew_s`: the host's clock is wrong by so much; `shift_s`: it is so much later everywhere.
    """

    def __init__(self, say: Callable[[str], None], *, skew_s: int, has_clock: bool, shift_s: int = 0) -> None:
        self.bolts = SimulatedBolts(say)
        self._skew_ms, self._has_clock = (skew_s + shift_s) * 1_000, has_clock
        self._passed_ms = -(time.monotonic_ns() // 1_000_000)
        self._shift_ms = 0
        self.controller: Controller | None = None
        self._keypad: SimulatedKeypad | None = None

    def start(self, controller: Controller, state: Path) -> None:
        """The simulated keypad in this state directory speaks to the controller from now on."""
        self.controller = controller
        self._keypad = SimulatedKeypad(state, self)
        self._keypad.start(controller.present)

    def stop(self) -> None:
        """Nobody is listened to any more."""
        if self._keypad is not None:
            self._keypad.stop()

    def read(self) -> Moment:
        """Return the simulated hardware's clocks."""
        host = time.time_ns() // 1_000_000 + self._shift_ms + self._skew_ms if self._has_clock else None
        return Moment(time.monotonic_ns() // 1_000_000 + self._passed_ms + self._shift_ms, host)

    def sense(self, door: str, what: Sensed) -> None:
        """The simulated contact has changed."""
        if self.controller is not None:
            self.controller.sense(door, what)

    def is_unlocked(self, door: str) -> bool:
        """True while the simulated bolt is free."""
        return door in self.bolts.unlocked

    def let_pass(self, seconds: int) -> None:
        """So much time has passed, and what it demands has been done."""
        self._shift_ms += seconds * 1_000
        if self.controller is not None:
            self.controller.tick()
