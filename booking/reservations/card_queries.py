"""Cards of bookings: what a list says of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import billing, db, locks, places
from booking.people import Actor
from booking.places import Resource
from booking.reservations.reading import Booked, deeds
from booking.reservations.requests import Proposal
from booking.reservations.views import (
    MessageView,
    PartyRef,
    ProposalView,
    RequestView,
    ReservationCard,
    SeriesRef,
    TeamRef,
)


async def as_cards(found: Sequence[Booked], by: Actor, now: datetime) -> list[ReservationCard]:
    """Return the cards of rows that the caller has filtered for the actor."""
    ids = [row.id for row in found]
    resources = await places.resources_by_id(
        [one for row in found for one in (row.resource, row.wished or row.resource)]
    )
    return await cards_from(found, by, now, resources, await billing.standing(ids))


async def cards_from(
    found: Sequence[Booked],
    by: Actor,
    now: datetime,
    resources: dict[UUID, Resource],
    money: dict[UUID, billing.Standing],
) -> list[ReservationCard]:
    """Return the cards, where the caller has looked up resources and money already."""
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
            can=deeds(row, by, now),
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
