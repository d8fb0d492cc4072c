"""Why a wish got less than it asked for, and how fairly the whole is spread. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from booking.reservations.seasons.candidates import Candidate, candidates, covers, starts
from booking.reservations.seasons.ground import Fixed, Ground, Slot, Wish

Reason = Literal[
    "no_window_wide_enough",  # nothing painted is as long as the wish
    "not_free",  # closed or booked on too many of the season's dates
    "one_a_day",  # all the days that would do have a time already
    "weekly_cap",  # the association has as many minutes a week as it may have
    "own_times",  # the association's other teams have the place
    "higher_class",  # a class that comes before has the place
    "same_class",  # the class is shared out evenly, and others have these times
    "by_hand",  # staff have not given it, though it is free
]


@dataclass(frozen=True, slots=True)
class Given:
    """A weekly time that a wish gets, on so many of the season's dates."""

    wish: UUID
    slot: Slot
    primary: bool
    dates: int
    of: int


@dataclass(frozen=True, slots=True)
class Blocker:
    """Who has times that the wish could have used, and how many."""

    party: UUID
    rank: int
    times: int


@dataclass(frozen=True, slots=True)
class Missing:
    """How many of a wish's times there was no place for, and why."""

    wish: UUID
    times: int
    reason: Reason
    by: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What a party, or a class, asked for and got: times a week."""

    wished: int
    granted: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How fairly it is spread. The prime minutes are those a week in the hours that are meant for youth first."""

    parties: dict[UUID, Share]
    classes: dict[int, Share]
    prime_minutes: int
    prime_youth_minutes: int


def given_of(wishes: Sequence[Wish], slots: Iterable[Fixed], ground: Ground) -> list[Given]:
    """Return what the wishes have, by wish and weekday."""
    by_id = {wish.id: wish for wish in wishes}
    order = {wish.id: n for n, wish in enumerate(wishes)}
    found = [
        Given(
            one.wish,
            one.slot,
            covers([each for each in by_id[one.wish].windows if each.primary], one.slot),
            ground.dates_free(one.slot).bit_count(),
            ground.dates.get(one.slot.weekday, 0),
        )
        for one in slots
    ]
    return sorted(found, key=lambda one: (order[one.wish], one.slot.weekday, one.slot.opens))


def missing_of(wishes: Sequence[Wish], slots: Sequence[Fixed], ground: Ground) -> list[Missing]:
    """Return the wishes that have less than they asked for, each with the reason and who has what they could use."""
    mine: dict[UUID, list[Slot]] = defaultdict(list)
    for one in slots:
        mine[one.wish].append(one.slot)
    could = defaultdict[int, list[Candidate]](list)
    for candidate in candidates(wishes, [], ground):
        could[candidate.wish].append(candidate)
    found = []
    for number, wish in enumerate(wishes):
        lacking = wish.times - len(mine[wish.id])
        if lacking > 0:
            reason, by = _why(wish, could[number], mine[wish.id], wishes, slots, ground)
            found.append(Missing(wish.id, lacking, reason, by))
    return found


def _why(
    wish: Wish,
    could: list[Candidate],
    own: list[Slot],
    wishes: Sequence[Wish],
    slots: Sequence[Fixed],
    ground: Ground,
) -> tuple[Reason, tuple[Blocker, ...]]:
    if not could:
        wide = any(True for place in wish.places for _ in starts(wish, place, ground.terms.step))
        return ("not_free" if wide else "no_window_wide_enough"), ()
    days = {slot.weekday for slot in own}
    rest = [one.slot for one in could if one.slot.weekday not in days]
    if not rest:
        return "one_a_day", ()
    by_id = {one.id: one for one in wishes}
    met = {slot: [by_id[one.wish] for one in slots if ground.meet(one.slot, slot)] for slot in rest}
    if not all(met.values()):
        cap = ground.terms.most_weekly
        minutes = sum(one.slot.minutes for one in slots if by_id[one.wish].party == wish.party)
        return ("weekly_cap" if cap is not None and minutes + wish.minutes > cap else "by_hand"), ()
    in_the_way = {(one.wish, one.slot) for one in slots for slot in rest if ground.meet(one.slot, slot)}
    counted = Counter((by_id[each].party, by_id[each].rank) for each, _ in in_the_way)
    by = tuple(
        Blocker(party, rank, times)
        for (party, rank), times in sorted(
            counted.items(), key=lambda item: (item[0][1], -item[1], item[0][0])
        )
    )
    if all(any(one.rank < wish.rank for one in others) for others in met.values()):
        return "higher_class", by
    if all(all(one.party == wish.party for one in others) for others in met.values()):
        return "own_times", by
    if any(one.rank == wish.rank for others in met.values() for one in others):
        return "same_class", by
    return (
        "higher_class"
        if any(one.rank < wish.rank for others in met.values() for one in others)
        else "by_hand"
    ), by


def figures_of(wishes: Sequence[Wish], slots: Sequence[Fixed], ground: Ground) -> Figures:
    """Return the shares of parties and classes, and how much of the best hours youth have."""
    by_id = {wish.id: wish for wish in wishes}
    wanted_p, wanted_c = Counter[UUID](), Counter[int]()
    for wish in wishes:
        wanted_p[wish.party] += wish.times
        wanted_c[wish.rank] += wish.times
    got_p = Counter(by_id[one.wish].party for one in slots)
    got_c = Counter(by_id[one.wish].rank for one in slots)
    prime = [(one, _in_prime(one.slot, ground)) for one in slots]
    return Figures(
        {party: Share(of, got_p[party]) for party, of in sorted(wanted_p.items())},
        {rank: Share(of, got_c[rank]) for rank, of in sorted(wanted_c.items())},
        sum(minutes for _, minutes in prime),
        sum(minutes for one, minutes in prime if by_id[one.wish].youth),
    )


def _in_prime(slot: Slot, ground: Ground) -> int:
    """Return how many minutes of a slot lie in the hours for youth first."""
    terms = ground.terms
    if terms.prime is None or slot.weekday > 4:
        return 0
    return max(0, min(slot.closes, terms.prime[1]) - max(slot.opens, terms.prime[0]))
