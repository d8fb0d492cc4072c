"""Who waits for what, in which place in line. An account sees its own entries, staff their municipality's."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db, places
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.places import FacilityRef, MunicipalityRef, ResourceCard
from booking.reservations.views import PartyRef, Purpose
from booking.reservations.waiting import WaitingKind
from booking.reservations.waiting_offers import SCOPE

WaitingState = Literal["waiting", "offered", "taken", "lapsed", "withdrawn"]


class WaitingOffer(db.Record):
    """A hold in the waiting party's name: book it as any hold, before `until`."""

    hold_id: UUID
    start: datetime
    end: datetime
    resource: ResourceCard
    until: datetime


class WaitingView(db.Record):
    """An entry of the waiting list. `position` is 1 for the first in line, null for watches and ended entries."""

    id: UUID
    kind: WaitingKind
    state: WaitingState
    resource: ResourceCard | None
    facility: FacilityRef | None
    municipality: MunicipalityRef
    resource_kind: places.Kind | None
    from_at: datetime
    to_at: datetime
    minutes: int
    purpose: Purpose
    party: PartyRef
    position: int | None
    offer: WaitingOffer | None
    created_at: datetime


class _Row(db.Record):
    id: UUID
    kind: WaitingKind
    state: WaitingState
    resource: UUID | None
    facility: UUID | None
    municipality: str
    municipality_name: str
    resource_kind: places.Kind | None
    from_at: datetime
    to_at: datetime
    minutes: int
    purpose: Purpose
    party: UUID
    party_name: str
    created_at: datetime
    offer: UUID | None
    offer_until: datetime | None
    offered: UUID | None
    offer_start: datetime | None
    offer_end: datetime | None


_SELECT = """
SELECT w.id, w.kind, w.state, w.resource, w.facility, w.municipality, m.name AS municipality_name, w.resource_kind,
  w.from_at, w.to_at, w.minutes, w.purpose, w.party, p.name AS party_name, w.created_at, w.offer, w.offer_until,
  coalesce(r.wished, r.resource) AS offered, r.starts_at AS offer_start, r.ends_at AS offer_end
FROM waiting w JOIN municipality m ON m.code = w.municipality JOIN party p ON p.id = w.party
  LEFT JOIN reservation r ON r.id = w.offer AND w.state = 'offered'
"""
# Before you in line: who came earlier, waits for time in the same window, and for something that is also yours.
_AHEAD = f"""
WITH open AS MATERIALIZED (
  SELECT w.id, w.created_at, w.from_at, w.to_at, ARRAY(SELECT DISTINCT l.leaf FROM {SCOPE}) AS leaves
  FROM waiting w WHERE w.kind = 'queue' AND w.state IN ('waiting', 'offered') AND w.to_at > $2
    AND w.municipality IN (SELECT municipality FROM waiting WHERE id = ANY($1)))
SELECT mine.id, 1 + count(o.id)::int AS position FROM open mine LEFT JOIN open o
  ON (o.created_at, o.id) < (mine.created_at, mine.id) AND o.from_at < mine.to_at AND o.to_at > mine.from_at
  AND o.leaves && mine.leaves
WHERE mine.id = ANY($1) GROUP BY mine.id
"""


class _Place(db.Record):
    id: UUID
    position: int


async def my_waiting(by: Actor, now: datetime) -> list[WaitingView]:
    """Return the account's own entries: those that wait, and what became of those whose time is still to come."""
    rows = await db.rows(
        _Row,
        _SELECT
        + " WHERE w.account = $1 AND w.state <> 'withdrawn' AND w.to_at > $2 ORDER BY w.from_at, w.created_at",
        by.account,
        now,
    )
    return await _views(rows, now)


async def waiting_entry(waiting_id: UUID, by: Actor, now: datetime) -> WaitingView:
    """Return one of the account's own entries. Raises NotFound."""
    rows = await db.rows(_Row, _SELECT + " WHERE w.id = $1 AND w.account = $2", waiting_id, by.account)
    if not rows:
        raise NotFound("there is no such entry")
    return (await _views(rows, now))[0]


async def waiting_queue(
    by: Actor, *, municipality: str, now: datetime, limit: int, offset: int
) -> tuple[list[WaitingView], int]:
    """Return who waits in a municipality where the actor is staff, first come first. Raises NotFound."""
    by.must_have(municipality, Role.STAFF)
    where = " WHERE w.municipality = $1 AND w.state IN ('waiting', 'offered') AND w.to_at > $2"
    total = await db.value(int, "SELECT count(*) FROM waiting w" + where, municipality, now)
    rows = await db.rows(
        _Row,
        _SELECT + where + " ORDER BY w.created_at, w.id LIMIT $3 OFFSET $4",
        municipality,
        now,
        limit,
        offset,
    )
    return await _views(rows, now), total or 0


async def _views(rows: list[_Row], now: datetime) -> list[WaitingView]:
    named = [one for row in rows for one in (row.resource, row.offered) if one is not None]
    resources = await places.resources_by_id(named)
    facilities = await _facilities([row.facility for row in rows if row.facility is not None])
    ahead = {one.id: one.position for one in await db.rows(_Place, _AHEAD, [row.id for row in rows], now)}
    return [
        WaitingView(
            id=row.id,
            kind=row.kind,
            state=row.state,
            resource=resources[row.resource].card if row.resource else None,
            facility=facilities[row.facility] if row.facility else None,
            municipality=MunicipalityRef(row.municipality, row.municipality_name),
            resource_kind=row.resource_kind,
            from_at=row.from_at,
            to_at=row.to_at,
            minutes=row.minutes,
            purpose=row.purpose,
            party=PartyRef(row.party, row.party_name),
            position=ahead.get(row.id),
            offer=_offer(row, resources, now),
            created_at=row.created_at,
        )
        for row in rows
    ]


class _Facility(db.Record):
    id: UUID
    slug: str
    name: str
    code: str
    town: str
    address: str
    lat: float
    lon: float


async def _facilities(ids: list[UUID]) -> dict[UUID, FacilityRef]:
    found = await db.rows(
        _Facility,
        "SELECT f.id, f.slug, f.name, m.code, m.name AS town, f.address, f.lat, f.lon FROM facility f"
        " JOIN municipality m ON m.code = f.municipality WHERE f.id = ANY($1)",
        ids,
    )
    return {
        one.id: FacilityRef(
            one.id, one.slug, one.name, MunicipalityRef(one.code, one.town), one.address, one.lat, one.lon
        )
        for one in found
    }


def _offer(row: _Row, resources: dict[UUID, places.Resource], now: datetime) -> WaitingOffer | None:
    if row.offer is None or row.offered is None or row.offer_start is None or row.offer_end is None:
        return None
    if row.offer_until is None or row.offer_until <= now:
        return None
    return WaitingOffer(
        row.offer, row.offer_start, row.offer_end, resources[row.offered].card, row.offer_until
    )
