"""Codes that outlive a booking as staff see them: never a PIN."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, people
from booking.errors import NotFound
from booking.locks import weekly
from booking.locks.credential_rows import ROW, CredentialRow, Means
from booking.locks.weekly import Weekly
from booking.people import Actor, Role


class CredentialView(msgspec.Struct, frozen=True):
    """A standing code as staff see it: never its PIN. Of its controllers, how many have it, lack it, still have it."""

    id: UUID
    role: Literal["association", "staff", "clean"]
    means: Means
    label: str
    party_id: UUID | None
    party_name: str | None
    door_ids: list[str]
    weekly: list[Weekly]
    valid_from: datetime
    valid_to: datetime | None
    rotates_on: str | None
    overlap_days: int
    successor_id: UUID | None
    revoked_at: datetime | None
    controllers_confirmed: int
    controllers_waiting: int
    controllers_leaving: int


async def credentials_of(municipality: str, *, by: Actor) -> list[CredentialView]:
    """Return the standing codes of a municipality where the actor is staff."""
    by.must_have(municipality, Role.STAFF)
    rows = await db.rows(
        CredentialRow,
        f"{ROW} WHERE municipality = $1 AND kind IN ('standing', 'staff', 'clean') ORDER BY valid_from, id",
        municipality,
    )
    names = await people.party_names([row.holder for row in rows], by)
    stands = await _stands([row.id for row in rows])
    return [_view(row, names, stands.get(row.id)) for row in rows]


class _Stand(db.Record):
    """What the controllers of a code have said."""

    credential: UUID
    confirmed: int
    waiting: int
    leaving: int


# A booking's grant beyond the horizon is owed to nobody yet; a removal counts until its controller has confirmed it.
_STANDS = """
SELECT credential, count(DISTINCT controller) FILTER (WHERE gone_ver IS NOT NULL) AS leaving,
  count(DISTINCT controller) FILTER (WHERE gone_ver IS NULL AND first_ver IS NOT NULL AND applied_at IS NULL) AS waiting,
  count(DISTINCT controller) FILTER (WHERE gone_ver IS NULL AND applied_at IS NOT NULL) AS confirmed
FROM access_grant WHERE credential = ANY($1) AND gone_at IS NULL GROUP BY credential
"""


async def _stands(ids: list[UUID]) -> dict[UUID, _Stand]:
    return {one.credential: one for one in await db.rows(_Stand, _STANDS, ids)}


def _view(row: CredentialRow, names: dict[UUID, str], stand: _Stand | None) -> CredentialView:
    """Return the row as staff see it."""
    return CredentialView(
        id=row.id,
        role="association" if row.kind == "standing" else "staff" if row.kind == "staff" else "clean",
        means=row.means,
        label=row.label,
        party_id=row.holder if row.holder in names else None,
        party_name=names.get(row.holder),
        door_ids=row.doors,
        weekly=weekly.read(row.weekly),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        rotates_on=row.rotates_on,
        overlap_days=row.overlap_days,
        successor_id=row.successor,
        revoked_at=row.revoked_at,
        controllers_confirmed=stand.confirmed if stand else 0,
        controllers_waiting=stand.waiting if stand else 0,
        controllers_leaving=stand.leaving if stand else 0,
    )


async def credential_of(id: UUID, *, by: Actor) -> CredentialView:
    """Return one standing code; absent unless the actor is staff of its municipality."""
    row = await db.row(CredentialRow, f"{ROW} WHERE id = $1", id)
    if row is None or row.kind in ("series", "member") or not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such code")
    names, stands = await people.party_names([row.holder], by), await _stands([id])
    return _view(row, names, stands.get(id))
