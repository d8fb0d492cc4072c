"""May these people book this? Every path that writes asks here: rules of the day, quotas, and what staff may waive."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, journal, places
from booking.clock import at_local, local_date
from booking.errors import NotAllowed
from booking.people import Actor, Role
from booking.places import Rules
from booking.reservations import offers
from booking.reservations.availability import open_days_around
from booking.reservations.calendar import local_day, not_for, refusal
from booking.reservations.errors import RULES, BreaksRule, QuotaFull, TermsNotAccepted
from booking.reservations.offers import Customer, Order
from booking.span import Span

WAIVED = "reservation.rules_waived"  # the journal's word for a reason that staff gave


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the rules in force say of an allowed wish."""

    rules: Rules  # of the main thing
    needs_approval: bool
    answer_days: int


async def must_be_allowed(
    order: Order, span: Span, purpose: str, customer: Customer, *, at: datetime, waive: bool = False
) -> Allowed:
    """Return what applies to the wish as it was made at an instant. Raises BreaksRule.

    With `waive` (staff, with a reason) notice, horizon and release dates don't count. Occupation always does.
    """
    day, owner = local_day(span), order.main.facility.municipality.code
    rules = await places.rules_on([one.id for one in order.resources], day)
    opening = await open_days_around([order.main, *order.together], span)
    who = await offers.who(customer, owner, day)
    for one in (order.main, *order.together):
        own = waived(rules[one.id]) if waive else rules[one.id]
        _must_not(refusal(own, opening[one.calendar], span, at, who, purpose))
    for thing, _ in order.equipment:
        _must_not(not_for(rules[thing.id], day, who, purpose))
    asked = [rules[one.id] for one in (order.main, *order.together) if rules[one.id].needs_approval]
    return Allowed(rules[order.main.id], bool(asked), max((one.answer_days for one in asked), default=0))


def waived(rules: Rules) -> Rules:
    """Return the rules without those that staff may waive."""
    return msgspec.structs.replace(rules, notice_min=0, horizon_days=3650, opens_on=None, own_first_days=0)


def _must_not(code: str | None) -> None:
    if code is not None:
        raise BreaksRule(RULES[code], code=code)


def must_accept(rules: Rules, version: str | None, *, municipality: str) -> None:
    """Raise TermsNotAccepted unless the version in force is the one that was accepted."""
    if rules.terms is not None and version != rules.terms:
        terms = {"municipality": municipality, "version": rules.terms}
        raise TermsNotAccepted("read and accept the terms in force", terms=terms)


def must_book_for(by: Actor, party: UUID, municipality: str, *, waive: bool) -> None:
    """Raise NotAllowed unless the actor acts for the party, or is the owner's staff and says why."""
    if not (waive and by.has(municipality, Role.STAFF)):
        by.must_act_for(party)


def may_waive(by: Actor, municipality: str, reason: str | None) -> bool:
    """Return True if staff of the owner gave a reason. Raises NotAllowed for anybody else who gives one."""
    if reason is None:
        return False
    if not by.has(municipality, Role.STAFF):
        raise NotAllowed("only the owner's staff may waive rules", code="may_not_waive")
    return True


async def note_waiver(reservation: UUID, municipality: str, reason: str, by: Actor, now: datetime) -> None:
    """The journal has the reason for which rules were waived."""
    await journal.record(
        WAIVED, about=reservation, by=by, now=now, topics=[f"timeline:{municipality}"], reason=reason
    )


async def was_waived(reservation: UUID, by: Actor) -> bool:
    """Return True if this very actor waived rules for the hold when they made it."""
    return bool(
        await db.value(
            bool,
            "SELECT true FROM journal WHERE about = $1 AND action = $2 AND account = $3 LIMIT 1",
            reservation,
            WAIVED,
            by.account,
        )
    )


# --- quotas: how many bookings one party may have in a facility ---


async def must_have_quota(
    party: UUID,
    facility: UUID,
    wanted: Sequence[tuple[Span, Rules]],
    *,
    now: datetime,
    without: Iterable[UUID] = (),
    with_holds: bool = False,
) -> None:
    """Raise QuotaFull unless all of these fit; nobody can use the same quota until the transaction ends."""
    if any(rules.quota_week or rules.quota_open for _, rules in wanted):
        await db.take_locks("quota", [f"{party}:{facility}"])
        codes = await quota_refusals(party, facility, wanted, now=now, without=without, with_holds=with_holds)
        if code := next((one for one in codes if one), None):
            raise QuotaFull(RULES[code], code=code)


async def quota_refusals(
    party: UUID,
    facility: UUID,
    wanted: Sequence[tuple[Span, Rules]],
    *,
    now: datetime,
    without: Iterable[UUID] = (),
    with_holds: bool = False,
) -> list[str | None]:
    """Return per wish, in order, the code of the quota that it would break, or None; each that fits counts.

    A week is Monday to Sunday in Sweden. "Open" are bookings that have not started.
    """
    if not any(rules.quota_week or rules.quota_open for _, rules in wanted):
        return [None] * len(wanted)
    first = min([now, *(_monday(span.start) for span, _ in wanted)])
    starts = await db.column(
        datetime,
        "SELECT r.starts_at FROM reservation r JOIN resource x ON x.id = r.resource"
        " WHERE r.party = $1 AND x.facility = $2 AND r.starts_at >= $3 AND r.id <> ALL($4)"
        " AND (r.state IN ('requested', 'confirmed', 'completed') OR r.hold_until > $5"
        "   AND (r.state = 'awaiting_payment' OR $6 AND r.state = 'held'))",
        party,
        facility,
        first,
        list(without),
        now,
        with_holds,
    )
    codes: list[str | None] = []
    for span, rules in wanted:
        week = sum(_monday(one) == _monday(span.start) for one in starts)
        ahead = sum(one > now for one in starts)
        full_week = rules.quota_week is not None and week >= rules.quota_week
        full = rules.quota_open is not None and ahead >= rules.quota_open
        codes.append("quota_week" if full_week else "quota_open" if full else None)
        if codes[-1] is None:
            starts.append(span.start)
    return codes


def _monday(moment: datetime) -> datetime:
    day: date = local_date(moment)
    monday = day - timedelta(days=day.weekday())
    return at_local(monday.year, monday.month, monday.day, 0)
