"""Few codes, so that they collide."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from booking.locks import pin_rules
from booking.locks.pin_rules import PinRule

POOL = [str(314_159 + 7 * number) for number in range(40)]


@asynccontextmanager
async def few_codes(chance: random.Random) -> AsyncIterator[None]:
    """Codes are drawn from 40 instead of a million, so that the same one is drawn again and again."""
    draw = pin_rules.draw

    def scarce(_rule: PinRule) -> str:
        return chance.choice(POOL)

    pin_rules.draw = scarce
    try:
        yield
    finally:
        pin_rules.draw = draw
