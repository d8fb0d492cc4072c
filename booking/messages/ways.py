"""Ports to the outside: how a mail or an SMS leaves, and what tells that it can't."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from booking.messages.templates import Text


class Undeliverable(Exception):
    """Trying again would not help: the receiver is refused for good."""


class TryLater(Exception):
    """It did not leave, or we don't know: try again later."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out. `id` is the same at every attempt."""

    id: str
    to: str
    text: Text
    secret: bool  # holds a PIN: nobody on the way should keep its text
    first_tried_at: datetime | None  # None at the first attempt


class Way(Protocol):
    """A channel."""

    async def send(self, letter: Letter) -> str | None:
        """Return the other side's id once it has taken the letter. Raises Undeliverable, TryLater."""
        ...
