"""The numbered checks of lock-protocol §17: a registry that the check files fill."""

from collections.abc import Callable
from dataclasses import dataclass

from booking.conformance.player import Player

Run = Callable[[Player], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check; `order` is when it runs: the gentle ones first, the one that changes keys last."""

    number: str
    title: str
    order: int
    run: Run


CHECKS: dict[str, Check] = {}


def check(number: str, title: str, order: int) -> Callable[[Run], Run]:
    """Return the decorator that makes a function this check."""

    def register(run: Run) -> Run:
        CHECKS[number] = Check(number, title, order, run)
        return run

    return register
