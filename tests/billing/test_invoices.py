"""Pure sums of an invoice, its OCR number and the month it belongs to."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from booking.billing.invoices import Line, add_up, month_bounds, number, ocr_number, postings
from booking.billing.tariff_data import VatRule
from booking.errors import Rejected


def line(net_ore: int, vat_rule: VatRule = "exempt_sport") -> Line:
    return Line(UUID(int=1), "usage", "Hall", "", net_ore, vat_rule)


def test_three_groups__are_taxed_once_each_and_rounded_to_kronor() -> None:
    sums = add_up([line(37_650), line(16_801, "vat_25"), line(16_801, "vat_25"), line(1_005, "vat_6")])

    assert [(g.rule, g.base_ore, g.vat_ore) for g in sums.groups] == [
        ("exempt_sport", 37_650, 0), ("vat_25", 33_602, 8_401), ("vat_6", 1_005, 60),
    ]  # fmt: skip
    assert (sums.net_ore, sums.vat_ore, sums.rounding_ore, sums.total_ore) == (72_257, 8_461, -18, 80_700)


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**8), 10**8), st.sampled_from(["exempt_sport", "vat_25", "vat_6", "outside"])
        ),
        max_size=30,
    )
)
def test_any_invoice__adds_up_balances_and_mirrors_its_credit(rows: list[tuple[int, VatRule]]) -> None:
    lines = [line(*row) for row in rows]
    sums = add_up(lines)
    credit = add_up([line(-net, vat) for net, vat in rows])

    assert sums.total_ore % 100 == 0
    assert sum(amount for _, amount in postings(lines, sums)) == 0
    assert abs(credit.total_ore + sums.total_ore) in (0, 100)  # exactly half a krona rounds up both ways
    assert (credit.net_ore, credit.vat_ore) == (-sums.net_ore, -sums.vat_ore)


def test_an_ocr_number__ends_with_its_length_and_a_check_digit() -> None:
    ocr = ocr_number("2480", number(2026, 1))

    assert ocr == "2480202600001" + "5" + luhn.calc_check_digit("24802026000015")
    assert len(ocr) % 10 == int(ocr[-2])
    assert luhn.is_valid(ocr)


def test_a_month__is_swedish() -> None:
    assert month_bounds("2026-11") == (
        datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC),
    )  # fmt: skip
    assert month_bounds("2026-12")[1] == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert month_bounds("2026-06")[0] == datetime(2026, 5, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2026", "2026-00", "2026-13", "november", "2026-1x"])
def test_what_is_no_month__is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        month_bounds(text)
