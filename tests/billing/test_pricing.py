"""The engine beyond the golden rows: bounds, steps, order of groups, assumptions, fees."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.billing import fees
from booking.billing.calendar_days import day_class
from booking.billing.conditions import CustomerFacts, Usage
from booking.billing.pricing import (
    AmbiguousPrice,
    NotPriced,
    Quote,
    TooShort,
    compile_tariff,
    quote,
)
from booking.billing.tariff_data import Category, ResourceClass, Rule, TariffList, When, shipped

MONDAY = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 18:00 in Sweden
ANYONE = Category("all", "Alla", "Everyone")


def made(*rules: Rule, **fields: object) -> TariffList:
    """A small list of one class "hall" and one category."""
    return TariffList(
        municipality="2480", version="t", title="T", decision="KF", valid_from="2026-01-01", source_url="",
        categories=(ANYONE,), classes={"hall": ResourceClass("hall", "Hall", "Hall")}, rules=rules, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def rule(name: str, **fields: object) -> Rule:
    return Rule(id=name, sv=name, en=name, resource=("hall",), **fields)  # type: ignore[arg-type]


def priced(data: TariffList, minutes: float = 60, at: datetime = MONDAY, **fields: object) -> Quote:
    usage = Usage("hall", at, at + timedelta(minutes=minutes), **fields)  # type: ignore[arg-type]
    return quote(compile_tariff(data), usage, CustomerFacts("person", "2480"))


@pytest.mark.parametrize(
    ("bound", "below", "at", "above"),
    [
        ("longer_than", False, False, True),
        ("at_least", False, True, True),
        ("shorter_than", True, False, False),
        ("at_most", True, True, False),
    ],
)
def test_a_bound_on_the_length__is_strict_or_not_to_the_second(
    bound: str, below: bool, at: bool, above: bool
) -> None:
    data = made(rule("r", ore=100, when=When(**{bound: 60})))  # type: ignore[arg-type]

    for seconds, wanted in ((-1, below), (0, at), (1, above)):
        try:
            priced(data, 60 + seconds / 60)
            holds = True
        except NotPriced:
            holds = False
        assert holds is wanted, seconds


def test_surcharge_addon_discount_and_cap__apply_in_that_order() -> None:
    data = made(
        rule("base", ore=100_00),
        rule("evening", group="surcharge", ore=20_00),
        rule("key", group="addon", unit="occasion", ore=50_00),
        rule("quarter", group="discount", unit="percent", pct=25),
        rule("least", group="cap", unit="minimum", ore=80_00),
    )

    price = priced(data, 120)

    assert [line.amount_ore for line in price.lines] == [200_00, 40_00, 50_00, -217_50, 7_50]
    assert (price.total_ore, price.list_ore) == (80_00, 290_00)


def test_two_rows_fit__ambiguous_unless_the_cheapest_is_wanted() -> None:
    hour, day = rule("hour", ore=95_00), rule("day", ore=450_00, unit="day")
    with pytest.raises(AmbiguousPrice):
        priced(made(hour, day))
    cheapest = made(
        msgspec.structs.replace(hour, mode="cheapest"), msgspec.structs.replace(day, mode="cheapest")
    )

    assert priced(cheapest, 240).total_ore == 380_00
    assert priced(cheapest, 300).total_ore == 450_00


def test_two_discounts_fit__ambiguous() -> None:
    half = rule("half", group="discount", unit="percent", pct=50)
    with pytest.raises(AmbiguousPrice):
        priced(made(rule("base", ore=100), half, msgspec.structs.replace(half, id="half2")))


@pytest.mark.parametrize("minutes", [0, -60, 59])
def test_shorter_than_the_list_allows__too_short(minutes: int) -> None:
    with pytest.raises(TooShort):
        priced(made(rule("base", ore=100), min_minutes=60), minutes)


def test_an_unknown_class__is_not_priced() -> None:
    with pytest.raises(NotPriced):
        quote(
            compile_tariff(shipped("2480")),
            Usage("moon", MONDAY, MONDAY + timedelta(hours=1)),
            CustomerFacts(),
        )


def test_a_rule_for_a_class_the_list_lacks__does_not_compile() -> None:
    with pytest.raises(NotPriced):
        compile_tariff(made(Rule(id="x", sv="x", en="x", resource=("moon",))))


def test_home_and_kilometres_unknown__are_said() -> None:
    tariff = compile_tariff(shipped("2480"))
    price = quote(tariff, Usage("minibus", MONDAY, MONDAY + timedelta(hours=4)), CustomerFacts())

    assert (price.total_ore, price.net_ore, price.vat_ore, price.vat_text) == (
        380_00,
        304_00,
        76_00,
        "25 % moms",
    )
    assert any("kommunen" in one for one in price.assumptions)
    assert any("Kilometer" in one for one in price.assumptions)
    assert len(price.assumptions) == len(price.assumptions_en) == 3


def test_a_snapshot__is_read_back_as_it_was() -> None:
    price = priced(made(rule("base", ore=141_00)))

    assert msgspec.json.decode(msgspec.json.encode(price), type=Quote) == price


@given(st.integers(1, 10_000), st.integers(0, 10_000_00), st.integers(0, 100))
def test_any_price__is_the_sum_of_its_lines_and_of_net_and_vat(minutes: int, ore: int, pct: int) -> None:
    price = priced(made(rule("base", ore=ore), rule("d", group="discount", unit="percent", pct=pct)), minutes)

    assert price.total_ore == sum(line.amount_ore for line in price.lines) == price.net_ore + price.vat_ore
    assert 0 <= price.total_ore <= price.list_ore


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-11-24", "weekday"),
        ("2026-11-28", "holiday"),
        ("2026-11-29", "holiday"),
        ("2027-01-06", "holiday"),  # Epiphany, a Wednesday
        ("2026-12-24", "weekday"),  # an eve is what the municipality says it is
    ],
)
def test_the_kind_of_day__is_the_municipalitys_own(day: str, kind: str) -> None:
    assert day_class(shipped("2401").day_classes, datetime.fromisoformat(day).date()) == kind


def test_a_named_date__beats_the_weekday() -> None:
    classes = {"weekday": ("thu",), "major_holiday": ("2026-12-24",)}

    assert day_class(classes, datetime(2026, 12, 24, tzinfo=UTC).date()) == "major_holiday"


def test_the_notice_for_a_free_cancellation__is_the_lists() -> None:
    tariff = compile_tariff(shipped("2480"))
    price = quote(
        tariff, Usage("hall_a", MONDAY, MONDAY + timedelta(hours=1)), CustomerFacts("person", "2480")
    )

    assert fees.free_until(tariff, price, MONDAY) == MONDAY - timedelta(hours=24)
    assert fees.free_until(compile_tariff(made(rule("r"))), price, MONDAY) is None
