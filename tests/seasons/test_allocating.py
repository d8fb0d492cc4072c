"""The pure allocation: properties, brute force, and the priority orders of two municipalities."""

import itertools
import time
from collections.abc import Iterator, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.reservations.seasons import goals, highs
from booking.reservations.seasons.allocating import Choice, allocate
from booking.reservations.seasons.explaining import figures_of, given_of, missing_of
from booking.reservations.seasons.greedy import Draft
from booking.reservations.seasons.ground import Fixed, Ground, Place, Slot, Terms, Window, Wish
from tests.seasons.parts import big, ground, uid

HALL, NORTH, SOUTH, GYM = (Place(uid(1, 1), (1, 2)), Place(uid(1, 2), (1,)), Place(uid(1, 3), (2,)), Place(uid(1, 4), (3,)))  # fmt: skip
PLACES = (HALL, NORTH, SOUTH, GYM)


def run(where: Ground, wishes: Sequence[Wish], fixed: Sequence[Fixed] = (), seconds: float = 30) -> Choice:
    begin = time.monotonic()
    return allocate(
        where, wishes, fixed, solve=highs.solve, left=lambda: seconds - (time.monotonic() - begin)
    )


def slots_of(choice: Choice, fixed: Sequence[Fixed] = ()) -> list[Fixed]:
    return [*fixed, *(Fixed(choice.model.wishes[one.wish].id, one.slot) for one in choice.chosen)]


def wish(
    number: int, party: int, rank: int, *windows: Window, times: int = 1, minutes: int = 60,
    places: Sequence[Place] = (GYM,), youth: bool = False,
) -> Wish:  # fmt: skip
    liked = tuple(one.id for one in places)
    return Wish(uid(3, number), uid(2, party), rank, times, minutes, windows, liked, youth)


def evening(day: int, opens: float, closes: float, primary: bool = True) -> Window:
    return Window(day, int(opens * 60), int(closes * 60), primary)


@st.composite
def wish_lists(draw: st.DrawFn, most: int = 6, days: int = 2) -> list[Wish]:
    made = []
    for number in range(draw(st.integers(1, most))):
        windows = [
            evening(day, opens, opens + draw(st.sampled_from((1, 1.5, 2))), draw(st.booleans()))
            for day in draw(st.lists(st.integers(0, days - 1), min_size=1, max_size=days, unique=True))
            for opens in [draw(st.sampled_from((17, 17.5, 18)))]
        ]
        places = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True))
        made.append(
            wish(
                number, draw(st.integers(1, 3)), draw(st.integers(1, 3)), *windows,
                times=draw(st.integers(1, 2)), minutes=draw(st.sampled_from((60, 90))), places=places,
                youth=draw(st.booleans()),
            )
        )  # fmt: skip
    return made


TERMS = Terms(youth_until=19 * 60, prime=(16 * 60, 18 * 60), most_weekly=240)
slow = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@slow
@given(wish_lists(most=9))
def test_any_wishes__no_leaf_is_shared_no_count_exceeded_no_class_passed_over(wishes: list[Wish]) -> None:
    where = ground(PLACES, TERMS)
    choice = run(where, wishes)
    slots = slots_of(choice)
    for one, other in itertools.combinations(slots, 2):
        assert not where.meet(one.slot, other.slot)
    for each in wishes:
        mine = [one.slot for one in slots if one.wish == each.id]
        assert len(mine) <= each.times
        assert len({one.weekday for one in mine}) == len(mine)
    draft = Draft(choice.model, [choice.model.candidates.index(one) for one in choice.chosen])
    for n, one in enumerate(choice.model.candidates):
        if draft.may_have(n):
            mine_rank = wishes[one.wish].rank
            met = [wishes[choice.model.candidates[m].wish].rank for m in draft.blockers(n)]
            assert any(rank <= mine_rank for rank in met), "a lower class stands where a higher one could"


def value(choice: Choice, chosen: Sequence[int]) -> tuple[object, ...]:
    """What the goals make of a choice, most important first."""
    model, found = choice.model, set(chosen)
    counts = [len(found & set(goals.of_rank(model, rank))) for rank in goals.ranks(model)]
    return (*counts, round(goals.fairness(model, found), 3))


def numbers(choice: Choice, chosen: Sequence[int]) -> list[int]:
    """How many times each party has in each class."""
    model, found = choice.model, set(chosen)
    mine = [goals.by_party(model, rank) for rank in goals.ranks(model)]
    return [len(found & set(each[party])) for each in mine for party in sorted(each)]


def every_choice(choice: Choice) -> Iterator[list[int]]:
    """Every allowed choice, by trying."""

    def further(draft: Draft, n: int) -> Iterator[list[int]]:
        if n == len(choice.model.candidates):
            yield sorted(draft.chosen)
            return
        yield from further(draft, n + 1)
        if draft.may_have(n) and not draft.blockers(n):
            draft.add(n)
            yield from further(draft, n + 1)
            draft.drop(n)

    yield from further(Draft(choice.model), 0)


@slow
@given(wish_lists(most=4))
def test_small_rounds__nothing_better_is_found_by_trying_everything(wishes: list[Wish]) -> None:
    choice = run(ground(PLACES, TERMS), wishes)
    assert choice.proven
    chosen = [choice.model.candidates.index(one) for one in choice.chosen]
    if len(choice.model.candidates) <= 20:
        everything = list(every_choice(choice))
        assert value(choice, chosen) == max(value(choice, one) for one in everything)
        alike = [one for one in everything if numbers(choice, one) == numbers(choice, chosen)]
        assert goals.liking(choice.model, chosen) == max(goals.liking(choice.model, one) for one in alike)


def test_the_same_round_twice__is_allocated_the_same() -> None:
    where, wishes = big(7, resources=8, parties=8, wishes=24)
    assert run(where, wishes).chosen == run(where, wishes).chosen


def test_locked_time__stays_and_counts() -> None:
    where = ground(PLACES)
    first = wish(1, 1, 1, evening(0, 17, 19))
    second = wish(2, 2, 1, evening(0, 17, 18))
    locked = Fixed(first.id, Slot(GYM.id, 0, 17 * 60, 18 * 60))
    choice = run(where, [first, second], [locked])
    assert choice.chosen == ()
    (missing,) = missing_of([first, second], [locked], where)
    assert (missing.wish, missing.reason, missing.by[0].party) == (second.id, "same_class", first.party)


def test_whole_hall_and_its_half__never_at_once() -> None:
    whole = wish(1, 1, 1, evening(0, 17, 18), places=[HALL])
    half = wish(2, 2, 2, evening(0, 17, 18), places=[NORTH, SOUTH])
    choice = run(ground(PLACES), [whole, half])
    assert [one.wish for one in choice.chosen] == [0]
    (missing,) = missing_of([whole, half], slots_of(choice), ground(PLACES))
    assert missing.reason == "higher_class"


def test_adjacent_times_of_one_association__are_liked() -> None:
    one = wish(1, 1, 1, evening(0, 17, 20))
    two = wish(2, 1, 1, evening(0, 17, 20))
    choice = run(ground(PLACES), [one, two])
    first, second = sorted(each.slot.opens for each in choice.chosen)
    assert second - first == 60


def test_each_reason__is_told() -> None:
    where = ground(PLACES, Terms(most_weekly=120))
    narrow = wish(1, 1, 1, evening(0, 17, 18), minutes=90)
    night = wish(2, 1, 1, evening(0, 22, 24))
    capped = wish(3, 2, 1, evening(1, 16, 22), evening(2, 16, 22), evening(3, 16, 22), times=3)
    wishes = [narrow, night, capped]
    slots = slots_of(run(where, wishes))
    reasons = {one.wish: one.reason for one in missing_of(wishes, slots, where)}
    assert reasons == {narrow.id: "no_window_wide_enough", night.id: "not_free", capped.id: "weekly_cap"}


def test_hudiksvalls_order__youth_indoors_first_then_youth_outdoors_then_exercise_then_private() -> None:
    """Evenings in all halls: 1a youth indoors, 1b youth outdoors, 1c exercise, 2 private; under 16 before 20:00."""
    order = {"innebandy": 1, "fotboll": 2, "motion": 3, "privat": 5}
    wishes = [
        wish(1, 1, order["innebandy"], evening(0, 18, 22), minutes=120, youth=True),
        wish(2, 2, order["fotboll"], evening(0, 18, 22), minutes=120, youth=False),
        wish(3, 3, order["motion"], evening(0, 18, 22), evening(1, 18, 20), minutes=120),
        wish(4, 4, order["privat"], evening(0, 18, 22), minutes=60),
    ]
    where = ground([GYM], Terms(youth_until=20 * 60))
    choice = run(where, wishes)
    got = {one.wish: (one.slot.weekday, one.slot.opens // 60) for one in choice.chosen}
    assert got == {0: (0, 18), 1: (0, 20), 2: (1, 18)}
    (missing,) = missing_of(wishes, slots_of(choice), where)
    assert (missing.wish, missing.reason) == (wishes[3].id, "higher_class")
    assert [one.rank for one in missing.by] == [1, 2]


def test_lerums_order__whole_season_first_and_connected_time_in_a_small_gym_for_children_first() -> None:
    """1 youth indoors the whole season, 2 other youth the whole season, 3 part of it, 4 others, 5 private."""
    where = ground(
        [GYM], Terms(youth_until=19 * 60 + 30, prime=(16 * 60 + 30, 19 * 60 + 30)), hours=(990, 1350)
    )
    children = wish(1, 1, 2, evening(0, 16.5, 22.5), minutes=90, youth=True)
    juniors = wish(2, 1, 2, evening(0, 16.5, 22.5), minutes=90)
    handball = wish(3, 2, 1, evening(0, 16.5, 22.5), minutes=90, youth=True)
    part = wish(4, 3, 3, evening(0, 16.5, 22.5), minutes=90)
    private = wish(5, 4, 5, evening(0, 16.5, 22.5), minutes=60)
    wishes = [children, juniors, handball, part, private]
    choice = run(where, wishes)
    at = {wishes[one.wish].id: one.slot.opens for one in choice.chosen}
    assert set(at) == {children.id, juniors.id, handball.id, part.id}
    assert max(at[children.id], at[handball.id]) + 90 <= 19 * 60 + 30
    assert at[juniors.id] - at[children.id] == 90
    figures = figures_of(wishes, slots_of(choice), where)
    assert figures.prime_youth_minutes == figures.prime_minutes == 180
    assert [one.primary for one in given_of(wishes, slots_of(choice), where)] == [True] * 4


def test_shares_in_a_class__the_smallest_is_as_large_as_possible() -> None:
    """Two clubs of one class want four and two of three times: two and one, not three and none."""
    windows = [evening(day, 17, 18) for day in range(3)]
    large = [wish(n, 1, 1, *windows, times=1) for n in range(4)]
    small = [wish(n, 2, 1, *windows, times=1) for n in range(4, 6)]
    choice = run(ground([GYM]), [*large, *small])
    got = [one.wish for one in choice.chosen]
    assert (sum(n < 4 for n in got), sum(n >= 4 for n in got)) == (2, 1)


def test_no_time_left__says_that_nothing_is_proven_and_keeps_the_classes() -> None:
    where, wishes = big(3, resources=8, parties=8, wishes=30)
    choice = run(where, wishes, seconds=0)
    assert not choice.proven
    assert choice.chosen
