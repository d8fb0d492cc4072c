"""Reads for the owner's staff: the day, and the queue of requests. A foreign municipality's rows look absent."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import billing, db, locks
from booking.people import Actor, Role
from booking.reservations.calendar import day_span
from booking.reservations.card_queries import as_cards
from booking.reservations.ordering import extras_of, parts_of
from booking.reservations.reading import SELECT, Booked
from booking.reservations.rows import COLUMNS, Row
from booking.reservations.views import ConflictView, RequestCard, TeamRef, TimelineBooking
from booking.reservations.writing import Place, in_the_way


async def timeline(municipality: str, day: date, by: Actor) -> list[TimelineBooking]:
    """Return the local day's bookings and blocks where the actor is staff. Raises NotFound elsewhere."""
    by.must_have(municipality, Role.STAFF)
    span = day_span(day)
    found = await db.rows(
        Booked,
        SELECT + " WHERE r.municipality = $1 AND r.starts_at < $3 AND r.ends_at > $2 AND r.starts_at > $4"
        " AND r.state IN ('requested', 'confirmed', 'awaiting_payment', 'completed') ORDER BY r.starts_at",
        municipality,
        span.start,
        span.end,
        span.start - timedelta(days=31),
    )
    ids = [row.id for row in found]
    codes, money = await locks.states_of(ids), await billing.standing(ids)
    extras = await extras_of(ids)
    return [
        TimelineBooking(
            row.id,
            resource,
            row.starts_at,
            row.ends_at,
            row.state,
            row.title,
            row.party_name or "",
            row.purpose,
            codes.get(row.id),
            money[row.id].state if row.id in money else "none",
            row.kind,
            row.block,
            TeamRef(row.team, row.team_name) if row.team and row.team_name else None,
        )
        for row in found
        for resource in (row.resource, *(one.resource for one in extras[row.id]))
    ]


async def requests(
    by: Actor,
    *,
    municipality: str,
    state: Literal["open", "decided"],
    now: datetime,
    limit: int,
    offset: int,
) -> tuple[list[RequestCard], int]:
    """Return the requests of a municipality where the actor is staff, the most urgent first, and how many there are."""
    by.must_have(municipality, Role.STAFF)
    where = " WHERE r.municipality = $1 AND r.kind = 'booking' AND " + (
        "r.state = 'requested'" if state == "open" else "r.answer_by IS NOT NULL AND r.decided_at IS NOT NULL"
    )
    order = " ORDER BY r.answer_by, r.id" if state == "open" else " ORDER BY r.decided_at DESC, r.id"
    total = await db.value(int, "SELECT count(*) FROM reservation r" + where, municipality)
    found = await db.rows(Booked, SELECT + where + order + " LIMIT $2 OFFSET $3", municipality, limit, offset)
    waiting = [row.id for row in found if row.state == "requested"]
    conflicts, rivals = await _conflicts(waiting, now), await _rivals(municipality, waiting)
    made = []
    for card, row in zip(await as_cards(found, by, now), found, strict=True):
        said = card.request.messages if card.request else []
        made.append(
            RequestCard(
                **msgspec.structs.asdict(card),
                answer_by=row.answer_by or row.starts_at,
                message=said[-1].text if said else None,
                conflicts=conflicts.get(row.id, []),
                same_time=rivals.get(row.id, 0),
            )
        )
    return made, total or 0


async def _conflicts(ids: list[UUID], now: datetime) -> dict[UUID, list[ConflictView]]:
    if not ids:
        return {}
    rows = await db.rows(Row, f"SELECT {COLUMNS} FROM reservation WHERE id = ANY($1)", ids)
    parts = await parts_of(rows)
    met = await in_the_way([Place(row.id, parts[row.id], row.span) for row in rows], now=now)
    meeting = {rows[n].id: others - {rows[n].id} for n, others in met.items()}
    shown = await db.rows(
        ConflictView,
        "SELECT r.id, r.title, p.name AS party_name, r.starts_at AS start, r.ends_at AS end, r.state"
        " FROM reservation r LEFT JOIN party p ON p.id = r.party WHERE r.id = ANY($1) ORDER BY r.starts_at",
        sorted({one for others in meeting.values() for one in others}),
    )
    return {id: [one for one in shown if one.id in others] for id, others in meeting.items()}


class _Rivals(db.Record):
    id: UUID
    count: int


async def _rivals(municipality: str, ids: list[UUID]) -> dict[UUID, int]:
    """Return how many other open requests want any of the same leaves at the same time."""
    found = await db.rows(
        _Rivals,
        "WITH want AS (SELECT DISTINCT r.id, l.leaf, r.starts_at, r.ends_at FROM reservation r"
        " LEFT JOIN reservation_extra e ON e.reservation = r.id"
        " JOIN resource_leaf l ON l.resource IN (r.resource, e.resource)"
        " WHERE r.state = 'requested' AND r.municipality = $1)"
        " SELECT a.id, count(DISTINCT b.id)::int AS count FROM want a JOIN want b ON b.leaf = a.leaf"
        " AND b.id <> a.id AND b.starts_at < a.ends_at AND b.ends_at > a.starts_at"
        " WHERE a.id = ANY($2) GROUP BY a.id",
        municipality,
        ids,
    )
    counts: dict[UUID, int] = defaultdict(int)
    counts.update({one.id: one.count for one in found})
    return counts
