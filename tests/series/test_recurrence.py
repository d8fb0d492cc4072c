"""Which times a rule gives: the wall clock stays, the two odd nights are told of, and no rule runs on for ever."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.clock import SWEDEN
from booking.reservations.recurrence import MOST, BadRule, Pattern, Wall, expand, read_rule
from booking.reservations.rule_text import rule_text

FIRST = Wall(date(2026, 9, 1), 18 * 60, 20 * 60)  # a Tuesday


def pattern(rule: str, first: Wall = FIRST, **more: object) -> Pattern:
    return Pattern(first, read_rule(rule), **more)  # type: ignore[arg-type]


def days(rule: str, first: Wall = FIRST) -> list[str]:
    return [f"{one.wall.day:%m-%d}" for one in expand(pattern(rule, first))]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["09-01", "09-08", "09-15"]),
        ("FREQ=WEEKLY;UNTIL=20260915", ["09-01", "09-08", "09-15"]),
        ("FREQ=WEEKLY;UNTIL=20260915T160000Z", ["09-01", "09-08", "09-15"]),  # 18:00 in Sweden, inclusive
        ("FREQ=WEEKLY;UNTIL=20260915T155959Z", ["09-01", "09-08"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=4", ["09-01", "09-03", "09-15", "09-17"]),
        ("FREQ=WEEKLY;BYDAY=TH;COUNT=2", ["09-03", "09-10"]),  # the first that fits
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", ["09-01", "09-11", "09-21"]),
        ("FREQ=DAILY;BYDAY=MO,FR;COUNT=3", ["09-04", "09-07", "09-11"]),
        ("FREQ=MONTHLY;BYDAY=1TU;COUNT=3", ["09-01", "10-06", "11-03"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["09-25", "10-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", ["10-31", "12-31", "01-31"]),  # short months are skipped
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", ["09-30", "10-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;COUNT=2", ["09-29", "10-27"]),
        ("FREQ=YEARLY;COUNT=2", ["09-01", "09-01"]),
    ],
)
def test_rules__give_these_days(rule: str, expected: list[str]) -> None:
    assert days(rule) == expected


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("", "rule_unsupported"),
        ("FREQ=HOURLY;COUNT=2", "rule_unsupported"),
        ("FREQ=WEEKLY;BYHOUR=9;COUNT=2", "rule_unsupported"),
        ("FREQ=WEEKLY;BYDAY=1TU;COUNT=2", "rule_unsupported"),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=2", "rule_unsupported"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=WE;COUNT=2", "rule_unsupported"),  # from a Tuesday: never
        ("FREQ=MONTHLY;BYMONTHDAY=0;COUNT=2", "rule_unsupported"),
        ("FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=13;COUNT=2", "rule_unsupported"),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=2", "rule_unsupported"),
        ("FREQ=WEEKLY;COUNT=２", "rule_unsupported"),
        ("FREQ=WEEKLY;UNTIL=20269999", "rule_unsupported"),
        ("FREQ=WEEKLY;FREQ=DAILY;COUNT=2", "rule_unsupported"),
        ("FREQ=WEEKLY", "rule_endless"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20270101", "rule_endless"),
    ],
)
def test_a_rule_we_do_not_take__is_refused_by_code(rule: str, code: str) -> None:
    with pytest.raises(BadRule) as refused:
        read_rule(rule)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("FREQ=DAILY;UNTIL=20281231", "rule_too_long"),
        ("FREQ=DAILY;UNTIL=20280101", "rule_too_long"),  # 488 days
        ("FREQ=YEARLY;COUNT=4", "rule_too_long"),
        ("FREQ=WEEKLY;UNTIL=20260801", "rule_never"),
    ],
)
def test_a_rule_beyond_bounds__is_refused_by_code(rule: str, code: str) -> None:
    with pytest.raises(BadRule) as refused:
        expand(pattern(rule))
    assert refused.value.code == code


def test_over_the_autumn_change__eighteen_stays_eighteen() -> None:
    found = expand(pattern("FREQ=WEEKLY;UNTIL=20261201"))
    assert {f"{one.span.start.astimezone(SWEDEN):%H:%M}" for one in found if one.span} == {"18:00"}
    assert {f"{one.span.start:%H:%M}" for one in found if one.span} == {"16:00", "17:00"}
    assert {one.clock for one in found} == {None}


@pytest.mark.parametrize(
    ("day", "opens", "closes", "elapsed_min", "clock"),
    [
        (date(2027, 3, 28), 60, 240, 120, "skipped"),  # 01–04 lacks an hour
        (date(2027, 3, 28), 150, 240, 30, "skipped"),  # 02:30 does not exist: it begins 03:30
        (date(2027, 3, 28), 120, 180, None, "skipped"),  # 02–03 does not exist at all
        (date(2027, 3, 28), 180, 240, 60, None),
        (date(2026, 10, 25), 60, 240, 240, "repeated"),  # 01–04 has an hour twice
        (date(2026, 10, 25), 150, 240, 150, "repeated"),  # the first 02:30 is meant
        (date(2026, 10, 25), 180, 240, 60, None),
        (date(2026, 10, 24), 22 * 60, 1440 + 360, 540, "repeated"),  # 22–06 over midnight
        (date(2027, 3, 27), 22 * 60, 1440 + 360, 420, "skipped"),
        (date(2028, 2, 29), 600, 660, 60, None),
    ],
)
def test_the_nights_of_the_clock_change__are_told_of(
    day: date, opens: int, closes: int, elapsed_min: int | None, clock: str | None
) -> None:
    (found,) = expand(pattern("FREQ=DAILY;COUNT=1", Wall(day, opens, closes)))
    assert (None if found.span is None else found.span.minutes) == elapsed_min
    assert found.clock == clock


def test_left_out_and_added__are_listed_in_order() -> None:
    made = pattern(
        "FREQ=WEEKLY;COUNT=5",
        exdates=frozenset({date(2026, 9, 8)}),
        rdates=(Wall(date(2026, 9, 10), 600, 660), Wall(date(2026, 9, 22), 600, 660)),
    )
    found = expand(made, [(date(2026, 9, 21), date(2026, 9, 23))])
    assert [(f"{one.wall.day:%m-%d}", one.left_out) for one in found] == [
        ("09-01", None),
        ("09-08", "exdate"),
        ("09-10", None),
        ("09-15", None),
        ("09-22", None),  # added by hand, break or not
        ("09-22", "school_break"),
        ("09-29", None),
    ]


@settings(max_examples=60, deadline=2000)
@given(
    st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 99),
    st.integers(1, MOST),
    st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), max_size=3, unique=True),
)
def test_any_rule__ends_quickly_and_keeps_the_clock(
    first: date, freq: str, interval: int, count: int, byday: list[str]
) -> None:
    by = f";BYDAY={','.join(byday)}" if byday and freq == "WEEKLY" else ""
    made = pattern(f"FREQ={freq};INTERVAL={interval};COUNT={count}{by}", Wall(first, 1080, 1170))
    try:
        found = expand(made)
    except BadRule as refused:
        if refused.code != "rule_too_long":
            raise
        return
    assert len(found) <= count
    assert found[-1].wall.day - first <= timedelta(days=800)
    assert all(one.span and f"{one.span.start.astimezone(SWEDEN):%H:%M}" == "18:00" for one in found)
    assert rule_text(made, "sv")
    assert rule_text(made, "en")


@pytest.mark.parametrize(
    ("rule", "swedish", "english"),
    [
        (
            "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261215",
            "Varje tisdag 18.00–20.00 till 15 december",
            "Every Tuesday 18:00–20:00 until 15 December",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;UNTIL=20270515",
            "Varannan tisdag 18.00–20.00 till 15 maj 2027",
            "Every other Tuesday 18:00–20:00 until 15 May 2027",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,TH;COUNT=10",
            "Var 3:e vecka på tisdag och torsdag 18.00–20.00, 10 gånger",
            "Every 3rd week on Tuesday and Thursday 18:00–20:00, 10 times",
        ),
        ("FREQ=DAILY;COUNT=1", "Varje dag 18.00–20.00, 1 gång", "Every day 18:00–20:00, 1 time"),
        (
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR,2MO;COUNT=4",
            "Sista fredagen och andra måndagen varannan månad 18.00–20.00, 4 gånger",
            "The last Friday and the second Monday of every other month 18:00–20:00, 4 times",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;COUNT=5",
            "Sista dagen som är måndag eller tisdag varje månad 18.00–20.00, 5 gånger",
            "The last Monday or Tuesday of every month 18:00–20:00, 5 times",
        ),
        (
            "FREQ=YEARLY;COUNT=2",
            "Varje år den 1 september 18.00–20.00, 2 gånger",
            "Every year on 1 September 18:00–20:00, 2 times",
        ),
    ],
)
def test_a_rule__is_a_sentence_in_both_languages(rule: str, swedish: str, english: str) -> None:
    made = pattern(rule)
    assert (rule_text(made, "sv"), rule_text(made, "en")) == (swedish, english)


def test_exceptions__are_in_the_sentence() -> None:
    made = pattern(
        "FREQ=WEEKLY;UNTIL=20261215",
        exdates=frozenset({date(2026, 9, 8), date(2026, 9, 15)}),
        rdates=(Wall(date(2026, 9, 9), 600, 660),),
    )
    assert rule_text(made, "sv", skips_breaks=True) == (
        "Varje tisdag 18.00–20.00 till 15 december, inte på lov, utom 8 september och 15 september,"
        " även 9 september"
    )
