"""Seasons made up for tests: places, free weeks, wishes by a seed."""

import random
from collections.abc import Iterable
from uuid import UUID

from booking.reservations.seasons.ground import DAY, QUARTER, Ground, Place, Terms, Window, Wish

WEEKS = 16


def uid(kind: int, number: int) -> UUID:
    return UUID(int=kind << 64 | number)


def always(opens: int, closes: int, weeks: int = WEEKS) -> tuple[int, ...]:
    """Free on every date between two minutes of the day."""
    free = (1 << weeks) - 1
    return tuple(free if opens <= at * QUARTER < closes else 0 for at in range(DAY // QUARTER))


def ground(
    places: Iterable[Place], terms: Terms | None = None, *, hours: tuple[int, int] = (16 * 60, 22 * 60)
) -> Ground:
    """Places open at the same hours every day of a season of so many weeks."""
    found = {one.id: one for one in places}
    leaves = {leaf for one in found.values() for leaf in one.leaves}
    free = {(leaf, day): always(*hours) for leaf in leaves for day in range(7)}
    return Ground(found, dict.fromkeys(range(7), WEEKS), free, terms or Terms())


def big(seed: int, *, resources: int = 40, parties: int = 60, wishes: int = 300) -> tuple[Ground, list[Wish]]:
    """Halls with their halves, and wishes that want more than there is, at the hours that everybody wants."""
    rnd = random.Random(seed)
    places: list[Place] = []
    for number in range(0, resources, 4):
        leaves = (number, number + 1)
        places += [
            Place(uid(1, number), leaves),
            Place(uid(1, number + 1), leaves[:1]),
            Place(uid(1, number + 2), leaves[1:]),
            Place(uid(1, number + 3), (number + 3,)),
        ]
    made = []
    for number in range(wishes):
        minutes, windows = rnd.choice((60, 90, 90, 120)), []
        for day in rnd.sample(range(5), rnd.randint(2, 4)):
            opens = rnd.choice((16, 17, 17, 18, 19)) * 60
            windows.append(Window(day, opens, opens + minutes + rnd.choice((30, 60, 90)), rnd.random() < 0.6))
        liked = tuple(uid(1, one) for one in rnd.sample(range(resources), rnd.randint(1, 3)))
        party = uid(2, rnd.randrange(parties))
        made.append(
            Wish(
                uid(3, number), party, rnd.choice((1, 1, 2, 2, 3, 4, 5)), rnd.choice((1, 1, 2, 2, 3)), minutes,
                tuple(windows), liked, rnd.random() < 0.5,
            )
        )  # fmt: skip
    return ground(places, Terms(youth_until=20 * 60, prime=(16 * 60, 19 * 60 + 30))), made
