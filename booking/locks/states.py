"""The state of a grant: a function of stored facts, never a count of messages (lock protocol §13)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

State = Literal[
    "planned",
    "sealed",
    "on_broker",
    "applied",
    "active",
    "used",
    "ended",
    "removing",
    "removed_confirmed",
    "rejected",
]
# Of several doors the one that is furthest behind speaks for the booking.
ORDER: tuple[State, ...] = (
    "rejected",
    "planned",
    "sealed",
    "on_broker",
    "applied",
    "active",
    "used",
    "ended",
    "removing",
    "removed_confirmed",
)
SOON = timedelta(minutes=30)  # where the municipality has decided nothing else
LIVE_LATE = timedelta(minutes=1)  # a live lock has had time to take its code


class Facts(msgspec.Struct, frozen=True):
    """What is stored about one grant and its controller. Versions are (epoch, ver)."""

    nb: datetime
    na: datetime
    first: tuple[int, int] | None
    gone: tuple[int, int] | None
    in_log: bool
    logged: tuple[int, int]
    broker: tuple[int, int]
    reported: tuple[int, int]
    rejected: str | None
    used_at: datetime | None
    gone_at: datetime | None
    is_pending: bool = False  # a bridge has it, its lock has not confirmed it
    is_live: bool = False  # a lock without windows: the code is set when the window starts
    lead: timedelta = SOON  # how long before its window the code should be in the door


def state_of(facts: Facts, now: datetime) -> State:
    """Return where the code stands. Only a recognised report makes `applied` or `removed_confirmed`."""
    if facts.gone is not None:
        return "removed_confirmed" if facts.gone_at is not None or not facts.in_log else "removing"
    if facts.rejected is not None:
        return "rejected"
    if now >= facts.na:
        return "ended"
    if facts.first is None:
        return "planned"
    if facts.reported >= facts.first and not facts.is_pending:
        if facts.used_at is not None:
            return "used"
        return "active" if facts.nb <= now else "applied"
    if facts.broker >= facts.first:
        return "on_broker"
    return "sealed" if facts.logged >= facts.first else "planned"


def is_unconfirmed(facts: Facts, now: datetime) -> bool:
    """True when staff should look: the window is near and the code is not in the door, or won't leave it."""
    state = state_of(facts, now)
    if state in ("planned", "sealed", "on_broker", "rejected"):
        return now >= facts.nb + (LIVE_LATE if facts.is_live else -facts.lead)
    return state == "removing" and now < facts.na


def together(states: Iterable[State]) -> State:
    """Return the one state that speaks for several doors."""
    return min(states, key=ORDER.index)
