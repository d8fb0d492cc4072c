"""The month's run: each charge on exactly one invoice, no gap, the books balance, whatever happens meanwhile."""

import asyncio
import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from booking import billing, db, postgres
from booking.billing.invoices import ocr_number
from booking.errors import NotFound, Rejected
from booking.people import Actor, Role
from tests.billing_help import FINANCE, UMEA, VANNAS, Town, charged, party

SYSTEM = Actor.system()
NOVEMBER = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
DECEMBER_5 = datetime(2026, 12, 5, 6, 0, tzinfo=UTC)


async def run(now: datetime = DECEMBER_5, month: str = "2026-11") -> billing.RunResult:
    return await billing.run_invoices(UMEA, month, by=SYSTEM, now=now)


async def count(sql: str) -> int:
    return await db.value(int, f"SELECT count(*) FROM {sql}") or 0


async def the_invoice(now: datetime = DECEMBER_5) -> billing.InvoicePage:
    (card,), total = await billing.invoices(
        by=SYSTEM, party=None, municipality=UMEA, state=None, now=now, limit=10, offset=0
    )
    assert total == 1
    return await billing.invoice(card.id, by=SYSTEM, now=now)


async def test_a_months_charges__become_one_invoice_in_the_ledger(town: Town, now: datetime) -> None:
    for days in range(3):
        await charged(town.association, NOVEMBER + timedelta(days=days), now)
    await charged(town.association, NOVEMBER, now, minutes=240, resource="minibus")

    result = await run()

    assert (result.state, result.issued, result.already, result.total_ore) == ("done", 1, 0, 194_000)
    page = await the_invoice()
    assert (page.number, page.due_on.isoformat()) == ("202600001", "2027-01-04")
    assert [line.net_ore for line in page.lines] == [52_000, 30_400, 52_000, 52_000]
    assert (page.net_ore, [(v.rate, v.base_ore, v.vat_ore) for v in page.vat], page.rounding_ore) == (
        186_400, [(0, 156_000, 0), (25, 30_400, 7_600)], 0,
    )  # fmt: skip
    assert "2 h × 260,00 kr" in page.lines[-1].detail
    assert page.ocr == ocr_number(UMEA, page.number)
    assert await db.value(int, "SELECT sum(amount_ore)::bigint FROM posting WHERE account = 1510") == 194_000
    assert await billing.invariants() == []


async def test_a_run_is_run_again__nothing_happens(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    await run()

    again = await run()

    assert (again.issued, again.already) == (0, 1)
    assert await count("invoice") == 1


async def test_charged_after_the_invoice__goes_on_a_further_one(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    await run()
    await charged(town.association, NOVEMBER + timedelta(days=1), now)

    later = await run()

    assert (later.issued, later.already) == (1, 1)
    assert await db.column(int, "SELECT part FROM invoice ORDER BY part") == [1, 2]


async def test_eight_runs_at_once__each_charge_on_one_invoice(town: Town, now: datetime) -> None:
    parties = [await party("association", f"Förening {n}", UMEA, now) for n in range(12)]
    for one in parties:
        for days in range(3):
            await charged(one, NOVEMBER + timedelta(days=days), now)

    results = await asyncio.gather(*(run() for _ in range(8)))

    assert sum(result.issued for result in results) == 12
    assert await count("invoice_line") == await count("charge WHERE state = 'invoiced'") == 36
    assert await db.column(int, "SELECT seq FROM invoice ORDER BY seq") == list(range(1, 13))
    assert await billing.invariants() == []


def _run_in_a_process(dsn: str) -> None:
    async def work() -> None:
        await db.open_pool(dsn, 2)
        await run()

    asyncio.run(work())


async def test_killed_midway_and_run_again__no_gap_and_nothing_twice(
    town: Town, pool: str, now: datetime
) -> None:
    for n in range(40):
        await charged(await party("association", f"Förening {n}", UMEA, now), NOVEMBER, now)
    process = multiprocessing.get_context("spawn").Process(target=_run_in_a_process, args=(pool,))
    process.start()
    end = time.monotonic() + 30
    while await count("invoice") < 3:
        assert time.monotonic() < end, "the run never began"
        await asyncio.sleep(0.001)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    begun = await count("invoice")
    assert 3 <= begun < 40

    result = await run()

    assert result.issued == 40 - begun
    assert await count("invoice") == 40
    assert await db.column(int, "SELECT seq FROM invoice ORDER BY seq") == list(range(1, 41))
    assert await count("charge WHERE state = 'open'") == 0
    assert await billing.invariants() == []


async def test_a_fifth_of_the_transactions_crash__no_gap(
    town: Town, pool: str, now: datetime, server: postgres.Server
) -> None:
    for n in range(20):
        await charged(await party("association", f"Förening {n}", UMEA, now), NOVEMBER, now)
    owner = await asyncpg.connect(as_owner(server, pool))
    await owner.execute(
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF random() < 0.2 THEN RAISE EXCEPTION 'injected'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER fault BEFORE INSERT ON posting FOR EACH STATEMENT EXECUTE FUNCTION fault()"
    )
    crashes = 0
    while await count("charge WHERE state = 'open'"):
        try:
            await run()
        except asyncpg.RaiseError:
            crashes += 1
    await owner.close()

    assert crashes > 0
    assert await db.column(int, "SELECT seq FROM invoice ORDER BY seq") == list(range(1, 21))
    assert await billing.invariants() == []


def as_owner(server: postgres.Server, dsn: str) -> str:
    """Return the address of a test's database for its owner, who may do anything but break the books."""
    return server.url(postgres.OWNER, dsn.rsplit("/", 1)[1].split("?", maxsplit=1)[0])


async def test_an_invoiced_use_is_cancelled__a_credit_note_refers(town: Town, now: datetime) -> None:
    source = await charged(town.association, NOVEMBER, now)
    await charged(town.association, NOVEMBER, now, minutes=240, resource="minibus")
    await run()

    async with db.transaction():
        outcome = await billing.cancel(source, fee=None, by_municipality=True, now=DECEMBER_5)

    assert (outcome.fee_ore, outcome.refund_ore) == (0, 0)
    cards, _ = await billing.invoices(
        by=SYSTEM, party=None, municipality=UMEA, state=None, now=DECEMBER_5, limit=10, offset=0
    )
    note = next(card for card in cards if card.kind == "credit_note")
    page = await billing.invoice(note.id, by=SYSTEM, now=DECEMBER_5)
    assert (page.total_ore, page.refers, page.number) == (-52_000, "202600001", "202600001")
    assert (await billing.standing([source]))[source].state == "none"
    assert await db.value(int, "SELECT sum(amount_ore)::bigint FROM posting WHERE account = 1510") == 38_000
    assert await billing.invariants() == []


async def test_every_line_is_credited__the_invoice_is_credited(town: Town, now: datetime) -> None:
    source = await charged(town.association, NOVEMBER, now)
    await run()

    async with db.transaction():
        await billing.cancel(source, fee=None, by_municipality=True, now=DECEMBER_5)

    cards, _ = await billing.invoices(
        by=SYSTEM, party=None, municipality=UMEA, state="credited", now=DECEMBER_5, limit=10, offset=0
    )
    assert [card.kind for card in cards] == ["invoice"]


async def test_cancelled_while_the_run_invoices_it__credited_or_waived_never_lost(
    town: Town, now: datetime
) -> None:
    for n in range(10):
        source = await charged(await party("association", f"F {n}", UMEA, now), NOVEMBER, now)

        async def cancel(source: UUID = source) -> None:
            async with db.transaction():
                await billing.cancel(source, fee=None, by_municipality=True, now=DECEMBER_5)

        await asyncio.gather(run(), cancel())

    states = set(await db.column(str, "SELECT state FROM charge"))
    assert states <= {"waived", "credited"}
    assert (
        await db.value(int, "SELECT coalesce(sum(amount_ore), 0)::bigint FROM posting WHERE account = 1510")
        == 0
    )
    assert await billing.invariants() == []


async def test_an_unpaid_use_is_cancelled_late__only_the_fee_is_invoiced(town: Town, now: datetime) -> None:
    source = await charged(town.association, NOVEMBER, now)
    tariff = await billing.tariff_in_force(UMEA, NOVEMBER.date())
    row = await db.value(str, "SELECT quote FROM charge")
    fee = billing.cancellation_fee(
        tariff,
        billing.read_snapshot(row or ""),
        billing.notice(NOVEMBER, NOVEMBER - timedelta(hours=2)),
        by_municipality=False,
    )

    async with db.transaction():
        outcome = await billing.cancel(source, fee=fee, by_municipality=False, now=now)
    await run()

    assert outcome == billing.CancelOutcome(52_000, 0)
    page = await the_invoice()
    assert [(line.net_ore, line.vat_text) for line in page.lines] == [(52_000, "Utanför momsens område")]
    assert await db.value(int, "SELECT sum(amount_ore)::bigint FROM posting WHERE account = 3990") == -52_000


async def test_a_zero_tariff_use__is_kept_but_not_invoiced(town: Town, now: datetime) -> None:
    quote = billing.read_snapshot(
        billing.snapshot(
            billing.quote(
                await billing.tariff_in_force(UMEA, NOVEMBER.date()),
                billing.Usage("cold_store", NOVEMBER, NOVEMBER + timedelta(hours=1)),
                await billing.customer_facts(town.association, UMEA, NOVEMBER.date(), None),
            )
        )
    )
    assert quote.total_ore == 0
    async with db.transaction():
        await billing.charge(
            source=UUID(int=9), party=town.association, municipality=UMEA, kind="usage", quote=quote,
            service_at=NOVEMBER, text="Fri", now=now,
        )  # fmt: skip

    assert (await run()).issued == 0
    assert await db.column(str, "SELECT state FROM charge") == ["free"]


async def test_the_same_charge_twice__is_one(town: Town, now: datetime) -> None:
    source = await charged(town.association, NOVEMBER, now)
    await charged(town.association, NOVEMBER, now, source)

    assert await count("charge") == 1


async def test_a_use_on_the_last_local_evening__belongs_to_that_month(town: Town, now: datetime) -> None:
    await charged(town.association, datetime(2026, 11, 30, 22, 30, tzinfo=UTC), now)  # 23:30 on 30 November
    await charged(town.person, datetime(2026, 11, 30, 23, 0, tzinfo=UTC), now)  # 00:00 on 1 December

    assert (await run()).issued == 1
    assert (await the_invoice()).party.id == town.association


async def test_a_new_year__starts_the_series_again(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    await run()
    await charged(town.association, datetime(2026, 12, 20, 12, tzinfo=UTC), now)
    await run(datetime(2027, 1, 10, 12, tzinfo=UTC), "2026-12")

    assert await db.column(str, "SELECT number FROM invoice ORDER BY number") == ["202600001", "202700001"]


async def test_a_month_that_has_not_begun_or_is_none__is_refused(town: Town) -> None:
    for month in ("2027-01", "2026-13", "nej"):
        with pytest.raises(Rejected):
            await run(month=month)


async def test_only_finance_there__may_run_and_read(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    stranger = Actor(
        account=UUID(int=2), roles=frozenset({(VANNAS, Role.FINANCE)}), acts_for=frozenset({town.person})
    )
    with pytest.raises(NotFound):
        await billing.run_invoices(UMEA, "2026-11", by=stranger, now=DECEMBER_5)
    await billing.run_invoices(UMEA, "2026-11", by=FINANCE, now=DECEMBER_5)
    page = await the_invoice()

    for ask in (
        billing.invoice(page.id, by=stranger, now=now),
        billing.invoice_pdf(page.id, by=stranger, now=now),
        billing.runs(UMEA, by=stranger, now=now),
        billing.uninvoiced(UMEA, "2026-11", by=stranger),
        billing.invoices(by=stranger, party=None, municipality=UMEA, state=None, now=now, limit=9, offset=0),
    ):
        with pytest.raises(NotFound):
            await ask
    mine, total = await billing.invoices(
        by=stranger, party=town.association, municipality=None, state=None, now=now, limit=9, offset=0
    )
    assert (mine, total) == ([], 0)
    owner = Actor(account=UUID(int=3), acts_for=frozenset({town.association}))
    assert (await billing.invoice(page.id, by=owner, now=now)).number == page.number
    assert (
        await billing.invoices(
            by=owner, party=None, municipality=None, state=None, now=now, limit=9, offset=0
        )
    )[1] == 1


async def test_past_due__is_overdue(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    await run()
    late = DECEMBER_5 + timedelta(days=31)

    for when, state in ((DECEMBER_5 + timedelta(days=30), "issued"), (late, "overdue")):
        assert (await the_invoice(when)).state == state
    cards, _ = await billing.invoices(
        by=SYSTEM, party=None, municipality=UMEA, state="overdue", now=late, limit=9, offset=0
    )
    assert len(cards) == 1


async def test_what_a_run_would_invoice__is_shown_before(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    await charged(town.person, NOVEMBER, now)

    shown = await billing.uninvoiced(UMEA, "2026-11", by=FINANCE)

    assert [(one.party.name, one.charges, one.total_ore) for one in shown.parties] == [
        ("Åsa Öberg", 1, 78_000), ("IFK Umeå", 1, 52_000),
    ]  # fmt: skip
    assert shown.total_ore == (await run()).total_ore
    assert (await billing.uninvoiced(UMEA, "2026-11", by=FINANCE)).parties == []


async def test_the_calendar__says_which_runs_are_due(town: Town) -> None:
    await billing.set_invoicing_date(UMEA, "2026-11", DECEMBER_5.date())
    before, after = DECEMBER_5 - timedelta(days=1), DECEMBER_5

    assert (UMEA, "2026-11") not in await billing.due_runs(before)
    assert (UMEA, "2026-11") in await billing.due_runs(after)
    assert (VANNAS, "2026-11") in await billing.due_runs(after)  # no calendar: the fifth
    assert (await billing.runs(UMEA, by=SYSTEM, now=before)).next_run_on == DECEMBER_5.date()
    await run()
    assert (UMEA, "2026-11") not in await billing.due_runs(after)
    assert [one.state for one in (await billing.runs(UMEA, by=SYSTEM, now=after)).runs] == ["done"]


async def test_run_by_hand_before_the_month_is_over__the_calendar_runs_the_rest(
    town: Town, now: datetime
) -> None:
    await billing.set_invoicing_date(UMEA, "2026-11", DECEMBER_5.date())
    await charged(town.association, now, now)
    await run(now)
    await charged(town.association, NOVEMBER, now)

    assert (UMEA, "2026-11") in await billing.due_runs(DECEMBER_5)
    assert (await run()).issued == 1
    assert (UMEA, "2026-11") not in await billing.due_runs(DECEMBER_5)


ATTACKS = [
    "UPDATE posting SET amount_ore = 1",
    "DELETE FROM posting",
    "TRUNCATE posting CASCADE",
    "UPDATE ledger_entry SET text = 'x'",
    "DELETE FROM ledger_entry",
    "UPDATE invoice SET total_ore = total_ore - 100, rounding_ore = rounding_ore - 100",
    "UPDATE invoice SET number = '1'",
    "DELETE FROM invoice",
    "TRUNCATE invoice CASCADE",
    "UPDATE invoice_line SET net_ore = 0",
    "DELETE FROM invoice_line",
    "UPDATE charge SET total_ore = 0, net_ore = 0",
    "DELETE FROM charge",
    "INSERT INTO invoice_line (invoice, position, charge, is_credit, text, net_ore, vat_rule)"
    " SELECT invoice, 9, charge, true, 'x', -100, vat_rule FROM invoice_line LIMIT 1",
    "INSERT INTO posting (entry, entity, account, amount_ore) SELECT id, entity, 1510, 5 FROM ledger_entry LIMIT 1",
    "INSERT INTO posting (entry, entity, account, amount_ore) SELECT id, '2460', a, n FROM ledger_entry,"
    " (VALUES (1510, 5), (3010, -5)) AS v(a, n)",
    "INSERT INTO ledger_entry (id, entity, cause_key, text, at) VALUES (gen_random_uuid(), '2480', 'x', 'x', now())",
]  # fmt: skip


@pytest.mark.parametrize("role", ["owner", "app"])
async def test_an_attack_on_the_books__is_refused_by_the_database(
    town: Town, pool: str, now: datetime, server: postgres.Server, role: str
) -> None:
    await charged(town.association, NOVEMBER, now)
    await run()
    attacker = await asyncpg.connect(pool if role == "app" else as_owner(server, pool))

    assert [attack for attack in ATTACKS if not await refused(attacker, attack)] == []
    await attacker.close()
    assert await billing.invariants() == []


async def refused(attacker: asyncpg.Connection, attack: str) -> bool:
    try:
        await attacker.execute(attack)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError):
        return True
    return False
