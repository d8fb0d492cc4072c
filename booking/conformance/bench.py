"""The device on its bench: keys pressed, power and network cut, time that passes."""

import math
import threading
import time

from booking.conformance.testport import Hands
from booking.conformance.verdicts import NotRun


class Bench:
    """What is done at one device, and what it was left like."""

    def __init__(self, port: Hands, doors: list[str]) -> None:
        self.port, self.doors = port, doors
        self.shift_s = 0  # how much time the rig let pass on the device
        self.is_on = self.is_up = self.has_clock = True  # the device, its network, its time
        self.turning = threading.Lock()  # time does not pass while an answer with the time is made
        self.quiet_at = 0.0  # monotonic seconds: no question or answer about the time is under way any more

    def now_ms(self) -> int:
        """Return the time as the device should have it."""
        return time.time_ns() // 1_000_000 + self.shift_s * 1_000

    def now(self) -> int:
        """Return whole seconds of it."""
        return self.now_ms() // 1_000

    @property
    def door(self) -> str:
        """The door most checks use."""
        return self.doors[0]

    def press(self, pin: str, door: str | None = None) -> bool:
        """True if the door opened."""
        return self.press_all([pin], door)[0]

    def press_all(self, pins: list[str], door: str | None = None) -> list[bool]:
        """Return for each PIN typed whether the door opened."""
        reply = self.port.ask("press", door=door or self.door, pins=pins).get("opened")
        if not isinstance(reply, list) or len(reply) != len(pins):
            raise NotRun("the test port must answer a press with `opened`, one truth value per PIN")
        return [each is True for each in reply]

    def card(self, uid: str) -> bool:
        """True if the door opened."""
        reply = self.port.ask("card", door=self.door, card=uid).get("opened")
        return reply is True or reply == [True]

    def power(self, on: bool, *, clock: bool = True) -> None:
        """The power is cut hard, or back; with `clock` False the device has forgotten the time."""
        if not clock and "clock" not in self.port.can:
            raise NotRun("needs a test port that can start the device without a clock")
        self.port.ask("power", on=on, clock=clock)
        self.is_on, self.has_clock = on, self.has_clock if not on else clock

    def network(self, up: bool) -> None:
        """The device's network is cut, or back."""
        self.port.ask("network", up=up)
        self.is_up = up

    def let_pass(self, seconds: float) -> None:
        """So much time has passed on the device: at once if the rig can, else really."""
        whole = int(seconds)
        if "pass" in self.port.can and whole:
            time.sleep(max(0.0, self.quiet_at - time.monotonic()))
            with self.turning:
                self.port.ask("pass", seconds=whole)
                self.shift_s += whole
            seconds -= whole
        time.sleep(max(0.0, seconds))

    def until(self, instant: float) -> None:
        """It is that second (UTC) on the device."""
        left = max(0.0, instant - self.now_ms() / 1_000)
        self.let_pass(math.ceil(left) if "pass" in self.port.can else left)

    def settle(self) -> None:
        """A report held back by the limit of one a second may be said; costs nothing without a rig that can."""
        if "pass" in self.port.can:
            self.let_pass(1)
