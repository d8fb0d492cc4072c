"""Requests: what the owner's staff decide, and what both sides say meanwhile. One function = one transaction."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import billing, db
from booking.errors import NotFound, Rejected
from booking.people import Actor, Role
from booking.reservations.answering import GIVEN_AWAY, decided, lock_open, rivals_of, tell_refused, turn_down
from booking.reservations.confirming import by_method, resources_of
from booking.reservations.errors import AlreadyDecided, NotMovable
from booking.reservations.moving import Target, carry_out, plan_move
from booking.reservations.ordering import choose, leaves_of, needs_of, order_of, relocate
from booking.reservations.rows import Row, locked, may_handle, seen, tell
from booking.reservations.telling import owe_customer, owe_staff
from booking.reservations.writing import Place, lock_leaves, occupy
from booking.span import Span

APPROVED_PAY = timedelta(hours=48)


class Proposal(msgspec.Struct, frozen=True):
    """Another time or place that staff offer, at this price in öre."""

    resource_id: UUID
    start: datetime
    end: datetime
    price_ore: int


async def approve(
    reservation_id: UUID,
    *,
    by: Actor,
    now: datetime,
    return_url: str,
    reason: str | None = None,
    others: Literal["keep", "reject"] = "keep",
) -> None:
    """The request is granted: confirmed, or to be paid within two days (before its start). The constraint decides.

    With `others` rejected, everybody else who asked for the same time is answered. Raises NotFound for others
    than staff, AlreadyDecided, SlotTaken.
    """

    async def act() -> None:
        async with db.transaction():
            row = await _open_request(reservation_id, by, now)
            await _grant(row, by.account, reason, by, now, return_url)
            if others == "reject":
                rivals = await lock_open(await rivals_of([row.id]), now)
                await turn_down(rivals, GIVEN_AWAY, by, now)
                await tell_refused(rivals, GIVEN_AWAY, now)

    await db.retried(act)


@db.retrying
async def reject(reservation_id: UUID, *, by: Actor, now: datetime, reason: str) -> None:
    """The request is refused, for this reason, and keeps no time. Raises NotFound, AlreadyDecided."""
    async with db.transaction():
        await _open_request(reservation_id, by, now)
        rows = await lock_open([reservation_id], now)
        if not rows:
            raise AlreadyDecided("this request has been answered")
        await turn_down(rows, reason, by, now)
        await tell_refused(rows, reason, now)


@db.retrying
async def propose(
    reservation_id: UUID, text: str, target: Target | None, *, by: Actor, now: datetime
) -> None:
    """The customer has a message, with another time or place on offer if `target` is given.

    Raises NotFound, AlreadyDecided, BreaksRule where the offered time is closed.
    """
    async with db.transaction():
        row = await _open_request(reservation_id, by, now)
        offered = None
        if target is not None:
            plan = await plan_move(row, target, by, now)
            main = plan.order.main.id
            offered = Proposal(main, target.span.start, target.span.end, plan.quote.total_ore)
        await _say(row, text, offered, by, now, by_staff=True)


@db.retrying
async def write_message(reservation_id: UUID, text: str, *, by: Actor, now: datetime) -> None:
    """The other side has a message. Raises NotFound, AlreadyDecided where nothing was ever asked for."""
    async with db.transaction():
        row = await seen(reservation_id)
        if row is None or row.state == "held" or not may_handle(row, by):
            raise NotFound("there is no such reservation")
        if row.answer_by is None:
            raise AlreadyDecided("this booking was not a request")
        await _say(row, text, None, by, now, by_staff=row.party not in by.acts_for)


async def answer_proposal(
    reservation_id: UUID,
    message_id: int,
    answer: Literal["accepted", "declined"],
    *,
    by: Actor,
    now: datetime,
    return_url: str,
) -> None:
    """The customer has answered. What they accept is granted at once: staff offered it.

    Raises NotFound, AlreadyDecided, SlotTaken, PriceChanged.
    """

    async def act() -> None:
        async with db.transaction():
            row = await seen(reservation_id)
            if row is None or row.kind != "booking" or row.party not in by.acts_for:
                raise NotFound("there is no such request")
            _must_be_open(row, now)
            said = await _proposal(row.id, message_id)
            if answer == "accepted":
                row = await _moved_to(row, said.read(), now)
                await _grant(row, said.account, said.text, by, now, return_url)
            await db.run("UPDATE request_message SET answered = $2 WHERE id = $1", message_id, answer)
            await tell(row, f"request.{answer}", by, now)

    await db.retried(act)


async def tell_overdue(now: datetime) -> int:
    """Staff are alerted, once, of each request that was not answered in time, and its pages show it; it stays open.

    Of several times of one series they hear together.
    """
    async with db.transaction():
        late = await db.column(
            UUID,
            "SELECT id FROM reservation r WHERE state = 'requested' AND answer_by <= $1 AND NOT EXISTS ("
            " SELECT FROM journal j WHERE j.about = r.id AND j.action = 'request.overdue')"
            " ORDER BY id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED",
            now,
        )
        alerted: set[UUID] = set()
        for one in late:
            row = await seen(one)
            if row is None:
                continue
            await tell(row, "request.overdue", Actor.system(), now)
            if (asked := row.series or row.id) not in alerted:
                alerted.add(asked)
                await owe_staff(row, "En bokningsförfrågan har väntat för länge på svar", now)
    return len(late)


async def _grant(
    row: Row, decided_by: UUID | None, reason: str | None, by: Actor, now: datetime, return_url: str
) -> None:
    """The request takes its time for good and goes on by its method of payment."""
    needs = await needs_of(await order_of(row), now=now, rather=await resources_of(row))
    await lock_leaves(leaves_of(needs))  # before the row, as everywhere
    current = await locked(row.id)
    if current is None:
        raise NotFound("there is no such request")
    _must_be_open(current, now)
    if current.version != row.version:
        raise AlreadyDecided("it has changed meanwhile, look at it again")
    parts = await choose(needs, row.span, now=now, instead_of=[row.id])
    await occupy([Place(row.id, parts, row.span)], now=now)
    await relocate(row, parts, row.span)
    await decided([row.id], decided_by, reason, now)
    granted = await locked(row.id)
    if granted is not None:
        quote = billing.read_snapshot(granted.price)
        within = min(APPROVED_PAY, granted.starts_at - now)
        await tell(granted, "reservation.approved", by, now, reason=reason)
        await owe_customer(granted, "request_decided", now, reason=reason)
        await by_method(granted, granted.method or "free", quote, by, now, return_url, pay_within=within)


async def _open_request(reservation_id: UUID, by: Actor, now: datetime) -> Row:
    row = await seen(reservation_id)
    if row is None or row.kind != "booking" or not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such request")
    _must_be_open(row, now)
    return row


def _must_be_open(row: Row, now: datetime) -> None:
    if row.state != "requested" or row.starts_at <= now:
        raise AlreadyDecided("this request has been answered, or its time has passed")


async def _say(
    row: Row, text: str, offered: Proposal | None, by: Actor, now: datetime, *, by_staff: bool
) -> None:
    await db.run(
        "INSERT INTO request_message (reservation, account, by_staff, text, proposal, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        row.id,
        by.account,
        by_staff,
        text,
        None if offered is None else msgspec.json.encode(offered).decode(),
        now,
    )
    await tell(row, "request.message", by, now, by_staff=by_staff)
    if by_staff:
        await owe_customer(row, "request_changes", now, changes=text)
    else:
        await owe_staff(row, "Nytt meddelande om en bokningsförfrågan", now, text)


class _Said(db.Record):
    account: UUID | None
    text: str
    proposal: str
    answered: str | None

    def read(self) -> Proposal:
        return msgspec.json.decode(self.proposal, type=Proposal)


async def _proposal(reservation: UUID, message_id: int) -> _Said:
    if not 0 < message_id < 1 << 63:
        raise NotFound("there is no such proposal")
    said = await db.row(
        _Said,
        "SELECT account, text, proposal, answered FROM request_message"
        " WHERE id = $1 AND reservation = $2 AND proposal IS NOT NULL FOR NO KEY UPDATE",
        message_id,
        reservation,
    )
    if said is None:
        raise NotFound("there is no such proposal")
    if said.answered is not None:
        raise AlreadyDecided("this proposal has been answered")
    return said


async def _moved_to(row: Row, offer: Proposal, now: datetime) -> Row:
    """The request is for what was offered, at the price that was offered."""
    staff = Actor.system()  # who offered it: the owner's rules were looked at then
    target = Target(Span(offer.start, offer.end), offer.resource_id)
    plan = await plan_move(row, target, staff, now)
    if plan.quote.total_ore != offer.price_ore:
        raise NotMovable("the price of the offer has changed: ask for another")
    await carry_out(row, plan, target.span, by=staff, now=now)
    moved = await seen(row.id)
    if moved is None:
        raise Rejected("the request is gone", code="not_found")
    return moved
