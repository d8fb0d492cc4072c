"""A list may be published only when its examples hold and it has neither hole nor ambiguity."""

import msgspec
import pytest

from booking.billing.proof import ListRefused, prove
from booking.billing.tariff_data import Example, Rule, TariffList, When, shipped

DEMO = ["2401", "2284", "2460", "2480"]


def changed(data: TariffList, **fields: object) -> TariffList:
    return msgspec.structs.replace(data, **fields)


@pytest.mark.parametrize("code", DEMO)
def test_the_demo_lists__may_be_published(code: str) -> None:
    tariff = prove(shipped(code))

    assert {"minibus", "car", "meeting_room"} <= set(tariff.data.classes)


def test_exactly_two_hours_has_no_price__refused() -> None:
    data = shipped("2401")
    as_printed = tuple(rule for rule in data.rules if rule.id != "pool_staff.exactly_2h")  # golden row N21

    with pytest.raises(ListRefused, match=r"no base price for pool_staff.*120 min"):
        prove(changed(data, rules=as_printed))


def test_two_rows_claim_one_booking__refused() -> None:
    data = shipped("2480")
    twin = Rule(id="twin", sv="Dubblett", en="Twin", resource=("judo",), ore=100, when=When(at_least=90))

    with pytest.raises(ListRefused, match=r"twin all price judo.*90 min"):
        prove(changed(data, rules=(*data.rules, twin)))


def test_an_example_gives_another_amount__refused() -> None:
    data = shipped("2480")
    wrong = msgspec.structs.replace(data.examples[0], ore=52_001)

    with pytest.raises(ListRefused, match="U1: total_ore is 52000, should be 52001"):
        prove(changed(data, examples=(wrong, *data.examples[1:])))


def test_the_last_category_asks_something__refused() -> None:
    data = shipped("2480")

    with pytest.raises(ListRefused, match="last customer category"):
        prove(changed(data, categories=data.categories[:1]))


def test_a_season_ends_a_day_early__refused() -> None:
    data = shipped("2480")
    short = tuple(
        msgspec.structs.replace(rule, when=When(season=("12-01", "03-31")))
        if rule.when.season == ("12-01", "04-01")
        else rule
        for rule in data.rules
    )

    with pytest.raises(ListRefused, match="football_hall"):
        prove(changed(data, rules=short))


def test_an_unknown_field_in_a_list__is_not_read() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `kronor`"):
        msgspec.json.decode(b'{"id": "x", "usage": {"resource": "hall"}, "kronor": 5}', type=Example)
