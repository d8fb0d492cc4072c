"""An allocation without the solver: where the solver starts, and what puts a choice right that it didn't finish. Pure.

Sets of candidates are the bits of an integer: who is in the way of whom is one AND.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from uuid import UUID

from booking.reservations.seasons.model import Model

NODES = 15_000  # how many moves are tried for one class: a bound that is the same on every machine
DEPTH = 2  # how far a time may push others aside


class Draft:
    """A choice under way: what is chosen, and what can still be added."""

    def __init__(self, model: Model, chosen: Iterable[int] = ()) -> None:
        self.model = model
        self.mask = 0
        self.of_wish: dict[int, list[int]] = defaultdict(list)
        self.ranks = [model.wishes[one.wish].rank for one in model.candidates]
        self._left = {wish.id: wish.times for wish in model.wishes}
        self._minutes: dict[UUID, int] = defaultdict(int)
        parties = {wish.id: wish.party for wish in model.wishes}
        for one in model.fixed:
            self._left[one.wish] -= 1
            self._minutes[parties[one.wish]] += one.slot.minutes
        for n in sorted(range(len(model.candidates)), key=lambda n: (model.candidates[n].cost, n)):
            self.of_wish[model.candidates[n].wish].append(n)
        for n in sorted(chosen):
            self.add(n)

    @property
    def chosen(self) -> set[int]:
        """The candidates that are chosen."""
        return set(bits(self.mask))

    def add(self, n: int) -> None:
        """The candidate is chosen."""
        self.mask |= 1 << n
        self._count(n, 1)

    def drop(self, n: int) -> None:
        """The candidate isn't chosen any more."""
        self.mask &= ~(1 << n)
        self._count(n, -1)

    def _count(self, n: int, by: int) -> None:
        one = self.model.candidates[n]
        wish = self.model.wishes[one.wish]
        self._left[wish.id] -= by
        self._minutes[wish.party] += by * one.slot.minutes

    def blockers(self, n: int) -> list[int]:
        """Return the chosen ones that have a leaf of the candidate's time."""
        return list(bits(self.mask & self.model.conflicts[n]))

    def may_have(self, n: int) -> bool:
        """True if the wish and its party may have the candidate; somebody may still be in its way."""
        one = self.model.candidates[n]
        wish, cap = self.model.wishes[one.wish], self.model.ground.terms.most_weekly
        if self._left[wish.id] <= 0 or self.mask & self.model.same_day[n]:
            return False
        return cap is None or self._minutes[wish.party] + one.slot.minutes <= cap


def bits(mask: int) -> Iterator[int]:
    """Return which bits are set, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def fill(draft: Draft) -> None:
    """What can be added is added: class by class, the party with the smallest share next, its best-liked time."""
    model = draft.model
    wanted: dict[UUID, int] = defaultdict(int)
    for wish in model.wishes:
        wanted[wish.party] += wish.times
    given: dict[UUID, int] = defaultdict(int)
    for n in bits(draft.mask):
        given[model.wishes[model.candidates[n].wish].party] += 1
    for rank in sorted({wish.rank for wish in model.wishes}):
        waiting = [n for n, wish in enumerate(model.wishes) if wish.rank == rank]
        while waiting:
            waiting.sort(key=lambda n: (given[model.wishes[n].party] / wanted[model.wishes[n].party], n))
            for number in waiting:
                free = (n for n in draft.of_wish[number] if draft.may_have(n) and not draft.blockers(n))
                if (best := next(free, None)) is not None:
                    draft.add(best)
                    given[model.wishes[number].party] += 1
                    break
                waiting.remove(number)
                break


class _Pushing:
    """Making room for one more time of a class by moving others; what is of a lower class may lose its time."""

    def __init__(self, draft: Draft, rank: int) -> None:
        self.draft, self.rank, self.nodes = draft, rank, NODES

    def place(self, wish: int, depth: int, kept: int) -> bool:
        """The wish has one time more, and nobody of the class or of a higher one has lost any; or nothing changed."""
        draft = self.draft
        open_ = [n for n in draft.of_wish[wish] if draft.may_have(n)]
        for n in open_:
            if not draft.mask & draft.model.conflicts[n]:
                draft.add(n)
                return True
        if depth == 0:
            return False
        return any(self._push(n, depth, kept) for n in open_)

    def _push(self, n: int, depth: int, kept: int) -> bool:
        draft, self.nodes = self.draft, self.nodes - 1
        met = draft.mask & draft.model.conflicts[n]
        if met & kept or self.nodes < 0:
            return False
        before, out = draft.mask, list(bits(met))
        if sum(draft.ranks[m] <= self.rank for m in out) > 2:
            return False
        for m in out:
            draft.drop(m)
        draft.add(n)
        for m in out:
            if draft.ranks[m] <= self.rank:
                wish = draft.model.candidates[m].wish
                if not self.place(wish, depth - 1, kept | 1 << n):
                    self._back(before)
                    return False
        return True

    def _back(self, mask: int) -> None:
        for n in bits(self.draft.mask & ~mask):
            self.draft.drop(n)
        for n in bits(mask & ~self.draft.mask):
            self.draft.add(n)


def squeeze(draft: Draft) -> None:
    """Class by class, times are moved so that others fit in beside them; what a lower class loses is placed anew."""
    for rank in sorted({wish.rank for wish in draft.model.wishes}):
        pushing = _Pushing(draft, rank)
        mine = [n for n, wish in enumerate(draft.model.wishes) if wish.rank == rank]
        while sum(pushing.place(wish, DEPTH, 0) for wish in mine) and pushing.nodes > 0:
            pass
        fill(draft)


def without_envy(draft: Draft) -> None:
    """No time of a lower class stands where a higher class could have had one more; what leaves is placed anew.

    Each step is a gain in the order of the classes, so it ends. A proven choice has nothing to put right.
    """
    candidates = draft.model.candidates
    order = sorted(range(len(candidates)), key=lambda n: (draft.ranks[n], candidates[n].cost, n))
    changed = True
    while changed:
        changed = False
        for n in order:
            if not draft.may_have(n):
                continue
            met = draft.blockers(n)
            if all(draft.ranks[other] > draft.ranks[n] for other in met):
                for other in met:
                    draft.drop(other)
                draft.add(n)
                changed = True
    fill(draft)
