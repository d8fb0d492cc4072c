"""Öre are whole, halves go away from zero, and a credit mirrors its charge."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.money import kronor, net_of, payable_rounding, round_half_up, share

AMOUNTS = st.integers(min_value=-(10**10), max_value=10**10)


@pytest.mark.parametrize(
    ("value", "ore"),
    [
        (Fraction(1, 2), 1),
        (Fraction(-1, 2), -1),
        (Fraction(49, 100), 0),
        (Fraction(3, 2), 2),
        (Fraction(5, 2), 3),
        (Fraction(7), 7),
    ],
)
def test_a_fraction_of_an_ore__rounds_half_away_from_zero(value: Fraction, ore: int) -> None:
    assert round_half_up(value) == ore


@given(AMOUNTS, st.integers(0, 1000), st.integers(1, 1000))
def test_a_share__is_at_most_half_an_ore_off_and_mirrors(amount: int, part: int, whole: int) -> None:
    got = share(amount, part, whole)

    assert abs(got - Fraction(amount * part, whole)) <= Fraction(1, 2)
    assert share(-amount, part, whole) == -got


@given(AMOUNTS)
def test_payable_rounding__reaches_whole_kronor_by_at_most_fifty_ore(total: int) -> None:
    rounding = payable_rounding(total)

    assert (total + rounding) % 100 == 0
    assert -50 <= rounding <= 50


def test_a_gross_price__splits_into_net_and_vat() -> None:
    assert net_of(210_00, 25) == 168_00
    assert net_of(210_00, 0) == 210_00


def test_kronor__are_written_the_swedish_way() -> None:
    assert kronor(1_214_00) == "1\u00a0214,00"
    assert kronor(-141_50) == "\u2212141,50"
    assert kronor(5) == "0,05"
