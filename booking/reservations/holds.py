"""Ten minutes in which nobody else can take a time. One public function = one transaction."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db
from booking.ids import new_id
from booking.people import Actor, Role
from booking.reservations import offers
from booking.reservations.allowing import (
    may_waive,
    must_be_allowed,
    must_book_for,
    must_have_quota,
    note_waiver,
    was_waived,
)
from booking.reservations.errors import AlreadyExtended, TooManyHolds
from booking.reservations.offers import Customer
from booking.reservations.ordering import order_of, ordered, pick
from booking.reservations.rows import (
    COLUMNS,
    Row,
    expire,
    free,
    is_own,
    locked,
    own_hold,
    set_hold_until,
)
from booking.reservations.writing import NewRow, Part, take
from booking.span import Span

HOLD, MOST_HOLDS = timedelta(minutes=10), 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to book. `reason`: why the owner's staff waive rules that they may waive."""

    resource_id: UUID
    span: Span
    purpose: str = "private"
    customer: Customer = field(default_factory=Customer)
    title: str | None = None
    together: tuple[UUID, ...] = ()
    equipment: tuple[tuple[UUID, int], ...] = ()  # pool or thing, how many
    reason: str | None = None


async def hold(wish: Wish, *, by: Actor, now: datetime) -> UUID:
    """The time is the actor's for ten minutes, against everybody else. Returns the hold.

    Raises BreaksRule, QuotaFull, SlotTaken, TooManyHolds, NotAllowed for a foreign party, billing.NotPriced.
    """
    order = await ordered(wish.resource_id, wish.together, wish.equipment)
    owner, party = order.main.facility.municipality.code, wish.customer.party
    waive = may_waive(by, owner, wish.reason)
    if party is not None:
        must_book_for(by, party, owner, waive=waive)
    allowed = await must_be_allowed(order, wish.span, wish.purpose, wish.customer, at=now, waive=waive)
    quote = await offers.price_of(order, wish.span, wish.purpose, wish.customer)
    hold_id = new_id()

    async def act() -> None:
        async with db.transaction():
            await _must_have_few_holds(by, now)
            if party is not None and not waive:
                wanted = [(wish.span, allowed.rules)]
                await must_have_quota(party, order.main.facility.id, wanted, now=now, with_holds=True)
            parts = await pick(order, wish.span, now=now)
            await take([_held(hold_id, wish, parts, owner, quote, by, now)], now=now)
            if waive and wish.reason is not None:
                await note_waiver(hold_id, owner, wish.reason, by, now)

    await db.retried(act)
    return hold_id


def _held(
    id: UUID, wish: Wish, parts: tuple[Part, ...], owner: str, quote: billing.Quote, by: Actor, now: datetime
) -> NewRow:
    return NewRow(
        id=id,
        parts=parts,
        span=wish.span,
        municipality=owner,
        state="held",
        purpose=wish.purpose,
        created_at=now,
        party=wish.customer.party,
        account=by.account,
        session=by.session,
        home=wish.customer.home,
        hold_until=now + HOLD,
        title=wish.title,
        price_ore=quote.total_ore,
        price=billing.snapshot(quote),
    )


@db.retrying
async def change_hold(
    hold_id: UUID, customer: Customer | None, purpose: str | None, *, by: Actor, now: datetime
) -> None:
    """The hold has the price of another identity or purpose; None keeps what it has.

    Raises NotFound, HoldExpired, NotAllowed, BreaksRule where these people or this purpose may not.
    """
    async with db.transaction():
        held = await own_hold(hold_id, by, now)
        party = held.party or by.party
        customer = customer or Customer(party, None if party else held.home)
        purpose = purpose or held.purpose
        waive = by.has(held.municipality, Role.STAFF) and await was_waived(held.id, by)
        if customer.party is not None:
            must_book_for(by, customer.party, held.municipality, waive=waive)
        order = await order_of(held)
        await must_be_allowed(order, held.span, purpose, customer, at=held.created_at, waive=waive)
        quote = await offers.price_of(order, held.span, purpose, customer)
        await db.run(
            "UPDATE reservation SET party = $2, home = $3, purpose = $4, price_ore = $5, price = $6,"
            " account = coalesce(account, $7), version = version + 1 WHERE id = $1",
            hold_id,
            customer.party,
            customer.home,
            purpose,
            quote.total_ore,
            billing.snapshot(quote),
            by.account,
        )


@db.retrying
async def extend_hold(hold_id: UUID, *, by: Actor, now: datetime) -> None:
    """The hold lasts ten minutes from now, once. Raises NotFound, HoldExpired, AlreadyExtended."""
    async with db.transaction():
        held = await own_hold(hold_id, by, now)
        if held.extended:
            raise AlreadyExtended("this hold has been extended already")
        await set_hold_until(held.id, now + HOLD)
        await db.run("UPDATE reservation SET extended = true WHERE id = $1", held.id)


@db.retrying
async def release_hold(hold_id: UUID, *, by: Actor, now: datetime) -> None:
    """The time is free again. Releasing a hold that is gone is a no-op."""
    async with db.transaction():
        held = await locked(hold_id)
        if held is not None and held.state == "held" and is_own(held, by):
            await free(held, "expired", by, now)


async def adopt_holds(session: UUID, *, by: Actor) -> None:
    """Holds of a visitor belong to the account that logged in from the same browser; another account's don't."""
    await db.run(
        "UPDATE reservation SET account = $2, session = $3 WHERE session = $1 AND state = 'held'"
        " AND account IS NULL",
        session,
        by.account,
        by.session,
    )


@db.retrying
async def expire_due(now: datetime) -> int:
    """Holds and unpaid reservations that have run out, and requests whose start has passed, are gone; how many."""
    async with db.transaction():
        due = await db.rows(
            Row,
            f"SELECT {COLUMNS} FROM reservation WHERE state IN ('held', 'awaiting_payment')"
            " AND hold_until <= $1 ORDER BY hold_until LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED",
            now,
        )
        due += await db.rows(
            Row,
            f"SELECT {COLUMNS} FROM reservation WHERE state = 'requested' AND starts_at <= $1"
            " ORDER BY id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED",
            now,
        )
        for one in due:
            await expire(one, now)
    return len(due)


async def _must_have_few_holds(by: Actor, now: datetime) -> None:
    if by.is_system:
        return
    live = await db.value(
        int,
        "SELECT count(*) FROM reservation WHERE state = 'held' AND hold_until > $3"
        " AND (session = $1 OR account = $2)",
        by.session,
        by.account,
        now,
    )
    if live and live >= MOST_HOLDS:
        raise TooManyHolds(f"at most {MOST_HOLDS} times can be held at once")
