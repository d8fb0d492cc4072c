"""The calendar's people and places, for what happens around a booking."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, outbox, reservations
from booking.messages.handlers import HANDLERS as MESSAGES
from booking.messages.owing import OWE
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, WaitingView, Wish
from booking.span import Span
from tests.reservations.conftest import (  # noqa: F401 fixtures
    clerk,
    eva,
    hall,
    log_in,
    price_of,
    rival,
)

Settle = Callable[[datetime], Awaitable[None]]


@pytest.fixture
def settle() -> Settle:
    """Every debt of the waiting list is paid, and every message has its receivers."""

    async def pay(now: datetime) -> None:
        def fail(debt: outbox.Debt, error: Exception) -> None:
            raise AssertionError(f"{debt.kind} failed") from error

        handlers = {**reservations.HANDLERS, OWE: MESSAGES[OWE]}
        await outbox.drain(handlers, lambda: now, fail)

    return pay


async def book(resource: Resource, span: Span, by: Actor, now: datetime, party: UUID | None = None) -> UUID:
    """Book and owe it on an invoice."""
    wish = Wish(resource.id, span, "training", Customer(party or by.party))
    hold = await reservations.hold(wish, by=by, now=now)
    return await take(hold, by, now)


async def take(hold: UUID, by: Actor, now: datetime) -> UUID:
    """Reserve at the price that the hold shows, whoever it is."""
    await db.run(
        "UPDATE party SET may_be_invoiced = true WHERE id = (SELECT party FROM reservation WHERE id = $1)",
        hold,
    )
    return await reservations.reserve(
        hold,
        method="invoice",
        expected_ore=await price_of(hold),
        by=by,
        now=now,
        return_url="http://127.0.0.1:9/{id}",
    )


async def wait_for(
    resource: Resource,
    span: Span,
    by: Actor,
    now: datetime,
    *,
    minutes: int | None = None,
    kind: reservations.WaitingKind = "queue",
) -> UUID:
    """Join the line for a time of a resource as one's own person."""
    assert by.party is not None
    wish = reservations.WaitingWish(
        kind=kind,
        party=by.party,
        window=span,
        minutes=minutes or span.minutes,
        purpose="training",
        resource=resource.id,
    )
    return await reservations.join_waiting(wish, by=by, now=now)


async def entry(waiting: UUID, by: Actor, now: datetime) -> WaitingView:
    return await reservations.waiting_entry(waiting, by, now)


async def messages_to(by: Actor, template: str) -> int:
    return (
        await db.value(
            int,
            "SELECT count(*) FROM message WHERE account = $1 AND template = $2 AND channel = 'email'",
            by.account,
            template,
        )
        or 0
    )


def after(now: datetime, **time: float) -> datetime:
    return now + timedelta(**time)
