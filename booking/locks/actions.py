"""Promise a door, move the promise, take it back. One booking action, one transaction, no network (§12.1)."""

from datetime import datetime
from uuid import UUID

from booking import db
from booking.locks.grants import remove
from booking.locks.laying import PRESENT, Present, Promise, lay
from booking.locks.windows import openings_of
from booking.span import Span


async def grant(
    *,
    reservation: UUID,
    holder: UUID,
    resources: list[UUID],
    span: Span,
    purpose: str,
    credential: UUID | None = None,
    now: datetime,
) -> None:
    """The doors of the resources are promised for the span, grace included.

    The code is the holder's standing one in the doors' municipality, else that of the series `credential`, else a
    fresh one; a series that had its own code before the standing one opens with both. A booking whose shared code is
    taken at a door, or is a card that a door can't read, has a PIN of its own beside it. Resources without doors are
    a no-op, and so is a second grant for the same reservation. Joins the caller's transaction; raises NoFreePin,
    NoCommonPin.
    """
    async with db.transaction():
        openings = await openings_of(resources, purpose, unless_granted=reservation)
        await lay(Promise(reservation, holder, openings, span), [], credential, now)


async def move(
    *,
    reservation: UUID,
    holder: UUID,
    resources: list[UUID],
    span: Span,
    purpose: str,
    credential: UUID | None = None,
    now: datetime,
) -> None:
    """The promise holds for the new time and doors, with the same code wherever it is free there (§12.6).

    Where it is not, another is drawn and the holder is told. Codes shared from the booking move with it. What a
    door had stays counted until the door proves the change. Joins the caller's transaction.
    """
    async with db.transaction():
        promise = Promise(reservation, holder, await openings_of(resources, purpose), span)
        present = await db.rows(Present, PRESENT, reservation)
        await lay(promise, present, credential, now)


async def revoke(reservation: UUID, *, now: datetime) -> None:
    """The booking's codes, those shared from it and reserve codes it got are taken out of the next version.

    Revoking what is gone, or never was, is a no-op. A PIN stays taken until the controller has confirmed the
    removal (§14.4).
    """
    await remove("reservation = $2 AND gone_ver IS NULL", reservation, now=now)
    await db.run(
        "UPDATE access_credential SET revoked_at = $2 WHERE reservation = $1 AND revoked_at IS NULL",
        reservation,
        now,
    )
