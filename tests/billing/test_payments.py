"""Direct payments over the simulated Stripe: once, whatever is lost, doubled, late or forged."""

import asyncio
import itertools
import json
import multiprocessing
import time
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from booking import billing, db
from booking.billing.events import Event
from booking.billing.stripe_gateway import BadSignature, verify
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.simulated.stripe_server import Simulator
from booking.simulated.stripe_webhooks import sign
from tests.billing_help import UMEA, VANNAS, Town, charged, clock, drained, paying, price, signed_event
from tests.stripe_help import SECRET, ask, press, until

HOUR = timedelta(hours=1)


class _Payment(db.Record):
    id: UUID
    state: str
    url: str | None
    session_id: str | None
    refunded_ore: int


async def begun(town: Town, now: datetime, party: UUID | None = None) -> UUID:
    """Ask for a payment of 780 kr; returns its source."""
    source = new_id()
    async with db.transaction():
        await billing.begin_payment(
            source=source, party=party or town.person, municipality=UMEA, quote=await price(town.person, now),
            text="A-hall", return_url="http://127.0.0.1:9/b", expires_at=now + HOUR, now=now,
        )  # fmt: skip
    return source


async def payment(source: UUID) -> _Payment:
    found = await db.row(
        _Payment, "SELECT id, state, url, session_id, refunded_ore FROM payment WHERE source = $1", source
    )
    assert found
    return found


async def paid_at_stripe(town: Town) -> UUID:
    """A payment whose payer has pressed Pay; nothing is known here yet."""
    source = await begun(town, clock())
    assert await drained() == []
    url = (await payment(source)).url
    assert url
    assert await asyncio.to_thread(press, url, "card") == 303
    return source


async def deliver(rail: Simulator, kind: str = "checkout.session.completed") -> bool:
    """Send the newest event of a kind, signed now."""
    body = json.dumps(await asyncio.to_thread(signed_event, rail, kind)).encode()
    return await billing.store_event(UMEA, body, sign(body, SECRET, int(time.time())), now=clock())


async def settle() -> list[str]:
    """Handle stored events as the worker does; returns the news."""
    news: list[str] = []
    while (event := await billing.claim_event(clock())) is not None:
        outcome = await billing.read_outcome(event)
        if outcome is not None:
            async with db.transaction():
                news.append(await billing.record_payment(outcome, now=clock()))
        await billing.finish_event(event, clock())
    return news


async def booked(account: int) -> int:
    return (
        await db.value(
            int, "SELECT coalesce(sum(amount_ore), 0)::bigint FROM posting WHERE account = $1", account
        )
        or 0
    )


async def test_a_payment__goes_from_asked_to_charged(town: Town, rail: Simulator) -> None:
    source = await begun(town, clock())
    assert (await billing.standing([source]))[source].state == "pending"
    assert await drained() == []
    shown = (await billing.standing([source]))[source]
    assert shown.checkout_url
    assert (shown.method, shown.amount_ore) == ("card", 78_000)

    await asyncio.to_thread(press, shown.checkout_url, "swish")
    await deliver(rail)
    assert await settle() == ["paid"]
    await charged(town.person, clock(), clock(), source, paid_by=(await payment(source)).id)

    shown = (await billing.standing([source]))[source]
    assert shown.state == "paid"
    assert "780,00 kr" in (shown.receipt_text or "")
    assert (await booked(1580), await booked(3010), await booked(2420)) == (78_000, -78_000, 0)
    assert await billing.invariants() == []


async def test_the_answer_to_checkout_is_lost__one_session(town: Town, rail: Simulator) -> None:
    ask(rail, "faults", match="POST /v1/checkout", fault="drop_after", times=4)
    source = await begun(town, clock())

    await drained()  # the package's own retries fail too
    assert (await payment(source)).session_id is None
    await drained(seconds_ahead=30)

    assert (await payment(source)).state == "pending"
    assert sessions(rail) == 1


def _drain_in_a_process(dsn: str, address: str) -> None:
    async def work() -> None:
        await db.open_pool(dsn, 2)
        billing.configure(paying(dsn, address))
        await drained()

    asyncio.run(work())


async def test_killed_while_stripe_answers__one_session(town: Town, rail: Simulator, pool: str) -> None:
    source = await begun(town, clock())
    ask(rail, "faults", match="POST /v1/checkout", fault="slow", seconds=1)
    worker = multiprocessing.get_context("spawn").Process(
        target=_drain_in_a_process, args=(pool, rail.stripe.address)
    )
    worker.start()
    await asyncio.to_thread(until, lambda: "POST /v1/checkout/sessions" in rail.calls, 30)
    worker.kill()
    await asyncio.to_thread(worker.join)
    await asyncio.to_thread(until, lambda: sessions(rail) == 1)  # Stripe did it, nobody heard

    assert await drained() == []
    assert (await payment(source)).state == "created"  # leased by the dead worker for a minute
    assert await drained(seconds_ahead=61) == []

    assert (await payment(source)).state == "pending"
    assert sessions(rail) == 1


def sessions(rail: Simulator) -> int:
    with rail.stripe.store.change():
        return len(rail.stripe.store.all(UMEA, "checkout.session"))


def test_two_secrets_while_one_is_changed__both_are_believed() -> None:
    now = int(time.time())
    body, _, _ = signatures(now)["unsigned"]
    for secret in ("whsec_new", "whsec_old"):
        facts = verify(body, sign(body, secret, now), ("whsec_new", "whsec_old"), now=clock())
        assert facts.id == "evt_1"


async def test_stripe_is_down__the_debt_waits_and_is_paid(town: Town, rail: Simulator) -> None:
    ask(rail, "faults", match="POST /v1/checkout", fault="429", times=1)
    source = await begun(town, clock())
    await drained()
    assert (await payment(source)).state == "created"

    await drained(seconds_ahead=30)

    assert (await payment(source)).state == "pending"


async def test_the_same_event_eight_times_at_once__one_posting(town: Town, rail: Simulator) -> None:
    source = await paid_at_stripe(town)

    stored = await asyncio.gather(*(deliver(rail) for _ in range(8)))
    news = await asyncio.gather(*(settle() for _ in range(4)))

    assert sum(stored) == 1
    assert list(itertools.chain(*news)) == ["paid"]
    assert await db.value(int, "SELECT count(*) FROM ledger_entry") == 1
    assert (await payment(source)).state == "paid"


@pytest.mark.parametrize(
    "order",
    list(
        itertools.permutations(["payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"])
    ),
)
async def test_events_in_any_order__the_same_end(town: Town, rail: Simulator, order: tuple[str, ...]) -> None:
    source = await paid_at_stripe(town)

    news: list[str] = []
    for kind in order:
        assert await deliver(rail, kind)
        news += await settle()

    assert news == ["paid"]
    assert (await payment(source)).state == "paid"
    assert await booked(1580) == 78_000


async def test_the_event_comes_before_our_own_row_knows_the_session__still_found(
    town: Town, rail: Simulator
) -> None:
    ask(rail, "faults", match="POST /v1/checkout", fault="drop_after", times=4)
    source = await begun(town, clock())
    await drained()  # Stripe has the session, we don't know it
    with rail.stripe.store.change():
        url = rail.stripe.store.all(UMEA, "checkout.session")[0]["url"]
    await asyncio.to_thread(press, url, "card")

    await deliver(rail)

    assert await settle() == ["paid"]
    assert (await payment(source)).state == "paid"


async def test_the_event_never_comes__the_sweep_finds_it(town: Town, rail: Simulator) -> None:
    source = await paid_at_stripe(town)
    assert await billing.reconcile_payments(clock()) == []  # too early to ask

    outcomes = await billing.reconcile_payments(clock() + timedelta(minutes=1))

    assert [(one.source, one.state) for one in outcomes] == [(source, "paid")]
    assert await billing.reconcile_payments(clock() + timedelta(minutes=1)) == []  # asked just now


def signatures(now: int) -> dict[str, tuple[bytes, str, str]]:
    """Return (body, header, municipality) of every kind of event that must be refused."""
    body = json.dumps(
        {"id": "evt_1", "type": "checkout.session.completed", "created": now, "livemode": False,
         "data": {"object": {"id": "cs_1", "object": "checkout.session"}}}
    ).encode()  # fmt: skip
    live = body.replace(b'"livemode": false', b'"livemode": true')
    good = sign(body, SECRET, now)
    return {
        "unsigned": (body, "", UMEA),
        "garbage": (body, "t=x,v1=y", UMEA),
        "wrong secret": (body, sign(body, "whsec_other", now), UMEA),
        "changed body": (body.replace(b"cs_1", b"cs_2"), good, UMEA),
        "old": (body, sign(body, SECRET, now - 400), UMEA),
        "from the future": (body, sign(body, SECRET, now + 400), UMEA),
        "another municipality's": (body, good, VANNAS),
        "live event in test mode": (live, sign(live, SECRET, now), UMEA),
        "not an event": (b"[]", sign(b"[]", SECRET, now), UMEA),
        "not text": (b"\xff\xfe", f"t={now},v1=00", UMEA),
    }


@pytest.mark.parametrize("kind", list(signatures(0)))
async def test_a_false_event__is_refused_without_a_row(town: Town, rail: Simulator, kind: str) -> None:
    body, header, municipality = signatures(int(time.time()))[kind]

    with pytest.raises(BadSignature):
        await billing.store_event(municipality, body, header, now=clock())
    assert await db.value(int, "SELECT count(*) FROM stripe_event") == 0


async def test_a_municipality_without_a_secret__has_no_webhook(town: Town, rail: Simulator) -> None:
    with pytest.raises(NotFound):
        await billing.store_event("2401", b"{}", "t=1,v1=0", now=clock())


async def test_an_event_about_something_unknown__is_kept_and_harmless(town: Town, rail: Simulator) -> None:
    body = json.dumps(
        {"id": "evt_x", "type": "payout.paid", "created": 1, "livemode": False,
         "data": {"object": {"id": "po_1", "object": "payout"}}}
    ).encode()  # fmt: skip
    await billing.store_event(UMEA, body, sign(body, SECRET, int(time.time())), now=clock())

    assert await settle() == []
    assert (
        await db.value(
            int, "SELECT count(*) FROM stripe_event WHERE payment IS NULL AND handled_at IS NOT NULL"
        )
        == 1
    )


async def test_one_municipalitys_event__cannot_settle_anothers_payment(town: Town, rail: Simulator) -> None:
    source = await paid_at_stripe(town)
    body = json.dumps(
        {"id": "evt_y", "type": "checkout.session.completed", "created": 1, "livemode": False,
         "data": {"object": {"id": "cs_9", "object": "checkout.session",
                             "metadata": {"payment": str((await payment(source)).id)}}}}
    ).encode()  # fmt: skip
    await billing.store_event(VANNAS, body, sign(body, "whsec_test_vannas", int(time.time())), now=clock())

    assert await settle() == []
    assert (await payment(source)).state == "pending"


async def test_a_payment_is_given_up__nobody_can_pay_it(town: Town, rail: Simulator) -> None:
    source = await begun(town, clock())
    await drained()
    url = (await payment(source)).url or ""
    async with db.transaction():
        await billing.expire_payment(source, now=clock())

    assert await drained() == []

    assert (await payment(source)).state == "expired"
    assert await asyncio.to_thread(press, url, "card") == 200
    assert (await billing.standing([source]))[source].state == "failed"


async def test_paid_just_before_it_is_given_up__the_money_goes_back(town: Town, rail: Simulator) -> None:
    source = await paid_at_stripe(town)
    async with db.transaction():
        await billing.expire_payment(source, now=clock())
    await drained()
    (outcome,) = await billing.reconcile_payments(clock() + timedelta(minutes=1))

    async with db.transaction():
        assert await billing.record_payment(outcome, now=clock()) == "paid"
        assert await billing.refund(source, reason="too_late", now=clock()) == 78_000
    assert (await billing.standing([source]))[source].state == "refund_pending"
    assert await drained() == []

    assert (await billing.standing([source]))[source].state == "refunded"
    assert (await booked(1580), await booked(2420)) == (0, 0)
    assert await billing.invariants() == []


async def settled(town: Town, rail: Simulator, starts: datetime) -> UUID:
    """A use that is paid and charged; returns its source."""
    source = await paid_at_stripe(town)
    await deliver(rail)
    await settle()
    return await charged(town.person, starts, clock(), source, paid_by=(await payment(source)).id)


async def test_a_refunds_answer_is_lost_for_a_day__still_one_refund(town: Town, rail: Simulator) -> None:
    source = await settled(town, rail, clock() + timedelta(days=3))
    ask(rail, "faults", match="POST /v1/refunds", fault="drop_after", times=4)
    async with db.transaction():
        await billing.cancel(source, fee=None, by_municipality=True, now=clock())
    await drained()
    ask(rail, "forget_keys")

    assert await drained(seconds_ahead=60) == []

    with rail.stripe.store.change():
        assert [one["amount"] for one in rail.stripe.store.all(UMEA, "refund")] == [78_000]
    assert (await billing.standing([source]))[source].state == "refunded"


async def test_a_late_cancellation_of_a_paid_use__keeps_the_fee_and_returns_the_rest(
    town: Town, rail: Simulator
) -> None:
    starts = clock() + timedelta(hours=23)
    source = await settled(town, rail, starts)
    tariff = await billing.tariff_in_force(UMEA, starts.date())
    quote = await price(town.person, starts)
    fee = billing.cancellation_fee(tariff, quote, billing.notice(starts, clock()), by_municipality=False)
    assert fee.total_ore == 78_000

    async with db.transaction():
        outcome = await billing.cancel(source, fee=fee, by_municipality=False, now=clock())
    async with db.transaction():
        again = await billing.cancel(source, fee=fee, by_municipality=False, now=clock())
        nothing = await billing.refund(source, reason="too_late", now=clock())

    assert (outcome.fee_ore, outcome.refund_ore) == (78_000, 0)
    assert (again.fee_ore, again.refund_ore, nothing) == (0, 0, 0)
    assert (await booked(3010), await booked(3990), await booked(1580)) == (0, -78_000, 78_000)


async def test_stripe_will_never_pay_back__the_books_say_so_and_nobody_asks_again(
    town: Town, rail: Simulator
) -> None:
    source = await settled(town, rail, clock() + timedelta(days=3))
    await db.run("UPDATE payment SET intent = 'pi_unknown' WHERE source = $1", source)
    async with db.transaction():
        await billing.cancel(source, fee=None, by_municipality=True, now=clock())

    assert await drained() == []
    assert await drained(seconds_ahead=3600) == []

    assert (await billing.standing([source]))[source].state == "refund_pending"
    assert [one.split()[0] for one in await billing.invariants()] == ["refund_refused"]


async def test_ten_clicks_on_cancel__one_refund(town: Town, rail: Simulator) -> None:
    source = await settled(town, rail, clock() + timedelta(days=3))

    async def click() -> int:
        async with db.transaction():
            return (await billing.cancel(source, fee=None, by_municipality=False, now=clock())).refund_ore

    assert sorted(await asyncio.gather(*(click() for _ in range(10)))) == [0] * 9 + [78_000]
    assert await drained() == []
    with rail.stripe.store.change():
        assert len(rail.stripe.store.all(UMEA, "refund")) == 1


async def test_more_than_was_paid__is_refused_by_us_and_by_the_database(town: Town, rail: Simulator) -> None:
    source = await paid_at_stripe(town)
    await deliver(rail)
    await settle()

    with pytest.raises(Rejected, match="left to refund"):
        async with db.transaction():
            await billing.refund(source, reason="goodwill", now=clock(), amount_ore=78_001)
    with pytest.raises(asyncpg.CheckViolationError):
        await db.run("UPDATE payment SET refunded_ore = 78001 WHERE source = $1", source)
    assert await db.value(int, "SELECT count(*) FROM refund") == 0


async def test_less_than_three_kronor__is_not_asked_for(town: Town, rail: Simulator) -> None:
    quote = await price(town.person, clock(), minutes=60)
    small = billing.read_snapshot(billing.snapshot(quote).replace('"total_ore":39000', '"total_ore":299'))
    with pytest.raises(Rejected):
        async with db.transaction():
            await billing.begin_payment(
                source=new_id(), party=town.person, municipality=UMEA, quote=small, text="x",
                return_url="http://127.0.0.1:9/", expires_at=clock(), now=clock(),
            )  # fmt: skip


async def test_a_failing_event__waits_longer_each_time(town: Town, rail: Simulator) -> None:
    await paid_at_stripe(town)
    await deliver(rail)
    now = clock()
    event = await billing.claim_event(now)
    assert isinstance(event, Event)

    await billing.fail_event(event, "Stripe is down", now)

    assert await billing.claim_event(now + timedelta(seconds=1)) is None
    assert await billing.claim_event(now + timedelta(seconds=3)) is not None
