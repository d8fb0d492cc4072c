"""A booking has to give way: it is moved or cancelled at no cost to the customer, with a reason, and they are told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db
from booking.errors import Conflict
from booking.ids import new_id
from booking.people import Actor
from booking.reservations.moving import Target, carry_out, plan_move
from booking.reservations.releasing import release
from booking.reservations.rows import Row
from booking.reservations.telling import owe_customer
from booking.span import Span

Deed = Literal["cancel", "move"]
Outcome = Literal["moved", "cancelled"]


class NotDisplaceable(Conflict):
    """The booking can't give way: it has ended, or no rule lets the other use come first. `code` says which."""

    code = "not_displaceable"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one booking that gives way; a move says where to."""

    reservation: UUID
    deed: Deed
    span: Span | None = None
    resource_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """For what a booking gives way, and why, in words that its customer will read."""

    reason: str
    block: UUID | None = None
    by_reservation: UUID | None = None


async def give_way(pairs: Sequence[tuple[Row, Decision]], cause: Cause, *, by: Actor, now: datetime) -> None:
    """Each booking is moved or cancelled as decided, free of charge, with its record and a message owed.

    In the caller's transaction, which has locked the leaves and then the rows. Cancelled ones go first, so that
    their time can be given to others. Raises SlotTaken where the place moved to is not free.
    """
    for row, decision in sorted(pairs, key=lambda pair: pair[1].deed):
        if decision.deed == "cancel":
            await release(row, by=by, now=now, reason=cause.reason, by_owner=True)
        elif decision.span is not None:
            await _move(row, Target(decision.span, decision.resource_id), cause, by, now)
        outcome: Outcome = "cancelled" if decision.deed == "cancel" else "moved"
        await _record(row, outcome, cause, by, now)
        if outcome == "cancelled":
            await tell_affected(row, cause.reason, now)


async def _move(row: Row, target: Target, cause: Cause, by: Actor, now: datetime) -> None:
    """The booking is there and then, and costs no more than before, whoever of the staff decided it."""
    if row.state == "awaiting_payment":
        raise NotDisplaceable(
            "a booking that waits for its payment is cancelled, not moved", code="awaits_payment"
        )
    owner = replace(by, acts_for=frozenset())  # also when they act for the customer
    plan = await plan_move(row, target, owner, now)
    await carry_out(row, plan, target.span, by=owner, now=now, reason=cause.reason)


async def _record(row: Row, outcome: Outcome, cause: Cause, by: Actor, now: datetime) -> None:
    await db.run(
        "INSERT INTO displacement (id, reservation, block, by_reservation, outcome, reason, decided_by, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        new_id(),
        row.id,
        cause.block,
        cause.by_reservation,
        outcome,
        cause.reason,
        by.account,
        now,
    )


async def tell_affected(row: Row, reason: str, now: datetime) -> None:
    """The one who booked is owed a message that the time is gone, why, and that it costs nothing.

    A booking that was moved says so itself (`carry_out`).
    """
    await owe_customer(row, "closure_affects_you", now, reason=reason)
