"""A controller that has an older version again also has what had been taken out of it since (lock protocol §12.2)."""

import logging
from datetime import datetime
from uuid import UUID

from asyncpg import ExclusionViolationError

from booking import db
from booking.locks import codes
from booking.locks.grants import tell

log = logging.getLogger("booking.locks")


class _Back(db.Record):
    id: UUID
    reservation: UUID | None


# What may stand in the version it has: logged once, and taken out by a later one. Over-cautious for a grant that was
# made later still; the next version proves either.
_BACK = """
UPDATE access_grant SET gone_at = NULL
WHERE controller = $1 AND in_log AND gone_at IS NOT NULL AND (gone_epoch, gone_ver) > ($2, $3)
  AND greatest(na, stale_na) > $4
RETURNING id, reservation
"""
_KEEP_AGAIN = """
UPDATE grant_window w SET kept_until = w.na + $2::interval
WHERE w.access_grant = ANY($1) AND w.kept_until < w.na + $2::interval AND NOT EXISTS (
  SELECT FROM grant_window o WHERE o.door = w.door AND o.pin_tag = w.pin_tag AND o.credential <> w.credential
    AND tstzrange(o.nb, o.kept_until) && tstzrange(w.nb, w.na + $2::interval))
"""


async def withdraw_removals(
    controller: str, version: tuple[int, int], municipality: str, now: datetime
) -> None:
    """Removals that only a version above this one proved are unconfirmed again, and their PINs taken (§14.4).

    Within a transaction that holds the controller's row. A PIN that has gone to another holder meanwhile stays theirs.
    """
    back = await db.rows(_Back, _BACK, controller, *version, now)
    if not back:
        return
    log.warning(
        "controller=%s has version %d.%d again: %d removals are unproved", controller, *version, len(back)
    )
    try:
        async with db.savepoint():
            await db.run(_KEEP_AGAIN, [one.id for one in back], codes.PIN_QUARANTINE)
    except ExclusionViolationError:  # somebody is being given one of them at this moment
        log.warning("controller=%s: a PIN it has again is another holder's", controller)
    for reservation in sorted({one.reservation for one in back if one.reservation}):
        await tell("access.removal_undone", reservation, municipality, now)
