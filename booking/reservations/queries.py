"""Reads of the calendar. Each takes the actor; another party's or municipality's rows look absent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import billing, db, locks, places
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.places import FacilityPage, Resource, ResourceCard
from booking.reservations.calendar import local_day
from booking.reservations.errors import HoldExpired
from booking.reservations.ordering import extras_of
from booking.reservations.requests import Proposal
from booking.reservations.trip_queries import late_before, trip_of
from booking.reservations.views import (
    Cancellation,
    Deed,
    ExtraRole,
    ExtraView,
    FacilityHelp,
    Held,
    MessageView,
    PartyRef,
    ProposalView,
    Purpose,
    RequestView,
    ReservationCard,
    ReservationPage,
    SeriesRef,
    State,
    TeamRef,
    TermsRef,
    Used,
)
from booking.span import Span


class _Row(db.Record):
    id: UUID
    number: int
    resource: UUID
    municipality: str
    kind: Literal["booking", "block"]
    block: UUID | None
    wished: UUID | None
    series: UUID | None
    team: UUID | None
    team_name: str | None
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
    terms: str | None
    answer_by: datetime | None
    decision: str | None
    used: Used | None


class Booked(_Row):
    """A reservation as its readers see it, holds left out."""

    state: State


SELECT = """
SELECT r.id, r.number, r.resource, r.municipality, r.kind, r.block, r.wished, r.series, r.team, t.name AS team_name,
  r.party, p.name AS party_name, r.account, r.session, r.home, r.state, r.starts_at, r.ends_at, r.hold_until,
  r.extended, r.purpose, r.title, r.price_ore, r.price, r.version, r.cancelled_at, r.cancelled_by,
  r.cancel_fee_ore, r.refund_ore, r.terms, r.answer_by, r.decision, r.used
FROM reservation r LEFT JOIN party p ON p.id = r.party LEFT JOIN team t ON t.id = r.team
"""


async def held(hold_id: UUID, by: Actor, now: datetime) -> Held:
    """Return the actor's own live hold. Raises NotFound (also for a foreign one), HoldExpired."""
    row = await db.row(_Row, SELECT + " WHERE r.id = $1", hold_id)
    own = row is not None and (
        (by.session is not None and row.session == by.session)
        or (by.account is not None and row.account == by.account)
    )
    if row is None or not own:
        raise NotFound("there is no such hold")
    if row.state != "held" or row.hold_until is None or row.hold_until <= now:
        raise HoldExpired("the hold has run out")
    quote = billing.read_snapshot(row.price)
    extras, found = await _things(row)
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
    extras, found = await _things(row)
    facility: FacilityPage = await places.facility_page(found[row.resource].facility.id)
    money = await billing.standing([row.id])
    ended = None
    if row.cancelled_at is not None and row.cancelled_by is not None:
        ended = Cancellation(row.cancelled_at, row.cancelled_by, row.cancel_fee_ore or 0, row.refund_ore or 0)
    day = local_day(Span(row.starts_at, row.ends_at))
    rules = (await places.rules_on([row.resource], day))[row.resource]
    return ReservationPage(
        **msgspec.structs.asdict((await _cards([row], by, now, found, money))[0]),
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
    )


async def must_see(reservation_id: UUID, by: Actor) -> None:
    """Raise NotFound unless the actor may see the reservation."""
    await _visible(reservation_id, by)


async def as_cards(found: Sequence[Booked], by: Actor, now: datetime) -> list[ReservationCard]:
    """Return the cards of rows that the caller has filtered for the actor."""
    ids = [row.id for row in found]
    resources = await places.resources_by_id(
        [one for row in found for one in (row.resource, row.wished or row.resource)]
    )
    return await _cards(found, by, now, resources, await billing.standing(ids))


async def _cards(
    found: Sequence[Booked],
    by: Actor,
    now: datetime,
    resources: dict[UUID, Resource],
    money: dict[UUID, billing.Standing],
) -> list[ReservationCard]:
    codes = await locks.states_of([row.id for row in found])
    series, requests = await _series_of(found), await _requests_of(found)
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
            series=series.get(row.id),
            team=TeamRef(row.team, row.team_name) if row.team and row.team_name else None,
            request=requests.get(row.id),
            used=row.used,
        )
        for row in found
    ]


class _Position(db.Record):
    id: UUID
    series: UUID
    position: int
    count: int


async def _series_of(found: Sequence[Booked]) -> dict[UUID, SeriesRef]:
    series = sorted({row.series for row in found if row.series})
    if not series:
        return {}
    rows = await db.rows(
        _Position,
        "SELECT id, series, row_number() OVER (PARTITION BY series ORDER BY series_start, starts_at)::int AS position,"
        " count(*) OVER (PARTITION BY series)::int AS count FROM reservation"
        " WHERE series = ANY($1) AND state NOT IN ('cancelled', 'expired', 'rejected')",
        series,
    )
    return {row.id: SeriesRef(row.series, row.position, row.count) for row in rows}


class _Message(db.Record):
    id: int
    reservation: UUID
    created_at: datetime
    by_staff: bool
    text: str
    proposal: str | None
    answered: Literal["accepted", "declined"] | None


async def _requests_of(found: Sequence[Booked]) -> dict[UUID, RequestView]:
    asked = {row.id: row for row in found if row.answer_by is not None}
    if not asked:
        return {}
    said = await db.rows(
        _Message,
        "SELECT id, reservation, created_at, by_staff, text, proposal, answered FROM request_message"
        " WHERE reservation = ANY($1) ORDER BY id",
        list(asked),
    )
    holding = await db.column(
        UUID, "SELECT DISTINCT reservation FROM occupancy WHERE reservation = ANY($1)", list(asked)
    )
    offers = {one.id: msgspec.json.decode(one.proposal, type=Proposal) for one in said if one.proposal}
    offered = await places.resources_by_id([one.resource_id for one in offers.values()])
    views: dict[UUID, RequestView] = {}
    for id, row in asked.items():
        messages = [
            MessageView(
                one.id,
                one.created_at,
                one.by_staff,
                one.text,
                _offer(offers[one.id], offered) if one.id in offers else None,
                one.answered,
            )
            for one in said
            if one.reservation == id
        ]
        if row.answer_by is not None:
            views[id] = RequestView(row.answer_by, id in holding, row.decision, messages)
    return views


def _offer(offer: Proposal, resources: dict[UUID, Resource]) -> ProposalView:
    return ProposalView(resources[offer.resource_id].card, offer.start, offer.end, offer.price_ore)


async def _things(row: _Row) -> tuple[list[ExtraView], dict[UUID, Resource]]:
    """Return what is booked beside the resource, and every resource that the row names."""
    stored = (await extras_of([row.id]))[row.id]
    named = [row.resource, row.wished or row.resource]
    counts: dict[tuple[UUID, ExtraRole], int] = {}
    for one in stored:
        role: ExtraRole = "together" if one.role == "together" else "equipment"
        key = (one.wished or one.resource, role)
        counts[key] = counts.get(key, 0) + 1
    found = await places.resources_by_id([*named, *(id for id, _ in counts)])
    cards: dict[UUID, ResourceCard] = {id: one.card for id, one in found.items()}
    return [ExtraView(cards[id], role, count) for (id, role), count in counts.items()], found


async def _visible(reservation_id: UUID, by: Actor) -> Booked:
    row = await db.row(
        Booked, SELECT + " WHERE r.id = $1 AND r.state <> 'held' AND r.kind = 'booking'", reservation_id
    )
    if row is None or not _may_see(row, by):
        raise NotFound("there is no such reservation")
    return row


def _may_see(row: _Row, by: Actor) -> bool:
    return row.party in by.acts_for or by.has(row.municipality, Role.STAFF, Role.FINANCE)


def _can(row: _Row, by: Actor, now: datetime) -> list[Deed]:
    own, staff = row.party in by.acts_for, by.has(row.municipality, Role.STAFF)
    if not (own or staff):
        return []
    if row.starts_at <= now:
        return ["usage"] if staff and row.state in ("confirmed", "completed") else []
    if row.state == "requested":
        return [*(("withdraw",) if own else ()), *(("answer",) if staff else ()), "move"]
    if row.state == "awaiting_payment":
        return ["cancel", "pay"]
    return ["cancel", "move"] if row.state == "confirmed" else []


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
    given = billing.notice(row.starts_at, now)
    fee = billing.cancellation_fee(tariff, quote, given, by_municipality=row.party not in by.acts_for)
    return fee.total_ore if fee else 0
