"""Codes of staff and cleaning that are good for every door: doors that came after them have them, too."""

from datetime import datetime
from itertools import groupby
from uuid import UUID

from booking import db
from booking.ids import new_id
from booking.locks import codes, pin_rules, vault
from booking.locks.codes import Kept
from booking.locks.credential_rows import must
from booking.locks.versions import raise_versions


class _Bare(db.Record):
    """A door that lacks a code which is good for every door."""

    credential: UUID
    controller: str
    driver: str
    report: str | None
    door: str


_BARE = """
SELECT c.id AS credential, k.id AS controller, k.driver, k.report, d.id AS door
FROM access_credential c JOIN facility f ON f.municipality = c.municipality
  JOIN controller k ON k.facility = f.id AND k.retired_at IS NULL JOIN door d ON d.controller = k.id
    AND d.removed_at IS NULL
WHERE c.kind IN ('staff', 'clean') AND cardinality(c.doors) = 0 AND c.revoked_at IS NULL
  AND coalesce(c.valid_to, 'infinity') > $1 AND NOT EXISTS (
    SELECT FROM access_grant g JOIN grant_window w ON w.access_grant = g.id
    WHERE g.credential = c.id AND g.controller = k.id AND g.gone_ver IS NULL AND w.door = d.id)
ORDER BY c.id, k.id, d.id
"""
_TAKEN = """
SELECT true FROM grant_window
WHERE door = ANY($1) AND pin_tag = $2 AND credential <> $3 AND kept_until > $4 LIMIT 1
"""


async def cover_new_doors(now: datetime) -> int:
    """Every door has the codes that are good for all; returns how many controllers were owed one more.

    Where the lock can't take the PIN, or another holder has it, the door goes without: staff's list shows what has it.
    """
    rows = await db.rows(_Bare, _BARE, now)
    covered = 0
    for (credential, _), doors in groupby(rows, key=lambda one: (one.credential, one.controller)):
        covered += await _cover(credential, list(doors), now)
    return covered


async def _cover(credential: UUID, bare: list[_Bare], now: datetime) -> bool:
    doors, controller = [one.door for one in bare], bare[0].controller
    async with db.transaction():
        row = await must(credential)
        code = row.code()
        if row.revoked_at is not None or (code.has_pin and not await _fits(code, bare, now)):
            return False
        epoch, ver = (await raise_versions([controller], now=now))[controller]
        grant = await db.value(
            UUID,
            "INSERT INTO access_grant (id, controller, credential, holder, role, nb, na, created_at, first_epoch,"
            " first_ver) SELECT coalesce((SELECT id FROM access_grant WHERE credential = $3 AND controller = $2"
            " AND gone_ver IS NULL), $1), $2, $3, $4, $5, $6, $7, $8, $9, $10"
            " ON CONFLICT (id) DO UPDATE SET first_epoch = $9, first_ver = $10, applied_at = NULL RETURNING id",
            new_id(),
            controller,
            credential,
            row.holder,
            row.kind,
            row.span.start,
            row.span.end,
            now,
            epoch,
            ver,
        )
        await codes.keep(credential, code.pin, [Kept(grant, door, row.span) for door in doors])
    return True


async def _fits(code: codes.Code, bare: list[_Bare], now: datetime) -> bool:
    """True if the locks take the PIN, and nobody else has it at these doors."""
    if code.pin is None or not pin_rules.of(bare[0]).allows(code.pin):
        return False
    doors = [one.door for one in bare]
    return not await db.value(bool, _TAKEN, doors, vault.tag(code.pin), code.credential, now)
