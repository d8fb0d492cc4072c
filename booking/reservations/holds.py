"""Ten minutes in which nobody else can take a time. One public function = one transaction."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db, places
from booking.ids import new_id
from booking.people import Actor
from booking.places import Resource
from booking.reservations import offers
from booking.reservations.availability import open_days_around
from booking.reservations.calendar import local_day, refusal
from booking.reservations.errors import (
    RULES,
    AlreadyExtended,
    BreaksRule,
    TooManyHolds,
)
from booking.reservations.offers import Customer
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
from booking.reservations.writing import NewRow, part_of, take
from booking.span import Span

HOLD, MOST_HOLDS = timedelta(minutes=10), 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to book."""

    resource_id: UUID
    span: Span
    purpose: str = "private"
    customer: Customer = field(default_factory=Customer)
    title: str | None = None


async def hold(wish: Wish, *, by: Actor, now: datetime) -> UUID:
    """The time is the actor's for ten minutes, against everybody else. Returns the hold.

    Raises BreaksRule, SlotTaken, TooManyHolds, NotAllowed for a foreign party, billing.NotPriced.
    """
    if wish.customer.party is not None:
        by.must_act_for(wish.customer.party)
    resource = await places.resource(wish.resource_id)
    rules = await _must_follow_rules(resource, wish, now)
    quote = await offers.price(resource, wish.span, wish.purpose, wish.customer)
    row = NewRow(
        id=new_id(),
        parts=(part_of(resource, rules),),
        span=wish.span,
        municipality=resource.facility.municipality.code,
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

    async def act() -> None:
        async with db.transaction():
            await _must_have_few_holds(by, now)
            await take([row], now=now)

    await db.retried(act)
    return row.id


async def change_hold(
    hold_id: UUID, customer: Customer | None, purpose: str | None, *, by: Actor, now: datetime
) -> None:
    """The hold has the price of another identity or purpose; None keeps what it has.

    Raises NotFound, HoldExpired, NotAllowed.
    """
    async with db.transaction():
        held = await own_hold(hold_id, by, now)
        party = held.party or by.party
        customer = customer or Customer(party, None if party else held.home)
        purpose = purpose or held.purpose
        if customer.party is not None:
            by.must_act_for(customer.party)
        resource = await places.resource(held.resource, in_use=False)
        quote = await offers.price(resource, held.span, purpose, customer)
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


async def extend_hold(hold_id: UUID, *, by: Actor, now: datetime) -> None:
    """The hold lasts ten minutes from now, once. Raises NotFound, HoldExpired, AlreadyExtended."""
    async with db.transaction():
        held = await own_hold(hold_id, by, now)
        if held.extended:
            raise AlreadyExtended("this hold has been extended already")
        await set_hold_until(held.id, now + HOLD)
        await db.run("UPDATE reservation SET extended = true WHERE id = $1", held.id)


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


async def expire_due(now: datetime) -> int:
    """Holds and unpaid reservations that have run out are free again; returns how many."""
    count = 0
    async with db.transaction():
        due = await db.rows(
            Row,
            f"SELECT {COLUMNS} FROM reservation WHERE state IN ('held', 'awaiting_payment')"
            " AND hold_until <= $1 ORDER BY hold_until LIMIT 100 FOR UPDATE SKIP LOCKED",
            now,
        )
        for one in due:
            await expire(one, now)
            count += 1
    return count


async def _must_follow_rules(resource: Resource, wish: Wish, now: datetime) -> places.Rules:
    day = local_day(wish.span)
    opening = (await open_days_around([resource], wish.span))[resource.calendar]
    rules = (await places.rules_on([resource.id], day))[resource.id]
    who = await offers.who(wish.customer, resource.facility.municipality.code, day)
    code = refusal(rules, opening, wish.span, now, who, wish.purpose)
    if code is not None:
        raise BreaksRule(RULES[code], code=code)
    return rules


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
