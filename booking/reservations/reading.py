"""A reservation's row as its readers see it, and what follows from it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db, places
from booking.people import Actor, Role
from booking.places import Resource, ResourceCard
from booking.reservations.ordering import extras_of
from booking.reservations.views import Deed, ExtraRole, ExtraView, Purpose, State, Used


class StoredRow(db.Record):
    """A reservation or hold with the names of its party and team, in the order of SELECT."""

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


class Booked(StoredRow):
    """A reservation as its readers see it, holds left out."""

    state: State


SELECT = """
SELECT r.id, r.number, r.resource, r.municipality, r.kind, r.block, r.wished, r.series, r.team, t.name AS team_name,
  r.party, p.name AS party_name, r.account, r.session, r.home, r.state, r.starts_at, r.ends_at, r.hold_until,
  r.extended, r.purpose, r.title, r.price_ore, r.price, r.version, r.cancelled_at, r.cancelled_by,
  r.cancel_fee_ore, r.refund_ore, r.terms, r.answer_by, r.decision, r.used
FROM reservation r LEFT JOIN party p ON p.id = r.party LEFT JOIN team t ON t.id = r.team
"""


async def things_of(row: StoredRow) -> tuple[list[ExtraView], dict[UUID, Resource]]:
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


def may_see(row: StoredRow, by: Actor) -> bool:
    """Return True for those who act for its party and for the owner's staff."""
    return row.party in by.acts_for or by.has(row.municipality, Role.STAFF, Role.FINANCE)


def deeds(row: StoredRow, by: Actor, now: datetime) -> list[Deed]:
    """Return what the actor may do to it now; the pages show no other buttons."""
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
