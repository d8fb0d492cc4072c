"""Move a reservation to another time or place: what it would cost, and doing it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from booking import billing, db, locks, places
from booking.errors import NotFound, Rejected
from booking.people import Actor
from booking.places import Rules
from booking.reservations import offers
from booking.reservations.allowing import must_be_allowed, must_have_quota
from booking.reservations.confirming import invoice_text, may_owe, resources_of
from booking.reservations.errors import NotMovable, PriceChanged, SlotTaken
from booking.reservations.offers import Customer, Order
from booking.reservations.ordering import choose, leaves_of, must_fit, needs_of, order_of, relocate
from booking.reservations.rows import Row, code_of, locked, may_handle, seen, tell
from booking.reservations.telling import owe_customer
from booking.reservations.writing import Part, Place, in_the_way, lock_leaves, occupy
from booking.span import Span


@dataclass(frozen=True, slots=True)
class Target:
    """Where and when it shall be; None keeps the resource."""

    span: Span
    resource_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What a move would mean. Amounts in öre; the municipality's own moves cost nobody anything."""

    order: Order
    rules: Rules
    quote: billing.Quote
    fee: billing.Quote | None
    by_owner: bool
    difference_ore: int


async def preview_move(
    reservation_id: UUID, target: Target, *, by: Actor, now: datetime
) -> tuple[MovePlan, bool]:
    """Return what the move would cost and whether the time is free. Raises as `move` does."""
    row = await _movable(await seen(reservation_id), by, now)
    plan = await plan_move(row, target, by, now)
    try:
        parts = await choose_unlocked(row, plan.order, target.span, now)
    except SlotTaken:
        return plan, False
    met = await in_the_way([Place(row.id, parts, target.span)], now=now, instead_of=[row.id])
    return plan, not met


async def move(
    reservation_id: UUID,
    target: Target,
    *,
    by: Actor,
    now: datetime,
    expected_ore: int | None = None,
    reason: str | None = None,
) -> None:
    """The reservation is there and then; its number, code and team stay, the money follows the list.

    Those who act for the party follow the rules of a new booking. The owner's staff may move beyond notice,
    horizon and quota, and the customer pays no more for it. Raises NotFound, NotMovable, BreaksRule, QuotaFull,
    SlotTaken, PriceChanged, billing.Dearer.
    """

    async def act() -> None:
        async with db.transaction():
            row = await _movable(await seen(reservation_id), by, now)
            plan = await plan_move(row, target, by, now)
            if expected_ore is not None and plan.quote.total_ore != expected_ore:
                raise PriceChanged("the price is another by now", price=billing.shown(plan.quote))
            if row.party is not None and not plan.by_owner:
                wanted = [(target.span, plan.rules)]
                house = plan.order.main.facility.id
                await must_have_quota(row.party, house, wanted, now=now, without=[row.id])
            await carry_out(row, plan, target.span, by=by, now=now, reason=reason)

    await db.retried(act)


async def plan_move(row: Row, target: Target, by: Actor, now: datetime) -> MovePlan:
    """Return what the move would mean. Raises BreaksRule, Rejected where rules forbid it."""
    order = await order_of(row)
    if target.resource_id is not None and target.resource_id not in (order.main.id, row.resource):
        order = replace(order, main=await places.resource(target.resource_id))
        if order.main.facility.municipality.code != row.municipality:
            raise Rejected("another municipality's places are booked anew", code="other_municipality")
        must_fit(order)
    by_owner = row.party not in by.acts_for
    customer = Customer(row.party)
    allowed = await must_be_allowed(order, target.span, row.purpose, customer, at=now, waive=by_owner)
    if allowed.needs_approval and not by_owner and row.state != "requested":
        raise Rejected("a change here is for staff to make: ask them", code="move_needs_approval")
    quote = await offers.price_of(order, target.span, row.purpose, customer)
    if row.state == "requested":
        return MovePlan(order, allowed.rules, quote, None, by_owner, quote.total_ore - row.price_ore)
    if by_owner:
        quote = billing.capped(quote, row.price_ore)
    fee = None if by_owner else await _change_fee(row, order, target.span, now)
    return MovePlan(order, allowed.rules, quote, fee, by_owner, quote.total_ore - row.price_ore)


async def carry_out(
    row: Row, plan: MovePlan, span: Span, *, by: Actor, now: datetime, reason: str | None = None
) -> None:
    """The reservation is where the plan says, in the caller's transaction. Raises SlotTaken, NotMovable."""
    needs = await needs_of(plan.order, now=now, rather=await resources_of(row))
    await lock_leaves(leaves_of(needs))  # before the row, as everywhere
    current = await locked(row.id)
    if current is None or current.version != row.version:
        raise NotMovable("it has changed meanwhile, look at it again")
    takes = row.state != "requested" or await _takes_time(row.id)
    if takes:
        parts = await choose(needs, span, now=now, instead_of=[row.id])
        await occupy([Place(row.id, parts, span)], now=now)
    else:
        parts = await choose(needs, span, now=now)
    await relocate(row, parts, span)
    await db.run(
        "UPDATE reservation SET price_ore = $2, price = $3 WHERE id = $1",
        row.id,
        plan.quote.total_ore,
        billing.snapshot(plan.quote),
    )
    moved = await locked(row.id)
    if moved is not None and row.state == "confirmed":
        await _follow(moved, plan, now)
        old = (await places.resource(row.resource, in_use=False)) if row.resource != moved.resource else None
        place = f"{old.facility.name}, {old.name}" if old else None
        await owe_customer(moved, "booking_moved", now, old_at=row.starts_at, old_place=place, reason=reason)
    was = {"resource": row.resource, "start": row.starts_at, "end": row.ends_at}
    await tell(row, "reservation.moved", by, now, was=was, reason=reason)


async def _follow(moved: Row, plan: MovePlan, now: datetime) -> None:
    """Money and doors are where the reservation is."""
    if moved.party is None:
        return
    await billing.change(
        moved.id,
        party=moved.party,
        municipality=moved.municipality,
        quote=plan.quote,
        fee=plan.fee,
        may_owe=await may_owe(moved.party),
        service_at=moved.starts_at,
        text=await invoice_text(moved),
        now=now,
    )
    await locks.move(
        reservation=moved.id,
        holder=moved.party,
        resources=await resources_of(moved),
        span=moved.span,
        purpose=moved.purpose,
        credential=await code_of(moved.series),
        now=now,
    )


async def choose_unlocked(row: Row, order: Order, span: Span, now: datetime) -> tuple[Part, ...]:
    """Return the parts a move would take if it were made now."""
    async with db.transaction():
        needs = await needs_of(order, now=now, rather=await resources_of(row))
        return await choose(needs, span, now=now, instead_of=[row.id])


async def _change_fee(row: Row, order: Order, span: Span, now: datetime) -> billing.Quote:
    paid = billing.read_snapshot(row.price)
    tariff = await billing.tariff_of(paid)
    stays = order.main.id in (row.wished or row.resource, row.resource)
    covers = span.start <= row.starts_at and span.end >= row.ends_at
    return billing.change_fee(
        tariff, paid, billing.notice(row.starts_at, now), releases=not (stays and covers)
    )


async def _movable(row: Row | None, by: Actor, now: datetime) -> Row:
    if row is None or row.state == "held" or not may_handle(row, by):
        raise NotFound("there is no such reservation")
    if row.state not in ("confirmed", "requested") or row.starts_at <= now:
        raise NotMovable("this booking can't be moved")
    return row


async def _takes_time(reservation: UUID) -> bool:
    return bool(
        await db.value(bool, "SELECT true FROM occupancy WHERE reservation = $1 LIMIT 1", reservation)
    )
