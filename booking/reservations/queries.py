"""Reads of the calendar. Each takes the actor; another party's or municipality's rows look absent."""

from datetime import datetime
from uuid import UUID

import msgspec

from booking import billing, db, places
from booking.errors import NotFound
from booking.people import Actor
from booking.places import FacilityPage
from booking.reservations.calendar import local_day
from booking.reservations.card_queries import as_cards, cards_from
from booking.reservations.door_evidence import evidence_of
from booking.reservations.errors import HoldExpired
from booking.reservations.reading import SELECT, Booked, StoredRow, deeds, may_see, things_of
from booking.reservations.trip_queries import late_before, trip_of
from booking.reservations.views import (
    Cancellation,
    FacilityHelp,
    Held,
    ReservationCard,
    ReservationPage,
    TermsRef,
)
from booking.span import Span


async def held(hold_id: UUID, by: Actor, now: datetime) -> Held:
    """Return the actor's own live hold. Raises NotFound (also for a foreign one), HoldExpired."""
    row = await db.row(StoredRow, SELECT + " WHERE r.id = $1", hold_id)
    own = row is not None and (
        (by.session is not None and row.session == by.session)
        or (by.account is not None and row.account == by.account)
    )
    if row is None or not own:
        raise NotFound("there is no such hold")
    if row.state != "held" or row.hold_until is None or row.hold_until <= now:
        raise HoldExpired("the hold has run out")
    quote = billing.read_snapshot(row.price)
    extras, found = await things_of(row)
    asked = [row.wished or row.resource, *(one.resource.id for one in extras if one.role == "together")]
    rules = await places.rules_on(asked, local_day(Span(row.starts_at, row.ends_at)))
    main = rules[asked[0]]
    return Held(
        id=row.id,
        resource=found[asked[0]].card,
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
        extras=extras,
        unit=found[row.resource].card if row.wished else None,
        needs_approval=any(one.needs_approval for one in rules.values()),
        pending_holds=main.pending_holds,
        terms=TermsRef(row.municipality, main.terms) if main.terms else None,
    )


async def cards(
    by: Actor, *, party: UUID | None, upcoming: bool, now: datetime, limit: int, offset: int
) -> tuple[list[ReservationCard], int]:
    """Return bookings of the parties the actor acts for, nearest first, and how many there are."""
    parties = sorted(by.acts_for if party is None else by.acts_for & {party})
    when = (
        "r.ends_at > $2 AND r.state NOT IN ('cancelled', 'rejected')"
        if upcoming
        else "(r.ends_at <= $2 OR r.state IN ('cancelled', 'rejected'))"
    )
    where = f" WHERE r.party = ANY($1) AND r.state NOT IN ('held', 'expired') AND {when}"
    order = " ORDER BY r.starts_at" + ("" if upcoming else " DESC")
    total = await db.value(int, "SELECT count(*) FROM reservation r" + where, parties, now)
    found = await db.rows(Booked, SELECT + where + order + " LIMIT $3 OFFSET $4", parties, now, limit, offset)
    return await as_cards(found, by, now), total or 0


async def cards_of(ids: list[UUID], by: Actor, now: datetime) -> list[ReservationCard]:
    """Return these bookings by start; the caller has seen to it that the actor may see them."""
    found = await db.rows(
        Booked, SELECT + " WHERE r.id = ANY($1) AND r.state <> 'held' ORDER BY r.starts_at, r.id", ids
    )
    return await as_cards(found, by, now)


async def page(reservation_id: UUID, by: Actor, now: datetime) -> ReservationPage:
    """Return one reservation to those who act for its party and to the owner's staff. Raises NotFound."""
    row = await _visible(reservation_id, by)
    quote = billing.read_snapshot(row.price)
    extras, found = await things_of(row)
    facility: FacilityPage = await places.facility_page(found[row.resource].facility.id)
    money = await billing.standing([row.id])
    ended = None
    if row.cancelled_at is not None and row.cancelled_by is not None:
        ended = Cancellation(row.cancelled_at, row.cancelled_by, row.cancel_fee_ore or 0, row.refund_ore or 0)
    day = local_day(Span(row.starts_at, row.ends_at))
    rules = (await places.rules_on([row.resource], day))[row.resource]
    return ReservationPage(
        **msgspec.structs.asdict((await cards_from([row], by, now, found, money))[0]),
        price=billing.shown(quote),
        cancel_free_until=await _cancel_free_until(row, quote),
        cancel_fee_now_ore=await _fee_now(row, quote, by, now),
        hold_expires_at=row.hold_until if row.state == "awaiting_payment" else None,
        payment=money.get(row.id),
        version=row.version,
        facility=FacilityHelp(facility.on_call_phone, facility.access_text),
        cancellation=ended,
        extras=extras,
        unit=found[row.resource].card if row.wished else None,
        needs_approval=rules.needs_approval,
        pending_holds=rules.pending_holds,
        terms=TermsRef(row.municipality, row.terms) if row.terms else None,
        trip=await trip_of(row.id, found[row.resource], row.ends_at, now),
        late_before=await late_before(row.resource, row.starts_at, now) if row.state == "confirmed" else None,
        door_evidence=await evidence_of(row, quote, by, now),
    )


async def must_see(reservation_id: UUID, by: Actor) -> None:
    """Raise NotFound unless the actor may see the reservation."""
    await _visible(reservation_id, by)


async def _visible(reservation_id: UUID, by: Actor) -> Booked:
    row = await db.row(
        Booked, SELECT + " WHERE r.id = $1 AND r.state <> 'held' AND r.kind = 'booking'", reservation_id
    )
    if row is None or not may_see(row, by):
        raise NotFound("there is no such reservation")
    return row


async def _pay_methods(row: StoredRow, by: Actor) -> list[billing.Method]:
    if row.price_ore == 0:
        return ["free"]
    party = row.party or by.party
    may = await db.value(bool, "SELECT may_be_invoiced FROM party WHERE id = $1", party)
    return ["card", "invoice"] if may else ["card"]


async def _cancel_free_until(row: StoredRow, quote: billing.Quote) -> datetime | None:
    return billing.free_until(await billing.tariff_of(quote), quote, row.starts_at)


async def _fee_now(row: StoredRow, quote: billing.Quote, by: Actor, now: datetime) -> int:
    if "cancel" not in deeds(row, by, now) or row.state != "confirmed":
        return 0
    tariff = await billing.tariff_of(quote)
    given = billing.notice(row.starts_at, now)
    fee = billing.cancellation_fee(tariff, quote, given, by_municipality=row.party not in by.acts_for)
    return fee.total_ore if fee else 0
