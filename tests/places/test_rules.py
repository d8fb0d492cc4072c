"""Rules are inherited from municipality to part, each from its first day on."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from booking.places.rules import BEGINNING, FOREVER, RULE_FIELDS, RuleChange, Rules, inherit

DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(12)]
VALUES: dict[str, st.SearchStrategy[object]] = {
    "gap_min": st.sampled_from([0, 15, 30]),
    "step_min": st.sampled_from([15, 30, 60]),
    "notice_min": st.sampled_from([0, 60, 1440]),
    "opens_on": st.sampled_from(DAYS),
    "kinds": st.sampled_from([("association",), ("association", "person")]),
    "quota_week": st.sampled_from([1, 5]),
    "approval": st.sampled_from(["none", "required"]),
    "pending_holds": st.booleans(),
    "preempt_days": st.sampled_from([-1, 7]),
    "terms": st.sampled_from(["1", "2"]),
}
changes = st.builds(
    lambda day, said: RuleChange(valid_from=day, **said),
    st.sampled_from(DAYS),
    st.fixed_dictionaries({}, optional=VALUES),
)
owner = st.lists(changes, max_size=3, unique_by=lambda one: one.valid_from)
chains = st.lists(owner, min_size=1, max_size=6)


def oracle(chain: list[list[RuleChange]], day: date) -> Rules:
    """Say it again in the plainest way: ask every owner in turn what it said last, field by field."""
    said: dict[str, object] = {}
    for field in RULE_FIELDS:
        for depth, one in enumerate(chain):
            begun = [change for change in one if change.valid_from <= day]
            if begun:
                last = begun[0]
                for change in begun:
                    if change.valid_from > last.valid_from:
                        last = change
                value = getattr(last, field)
                if value is not None and not (field == "gap_min" and depth > 2):
                    said[field] = value
    if "approval" in said:
        said["needs_approval"] = said.pop("approval") == "required"
    if said.get("preempt_days") == -1:
        said["preempt_days"] = None
    return Rules(**said)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(chains)
def test_every_day__has_what_the_owners_said_last(chain: list[list[RuleChange]]) -> None:
    periods = inherit(chain)

    for day in (BEGINNING, DAYS[0] - timedelta(days=1), *DAYS, DAYS[-1] + timedelta(days=400)):
        (in_force,) = [rules for first, until, rules in periods if first <= day < until]
        assert in_force == oracle(chain, day)


@settings(max_examples=100, deadline=None)
@given(chains)
def test_periods__follow_on_each_other_for_ever_and_none_says_what_the_one_before_said(
    chain: list[list[RuleChange]],
) -> None:
    periods = inherit(chain)

    assert (periods[0][0], periods[-1][1]) == (BEGINNING, FOREVER)
    for before, after in pairwise(periods):
        assert before[1] == after[0] > before[0]
        assert before[2] != after[2]


def test_nothing_said__leaves_the_defaults_for_ever() -> None:
    assert inherit([[], [], []]) == [(BEGINNING, FOREVER, Rules())]


def test_a_set_that_begins_before_all_time__holds_from_the_beginning() -> None:
    early = RuleChange(valid_from=date(1, 1, 1), notice_min=60)

    assert inherit([[early]]) == [(BEGINNING, FOREVER, Rules(notice_min=60))]


def test_a_later_set__says_everything_anew() -> None:
    first = RuleChange(valid_from=DAYS[0], notice_min=60, quota_week=2)
    second = RuleChange(valid_from=DAYS[5], quota_week=3)

    periods = inherit([[first, second]])

    assert [(one.notice_min, one.quota_week) for _, _, one in periods] == [(0, None), (60, 2), (0, 3)]


def test_parts__keep_the_distance_of_their_whole() -> None:
    def gap(value: int) -> list[RuleChange]:
        return [RuleChange(valid_from=BEGINNING, gap_min=value)]

    assert inherit([gap(5), gap(10), gap(15), gap(60), gap(90)])[0][2].gap_min == 15
