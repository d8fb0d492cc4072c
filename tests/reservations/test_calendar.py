"""Opening hours, rasters and free time, with both nights of the year on which the clock changes."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.places import OpenDays, Rules, join
from booking.places.hours import Owner, Schedule, opening_of
from booking.reservations.calendar import Who, day_span, is_free, on_raster, raster, refusal, subtract
from booking.span import Span

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
ALWAYS = dict.fromkeys(range(7), ((0, 1440),))
OFFICE = dict.fromkeys(range(7), ((8 * 60, 22 * 60),))
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def open_on(week: dict[int, tuple[tuple[int, int], ...]], *days: date) -> OpenDays:
    owner = Owner(schedules=[Schedule(date(2000, 1, 1), None, week)])
    return {day: list(opening_of([owner], day)[0]) for day in days}


@pytest.mark.parametrize(
    ("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2027, 2, 28), 24), (date(2028, 2, 29), 24)]
)
def test_a_local_day__has_the_hours_of_its_clock(day: date, hours: int) -> None:
    assert day_span(day).length == timedelta(hours=hours)


def test_opening_hours__follow_the_wall_clock_in_summer_and_winter() -> None:
    summer, winter = date(2026, 7, 1), date(2026, 12, 1)
    assert open_on(OFFICE, summer, winter) == {
        summer: [Span(utc("2026-07-01T06:00"), utc("2026-07-01T20:00"))],
        winter: [Span(utc("2026-12-01T07:00"), utc("2026-12-01T21:00"))],
    }


def test_the_raster_of_the_spring_night__skips_the_hour_that_is_not_there() -> None:
    starts = list(raster(SPRING, 30))
    assert len(starts) == 46
    assert len(set(starts)) == 46


def test_the_raster_of_the_autumn_night__offers_each_wall_time_once() -> None:
    starts = list(raster(AUTUMN, 30))
    assert len(starts) == 48
    assert starts == sorted(starts)


def test_a_night_that_spans_midnight__is_open_all_the_way() -> None:
    span = Span(utc("2026-11-24T21:00"), utc("2026-11-25T02:00"))
    nights = (date(2026, 11, 24), date(2026, 11, 25))
    assert refusal(Rules(), open_on(ALWAYS, *nights), span, NOW, Who()) is None
    assert refusal(Rules(), open_on(OFFICE, *nights), span, NOW, Who()) == "outside_hours"


@pytest.mark.parametrize(
    ("start", "minutes", "rules", "code"),
    [
        ("2026-11-23T09:00", 60, {}, "past"),
        ("2026-11-23T09:30", 60, {"notice_min": 60}, "too_late"),
        ("2026-11-23T10:00", 60, {"notice_min": 60}, None),
        ("2027-11-24T10:00", 60, {}, "not_open_yet"),
        ("2026-11-24T10:00", 55, {}, "too_short"),
        ("2026-11-24T10:00", 725, {}, "too_long"),
        ("2026-11-24T10:15", 60, {}, "off_raster"),
        ("2026-11-24T10:00", 61, {}, "off_raster"),
        ("2026-11-24T10:15", 60, {"step_min": 15}, None),
        ("2026-11-24T20:30", 60, {}, "outside_hours"),
        ("2026-11-24T20:00", 60, {}, None),
    ],
)
def test_a_wish_that_breaks_a_rule__is_refused_by_name(
    start: str, minutes: int, rules: dict[str, int], code: str | None
) -> None:
    span = Span(utc(start), utc(start) + timedelta(minutes=minutes))
    opening = open_on(OFFICE, span.start.date())
    assert refusal(Rules(**rules), opening, span, NOW, Who()) == code


def test_seconds__are_never_on_the_raster() -> None:
    assert on_raster(utc("2026-11-24T10:30"), 30)
    assert not on_raster(utc("2026-11-24T10:30:01"), 30)


def test_a_gap_between_bookings__is_kept_on_both_sides() -> None:
    taken = [Span(utc("2026-11-24T10:00"), utc("2026-11-24T11:15"))]  # ends 11:00, 15 minutes behind it

    def free(start: str, end: str) -> bool:
        return is_free(Span(utc(f"2026-11-24T{start}"), utc(f"2026-11-24T{end}")), taken, 15)

    assert not free("11:00", "12:00")
    assert free("11:15", "12:15")
    assert free("08:00", "09:45")
    assert not free("08:00", "09:46")


minutes = st.integers(0, 2000)
spans = st.lists(
    st.tuples(minutes, minutes)
    .filter(lambda p: p[0] < p[1])
    .map(lambda p: Span(NOW + timedelta(minutes=p[0]), NOW + timedelta(minutes=p[1]))),
    max_size=12,
)


def _minutes_in(many: list[Span]) -> set[int]:
    return {n for one in many for n in range(_m(one.start), _m(one.end))}


def _m(moment: datetime) -> int:
    return int((moment - NOW).total_seconds() // 60)


@given(spans, spans)
def test_subtracting__leaves_exactly_the_minutes_that_are_not_busy(
    whole: list[Span], busy: list[Span]
) -> None:
    free = subtract(join(whole), busy)

    assert _minutes_in(free) == _minutes_in(whole) - _minutes_in(busy)
    assert all(one.end <= other.start for one, other in pairwise(free))


@given(spans)
def test_joining__keeps_every_minute_and_nothing_touches(many: list[Span]) -> None:
    joined = join(many)

    assert _minutes_in(joined) == _minutes_in(many)
    assert all(one.end < other.start for one, other in pairwise(joined))
