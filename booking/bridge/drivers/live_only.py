"""Locks that keep no windows: a code is set when its window starts and cleared when it ends. Pure.

Such a lock must be reachable twice for every booking. The bridge says `live` among its features, so that the
server can show the risk; until the start the code is truthfully reported as not in the lock.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from booking.bridge.contract import Window

FEATURE = "live"


class Timed(Protocol):
    """Anything with windows in UTC seconds."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """Return the windows in order."""


T = TypeVar("T", bound=Timed)


def current(codes: Sequence[T], now: int | None) -> list[T]:
    """Return the codes that open at this moment. Without a clock (None) every code given is kept."""
    return [code for code in codes if now is None or any(nb <= now < na for nb, na in code.windows)]
