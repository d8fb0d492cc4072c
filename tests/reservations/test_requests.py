"""Requests: who may decide, what the constraint says, what both sides say, and who is answered."""

import asyncio
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import pytest

from booking import billing, db, reservations
from booking.billing import PaymentOutcome
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, SlotTaken, Target
from booking.span import Span
from tests.reservations.conftest import (
    NONE_LEFT,
    LogIn,
    books_in_order,
    charges_of,
    day_after,
    held,
    on,
    party,
    refused,
    reserved,
    rule,
    state_of,
    told,
)

URL = "http://127.0.0.1:9/{id}"


@pytest.fixture
def span(now: datetime) -> Span:
    return on(day_after(now, 5), "18:00")


@pytest.fixture
async def asked(hall: Resource, span: Span, rival: Actor, now: datetime) -> UUID:
    """Levar IF asks for the hall, which staff decide about; the time is kept."""
    await rule(hall, needs_approval=True, answer_days=2)
    return await request(hall, span, rival, now, "Levar IF")


async def request(hall: Resource, span: Span, by: Actor, now: datetime, name: str | None = None) -> UUID:
    customer = Customer(await party(name)) if name else None
    return await reserved(await held(hall, span, by, now, customer), "invoice" if name else "card", by, now)


async def approve(reservation: UUID, by: Actor, now: datetime, **more: object) -> None:
    await reservations.approve(reservation, by=by, now=now, return_url=URL, **more)  # type: ignore[arg-type]


async def test_asked_for__the_time_is_kept_and_nothing_is_owed_or_opened(
    asked: UUID, hall: Resource, span: Span, eva: Actor, rival: Actor, now: datetime
) -> None:
    page = await reservations.page(asked, rival, now)
    assert (page.state, page.can, page.payment) == ("requested", ["withdraw", "move"], None)
    assert page.request is not None
    assert (page.request.answer_by, page.request.holds_time) == (now + timedelta(days=2), True)
    assert await charges_of(asked) == []
    assert await refused(held(hall, span, eva, now + timedelta(days=1))) == "slot_taken"


async def test_approved__confirmed_charged_and_promised(
    asked: UUID, rival: Actor, clerk: Actor, now: datetime
) -> None:
    await approve(asked, clerk, now, reason="Välkomna")
    page = await reservations.page(asked, rival, now)
    assert (page.state, page.access_state is not None) == ("confirmed", True)
    assert page.request is not None
    assert page.request.decision == "Välkomna"
    assert await charges_of(asked) == ["usage open 14100"]
    assert (await told(asked))[-2:] == ["reservation.approved", "reservation.confirmed"]
    assert await refused(approve(asked, clerk, now)) == "already_decided"


async def test_approved_for_a_card__waits_two_days_for_its_payment(
    asked: UUID, hall: Resource, eva: Actor, clerk: Actor, now: datetime
) -> None:
    one = await request(hall, on(day_after(now, 6), "18:00"), eva, now)
    await approve(one, clerk, now)
    payment = await db.value(UUID, "SELECT id FROM payment WHERE source = $1", one)
    assert payment
    later = now + timedelta(hours=24)
    await reservations.settle_payment(  # the page at Stripe lives three hours: another is made
        PaymentOutcome(payment, one, "2401", "expired", "cs_1", None, 564_00), now=later
    )
    assert await reservations.expire_due(now + timedelta(hours=47)) == 0
    (second,) = await db.column(UUID, "SELECT id FROM payment WHERE source = $1 AND state = 'created'", one)
    outcome = PaymentOutcome(second, one, "2401", "paid", "cs_2", "pi_2", 564_00)
    await reservations.settle_payment(outcome, now=later)
    assert await state_of(one) == "confirmed"
    assert await books_in_order()


async def test_rejected__the_time_is_free_and_the_reason_is_read(
    asked: UUID, hall: Resource, span: Span, eva: Actor, rival: Actor, clerk: Actor, now: datetime
) -> None:
    await reservations.reject(asked, by=clerk, now=now, reason="Golvet slipas")
    page = await reservations.page(asked, rival, now)
    assert (page.state, page.can) == ("rejected", [])
    assert page.request is not None
    assert page.request.decision == "Golvet slipas"
    assert await held(hall, span, eva, now)
    assert await refused(reservations.reject(asked, by=clerk, now=now, reason="x")) == "already_decided"


async def test_withdrawn__free_of_charge_and_free_for_the_next(
    asked: UUID, hall: Resource, span: Span, eva: Actor, rival: Actor, now: datetime
) -> None:
    await reservations.cancel(asked, by=rival, now=now)
    assert await charges_of(asked) == []
    assert await held(hall, span, eva, now)


@pytest.mark.parametrize("email", ["ali@demo.test", "eva@demo.test", "olle@demo.test", "filip@demo.test"])
async def test_others_than_the_owners_staff__decide_nothing(
    asked: UUID, log_in: LogIn, now: datetime, email: str
) -> None:
    who = await log_in(email)
    assert await refused(approve(asked, who, now)) == "not_found"
    assert await refused(reservations.reject(asked, by=who, now=now, reason="x")) == "not_found"
    assert await refused(reservations.propose(asked, "x", None, by=who, now=now)) == "not_found"
    assert await state_of(asked) == "requested"


async def test_requests_that_keep_no_time__the_first_granted_wins_and_the_others_are_answered(
    hall: Resource, span: Span, rival: Actor, eva: Actor, clerk: Actor, now: datetime
) -> None:
    await rule(hall, needs_approval=True, pending_holds=False)
    first = await request(hall, span, rival, now, "Levar IF")
    second = await request(hall, span, rival, now, "Nordmalings IBK")
    third = await request(hall, span, eva, now)
    queue, total = await reservations.requests(
        clerk, municipality="2401", state="open", now=now, limit=10, offset=0
    )
    assert (total, [one.same_time for one in queue]) == (3, [2, 2, 2])
    assert [one.request and one.request.holds_time for one in queue] == [False] * 3
    await approve(second, clerk, now)
    queue, _ = await reservations.requests(
        clerk, municipality="2401", state="open", now=now, limit=10, offset=0
    )
    assert [[one.id for one in each.conflicts] for each in queue] == [[second], [second]]
    assert await refused(approve(first, clerk, now)) == "slot_taken"
    assert await state_of(first) == "requested"
    await reservations.cancel(second, by=clerk, now=now)
    await approve(first, clerk, now, others="reject")
    assert (await state_of(first), await state_of(third)) == ("confirmed", "rejected")
    page = await reservations.page(third, eva, now)
    assert page.request is not None
    assert page.request.decision == "given_to_another"
    decided, _ = await reservations.requests(
        clerk, municipality="2401", state="decided", now=now, limit=10, offset=0
    )
    assert {one.id for one in decided} == {first, second, third}


async def test_two_clerks_grant_two_wishes_for_one_time_at_once__one_is_granted(
    hall: Resource, span: Span, rival: Actor, clerk: Actor, now: datetime
) -> None:
    await rule(hall, needs_approval=True, pending_holds=False)
    names = ("Levar IF", "Nordmalings IBK")
    ids = [await request(hall, span, rival, now, names[n % 2]) for n in range(4)]
    ends = await asyncio.gather(
        *(approve(one, clerk, now, others="reject" if n % 2 else "keep") for n, one in enumerate(ids)),
        return_exceptions=True,
    )
    assert [end for end in ends if end is not None and getattr(end, "code", "") not in ("slot_taken", "already_decided")] == []  # fmt: skip
    assert [await state_of(one) for one in ids].count("confirmed") == 1
    assert await db.value(int, "SELECT count(*) FROM occupancy") == len(hall.leaves)
    assert await db.value(int, "SELECT count(*) FROM charge") == 1


async def test_a_hold_came_first__the_request_that_kept_no_time_is_not_granted(
    hall: Resource, span: Span, rival: Actor, eva: Actor, clerk: Actor, now: datetime
) -> None:
    await rule(hall, needs_approval=True, pending_holds=False)
    asked = await request(hall, span, rival, now, "Levar IF")
    await held(hall, span, eva, now)
    with pytest.raises(SlotTaken):
        await approve(asked, clerk, now)
    await approve(asked, clerk, now + timedelta(minutes=10))  # the hold has run out


async def test_staff_offer_another_time__accepted_it_is_granted_there(
    asked: UUID, hall: Resource, span: Span, rival: Actor, eva: Actor, clerk: Actor, now: datetime
) -> None:
    other = Span(span.start + timedelta(days=1), span.end + timedelta(days=1, hours=1))
    await reservations.write_message(asked, "Gärna tidigt", by=rival, now=now)
    await reservations.propose(asked, "Går dagen efter?", Target(other), by=clerk, now=now)
    page = await reservations.page(asked, rival, now)
    assert page.request is not None
    mine, offer = page.request.messages
    assert (mine.by_staff, offer.by_staff, mine.proposal) == (False, True, None)
    assert offer.proposal is not None
    assert offer.proposal.price_ore == 211_50

    async def answer(who: Actor, what: Literal["accepted", "declined"]) -> None:
        await reservations.answer_proposal(asked, offer.id, what, by=who, now=now, return_url=URL)

    assert await refused(answer(eva, "accepted")) == "not_found"
    assert await refused(answer(clerk, "accepted")) == "not_found"
    await answer(rival, "accepted")
    page = await reservations.page(asked, rival, now)
    assert (page.state, page.start, page.price_ore) == ("confirmed", other.start, 211_50)
    assert await charges_of(asked) == ["usage open 21150"]
    assert await refused(answer(rival, "declined")) == "already_decided"
    assert await held(hall, span, eva, now)


async def test_an_offer_is_declined_or_taken_by_others__the_request_stays(
    asked: UUID, hall: Resource, span: Span, rival: Actor, eva: Actor, clerk: Actor, now: datetime
) -> None:
    other = Span(span.start + timedelta(days=1), span.end + timedelta(days=1))
    for _ in range(2):
        await reservations.propose(asked, "Dagen efter?", Target(other), by=clerk, now=now)
    page = await reservations.page(asked, rival, now)
    assert page.request is not None
    first, second = (one.id for one in page.request.messages)
    await reservations.answer_proposal(asked, first, "declined", by=rival, now=now, return_url=URL)
    await held(hall, other, eva, now)
    with pytest.raises(SlotTaken):
        await reservations.answer_proposal(asked, second, "accepted", by=rival, now=now, return_url=URL)
    page = await reservations.page(asked, rival, now)
    assert (page.state, page.start) == ("requested", span.start)
    assert page.request is not None
    assert [one.answered for one in page.request.messages] == ["declined", None]


async def test_not_answered_in_time__told_once_and_open_until_its_start(
    asked: UUID, span: Span, clerk: Actor, now: datetime
) -> None:
    due = now + timedelta(days=2)
    assert await reservations.tell_overdue(due - timedelta(seconds=1)) == 0
    assert [await reservations.tell_overdue(due) for _ in range(2)] == [1, 0]
    assert await state_of(asked) == "requested"
    assert await reservations.expire_due(span.start - timedelta(seconds=1)) == 0
    assert await reservations.expire_due(span.start) == 1
    assert await state_of(asked) == "expired"
    assert await db.value(int, NONE_LEFT, asked) == 0
    assert await refused(approve(asked, clerk, span.start)) == "already_decided"


async def test_a_person_who_may_not_be_invoiced__is_told_when_asking(
    asked: UUID, hall: Resource, eva: Actor, now: datetime
) -> None:
    hold = await held(hall, on(day_after(now, 6), "18:00"), eva, now)
    assert await refused(reserved(hold, "invoice", eva, now)) == "invoice_not_allowed"
    assert (await billing.standing([hold])) == {}
