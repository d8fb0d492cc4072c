"""Keypad lock-out arithmetic (lock protocol §11.4). All times are seconds of one steady clock."""

from dataclasses import dataclass, replace

from booking.lockwire.snapshot import Policy

UNCOUNTED = ("leader_first", "clock", "locked_out")


@dataclass(frozen=True, slots=True)
class Lockout:
    """Misses in this round, rounds lost, when the keypad works again, and since when the level rests."""

    misses: int = 0
    level: int = 0
    until: int = 0
    last: int = 0

    def is_locked(self, now: int) -> bool:
        """True while PINs are refused; cards are exempt."""
        return now < self.until


def denied(state: Lockout, why: str, policy: Policy, now: int) -> Lockout:
    """Return the state after a denied PIN; after `tries` of them it is locked, each round twice as long."""
    if why in UNCOUNTED or state.is_locked(now):
        return state
    state = relaxed(state, policy, now)
    if state.misses + 1 < policy.tries:
        return replace(state, misses=state.misses + 1, last=now)
    length = min(policy.lock_s * 2**state.level, policy.max_s)
    return Lockout(misses=0, level=state.level + 1, until=now + length, last=now)


def granted(state: Lockout) -> Lockout:
    """Return the state after a granted PIN: the count is cleared, the level is not."""
    return replace(state, misses=0)


def relaxed(state: Lockout, policy: Policy, now: int) -> Lockout:
    """Return the state with one level less per `max_s` without a denial."""
    steps = max(0, now - state.last) // policy.max_s
    if steps == 0 or state.level == 0:
        return state
    return replace(state, level=max(0, state.level - steps), last=state.last + steps * policy.max_s)


def capped(state: Lockout, policy: Policy, now: int) -> Lockout:
    """Return the state of a clock that was set back: nobody waits longer than the longest lock-out."""
    return replace(state, until=min(state.until, now + policy.max_s), last=min(state.last, now))
