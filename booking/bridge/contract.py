"""What a driver promises: what its lock can do, and how each wish is said, answered and read back.

A driver is sans-I/O. Each wish is a generator that yields one `Ask` at a time and is sent the message that
answered it; when nothing answers in time, `TimedOut` is raised inside it. Silence is failure, never success.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import msgspec

Window = tuple[int, int]  # UTC seconds, [nb, na)
Why = Literal["full", "dup", "format", "window", "door", "unsupported"]
Happening = Literal[
    "granted", "denied", "opened", "closed", "forced", "tamper", "locked", "unlocked", "battery", "changed"
]


class Trouble(Exception):
    """A wish was not fulfilled; the text says what the lock did. It is tried again later."""


class TimedOut(Trouble):
    """Nothing answered in time."""


class Refused(Trouble):
    """The lock will never take this code; `why` is the protocol's word for it (§6)."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Message:
    """One message on the broker next to the locks. The payload may hold a PIN: it is never shown."""

    topic: str
    payload: bytes = field(repr=False)
    retain: bool = False
    qos: int = 1


@dataclass(frozen=True, slots=True)
class Ask:
    """Say this, and wait for a message that answers; `within_ms` is the vendor's time-out, as data."""

    says: tuple[Message, ...]
    hears: Callable[[Message], bool]
    within_ms: int


@dataclass(frozen=True, slots=True)
class PinRule:
    """PINs this lock takes unaltered; anything else is refused before it is sent."""

    shortest: int
    longest: int
    digits: str = "0123456789"
    not_starting: tuple[str, ...] = ()

    def takes(self, pin: str) -> bool:
        """True if the lock would store exactly this PIN."""
        fits = self.shortest <= len(pin) <= self.longest and set(pin) <= set(self.digits)
        return fits and not pin.startswith(self.not_starting)


@dataclass(frozen=True, slots=True)
class Declared:
    """One row of the driver table. `windows` is how many a code can carry in the lock; 0 is live-only."""

    driver: str
    pin: PinRule
    windows: int
    time_base: Literal["utc", "local", "none"]
    step_s: int
    confirmation: str
    slots: int
    has_ids: bool  # answers name the request; where they don't, one wish is under way at a time
    note: str

    @property
    def is_live(self) -> bool:
        """True if the lock keeps no windows: it must be online at the start and at the end."""
        return self.windows == 0


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What one slot of a lock may hold, written down before the lock is told. Windows are UTC.

    `putting` and `clearing` mean: it may or may not be there. `key` is the lock's own name for it.
    """

    slot: int
    pin: str
    windows: tuple[Window, ...]
    grants: tuple[str, ...]
    state: Literal["putting", "in", "clearing"]
    key: str | None = None

    def __repr__(self) -> str:
        return f"Held(slot={self.slot}, state={self.state!r}, grants={self.grants!r})"


class Survey(msgspec.Struct, frozen=True):
    """What a lock says it holds: slots of ours that are taken, and keys of ours that no slot is known for."""

    slots: frozenset[int]
    strays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something a lock told by itself. `slot` where a code was used; `value` per cent for `battery`."""

    what: Happening
    slot: int | None = None
    value: int | None = None


Steps = Generator[Ask, Message, str | None]  # returns the lock's own key, if it has one
Surveying = Generator[Ask, Message, Survey]


class Driver(Protocol):
    """One lock of one vendor."""

    declared: Declared
    topics: tuple[str, ...]

    def prepare(self, now: int | None) -> Steps:
        """Set up what codes rely on, such as the lock's clock; at start and daily."""

    def put(self, held: Held) -> Steps:
        """The code is in the lock, read back. Raises Trouble; Refused if it never will be."""

    def clear(self, held: Held) -> Steps:
        """The code is not in the lock, read back. Raises Trouble."""

    def survey(self, held: Sequence[Held]) -> Surveying:
        """Return what the lock holds now; a code that can be read back counts with its windows. Raises Trouble."""

    def caveat(self, held: Held) -> str | None:
        """Return what the lock does with this code besides what was wished, None if nothing."""

    def release(self, free: bool) -> tuple[Message, ...]:
        """Return what unlocks the door, or locks it again."""

    def heard(self, message: Message, held: Sequence[Held]) -> list[Sighting]:
        """Return what a message tells besides answering a wish."""


T = TypeVar("T")


def decoded(message: Message, kind: type[T]) -> T | None:
    """Return the payload if it is such a thing, else None: what a vendor sends is never trusted to parse."""
    try:
        return msgspec.json.decode(message.payload, type=kind, strict=False)
    except (msgspec.DecodeError, ValueError):
        return None
