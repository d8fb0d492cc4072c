"""Another code for a booking or a series, e.g. after a leak: the old one leaves its doors, the new one comes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db, journal
from booking.errors import Conflict, NotFound
from booking.locks import codes, credential_rows, grants, pin_rules, sharing
from booking.locks.codes import Kept
from booking.locks.grants import HELD, Held
from booking.people import Actor, Role
from booking.span import Span

Scope = Literal["booking", "series"]


class NoCodeToReplace(Conflict):
    """The booking opens no door any more, or not with a series' code."""

    code = "no_code_to_replace"


async def replace_code(reservation: UUID, *, scope: Scope, by: Actor, now: datetime) -> None:
    """The booking opens with a fresh code of its own and nothing else; for `series`, its series has a fresh one.

    The codes it had are taken out of its doors, and watched until those have confirmed it. Participants' codes
    stand behind the new one. The holder is told. For staff: raises NotFound to others, NoCodeToReplace.
    """
    async with db.transaction():
        await _must_be_staffs(reservation, by)
        if scope == "series":
            held = await _of_series(reservation, now)
        else:
            held = await db.rows(
                Held, HELD + " AND g.reservation = $1 AND g.na > $2 ORDER BY g.id", reservation, now
            )
        if not held:
            raise NoCodeToReplace("there is no such code at a door any more")
        await grants.remove("id = ANY($2::uuid[])", [one.id for one in held], now=now)
        if scope == "series":
            await _fresh_series(held, now)
        else:
            await _fresh(reservation, held, now)
        await sharing.follow(held[0].holder, now)
        topics = [f"reservation:{reservation}"]
        await journal.record("access.replaced", about=reservation, by=by, now=now, topics=topics, scope=scope)
        await grants.tell_changed(held, now)


async def _must_be_staffs(reservation: UUID, by: Actor) -> None:
    town = await db.value(
        str,
        "SELECT f.municipality FROM access_grant g JOIN controller c ON c.id = g.controller"
        " JOIN facility f ON f.id = c.facility WHERE g.reservation = $1 LIMIT 1",
        reservation,
    )
    if town is None or not by.has(town, Role.STAFF):
        raise NotFound("there is no such thing here")


_OF_SERIES = (
    " AND g.na > $2 AND g.credential IN (SELECT s.id FROM access_credential s JOIN access_grant b"
    " ON b.credential = s.id WHERE b.reservation = $1 AND b.gone_ver IS NULL AND s.kind = 'series')"
    " ORDER BY g.nb, g.id"
)


async def _of_series(reservation: UUID, now: datetime) -> list[Held]:
    """Return the grants with the code of this booking's series, all its coming bookings'."""
    return await db.rows(Held, HELD + _OF_SERIES, reservation, now)


async def _fresh(reservation: UUID, held: list[Held], now: datetime) -> None:
    one_each = {one.controller: one for one in held}
    kept = [each for one in one_each.values() for each in await grants.stand_beside(one, reservation, now)]
    await codes.keep_drawn(reservation, pin_rules.common(held), kept)


async def _fresh_series(held: list[Held], now: datetime) -> None:
    """Every booking has the series' new PIN, which is its own for the season, so that times can be added."""
    series = await db.value(UUID, "SELECT credential FROM access_grant WHERE id = $1", held[0].id)
    if series is None:
        raise RuntimeError("a grant that was just removed is there")
    kept = [each for one in held for each in await grants.stand_beside(one, series, now)]
    end = max(one.span.end for one in kept) + codes.SEASON
    start = min(one.span.start for one in kept)
    season = [Kept(None, door, Span(start, end)) for door in sorted({one.door for one in kept})]
    pin = await codes.keep_drawn(series, pin_rules.common(held), [*kept, *season])
    await credential_rows.keep_pin(series, pin)


_BESIDE = """
SELECT g.id, g.holder FROM access_grant g JOIN access_grant that ON that.id = $2 AND that.credential = g.credential
WHERE g.reservation = $1 AND g.credential <> $1 AND g.role = 'leader' AND g.gone_ver IS NULL
  AND EXISTS (SELECT FROM access_grant o WHERE o.reservation = $1 AND o.credential = $1 AND o.gone_ver IS NULL
    AND o.controller = g.controller)
"""


class _Beside(db.Record):
    id: UUID
    holder: UUID


async def leave_to_its_own(reservation: UUID | None, grant: UUID, now: datetime) -> set[UUID]:
    """Where the booking has a code of its own beside this grant's shared one, that one opens it alone from now on.

    Returns the grants that leave.
    """
    beside = await db.rows(_Beside, _BESIDE, reservation, grant)
    if beside:
        await grants.remove("id = ANY($2::uuid[])", [one.id for one in beside], now=now)
        await sharing.follow(beside[0].holder, now)
    return {one.id for one in beside}
