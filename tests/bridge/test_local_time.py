"""A lock with a wall clock admits every instant of a window; what it admits besides is known and bounded."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.bridge.local_time import LocalWindow, to_local

ZONE = ZoneInfo("Europe/Stockholm")
SPRING = [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)]
AUTUMN = [datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)]
MINUTE = 60


def opens(window: LocalWindow, at: int) -> bool:
    """What the lock does: it looks at its wall clock and at nothing else."""
    wall = datetime.fromtimestamp(at, UTC).astimezone(ZONE).replace(tzinfo=None)
    return window.start <= wall < window.end


@settings(deadline=None, max_examples=150)
@given(
    change=st.sampled_from([*SPRING, *AUTUMN]),
    start=st.integers(-300, 300),
    length=st.integers(1, 600),
    odd=st.integers(0, 59),
    step=st.sampled_from([1, 60]),
)
def test_any_window_near_a_change__admits_all_of_it_and_little_else(
    change: datetime, start: int, length: int, odd: int, step: int
) -> None:
    turn = int(change.timestamp())
    nb = turn + start * MINUTE + odd
    na = nb + length * MINUTE
    window = to_local((nb, na), ZONE, step)
    extra = []
    for at in range(nb - 4 * 3_600, na + 4 * 3_600, MINUTE):
        if nb <= at < na:
            assert opens(window, at)
        elif opens(window, at):
            extra.append(at)
    # At minute steps up to a minute at each end is the lock's own coarseness.
    outside = [at for at in extra if step == 1 or not (nb - MINUTE < at < na + MINUTE)]
    assert all(turn - 3_600 - step < at < turn + 3_600 + step for at in outside), (
        "only within the doubled hour"
    )
    assert not outside or change in AUTUMN
    if outside:
        assert window.is_widened


@pytest.mark.parametrize("change", AUTUMN)
def test_an_evening_over_the_doubled_hour__is_exact_and_not_widened(change: datetime) -> None:
    turn = int(change.timestamp())
    window = to_local((turn - 5 * 3_600, turn + 5 * 3_600), ZONE)
    assert (window.start.hour, window.end.hour, window.is_widened) == (22, 7, False)


@pytest.mark.parametrize("change", AUTUMN)
def test_a_window_inside_the_first_of_two_hours__is_widened_to_the_second(change: datetime) -> None:
    turn = int(change.timestamp())
    window = to_local((turn - 1_800, turn - 600), ZONE)
    assert window.is_widened
    assert opens(window, turn + 1_900)


@pytest.mark.parametrize("change", AUTUMN)
def test_a_window_that_ends_within_the_second_hour__spans_both(change: datetime) -> None:
    turn = int(change.timestamp())
    window = to_local((turn - 1_800, turn + 900), ZONE)
    assert (window.start.hour, window.start.minute, window.end.hour) == (2, 0, 3)
    assert window.is_widened


@pytest.mark.parametrize("change", SPRING)
def test_a_window_over_the_lost_hour__is_exact(change: datetime) -> None:
    turn = int(change.timestamp())
    window = to_local((turn - 3_600, turn + 3_600), ZONE)
    assert (window.start.hour, window.end.hour, window.is_widened) == (1, 4, False)


def test_half_a_year__is_one_wall_clock_window() -> None:
    nb = int(datetime(2026, 9, 1, 10, tzinfo=UTC).timestamp())
    window = to_local((nb, nb + int(timedelta(days=180).total_seconds())), ZONE)
    assert window.start.hour == 12
    assert window.end.hour == 11
    assert not window.is_widened
