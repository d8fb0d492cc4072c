"""What a check finds: passed, failed with what was expected and seen, or not run and why."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "fail", "not run"]


class Failed(Exception):
    """The controller does not do what the protocol demands."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; saw {seen}")
        self.expected, self.seen = expected, seen


class NotRun(Exception):
    """Something was missing to find out; the text says what."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's outcome."""

    number: str
    title: str
    outcome: Outcome
    expected: str = ""
    seen: str = ""
    seconds: float = 0.0


def require(holds: object, expected: str, seen: object) -> None:
    """Go on only if it holds. Raises Failed."""
    if not holds:
        raise Failed(expected, str(seen))
