"""The ports to the building: what a controller can do to a door, and where credentials come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from booking.lockwire.decide import Presented


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened when a credential was presented. `why` is for staff; the door itself shows none."""

    granted: bool
    event: str
    why: str | None
    unlock_s: int | None


class Present(Protocol):
    """Hand a credential to the controller; `at` (epoch s) is given by simulated hardware only."""

    def __call__(self, door: str, presented: Presented, at: int | None = None) -> Outcome:
        """Return what the door did."""


class Bolts(Protocol):
    """The lock outputs. Must not block."""

    def unlock(self, door: str) -> None:
        """Release the bolt."""

    def lock(self, door: str) -> None:
        """Drop the bolt."""

    def identify(self, door: str | None) -> None:
        """Blink or beep; no effect on a door."""


class SimulatedBolts:
    """Lock outputs that only say what they would do."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.unlocked: set[str] = set()

    def unlock(self, door: str) -> None:
        """The simulated door is unlocked."""
        self.unlocked.add(door)
        self._say(f"simulated door {door}: unlocked")

    def lock(self, door: str) -> None:
        """The simulated door is locked."""
        self.unlocked.discard(door)
        self._say(f"simulated door {door}: locked")

    def identify(self, door: str | None) -> None:
        """The simulated light has blinked."""
        self._say(f"simulated door {door or 'all'}: blinking")
