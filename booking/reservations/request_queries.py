"""The queue of requests, for the owner's staff; a requested series is one entry. A foreign municipality's look absent."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db
from booking.people import Actor, Role
from booking.reservations.card_queries import as_cards
from booking.reservations.ordering import parts_of
from booking.reservations.reading import SELECT, Booked
from booking.reservations.rows import COLUMNS, Row
from booking.reservations.series_queries import rule_texts
from booking.reservations.views import ConflictView, RequestCard, ReservationCard, Rival, SeriesRequest
from booking.reservations.writing import Place, in_the_way

Which = Literal["open", "decided"]


class _Entry(db.Record):
    """What is answered together: one request, or all the times of a series."""

    ids: list[UUID]
    series: UUID | None
    answer_by: datetime | None
    first: datetime
    last: datetime
    total_ore: int
    granted: int


_WHERE: dict[Which, str] = {
    "open": "r.state = 'requested'",
    "decided": "r.answer_by IS NOT NULL AND r.decided_at IS NOT NULL",
}
_ORDER: dict[Which, str] = {
    "open": "min(r.answer_by), min(r.starts_at), min(r.id::text)",
    "decided": "max(r.decided_at) DESC, min(r.starts_at), min(r.id::text)",
}


async def requests(
    by: Actor,
    *,
    municipality: str,
    state: Which,
    series: UUID | None = None,
    now: datetime,
    limit: int,
    offset: int,
) -> tuple[list[RequestCard], int]:
    """Return the entries of a municipality's queue where the actor is staff, the most urgent first, and how many.

    The times of a series that wait, or were decided at once, are one entry; with `series` each of its times is one.
    """
    by.must_have(municipality, Role.STAFF)
    together = (
        "r.id" if series else f"coalesce(r.series, r.id){', r.decided_at' if state == 'decided' else ''}"
    )
    grouped = (
        f" FROM reservation r WHERE r.municipality = $1 AND r.kind = 'booking' AND {_WHERE[state]}"
        f" AND ($2::uuid IS NULL OR r.series = $2) GROUP BY {together}"
    )
    total = await db.value(int, f"SELECT count(*) FROM (SELECT{grouped}) g", municipality, series)
    entries = await db.rows(
        _Entry,
        "SELECT array_agg(r.id ORDER BY r.starts_at, r.id) AS ids, (array_agg(r.series))[1] AS series,"
        " min(r.answer_by) AS answer_by, min(r.starts_at) AS first, max(r.starts_at) AS last,"
        " sum(r.price_ore)::bigint AS total_ore, count(*) FILTER (WHERE r.state <> 'rejected')::int AS granted"
        f"{grouped} ORDER BY {_ORDER[state]} LIMIT $3 OFFSET $4",
        municipality,
        series,
        limit,
        offset,
    )
    return await _cards(municipality, entries, by, now), total or 0


async def _cards(municipality: str, entries: list[_Entry], by: Actor, now: datetime) -> list[RequestCard]:
    heads = [one.ids[0] for one in entries]
    found = {row.id: row for row in await db.rows(Booked, SELECT + " WHERE r.id = ANY($1)", heads)}
    shown = await as_cards([found[one] for one in heads], by, now)
    waiting = [id for one in entries if found[one.ids[0]].state == "requested" for id in one.ids]
    met = await _met(waiting, now)
    conflicts = await _conflicts({one: met[one] for one in heads if one in met})
    rivals = await _rivals(municipality, waiting)
    texts = await rule_texts([one.series for one in entries if one.series and len(one.ids) > 1], by)
    made = []
    for card, entry in zip(shown, entries, strict=True):
        said = card.request.messages if card.request else []
        made.append(
            RequestCard(
                **msgspec.structs.asdict(card),
                answer_by=entry.answer_by or card.start,
                message=said[-1].text if said else None,
                conflicts=conflicts.get(card.id, []),
                same_time=len({one.rival for one in rivals[card.id]}),
                whole=_whole(entry, card, texts, met, rivals),
            )
        )
    return made


def _whole(
    entry: _Entry,
    card: ReservationCard,
    texts: Mapping[UUID, tuple[str, str]],
    met: Mapping[UUID, set[UUID]],
    rivals: Mapping[UUID, list["_Rival"]],
) -> SeriesRequest | None:
    if entry.series is None or len(entry.ids) == 1:
        return None
    sv, en = texts.get(entry.series, ("", ""))
    wanting: dict[str, set[UUID]] = defaultdict(set)
    for id in entry.ids:
        for one in rivals[id]:
            if one.series != entry.series:
                wanting[one.name].add(id)
    return SeriesRequest(
        id=entry.series,
        rule_text_sv=sv,
        rule_text_en=en,
        count=len(entry.ids),
        first=entry.first,
        last=entry.last,
        total_ore=entry.total_ore,
        granted=entry.granted,
        taken=sum(1 for id in entry.ids if met.get(id)),
        rivals=[Rival(name, len(ids)) for name, ids in sorted(wanting.items())],
    )


async def _met(ids: Sequence[UUID], now: datetime) -> dict[UUID, set[UUID]]:
    """Return who has the time of which requests."""
    if not ids:
        return {}
    rows = await db.rows(Row, f"SELECT {COLUMNS} FROM reservation WHERE id = ANY($1)", list(ids))
    parts = await parts_of(rows)
    met = await in_the_way([Place(row.id, parts[row.id], row.span) for row in rows], now=now)
    return {rows[n].id: others for n, each in met.items() if (others := each - {rows[n].id})}


async def _conflicts(meeting: Mapping[UUID, set[UUID]]) -> dict[UUID, list[ConflictView]]:
    if not meeting:
        return {}
    shown = await db.rows(
        ConflictView,
        "SELECT r.id, r.title, p.name AS party_name, r.starts_at AS start, r.ends_at AS end, r.state"
        " FROM reservation r LEFT JOIN party p ON p.id = r.party WHERE r.id = ANY($1) ORDER BY r.starts_at",
        sorted({one for others in meeting.values() for one in others}),
    )
    return {id: [one for one in shown if one.id in others] for id, others in meeting.items()}


class _Rival(db.Record):
    id: UUID
    rival: UUID
    series: UUID | None
    name: str


async def _rivals(municipality: str, ids: Sequence[UUID]) -> dict[UUID, list[_Rival]]:
    """Return the other open requests that want any of the same leaves at the same time."""
    result: dict[UUID, list[_Rival]] = defaultdict(list)
    if not ids:
        return result
    found = await db.rows(
        _Rival,
        "WITH want AS (SELECT DISTINCT r.id, r.series, r.party, l.leaf, r.starts_at, r.ends_at FROM reservation r"
        " LEFT JOIN reservation_extra e ON e.reservation = r.id"
        " JOIN resource_leaf l ON l.resource IN (r.resource, e.resource)"
        " WHERE r.state = 'requested' AND r.municipality = $1)"
        " SELECT DISTINCT a.id, b.id AS rival, b.series, coalesce(p.name, '') AS name FROM want a JOIN want b"
        " ON b.leaf = a.leaf AND b.id <> a.id AND b.starts_at < a.ends_at AND b.ends_at > a.starts_at"
        " LEFT JOIN party p ON p.id = b.party WHERE a.id = ANY($2)",
        municipality,
        list(ids),
    )
    for one in found:
        result[one.id].append(one)
    return result
