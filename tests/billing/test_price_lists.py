"""Lists in the database: proved, final, found by date; customers by evidence."""

from datetime import date, datetime, timedelta

import asyncpg
import msgspec
import pytest

from booking import billing, db
from booking.billing.price_lists import AlreadyPublished
from booking.billing.proof import ListRefused
from booking.errors import NotFound
from tests.billing_help import UMEA, Town, price


async def test_a_published_list__is_the_same_list_when_read_back(town: Town) -> None:
    tariff = await billing.tariff_in_force(UMEA, date(2026, 11, 24))

    assert tariff.data == billing.shipped(UMEA)
    assert "judo" in await billing.resource_classes(UMEA, date(2026, 11, 24))


async def test_publishing_the_same_list_again__is_a_no_op(town: Town, now: datetime) -> None:
    await billing.publish(billing.shipped(UMEA), now=now)

    assert await db.value(int, "SELECT count(*) FROM tariff_list WHERE municipality = $1", UMEA) == 1


async def test_another_list_under_the_same_version__is_refused(town: Town, now: datetime) -> None:
    with pytest.raises(AlreadyPublished):
        await billing.publish(msgspec.structs.replace(billing.shipped(UMEA), title="Ny"), now=now)


async def test_a_list_with_a_hole__leaves_no_row(town: Town, now: datetime) -> None:
    data = billing.shipped(UMEA)
    holed = msgspec.structs.replace(data, version="2026-9", valid_from="2026-12-01", rules=data.rules[1:])

    with pytest.raises(ListRefused):
        await billing.publish(holed, now=now)
    assert await db.value(int, "SELECT count(*) FROM tariff_list WHERE id = $1", holed.id) == 0


async def test_a_new_list_from_a_day__prices_from_that_day_only(town: Town, now: datetime) -> None:
    data = billing.shipped(UMEA)
    dearer = tuple(msgspec.structs.replace(rule, ore=rule.ore * 2) for rule in data.rules)
    new = msgspec.structs.replace(data, version="2027-1", valid_from="2027-01-01", rules=dearer, examples=())
    before, after = now, now + timedelta(days=60)
    old_price = await price(town.person, before)

    await billing.publish(new, now=now)

    assert await price(town.person, before) == old_price
    assert (await price(town.person, after)).total_ore == 2 * old_price.total_ore


@pytest.mark.parametrize("table", ["tariff_list", "tariff_rule", "tariff_example"])
async def test_a_published_row_is_changed__refused(town: Town, table: str) -> None:
    for attack in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="final"):
            await db.run(attack)


async def test_no_list_in_force__is_not_found(town: Town) -> None:
    with pytest.raises(NotFound):
        await billing.tariff_in_force(UMEA, date(2014, 12, 31))


async def test_evidence_of_one_municipality__does_not_count_in_another(town: Town, now: datetime) -> None:
    here = await billing.customer_facts(town.association, UMEA, now.date(), None)
    there = await billing.customer_facts(town.association, "2460", now.date(), None)

    assert here.categories == {"grant_entitled"}
    assert there.categories == frozenset()
    assert (here.kind, here.home_municipality) == ("association", UMEA)


async def test_evidence__counts_within_its_dates_and_measures(town: Town, now: datetime) -> None:
    today = now.date()
    await billing.record_evidence(
        party=town.association, municipality="2460", category="activities_per_year", value=20,
        valid_from=today, valid_to=today, now=now,
    )  # fmt: skip

    on = await billing.customer_facts(town.association, "2460", today, None)
    later = await billing.customer_facts(town.association, "2460", today + timedelta(days=1), None)

    assert on.measures == {"activities_per_year": 20}
    assert later.measures == {}


async def test_a_visitor__is_a_person_from_where_they_say(town: Town, now: datetime) -> None:
    facts = await billing.customer_facts(None, UMEA, now.date(), "2401")

    assert (facts.kind, facts.home_municipality) == ("person", "2401")
