"""Who gets which weekly time: the goals one after the other, each without loss to the one before. Pure.

For each class in order, as many of its times as possible; then in each class the smallest share of a party as large
as possible and the rest spread evenly; then, each party keeping its number, what is liked. Where time runs out, the best choice so far stands and says
what has not been proven.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from booking.reservations.seasons import goals
from booking.reservations.seasons.candidates import Candidate, candidates
from booking.reservations.seasons.greedy import Draft, fill, squeeze, without_envy
from booking.reservations.seasons.ground import Fixed, Ground, Wish
from booking.reservations.seasons.highs import Solve
from booking.reservations.seasons.model import Goal, Model, Row, ones

LEAST_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen candidates with the model they belong to; `unproven` names goals that ran out of time."""

    model: Model
    chosen: tuple[Candidate, ...]
    unproven: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """True if no choice is better by the stated goals."""
        return not self.unproven


@dataclass(slots=True)
class _Search:
    """The best choice so far, under the rows of the goals that are reached."""

    model: Model
    best: set[int]
    solve: Solve
    left: Callable[[], float]
    unproven: list[str] = field(default_factory=list)
    share: float = 2  # one goal takes at most this part of the seconds that are left

    def towards(
        self, goal: Goal, value: Callable[[Collection[int]], float], *, squeezing: bool = False
    ) -> None:
        """The choice is as good as it gets by this goal; one that is worse than the best known is not taken."""
        seconds = self.left() / self.share
        if not goal.terms:
            return
        answer = None
        if seconds >= LEAST_SECONDS:
            answer = self.solve(self.model, goal, seconds=seconds, start=self.best)
        if answer is not None and value(answer.chosen) > value(self.best):
            draft = Draft(self.model, answer.chosen)
            fill(draft)  # a goal looks at its own classes: what else can be had is had too
            if squeezing:
                squeeze(draft)
            self.best = draft.chosen
        if answer is None or not answer.proven:
            self.unproven.append(goal.name)

    def keep_shares(self) -> None:
        """No party of a contested class gets less than it has now."""
        for rank in goals.contested(self.model):
            for mine in goals.by_party(self.model, rank).values():
                self.model.rows.append(Row(ones(mine), ">=", len(self.best & set(mine))))


def allocate(
    ground: Ground, wishes: Sequence[Wish], fixed: Sequence[Fixed], *, solve: Solve, left: Callable[[], float]
) -> Choice:
    """Return the best allocation found before `left()` seconds are gone. The same input gives the same choice."""
    model = Model(wishes, candidates(wishes, fixed, ground), fixed, ground)
    draft = Draft(model)
    fill(draft)
    squeeze(draft)
    search = _Search(model, draft.chosen, solve, left)
    for pack in goals.packs(model):
        goal = goals.count_goal(model, pack)

        def count(chosen: Collection[int], pack: dict[int, int] = pack) -> int:
            return goals.count(model, pack, chosen)

        if count(search.best) < sum(goals.most(model, rank) * factor for rank, factor in pack.items()):
            search.towards(goal, count, squeezing=True)
        model.keep(goal, count(search.best))
    if goals.contested(model):
        fair = goals.fairness_goal(model)
        search.towards(fair, lambda chosen: goals.fairness(model, chosen))
        search.keep_shares()
    search.share = 1
    search.towards(goals.liking_goal(model), lambda chosen: goals.liking(model, chosen))
    draft = Draft(model, search.best)
    without_envy(draft)
    return Choice(model, tuple(model.candidates[n] for n in sorted(draft.chosen)), tuple(search.unproven))
