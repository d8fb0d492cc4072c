"""When a calendar is open: seasons over the ordinary week, public holidays, exceptions, both nights, year ends."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.clock import SWEDEN
from booking.places.hours import (
    HOLIDAY,
    Minutes,
    OtherHours,
    Owner,
    Schedule,
    clock,
    clocks_of,
    minute_of,
    opening_of,
)
from booking.span import Span

LONG_AGO = date(2000, 1, 1)
OFFICE: Minutes = ((480, 1320),)
MIDSUMMER, CHRISTMAS, NEW_YEAR = date(2026, 6, 20), date(2026, 12, 25), date(2027, 1, 1)


def week(hours: Minutes, **other: Minutes) -> dict[int, Minutes]:
    names = {"saturday": 5, "sunday": 6, "holiday": HOLIDAY}
    return dict.fromkeys(range(7), hours) | {names[name]: value for name, value in other.items()}


def ordinary(hours: Minutes = OFFICE, **other: Minutes) -> Owner:
    return Owner([Schedule(LONG_AGO, None, week(hours, **other))])


def shown(chain: list[Owner], day: date) -> tuple[list[tuple[str, str]], str | None]:
    spans, why = opening_of(chain, day)
    return [clocks_of(one, day) for one in spans], why


def test_a_season__takes_the_place_of_the_ordinary_week_within_its_days() -> None:
    town = ordinary()
    town.schedules.append(Schedule(date(2026, 6, 15), date(2026, 8, 16), week(((600, 960),))))

    assert shown([town], date(2026, 6, 14)) == ([("08:00", "22:00")], None)
    assert shown([town], date(2026, 6, 15)) == ([("10:00", "16:00")], None)
    assert shown([town], date(2026, 8, 16)) == ([("10:00", "16:00")], None)
    assert shown([town], date(2026, 8, 17)) == ([("08:00", "22:00")], None)


def test_the_hours_of_a_hall__beat_those_of_its_house_in_season_or_not() -> None:
    house, hall = ordinary(), Owner([Schedule(date(2026, 9, 1), None, week(((540, 720),)))])
    house.schedules.append(Schedule(date(2026, 9, 15), date(2026, 9, 20), week(((0, 60),))))

    assert shown([Owner(), house, hall], date(2026, 8, 31)) == ([("08:00", "22:00")], None)
    assert shown([Owner(), house, hall], date(2026, 9, 16)) == ([("09:00", "12:00")], None)
    assert shown([Owner(), house], date(2026, 9, 16)) == ([("00:00", "01:00")], None)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 1, 6), "Trettondedag jul"),
        (date(2026, 4, 3), "Långfredagen"),
        (date(2026, 5, 14), "Kristi himmelsfärdsdag"),
        (date(2026, 6, 6), "Nationaldagen"),
        (MIDSUMMER, "Midsommardagen"),
        (date(2026, 10, 31), "Alla helgons dag"),
        (CHRISTMAS, "Juldagen"),
        (NEW_YEAR, "Nyårsdagen"),
    ],
)
def test_a_public_holiday__has_its_own_hours_where_they_are_listed(day: date, why: str) -> None:
    found, reason = shown([ordinary(holiday=((720, 960),))], day)
    assert found == [("12:00", "16:00")]
    assert why in (reason or "")
    assert shown([ordinary()], day) == ([("08:00", "22:00")], None)


def test_an_ordinary_sunday__is_no_public_holiday() -> None:
    assert shown([ordinary(holiday=())], date(2026, 11, 22)) == ([("08:00", "22:00")], None)


def test_of_exceptions__the_narrowest_of_the_most_specific_owner_counts() -> None:
    house, hall = ordinary(), Owner()
    house.exceptions = [
        OtherHours(date(2026, 12, 21), date(2027, 1, 6), ((600, 900),), "Jullov"),
        OtherHours(date(2026, 12, 24), date(2026, 12, 26), (), "Jul"),
    ]
    hall.exceptions = [OtherHours(date(2026, 12, 20), date(2026, 12, 31), ((660, 720),), "Cup")]

    assert shown([house], date(2026, 12, 23)) == ([("10:00", "15:00")], "Jullov")
    assert shown([house], date(2026, 12, 25)) == ([], "Jul")
    assert shown([house, hall], date(2026, 12, 25)) == ([("11:00", "12:00")], "Cup")
    assert shown([house, hall], date(2027, 1, 1)) == ([("10:00", "15:00")], "Jullov")
    assert shown([house, hall], date(2027, 1, 7)) == ([("08:00", "22:00")], None)


def test_an_exception_of_several_stretches__joins_those_that_touch() -> None:
    town = ordinary()
    town.exceptions = [OtherHours(CHRISTMAS, CHRISTMAS, ((480, 600), (600, 660), (720, 780)), "Jul")]

    assert shown([town], CHRISTMAS) == ([("08:00", "11:00"), ("12:00", "13:00")], "Jul")


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2027, 3, 28), 23),  # the spring night
        (date(2027, 10, 31), 25),  # the autumn night
        (date(2028, 2, 29), 24),  # a leap day
        (date(2026, 12, 31), 24),  # the last day of week 53
        (date(2027, 1, 1), 24),
    ],
)
def test_open_all_day__is_as_long_as_the_day(day: date, hours: int) -> None:
    (span,), _ = opening_of([ordinary(((0, 1440),))], day)

    assert span.length == timedelta(hours=hours)
    assert span.start.astimezone(SWEDEN).date() == day
    assert span.end == opening_of([ordinary(((0, 1440),))], day + timedelta(days=1))[0][0].start


def test_hours_in_the_spring_nights_missing_hour__are_not_there() -> None:
    night = date(2027, 3, 28)

    assert opening_of([ordinary(((120, 180),))], night)[0] == ()
    (span,), _ = opening_of([ordinary(((60, 240),))], night)
    assert (span.length, clocks_of(span, night)) == (timedelta(hours=2), ("01:00", "04:00"))


def test_hours_in_the_autumn_nights_double_hour__are_both_there() -> None:
    night = date(2027, 10, 31)
    (span,), _ = opening_of([ordinary(((120, 240),))], night)

    assert span == Span(datetime(2027, 10, 31, 0, tzinfo=UTC), datetime(2027, 10, 31, 3, tzinfo=UTC))


def test_week_53__is_followed_by_week_1_with_the_same_hours() -> None:
    town = ordinary(saturday=((600, 720),))
    days = [date(2026, 12, 28) + timedelta(days=number) for number in range(14)]  # ISO weeks 53 and 1

    assert {day.isocalendar().week for day in days} == {53, 1}
    assert [shown([town], day)[0][0][0] for day in days] == (["08:00"] * 5 + ["10:00", "08:00"]) * 2


def test_a_leap_day_season__ends_on_the_leap_day() -> None:
    town = ordinary()
    town.schedules.append(Schedule(date(2028, 2, 28), date(2028, 2, 29), week(())))

    found = [shown([town], date(2028, 2, 27) + timedelta(days=number))[0] for number in range(4)]
    assert found == [[("08:00", "22:00")], [], [], [("08:00", "22:00")]]


def test_nobody_says_anything__it_is_closed() -> None:
    assert opening_of([Owner(), Owner()], CHRISTMAS) == ((), None)


@given(st.integers(0, 1440))
def test_a_minute__is_its_clock_and_back(minute: int) -> None:
    assert minute_of(clock(minute)) == minute


stretch = st.tuples(st.integers(0, 1435), st.integers(1, 1440)).filter(lambda pair: pair[0] < pair[1])
any_week = st.dictionaries(st.integers(0, 7), st.lists(stretch, max_size=2).map(tuple), max_size=8)
START = date(2026, 12, 20)
a_day = st.integers(0, 30).map(lambda number: START + timedelta(days=number))


def later(first: date) -> st.SearchStrategy[date]:
    return st.integers(0, 30).map(lambda number: first + timedelta(days=number))


@st.composite
def owners(draw: st.DrawFn) -> Owner:
    schedules = [
        Schedule(first, draw(st.none() | later(first)), draw(any_week))
        for first in draw(st.lists(a_day, max_size=3, unique=True))
    ]
    exceptions = []
    for number in range(draw(st.integers(0, 2))):
        first, last = sorted((draw(a_day), draw(a_day)))
        exceptions.append(
            OtherHours(first, last, draw(st.lists(stretch, max_size=2).map(tuple)), f"e{number}")
        )
    return Owner(schedules, exceptions)


def is_open(chain: list[Owner], day: date, minute: int) -> bool:
    """Say it again minute by minute, asking the most specific owner first."""
    for owner in chain[::-1]:
        hits = [one for one in owner.exceptions if one.first <= day and day <= one.last]
        if hits:
            shortest = min((one.last - one.first).days for one in hits)
            hours = next(one.hours for one in hits if (one.last - one.first).days == shortest)
            return any(opens <= minute < closes for opens, closes in hours)
    for owner in chain[::-1]:
        begun = [one for one in owner.schedules if one.first <= day and (one.last is None or day <= one.last)]
        if begun:
            latest = sorted(begun, key=lambda one: one.first)[-1]
            from holidays import country_holidays

            holiday = day in country_holidays("SE", years=day.year, include_sundays=False)
            weekday = 7 if holiday and 7 in latest.week else day.weekday()
            return any(opens <= minute < closes for opens, closes in latest.week.get(weekday, ()))
    return False


@settings(max_examples=60, deadline=None)
@given(st.lists(owners(), min_size=1, max_size=3), a_day)
def test_every_minute_of_a_winter_day__is_open_when_the_plainest_reading_says_so(
    chain: list[Owner], day: date
) -> None:
    spans, _ = opening_of(chain, day)

    midnight = datetime(day.year, day.month, day.day, tzinfo=SWEDEN).astimezone(UTC)
    for minute in range(0, 1440, 5):
        moment = midnight + timedelta(minutes=minute)
        assert any(one.start <= moment < one.end for one in spans) == is_open(chain, day, minute)
    assert all(one.end < other.start for one, other in pairwise(spans))
