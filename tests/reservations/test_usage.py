"""Used or not: staff note it, the list says what unused time costs, and it can be taken back."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import billing, reservations
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer
from booking.settings import Settings
from booking.span import Span
from tests.reservations.conftest import (
    LogIn,
    books_in_order,
    charges_of,
    day_after,
    held,
    on,
    party,
    refused,
    reserved,
    thing,
)


@pytest.fixture
def span(now: datetime) -> Span:
    return on(day_after(now, 2), "18:00")


@pytest.fixture
async def free_time(town: Settings, log_in: LogIn, span: Span, now: datetime) -> UUID:
    """Vännäs Innebandy has the hall at nolltaxa; unused it costs the list price."""
    club = await party("Vännäs Innebandy")
    admin = await log_in("admin@demo.test")
    coach = Actor(account=admin.account, session=admin.session, party=admin.party, acts_for=frozenset({club}))
    hall = await thing("Vännäs idrottshall", "Hela hallen")
    return await reserved(await held(hall, span, coach, now, Customer(club)), "free", coach, now)


async def test_nolltaxa_unused__costs_the_list_price_once_and_can_be_taken_back(
    free_time: UUID, span: Span, log_in: LogIn
) -> None:
    staff = await log_in("admin@demo.test")
    after = span.end + timedelta(hours=1)
    for _ in range(2):
        await reservations.note_usage(free_time, "no_show", by=staff, now=after)
    assert [one.split()[:2] for one in await charges_of(free_time)] == [
        ["usage", "free"],
        ["no_show", "open"],
    ]
    page = await reservations.page(free_time, staff, after)
    assert (page.used, page.can) == ("no_show", ["usage"])
    await reservations.note_usage(free_time, "used", by=staff, now=after, reason="Kom sent")
    assert (await charges_of(free_time))[1].startswith("no_show waived")
    await reservations.note_usage(free_time, "no_show", by=staff, now=after)
    fee = (await charges_of(free_time))[2]
    await billing.run_invoices("2460", f"{span.start:%Y-%m}", by=Actor.system(), now=after)
    await reservations.note_usage(free_time, "used", by=staff, now=after)
    assert (await charges_of(free_time))[2] == fee.replace("open", "credited")
    assert await books_in_order()


async def test_a_list_without_such_a_fee__notes_it_and_charges_nothing(
    hall: Resource, span: Span, rival: Actor, clerk: Actor, now: datetime
) -> None:
    club = Customer(await party("Levar IF"))
    made = await reserved(await held(hall, span, rival, now, club), "invoice", rival, now)
    for who, at, code in (
        (clerk, span.start - timedelta(seconds=1), "not_yet_used"),
        (rival, span.start, "not_found"),
    ):
        assert await refused(reservations.note_usage(made, "no_show", by=who, now=at)) == code
    await reservations.note_usage(made, "no_show", by=clerk, now=span.start)
    assert await charges_of(made) == ["usage open 14100"]
