"""What a lock refuses, and the remedy for a PIN that the device itself uses (lock protocol §12.2.4)."""

import logging
from datetime import datetime
from uuid import UUID

from booking import db
from booking.locks import codes, pin_rules, renewing
from booking.locks.codes import Kept, NoFreePin
from booking.locks.grants import tell
from booking.locks.pin_rules import NoCommonPin
from booking.locks.versions import raise_versions
from booking.span import Span

log = logging.getLogger("booking.locks")

# Their PIN was told to somebody once, and no page shows it: another would be known to nobody.
TOLD_ONCE = ("staff", "clean", "member")


class _Refused(db.Record):
    id: UUID
    role: str
    reservation: UUID | None


async def take_refusals(
    controller: str, version: tuple[int, int], refused: dict[UUID, str], municipality: str, now: datetime
) -> None:
    """A refusal is a state; a booking's PIN that the device itself uses is another, and its holder is told.

    Staff's and participants' codes stay refused, for a person to make another. Within a transaction.
    """
    for id, why in refused.items():
        found = await db.rows(
            _Refused,
            "UPDATE access_grant SET rejected = $4 WHERE id = $5 AND controller = $1 AND gone_ver IS NULL"
            " AND (first_epoch, first_ver) <= ($2, $3) AND rejected IS DISTINCT FROM $4"
            " RETURNING id, role, reservation",
            controller,
            *version,
            why,
            id,
        )
        for one in found:
            if why in ("dup", "format") and one.role not in TOLD_ONCE:
                await _remedy(one, municipality, now)
            await tell("access.rejected", one.reservation, municipality, now)


async def _remedy(one: _Refused, municipality: str, now: datetime) -> None:
    try:
        async with db.savepoint():
            await change_pin(one.id, now)
    except (NoFreePin, NoCommonPin) as error:  # it stays refused; the rest of the report holds all the same
        log.warning("grant %s stays refused: %s", one.id, error)
        return
    if one.role == "leader":
        await tell("access.code_changed", one.reservation, municipality, now)


class _Sibling(db.Record):
    id: UUID
    controller: str
    driver: str
    report: str | None
    role: str
    reservation: UUID | None
    credential: UUID


async def change_pin(grant: UUID, now: datetime) -> None:
    """The booking's code is another at all its doors, owed to them anew (§12.2.4).

    A booking that used a season's or an association's code has one of its own from now on.
    """
    same = await db.rows(
        _Sibling,
        "SELECT g.id, g.controller, c.driver, c.report, g.role, g.reservation, g.credential FROM access_grant g"
        " JOIN controller c ON c.id = g.controller JOIN access_grant that ON that.id = $1"
        " AND that.credential = g.credential AND that.reservation IS NOT DISTINCT FROM g.reservation"
        " WHERE g.gone_ver IS NULL ORDER BY g.id",
        grant,
    )
    beside = await renewing.leave_to_its_own(same[0].reservation, grant, now) if same else set()
    same = [one for one in same if one.id not in beside]
    if not same:
        return
    first = same[0]
    credential = first.reservation if first.role == "leader" and first.reservation else first.credential
    ids = [one.id for one in same]
    await raise_versions(sorted({one.controller for one in same}), now=now)
    windows = await db.rows(
        _Window,
        "SELECT access_grant AS id, door, nb, na FROM grant_window WHERE access_grant = ANY($1) ORDER BY id",
        ids,
    )
    await codes.leave_windows(ids)
    kept = [Kept(one.id, one.door, Span(one.nb, one.na)) for one in windows]
    await codes.keep_drawn(credential, pin_rules.common(same), kept)
    await db.run(
        "UPDATE access_grant g SET credential = $2, rejected = NULL, applied_at = NULL, first_epoch = c.epoch,"
        " first_ver = c.want_ver FROM controller c WHERE c.id = g.controller AND g.id = ANY($1)",
        ids,
        credential,
    )


class _Window(db.Record):
    id: UUID
    door: str
    nb: datetime
    na: datetime
