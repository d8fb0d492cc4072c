"""Every weekly time that a wish could have, with what it costs in liking. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from booking.reservations.seasons.ground import DAY, Fixed, Ground, Slot, Window, Wish

# What a time costs beside the first choice; a step down the list of places is less than a second-best time.
ALTERNATIVE, LATE_YOUTH, IN_PRIME, NEXT_PLACE, MISSED_DATE, ADJACENT = 100, 150, 60, 30, 3, 40


@dataclass(frozen=True, slots=True)
class Candidate:
    """A slot that the wish at this index could have; `cost` is how much less it is liked than the best."""

    wish: int
    slot: Slot
    primary: bool
    dates: int  # how many of the season's dates it is free on
    cost: int


def candidates(wishes: Sequence[Wish], fixed: Sequence[Fixed], ground: Ground) -> list[Candidate]:
    """Return all of them, in the order of wishes, places, weekdays and starts. Fixed times are in nobody's way twice."""
    held = _held_days(fixed)
    in_the_way: dict[int, list[Slot]] = defaultdict(list)
    for each in fixed:
        in_the_way[each.slot.weekday].append(each.slot)
    found = []
    for number, wish in enumerate(wishes):
        days = held.get(wish.id, set())
        if len(days) >= wish.times:
            continue
        for one in _of(number, wish, ground):
            others = in_the_way[one.slot.weekday]
            if one.slot.weekday not in days and not any(ground.meet(one.slot, other) for other in others):
                found.append(one)
    return found


def _held_days(fixed: Iterable[Fixed]) -> dict[UUID, set[int]]:
    days: dict[UUID, set[int]] = defaultdict(set)
    for one in fixed:
        days[one.wish].add(one.slot.weekday)
    return days


def _of(number: int, wish: Wish, ground: Ground) -> Iterator[Candidate]:
    for liking, place in enumerate(wish.places):
        if place not in ground.places:
            continue
        for slot in starts(wish, place, ground.terms.step):
            dates, of = ground.dates_free(slot).bit_count(), ground.dates.get(slot.weekday, 0)
            if of and dates >= max(1, of * ground.terms.least_share):
                primary = covers([one for one in wish.windows if one.primary], slot)
                cost = _cost(wish, slot, primary, liking, ground) + MISSED_DATE * (of - dates)
                yield Candidate(number, slot, primary, dates, cost)


def starts(wish: Wish, place: UUID, step: int) -> Iterator[Slot]:
    """Return the slots on the raster that lie wholly in what the wish has painted, by weekday and start."""
    for weekday in range(7):
        for opens, closes in merged(wish.windows, weekday):
            start = -(-opens // step) * step
            while start + wish.minutes <= min(closes, DAY):
                yield Slot(place, weekday, start, start + wish.minutes)
                start += step


def merged(windows: Iterable[Window], weekday: int) -> list[tuple[int, int]]:
    """Return the weekday's windows with those that touch made one."""
    result: list[tuple[int, int]] = []
    for opens, closes in sorted((one.opens, one.closes) for one in windows if one.weekday == weekday):
        if result and opens <= result[-1][1]:
            result[-1] = (result[-1][0], max(closes, result[-1][1]))
        else:
            result.append((opens, closes))
    return result


def covers(windows: Iterable[Window], slot: Slot) -> bool:
    """True if the windows hold all of the slot."""
    stretches = merged(windows, slot.weekday)
    return any(opens <= slot.opens and slot.closes <= closes for opens, closes in stretches)


def _cost(wish: Wish, slot: Slot, primary: bool, liking: int, ground: Ground) -> int:
    terms = ground.terms
    cost = (0 if primary else ALTERNATIVE) + NEXT_PLACE * min(liking, 3)
    if wish.youth and terms.youth_until is not None and slot.closes > terms.youth_until:
        cost += LATE_YOUTH
    if not wish.youth and in_prime(slot, ground):
        cost += IN_PRIME
    return cost


def in_prime(slot: Slot, ground: Ground) -> bool:
    """True if the slot lies in the weekday hours that are meant for youth first."""
    terms = ground.terms
    if terms.prime is None or slot.weekday > 4:
        return False
    if terms.prime_places is not None and slot.place not in terms.prime_places:
        return False
    return slot.opens < terms.prime[1] and terms.prime[0] < slot.closes
