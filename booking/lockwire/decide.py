"""May this credential open this door now? The table of lock protocol §11.3, as a pure function."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import UNSET

from booking.lockwire.snapshot import ALWAYS, HOUR, Grant, Mode, Snapshot, Window

# The order of the table: if no grant passes, the reason furthest down is told to the server.
REASONS = ("unknown", "mode", "wrong_door", "clock", "horizon", "early", "late", "leader_first", "used_up")


@dataclass(frozen=True, slots=True)
class Presented:
    """What was held to the reader or typed at the keypad."""

    pin: str | None = field(default=None, repr=False)
    card: str | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """Return `pin`, `card` or `pin+card`, as events name it."""
        return "+".join(name for name, value in (("pin", self.pin), ("card", self.card)) if value is not None)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a controller remembers between openings, per grant id: last opening (s) and how many."""

    opened_at: Mapping[str, int] = field(default_factory=dict)
    openings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Granted, or denied and why; `grant` is the one that decided."""

    granted: bool
    why: str | None = None
    grant: str | None = None
    tail: tuple[int, str] = (0, "")  # earliest nb, then lowest id, names one of several valid grants


def decide(
    snapshot: Snapshot | None,
    refused: frozenset[str],
    presented: Presented,
    door: str,
    *,
    mode: Mode,
    now: int | None,
    locked_out: bool,
    memory: Memory,
) -> Verdict:
    """Return the verdict. `now` is UTC seconds, or None while the clock is untrusted; deny beats grant."""
    if locked_out and presented.pin is not None:
        return Verdict(False, "locked_out")
    grants = {} if snapshot is None else _in_force(snapshot, refused)
    verdicts = [
        _judge(grant, grants, snapshot, door, mode, now, memory)
        for grant in grants.values()
        if snapshot is not None and _matches(grant, presented)
    ]
    passed = [verdict for verdict in verdicts if verdict.granted]
    if passed:
        return min(passed, key=lambda verdict: verdict.tail)
    unknown = Verdict(False, "unknown")
    return max(verdicts, key=lambda verdict: REASONS.index(verdict.why or "unknown"), default=unknown)


def _in_force(snapshot: Snapshot, refused: frozenset[str]) -> dict[str, Grant]:
    every = (*snapshot.grants, *snapshot.reserve)
    return {grant.id: grant for grant in every if grant.id not in refused}


def _matches(grant: Grant, presented: Presented) -> bool:
    """A PIN is compared as a string: zeros count."""
    wanted = grant.k.split("+")
    return ("pin" not in wanted or grant.pin == presented.pin) and (
        "card" not in wanted or grant.card == presented.card
    )


def _judge(
    grant: Grant,
    grants: Mapping[str, Grant],
    snapshot: Snapshot | None,
    door: str,
    mode: Mode,
    now: int | None,
    memory: Memory,
) -> Verdict:
    def deny(why: str) -> Verdict:
        return Verdict(False, why, grant.id)

    always = grant.role in ALWAYS
    windows = [window for window in grant.w if door in window.d]
    if mode == "lockdown" and not always:
        return deny("mode")
    if not windows or (grant.rights is not UNSET and "open" not in grant.rights):
        return deny("wrong_door")
    if now is None:
        return Verdict(True, grant=grant.id, tail=(windows[0].nb, grant.id)) if always else deny("clock")
    if snapshot is not None and now >= snapshot.hz[1] and not always:
        return deny("horizon")
    current = [window for window in windows if window.nb <= now < window.na]
    if not current:
        return deny(_outside(windows, now))
    led = [window for window in current if _is_led(grant, window, grants, memory)]
    if not led:
        return deny("leader_first")
    if isinstance(grant.max, int) and memory.openings.get(grant.id, 0) >= grant.max:
        return deny("used_up")
    return Verdict(True, grant=grant.id, tail=(min(window.nb for window in led), grant.id))


def _outside(windows: Iterable[Window], now: int) -> str:
    """`late` if a window ended less than an hour ago or none is to come, else `early`."""
    ended = [now - window.na for window in windows if window.na <= now]
    to_come = any(window.nb > now for window in windows)
    return "late" if any(ago < HOUR for ago in ended) or not to_come else "early"


def _is_led(grant: Grant, window: Window, grants: Mapping[str, Grant], memory: Memory) -> bool:
    """True unless the grant waits for a leader who has not opened in an overlapping window (§5.3)."""
    if not isinstance(grant.after, str):
        return True
    leader, opened = grants.get(grant.after), memory.opened_at.get(grant.after)
    if leader is None or opened is None:
        return False
    return any(theirs.nb <= opened and theirs.nb < window.na and window.nb < theirs.na for theirs in leader.w)
