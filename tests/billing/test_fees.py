"""What a late cancellation, a move or unused time costs, and the one price of a booking of several things."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from booking.billing import fees
from booking.billing.combining import Item, capped, combined
from booking.billing.conditions import CustomerFacts, Usage
from booking.billing.pricing import PriceLine, Quote, Tariff, compile_tariff, quote
from booking.billing.tariff_data import FeeRule, shipped
from tests.billing.test_pricing import made, rule

START = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)  # a Tuesday, 18:00 in Sweden


def fined(*rows: FeeRule) -> Tariff:
    return compile_tariff(msgspec.structs.replace(made(rule("r", ore=100_00)), fees=rows))


def fee_row(name: str, outcome: Any = "cancelled", **given: Any) -> FeeRule:
    return FeeRule(name, outcome, name, name, **given)


def paid(tariff: Tariff, purpose: str = "training", category: str | None = None) -> Quote:
    price = quote(tariff, Usage("hall", START, START + timedelta(hours=1), purpose), CustomerFacts("person"))
    return msgspec.structs.replace(price, category=category or price.category)


def cost(tariff: Tariff, price: Quote, at: datetime) -> int:
    given = fees.notice(START, at)
    return fees.cancellation_fee(tariff, price, given, by_municipality=False).total_ore


@pytest.mark.parametrize(
    ("at", "late"),
    [
        ("2026-11-23T22:59:59", False),  # 23:59:59 the day before
        ("2026-11-23T23:00:00", True),  # midnight in Sweden
        ("2026-11-24T16:59:00", True),
    ],
)
def test_the_day_before_at_the_latest__as_in_soderhamn(at: str, late: bool) -> None:
    tariff = fined(fee_row("late", unit="percent", pct=100, days_fewer_than=1))
    price = paid(tariff)
    assert cost(tariff, price, datetime.fromisoformat(at).replace(tzinfo=UTC)) == (100_00 if late else 0)
    assert fees.free_until(tariff, price, START) == datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("purpose", "before", "percent"),
    [
        ("event", timedelta(days=14), 0),
        ("event", timedelta(days=14) - timedelta(seconds=1), 50),
        ("event", timedelta(hours=1), 50),
        ("training", timedelta(hours=24), 0),
        ("training", timedelta(hours=24) - timedelta(seconds=1), 100),
    ],
)
def test_a_ladder_per_purpose__as_in_botkyrka(purpose: str, before: timedelta, percent: int) -> None:
    tariff = msgspec.structs.replace(made(rule("r", ore=100_00)), fees=shipped("botkyrka").fees)
    ready = compile_tariff(tariff)
    price = paid(ready, purpose)
    assert cost(ready, price, START - before) == price.total_ore * percent // 100
    assert fees.no_show_fee(ready, price).total_ore == 500_00


def test_a_ladder_of_several_steps_and_an_exempt_category__the_first_row_that_fits() -> None:
    tariff = fined(
        fee_row("schools", category=("school",)),
        fee_row("day", unit="percent", pct=100, lead_shorter_than=1440),
        fee_row("week", unit="percent", pct=25, lead_shorter_than=7 * 1440),
    )
    price, school = paid(tariff), paid(tariff, category="school")
    found = [cost(tariff, price, START - timedelta(hours=hours)) for hours in (1, 24, 167, 168)]
    assert found == [price.total_ore, price.total_ore // 4, price.total_ore // 4, 0]
    assert cost(tariff, school, START) == 0
    assert fees.free_until(tariff, price, START) == START - timedelta(days=7)
    assert fees.free_until(tariff, school, START) is None


def test_a_move__costs_what_the_list_says_of_moves_else_a_late_release() -> None:
    late = fee_row("late", unit="percent", pct=100, lead_shorter_than=1440)
    moved = fee_row("moved", "moved", ore=50_00, lead_shorter_than=4320)
    given = fees.notice(START, START - timedelta(hours=2))
    for rows, releases, ore in (((late,), True, None), ((late,), False, 0), ((late, moved), False, 50_00)):
        tariff = fined(*rows)
        price = paid(tariff)
        fee = fees.change_fee(tariff, price, given, releases=releases).total_ore
        assert fee == (price.total_ore if ore is None else ore)


def test_nolltaxa_unused__costs_the_list_price_as_in_vannas() -> None:
    tariff = fined(*shipped("2460").fees)
    price = msgspec.structs.replace(paid(tariff, category="zero_tariff"), total_ore=0, net_ore=0)
    assert fees.no_show_fee(tariff, price).total_ore == price.list_ore > 0
    assert fees.no_show_fee(tariff, paid(tariff)).total_ore == 0


def item(name: str, count: int, ore: int | None, vat_rule: Any = "exempt_premises") -> Item:
    if ore is None:
        return Item(name, count, None)
    price = paid(compile_tariff(made(rule("r", ore=100_00))))
    line = PriceLine("Pris", "Price", "p", "1", "occasion", ore, ore)
    return Item(name, count, msgspec.structs.replace(price, total_ore=ore, lines=(line,), vat_rule=vat_rule))


def test_extras_taxed_alike__one_price_line_by_line() -> None:
    main = paid(compile_tariff(made(rule("r", ore=100_00))))
    whole = combined(main, [item("Bollar", 3, 10_00, main.vat_rule), item("Mikrofon", 1, None)])
    assert whole.total_ore == main.total_ore + 30_00
    assert whole.parts == ()
    assert [line.text for line in whole.lines][1:] == ["3 × Bollar: Pris", "Mikrofon: utan avgift"]


def test_extras_taxed_otherwise__a_part_per_vat_rule_and_no_ore_lost() -> None:
    main = paid(compile_tariff(made(rule("r", ore=100_00))))
    whole = combined(main, [item("Ljud", 2, 62_50, "vat_25")])
    assert whole.total_ore == main.total_ore + 125_00 == sum(one.total_ore for one in whole.parts)
    assert [(one.vat_rule, one.vat_ore) for one in whole.parts] == [(main.vat_rule, 0), ("vat_25", 25_00)]
    assert whole.net_ore + whole.vat_ore == whole.total_ore
    half = capped(whole, 125_00)
    assert (half.total_ore, sum(one.total_ore for one in half.parts)) == (125_00, 125_00)
    assert capped(whole, 10**9) is whole
