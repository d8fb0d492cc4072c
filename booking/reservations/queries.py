"""Reads of the calendar. Each takes the actor; another party's or municipality's rows look absent."""

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import billing, db, locks, places
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.places import FacilityPage, ResourceCard
from booking.reservations.calendar import day_span
from booking.reservations.errors import HoldExpired

Purpose = Literal["training", "match", "meeting", "event", "private", "other"]
State = Literal["awaiting_payment", "confirmed", "cancelled", "completed", "expired"]
Deed = Literal["cancel", "pay"]


class PartyRef(db.Record):
    """A party as shown beside a booking."""

    id: UUID
    name: str


class Held(db.Record):
    """A hold as its own page shows it."""

    id: UUID
    resource: ResourceCard
    start: datetime
    end: datetime
    expires_at: datetime
    extended: bool
    purpose: Purpose
    party_id: UUID | None
    price: billing.PriceView
    needs_login: bool
    cancel_free_until: datetime | None
    pay_methods: list[billing.Method]


class ReservationCard(db.Record):
    """A reservation as lists show it."""

    id: UUID
    number: str
    resource: ResourceCard
    start: datetime
    end: datetime
    state: State
    purpose: Purpose
    title: str | None
    party: PartyRef | None
    price_ore: int
    payment_state: billing.MoneyState
    can: list[Deed]
    access_state: locks.State | None


class Cancellation(db.Record):
    """How a reservation ended early, with what it cost and gave back (öre)."""

    at: datetime
    by: str
    fee_ore: int
    refund_ore: int


class FacilityHelp(db.Record):
    """Where to turn when the door stays shut."""

    on_call_phone: str
    access_text: str


class ReservationPage(ReservationCard):
    """A reservation with everything its page shows, codes excepted (locks.access_of)."""

    price: billing.PriceView
    cancel_free_until: datetime | None
    cancel_fee_now_ore: int
    hold_expires_at: datetime | None
    payment: billing.Standing | None
    version: int
    facility: FacilityHelp
    cancellation: Cancellation | None


class _Row(db.Record):
    id: UUID
    number: int
    resource: UUID
    municipality: str
    party: UUID | None
    party_name: str | None
    account: UUID | None
    session: UUID | None
    home: str | None
    state: State | Literal["held"]
    starts_at: datetime
    ends_at: datetime
    hold_until: datetime | None
    extended: bool
    purpose: Purpose
    title: str | None
    price_ore: int
    price: str
    version: int
    cancelled_at: datetime | None
    cancelled_by: str | None
    cancel_fee_ore: int | None
    refund_ore: int | None


class _Booked(_Row):
    state: State  # the reads of these leave holds out


_SELECT = """
SELECT r.id, r.number, r.resource, r.municipality, r.party, p.name AS party_name, r.account, r.session, r.home,
  r.state, r.starts_at, r.ends_at, r.hold_until, r.extended, r.purpose, r.title, r.price_ore, r.price, r.version,
  r.cancelled_at, r.cancelled_by, r.cancel_fee_ore, r.refund_ore
FROM reservation r LEFT JOIN party p ON p.id = r.party
"""


async def held(hold_id: UUID, by: Actor, now: datetime) -> Held:
    """Return the actor's own live hold. Raises NotFound (also for a foreign one), HoldExpired."""
    row = await db.row(_Row, _SELECT + " WHERE r.id = $1", hold_id)
    own = row is not None and (
        (by.session is not None and row.session == by.session)
        or (by.account is not None and row.account == by.account)
    )
    if row is None or not own:
        raise NotFound("there is no such hold")
    if row.state != "held" or row.hold_until is None or row.hold_until <= now:
        raise HoldExpired("the hold has run out")
    quote = billing.read_snapshot(row.price)
    return Held(
        id=row.id,
        resource=(await places.resource(row.resource, in_use=False)).card,
        start=row.starts_at,
        end=row.ends_at,
        expires_at=row.hold_until,
        extended=row.extended,
        purpose=row.purpose,
        party_id=row.party,
        price=billing.shown(quote),
        needs_login=by.account is None,
        cancel_free_until=await _cancel_free_until(row, quote),
        pay_methods=await _pay_methods(row, by),
    )


async def cards(
    by: Actor, *, party: UUID | None, upcoming: bool, now: datetime, limit: int, offset: int
) -> tuple[list[ReservationCard], int]:
    """Return bookings of the parties the actor acts for, nearest first, and how many there are."""
    parties = sorted(by.acts_for if party is None else by.acts_for & {party})
    when = (
        "r.ends_at > $2 AND r.state <> 'cancelled'"
        if upcoming
        else "(r.ends_at <= $2 OR r.state = 'cancelled')"
    )
    where = f" WHERE r.party = ANY($1) AND r.state NOT IN ('held', 'expired') AND {when}"
    order = " ORDER BY r.starts_at" + ("" if upcoming else " DESC")
    total = await db.value(int, "SELECT count(*) FROM reservation r" + where, parties, now)
    found = await db.rows(
        _Booked, _SELECT + where + order + " LIMIT $3 OFFSET $4", parties, now, limit, offset
    )
    return await _cards(found, by, now), total or 0


async def cards_of(ids: list[UUID], by: Actor, now: datetime) -> list[ReservationCard]:
    """Return these bookings by start; the caller has seen to it that the actor may see them."""
    found = await db.rows(
        _Booked, _SELECT + " WHERE r.id = ANY($1) AND r.state <> 'held' ORDER BY r.starts_at, r.id", ids
    )
    return await _cards(found, by, now)


async def page(reservation_id: UUID, by: Actor, now: datetime) -> ReservationPage:
    """Return one reservation to those who act for its party and to the owner's staff. Raises NotFound."""
    row = await _visible(reservation_id, by)
    quote = billing.read_snapshot(row.price)
    facility: FacilityPage = await places.facility_page(
        (await places.resource(row.resource, in_use=False)).facility.id
    )
    standing = (await billing.standing([row.id])).get(row.id)
    ended = None
    if row.cancelled_at is not None and row.cancelled_by is not None:
        ended = Cancellation(row.cancelled_at, row.cancelled_by, row.cancel_fee_ore or 0, row.refund_ore or 0)
    return ReservationPage(
        **msgspec.structs.asdict((await _cards([row], by, now))[0]),
        price=billing.shown(quote),
        cancel_free_until=await _cancel_free_until(row, quote),
        cancel_fee_now_ore=await _fee_now(row, quote, by, now),
        hold_expires_at=row.hold_until if row.state == "awaiting_payment" else None,
        payment=standing,
        version=row.version,
        facility=FacilityHelp(facility.on_call_phone, facility.access_text),
        cancellation=ended,
    )


async def must_see(reservation_id: UUID, by: Actor) -> None:
    """Raise NotFound unless the actor may see the reservation."""
    await _visible(reservation_id, by)


class TimelineBooking(db.Record):
    """A booking on the staff's day view."""

    id: UUID
    resource_id: UUID
    start: datetime
    end: datetime
    state: State
    title: str | None
    party_name: str
    purpose: Purpose
    access_state: locks.State | None
    payment_state: billing.MoneyState


async def timeline(municipality: str, day: date, by: Actor) -> list[TimelineBooking]:
    """Return the local day's bookings in a municipality where the actor is staff. Raises NotFound elsewhere."""
    by.must_have(municipality, Role.STAFF)
    span = day_span(day)
    found = await db.rows(
        _Booked,
        _SELECT + " WHERE r.municipality = $1 AND r.starts_at < $3 AND r.ends_at > $2 AND r.starts_at > $4"
        " AND r.state IN ('confirmed', 'awaiting_payment', 'completed') ORDER BY r.starts_at",
        municipality,
        span.start,
        span.end,
        span.start - timedelta(days=31),
    )
    ids = [row.id for row in found]
    codes, money = await locks.states_of(ids), await billing.standing(ids)
    return [
        TimelineBooking(
            row.id,
            row.resource,
            row.starts_at,
            row.ends_at,
            row.state,
            row.title,
            row.party_name or "",
            row.purpose,
            codes.get(row.id),
            money[row.id].state if row.id in money else "none",
        )
        for row in found
    ]


async def _visible(reservation_id: UUID, by: Actor) -> _Booked:
    row = await db.row(_Booked, _SELECT + " WHERE r.id = $1 AND r.state NOT IN ('held')", reservation_id)
    if row is None or not (row.party in by.acts_for or by.has(row.municipality, Role.STAFF, Role.FINANCE)):
        raise NotFound("there is no such reservation")
    return row


async def _cards(found: list[_Booked], by: Actor, now: datetime) -> list[ReservationCard]:
    ids = [row.id for row in found]
    resources = await places.resources_by_id([row.resource for row in found])
    codes, money = await locks.states_of(ids), await billing.standing(ids)
    return [
        ReservationCard(
            id=row.id,
            number=f"B-{row.number:06d}",
            resource=resources[row.resource].card,
            start=row.starts_at,
            end=row.ends_at,
            state=row.state,
            purpose=row.purpose,
            title=row.title,
            party=PartyRef(row.party, row.party_name) if row.party and row.party_name else None,
            price_ore=row.price_ore,
            payment_state=money[row.id].state if row.id in money else "none",
            can=_can(row, by, now),
            access_state=codes.get(row.id),
        )
        for row in found
    ]


def _can(row: _Row, by: Actor, now: datetime) -> list[Deed]:
    handles = row.party in by.acts_for or by.has(row.municipality, Role.STAFF)
    if not handles or row.starts_at <= now or row.state not in ("confirmed", "awaiting_payment"):
        return []
    return ["cancel", "pay"] if row.state == "awaiting_payment" else ["cancel"]


async def _pay_methods(row: _Row, by: Actor) -> list[billing.Method]:
    if row.price_ore == 0:
        return ["free"]
    party = row.party or by.party
    may = await db.value(bool, "SELECT may_be_invoiced FROM party WHERE id = $1", party)
    return ["card", "invoice"] if may else ["card"]


async def _cancel_free_until(row: _Row, quote: billing.Quote) -> datetime | None:
    return billing.free_until(await billing.tariff_of(quote), quote, row.starts_at)


async def _fee_now(row: _Row, quote: billing.Quote, by: Actor, now: datetime) -> int:
    if "cancel" not in _can(row, by, now) or row.state != "confirmed":
        return 0
    tariff = await billing.tariff_of(quote)
    fee = billing.cancellation_fee(
        tariff, quote, billing.notice(row.starts_at, now), by_municipality=row.party not in by.acts_for
    )
    return fee.total_ore if fee else 0
