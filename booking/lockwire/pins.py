"""PIN policy (lock protocol §14.1-3): strings of digits, drawn uniformly, never trivial."""

import itertools
import secrets

DEFAULT_LENGTH = 6


def draw(length: int = DEFAULT_LENGTH) -> str:
    """Return a new PIN that is not trivial. Uniqueness at a door is the database's to decide."""
    while True:
        pin = f"{secrets.randbelow(10**length):0{length}d}"
        if not is_trivial(pin):
            return pin


def is_trivial(pin: str) -> bool:
    """True for PINs a passer-by would try first: few digits, runs, repeats, palindromes."""
    return len(set(pin)) < 3 or pin == pin[::-1] or _is_run(pin) or _is_repeat(pin)


def _is_run(pin: str) -> bool:
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    return steps in ({1}, {9})


def _is_repeat(pin: str) -> bool:
    half = range(1, len(pin) // 2 + 1)
    return any(len(pin) % size == 0 and pin == pin[:size] * (len(pin) // size) for size in half)
