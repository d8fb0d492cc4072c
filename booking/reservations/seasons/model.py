"""The allocation as a mixed-integer program: which candidates, under which rows. Pure; text goes out, numbers come back.

Two slots meet on a leaf exactly when one of them begins inside the other, so a row per leaf and begin is enough.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from uuid import UUID

from booking.reservations.seasons.candidates import Candidate
from booking.reservations.seasons.ground import Fixed, Ground, Wish

Terms = tuple[tuple[str, int], ...]  # variable and factor


@dataclass(frozen=True, slots=True)
class Row:
    """Σ factor·variable ≤ or ≥ a bound."""

    terms: Terms
    sense: str
    bound: int


@dataclass(frozen=True, slots=True)
class Extra:
    """A variable between 0 and 1 beside the candidates: 1 if so many of each set are chosen, where that can be said."""

    needs: tuple[tuple[tuple[int, ...], int], ...] | None

    def value(self, chosen: Collection[int]) -> int:
        """Return a value that the rows allow together with the choice."""
        if self.needs is None:
            return 0
        return int(all(sum(n in chosen for n in numbers) >= need for numbers, need in self.needs))


@dataclass(slots=True)
class Model:
    """The rows that always hold, and what follows from the earlier goals."""

    wishes: Sequence[Wish]
    candidates: Sequence[Candidate]
    fixed: Sequence[Fixed]
    ground: Ground
    rows: list[Row] = field(default_factory=list)
    extra: dict[str, Extra] = field(default_factory=dict)  # variables that goals have left behind

    conflicts: list[int] = field(
        init=False
    )  # per candidate: those that want one of its leaves at once, as bits
    same_day: list[int] = field(init=False)  # per candidate: those of its own wish on its day

    def __post_init__(self) -> None:
        self.conflicts, self.same_day = self._masks()
        self.rows += [*self._per_wish(), *self._per_leaf(), *self._per_party()]

    def _masks(self) -> tuple[list[int], list[int]]:
        cells, days = defaultdict[tuple[int, int, int], int](int), defaultdict[tuple[int, int], int](int)
        of: list[list[tuple[int, int, int]]] = []
        for n, one in enumerate(self.candidates):
            begin, end = self.ground.taken(one.slot)
            leaves = self.ground.places[one.slot.place].leaves
            of.append([(leaf, one.slot.weekday, at) for leaf in leaves for at in range(begin, end)])
            for cell in of[-1]:
                cells[cell] |= 1 << n
            days[one.wish, one.slot.weekday] |= 1 << n
        met = [reduce(or_, (cells[cell] for cell in found), 0) & ~(1 << n) for n, found in enumerate(of)]
        return met, [days[one.wish, one.slot.weekday] for one in self.candidates]

    def keep(self, goal: "Goal", value: int) -> None:
        """Whatever is chosen from now on is worth at least as much by this goal."""
        self.rows += [*goal.rows, Row(goal.terms, ">=", value)]
        self.extra |= goal.extra

    def _per_wish(self) -> list[Row]:
        """No wish gets more than it asked for, nor two times on one day."""
        held = {wish.id: 0 for wish in self.wishes}
        for one in self.fixed:
            held[one.wish] = held.get(one.wish, 0) + 1
        whole, by_day = defaultdict[int, list[int]](list), defaultdict[tuple[int, int], list[int]](list)
        for n, candidate in enumerate(self.candidates):
            whole[candidate.wish].append(n)
            by_day[candidate.wish, candidate.slot.weekday].append(n)
        rows = [
            Row(ones(found), "<=", self.wishes[w].times - held[self.wishes[w].id])
            for w, found in whole.items()
        ]
        return rows + [Row(ones(found), "<=", 1) for found in by_day.values() if len(found) > 1]

    def _per_leaf(self) -> list[Row]:
        """No leaf is given twice at once."""
        cells = defaultdict[tuple[int, int], list[tuple[int, int, int]]](list)
        for n, one in enumerate(self.candidates):
            begin, end = self.ground.taken(one.slot)
            for leaf in self.ground.places[one.slot.place].leaves:
                cells[leaf, one.slot.weekday].append((begin, end, n))
        cliques = {clique for found in cells.values() for clique in _largest(found)}
        several = sorted(one for one in cliques if len({self.candidates[n].wish for n in one}) > 1)
        return [Row(ones(clique), "<=", 1) for clique in several]

    def _per_party(self) -> list[Row]:
        """No party gets more minutes a week than the round allows."""
        most = self.ground.terms.most_weekly
        if most is None:
            return []
        parties = {wish.id: wish.party for wish in self.wishes}
        left = dict.fromkeys(parties.values(), most)
        for one in self.fixed:
            left[parties[one.wish]] -= one.slot.minutes
        mine = defaultdict[UUID, list[int]](list)
        for n, candidate in enumerate(self.candidates):
            mine[self.wishes[candidate.wish].party].append(n)
        return [
            Row(tuple((f"x{n}", self.candidates[n].slot.minutes) for n in found), "<=", max(0, left[party]))
            for party, found in mine.items()
        ]


def _largest(found: list[tuple[int, int, int]]) -> Iterator[tuple[int, ...]]:
    """Return the sets that share an instant, but for those that are part of the next one."""
    begins = sorted({begin for begin, _, _ in found})
    for at, after in zip(begins, [*begins[1:], None], strict=True):
        sharing = [(end, n) for begin, end, n in found if begin <= at < end]
        if after is None or any(end <= after for end, _ in sharing):
            yield tuple(n for _, n in sharing)


def ones(numbers: Iterable[int]) -> Terms:
    """Return the sum of these candidates."""
    return tuple((f"x{n}", 1) for n in numbers)


@dataclass(frozen=True, slots=True)
class Goal:
    """What to make as large as possible, with the rows and variables that only this goal needs.

    `extra` are further variables; they need not be whole.
    """

    name: str
    terms: Terms
    rows: tuple[Row, ...] = ()
    extra: Mapping[str, Extra] = field(default_factory=dict)
    gap: float = 0.9  # sums of whole numbers: less than one apart is the same


def as_lp(model: Model, goal: Goal) -> str:
    """Return the program in the LP format that every solver reads."""
    lines = ["Maximize", " obj: " + _sum(goal.terms), "Subject To"]
    lines += [
        f" r{n}: {_sum(one.terms)} {one.sense} {one.bound}" for n, one in enumerate([*model.rows, *goal.rows])
    ]
    extra = {**model.extra, **goal.extra}
    lines += ["Bounds", *(f" 0 <= {name} <= 1" for name in extra)]
    lines += ["Binary", *(f" x{n}" for n in range(len(model.candidates))), "End", ""]
    return "\n".join(lines)


def _sum(terms: Terms) -> str:
    """Return the sum, a few terms a line: some readers stop at 500 characters."""
    shown = [f"{'+' if factor >= 0 else '-'} {abs(factor)} {name}" for name, factor in terms] or ["0 x0"]
    return "\n  ".join(" ".join(shown[at : at + 20]) for at in range(0, len(shown), 20))
