"""What a good allocation is, goal after goal: counts by class, shares inside a class, then what is liked. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from uuid import UUID

from booking.reservations.seasons.candidates import ADJACENT
from booking.reservations.seasons.model import Extra, Goal, Model, Row, Terms

SCALE = 60  # what the first time of a party is worth to the shares
LEAST = 100_000  # what the smallest share of a class is worth, beside how evenly the rest is spread
LARGEST = 100_000  # factor up to which sums are exact in a solver


def ranks(model: Model) -> list[int]:
    """Return the priority classes that have wishes, the first one first."""
    return sorted({wish.rank for wish in model.wishes})


def of_rank(model: Model, rank: int) -> list[int]:
    """Return the candidates of a class."""
    return [n for n, one in enumerate(model.candidates) if model.wishes[one.wish].rank == rank]


def packs(model: Model) -> list[dict[int, int]]:
    """Return the classes in order with a factor each, so few to a pack that solvers still count exactly.

    In a pack one time of a class is worth more than all that the later classes of the pack could have.
    """
    found: list[dict[int, int]] = []
    for rank in ranks(model):
        size = most(model, rank) + 1
        if found and size * max(found[-1].values()) <= LARGEST:
            found[-1] = {one: factor * size for one, factor in found[-1].items()} | {rank: 1}
        else:
            found.append({rank: 1})
    return found


def count_goal(model: Model, pack: Mapping[int, int]) -> Goal:
    """As many weekly times as possible for each class of a pack, the earlier ones first."""
    terms = tuple(
        (f"x{n}", pack[model.wishes[one.wish].rank])
        for n, one in enumerate(model.candidates)
        if model.wishes[one.wish].rank in pack
    )
    return Goal("count " + ", ".join(map(str, pack)), terms)


def count(model: Model, pack: Mapping[int, int], chosen: Collection[int]) -> int:
    """Return the times of a pack's classes, as the goal counts them."""
    return sum(pack.get(model.wishes[model.candidates[n].wish].rank, 0) for n in chosen)


def most(model: Model, rank: int) -> int:
    """Return a bound on a class' times: none gets more than asked for, nor two times on a day."""
    left = {wish.id: wish.times for wish in model.wishes}
    for fixed in model.fixed:
        left[fixed.wish] -= 1
    days: dict[int, set[int]] = defaultdict(set)
    for n in of_rank(model, rank):
        days[model.candidates[n].wish].add(model.candidates[n].slot.weekday)
    return sum(min(left[model.wishes[wish].id], len(found)) for wish, found in days.items())


def by_party(model: Model, rank: int) -> dict[UUID, list[int]]:
    """Return the candidates of each party that has some in the class, in the order of their wishes."""
    mine: dict[UUID, list[int]] = defaultdict(list)
    for n in of_rank(model, rank):
        mine[model.wishes[model.candidates[n].wish].party].append(n)
    return mine


def wished(model: Model, rank: int) -> dict[UUID, int]:
    """Return how many times a week each party wants in the class."""
    total: dict[UUID, int] = defaultdict(int)
    for wish in model.wishes:
        if wish.rank == rank:
            total[wish.party] += wish.times
    return total


def held(model: Model, rank: int) -> dict[UUID, int]:
    """Return how many fixed times each party has in the class."""
    by_id = {wish.id: wish for wish in model.wishes}
    total: dict[UUID, int] = defaultdict(int)
    for one in model.fixed:
        if by_id[one.wish].rank == rank:
            total[by_id[one.wish].party] += 1
    return total


def least_share(model: Model, rank: int, chosen: Collection[int]) -> Fraction:
    """Return the smallest granted share among the parties that could have something in the class; 1 if there is none."""
    want, have, picked = wished(model, rank), held(model, rank), set(chosen)
    shares = [
        Fraction(have[party] + sum(n in picked for n in mine), want[party])
        for party, mine in by_party(model, rank).items()
    ]
    return min(shares, default=Fraction(1))


def worth(number: int, of: int) -> int:
    """Return what a party's so-manieth time is worth: the more of its wishes it has, the less another one counts."""
    return SCALE - SCALE * (number - 1) // of


def evenness(model: Model, rank: int, chosen: Collection[int]) -> int:
    """Return how evenly a class' times are spread: the sum of what each party's times are worth."""
    want, have, picked = wished(model, rank), held(model, rank), set(chosen)
    total = 0
    for party, mine in by_party(model, rank).items():
        begin = have[party]
        count = sum(n in picked for n in mine)
        total += sum(worth(k, want[party]) for k in range(begin + 1, begin + count + 1))
    return total


def fairness(model: Model, chosen: Collection[int]) -> float:
    """Return how fairly the classes are shared out, higher classes first."""
    return sum(
        _weight(model, rank)
        * (LEAST * float(least_share(model, rank, chosen)) + evenness(model, rank, chosen))
        for rank in contested(model)
    )


def contested(model: Model) -> list[int]:
    """Return the classes in which two parties or more could have something."""
    return [rank for rank in ranks(model) if len(by_party(model, rank)) > 1]


def fairness_goal(model: Model) -> Goal:
    """In each class the smallest share of a party is as large as possible, and the times are spread evenly.

    Shares are in proportion to what the parties asked for.
    """
    terms: list[tuple[str, int]] = []
    rows: list[Row] = []
    extra: dict[str, Extra] = {}
    for rank in contested(model):
        want, have, least = wished(model, rank), held(model, rank), f"t{rank}"
        terms.append((least, LEAST * _weight(model, rank)))
        extra[least] = Extra(None)
        for number, (party, mine) in enumerate(by_party(model, rank).items()):
            rows.append(Row(((least, want[party]), *minus(mine)), "<=", have[party]))
            steps = range(have[party] + 1, want[party] + 1)
            names = [f"y{rank}_{number}_{k}" for k in steps]
            worths = [worth(k, want[party]) * _weight(model, rank) for k in steps]
            terms += zip(names, worths, strict=True)
            extra |= {name: Extra(((tuple(mine), k),)) for k, name in enumerate(names, start=1)}
            rows.append(Row((*((name, 1) for name in names), *minus(mine)), "<=", 0))
    return Goal("fairness", tuple(terms), tuple(rows), extra)


def liking_goal(model: Model) -> Goal:
    """First choices, liked places, youth early, and one party's times next to each other; higher classes count more."""
    terms = [
        (f"x{n}", -one.cost * _weight(model, model.wishes[one.wish].rank))
        for n, one in enumerate(model.candidates)
        if one.cost
    ]
    rows: list[Row] = []
    extra: dict[str, Extra] = {}
    for number, (rank, before, after, fixed_before, fixed_after) in enumerate(_joints(model)):
        name = f"z{number}"
        extra[name] = Extra(((tuple(before), 1 - fixed_before), (tuple(after), 1 - fixed_after)))
        terms.append((name, ADJACENT * _weight(model, rank)))
        rows.append(Row(((name, 1), *minus(before)), "<=", fixed_before))
        rows.append(Row(((name, 1), *minus(after)), "<=", fixed_after))
    return Goal("liking", tuple(terms), tuple(rows), extra)


def liking(model: Model, chosen: Collection[int]) -> int:
    """Return how well a choice is liked, as the goal counts it."""
    picked = set(chosen)
    value = -sum(
        one.cost * _weight(model, model.wishes[one.wish].rank)
        for n, one in enumerate(model.candidates)
        if n in picked
    )
    for rank, before, after, fixed_before, fixed_after in _joints(model):
        if (fixed_before or picked & set(before)) and (fixed_after or picked & set(after)):
            value += ADJACENT * _weight(model, rank)
    return value


def minus(numbers: Collection[int]) -> Terms:
    """Return the sum of these candidates, taken away."""
    return tuple((f"x{n}", -1) for n in numbers)


def _weight(model: Model, rank: int) -> int:
    all_ranks = ranks(model)
    return len(all_ranks) - all_ranks.index(rank)


Joint = tuple[int, list[int], list[int], int, int]


def _joints(model: Model) -> Iterator[Joint]:
    """Return every minute at which a time of a party could end and another of its class begin in the same place.

    Per minute: the class, candidates that end there, that begin there, and whether fixed ones do.
    """
    ends: dict[tuple[object, ...], list[int]] = defaultdict(list)
    begins: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for n, one in enumerate(model.candidates):
        wish, slot = model.wishes[one.wish], one.slot
        ends[wish.rank, wish.party, slot.place, slot.weekday, slot.closes].append(n)
        begins[wish.rank, wish.party, slot.place, slot.weekday, slot.opens].append(n)
    by_id = {wish.id: wish for wish in model.wishes}
    fixed_ends, fixed_begins = set(), set()
    for fixed in model.fixed:
        wish, slot = by_id[fixed.wish], fixed.slot
        fixed_ends.add((wish.rank, wish.party, slot.place, slot.weekday, slot.closes))
        fixed_begins.add((wish.rank, wish.party, slot.place, slot.weekday, slot.opens))
    keys = [
        key
        for key in [*ends, *(one for one in fixed_ends if one not in ends)]
        if key in begins or key in fixed_begins
    ]
    for key in sorted(keys, key=str):
        before, after = ends.get(key, []), begins.get(key, [])
        wishes = {model.candidates[n].wish for n in (*before, *after)}
        if (before or after) and (len(wishes) > 1 or key in fixed_ends or key in fixed_begins):
            yield int(str(key[0])), before, after, int(key in fixed_ends), int(key in fixed_begins)
