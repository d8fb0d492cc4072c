"""Never a wrong krona: credits that come öre by öre, and one municipality's trouble beside another's payers."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from booking import billing, db, idempotency
from booking.ids import new_id
from booking.people import Actor
from booking.settings import Settings
from tests.billing_help import UMEA, Town, price, town

__all__ = ["town"]
NOVEMBER = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
DECEMBER_5 = datetime(2026, 12, 5, 6, 0, tzinfo=UTC)


async def charged(party: UUID, ore: int, now: datetime) -> UUID:
    source = new_id()
    quote = await price(party, NOVEMBER)
    async with db.transaction():
        await billing.charge(
            source=source, party=party, municipality=UMEA, kind="usage", service_at=NOVEMBER, text="Hall", now=now,
            quote=msgspec.structs.replace(quote, total_ore=ore, net_ore=ore, vat_ore=0),
        )  # fmt: skip
    return source


async def cancelled(source: UUID) -> None:
    async with db.transaction():
        await billing.cancel(source, fee=None, by_municipality=True, now=DECEMBER_5 + timedelta(days=1))


@pytest.mark.parametrize("amounts", [(7050, 7050), (7050,), (7049, 7049, 7049), (7051, 100, 33)])
@pytest.mark.parametrize("at_once", [False, True])
async def test_every_line_is_credited__nothing_is_owed_either_way(
    town: Town, now: datetime, amounts: tuple[int, ...], at_once: bool
) -> None:
    sources = [await charged(town.association, ore, now) for ore in amounts]
    await billing.run_invoices(UMEA, "2026-11", by=Actor.system(), now=DECEMBER_5)

    if at_once:
        await asyncio.gather(*(cancelled(one) for one in sources))
    else:
        for one in sources:
            await cancelled(one)

    assert await db.value(int, "SELECT sum(total_ore)::bigint FROM invoice") == 0
    assert (
        await db.value(
            int, "SELECT count(*) FROM (SELECT FROM posting GROUP BY account HAVING sum(amount_ore) <> 0) x"
        )
        == 0
    )
    assert await db.value(str, "SELECT state FROM invoice WHERE kind = 'invoice'") == "credited"
    assert await billing.invariants() == []


async def test_a_municipality_without_its_key__does_not_keep_others_payers_waiting(
    town: Town, now: datetime
) -> None:
    await db.run(
        "INSERT INTO payment (id, entity, party, source, amount_ore, text, return_url, state, session_id, created_at)"
        " VALUES ($1, $2, $3, $1, 500, 'x', 'x', 'pending', 'cs_1', $4)",
        new_id(), UMEA, town.person, now,
    )  # fmt: skip
    billing.configure(_without_keys())

    assert await billing.reconcile_payments(now + timedelta(minutes=1)) == []


def _without_keys() -> Settings:
    return Settings(database_url="", secret_key=bytes(32))


def test_the_fingerprint_of_a_body_with_a_password__needs_our_key_to_be_guessed() -> None:
    body = b'{"password":"secret"}'

    assert idempotency.fingerprint(bytes(32), "POST /x", body) != idempotency.fingerprint(
        bytes(range(32)), "POST /x", body
    )
