"""Codes and cards that outlive a booking: a series', an association's, staff's and cleaning's."""

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, journal
from booking.clock import SWEDEN, at_local
from booking.errors import Rejected
from booking.ids import new_id
from booking.locks import codes, grants, pin_rules, sharing, vault, weekly
from booking.locks.codes import Kept
from booking.locks.credential_rows import FOREVER, ROW, CredentialRow, Means, keep_pin, must
from booking.locks.versions import raise_versions
from booking.locks.weekly import Weekly
from booking.people import Actor, Role

ROLES = {"association": "standing", "staff": "staff", "clean": "clean"}
PREPARE = timedelta(days=30)  # a rotation is decided so long before its day, so that the new code can be told


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A standing code or card to be. Doors: for staff and cleaning, none = all of the municipality."""

    municipality: str
    role: Literal["association", "staff", "clean"]
    label: str
    means: Means = "pin"
    party: UUID | None = None
    card: str | None = None
    doors: list[str] = []
    weekly: list[Weekly] = []
    valid_from: datetime
    valid_to: datetime | None = None
    rotates_on: str | None = None
    overlap_days: int = 14

    def __repr__(self) -> str:
        return f"Wish(role={self.role!r}, means={self.means!r})"


class Made(msgspec.Struct, frozen=True):
    """A credential that was made; its PIN is told this once."""

    id: UUID
    pin: str | None

    def __repr__(self) -> str:
        return f"Made(id={self.id!r})"


class _DoorOf(db.Record):
    id: str
    controller: str
    driver: str
    report: str | None


_DOORS = (
    "SELECT d.id, d.controller, c.driver, c.report FROM door d JOIN controller c ON c.id = d.controller"
    " JOIN facility f ON f.id = c.facility WHERE f.municipality = $1 AND c.retired_at IS NULL AND d.removed_at IS NULL"
    " AND (cardinality($2::varchar[]) = 0 OR d.id = ANY($2)) ORDER BY d.id"
)


async def create_credential(wish: Wish, *, by: Actor, now: datetime) -> Made:
    """The code or card opens from `valid_from` on: an association's by its bookings, staff's by the week.

    Bookings that the association already has open with it too. Raises Rejected for a wish that can't be met.
    """
    by.must_have(wish.municipality, Role.ADMIN)
    _check(wish)
    async with db.transaction():
        if wish.party and not await db.value(bool, "SELECT true FROM party WHERE id = $1", wish.party):
            raise Rejected("there is no such association", code="unknown_party")
        doors = await db.rows(_DoorOf, _DOORS, wish.municipality, wish.doors)
        if wish.doors and {one.id for one in doors} != set(wish.doors):
            raise Rejected("there is no such door in this municipality", code="unknown_door")
        id = new_id()
        await db.run(
            "INSERT INTO access_credential (id, municipality, kind, means, holder, label, card, doors, weekly,"
            " valid_from, valid_to, rotates_on, overlap_days, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            id,
            wish.municipality,
            ROLES[wish.role],
            wish.means,
            wish.party or id,
            wish.label,
            vault.seal(wish.card.encode(), f"card:{id}") if wish.card else None,
            wish.doors,
            msgspec.json.encode(wish.weekly).decode(),
            wish.valid_from,
            wish.valid_to,
            wish.rotates_on,
            wish.overlap_days,
            now,
        )
        pin = await _put_in_force(await must(id), doors, now)
        await journal.record(
            "credential.created",
            about=id,
            by=by,
            now=now,
            topics=[f"doors:{wish.municipality}"],
            role=wish.role,
        )
    return Made(id, pin)


def _check(wish: Wish) -> None:
    if (wish.card is None) != (wish.means == "pin"):
        raise Rejected("a card number goes with a card, and only with it", code="card_missing")
    if wish.role == "association" and wish.party is None:
        raise Rejected("name the association", code="party_missing")
    if wish.role == "association" and (wish.weekly or wish.doors):
        raise Rejected("an association's code opens by its bookings", code="bookings_decide")
    if wish.role != "association" and wish.rotates_on is not None:
        raise Rejected("only an association's code rotates by the year", code="no_rotation")
    if not weekly.fits(wish.weekly):
        raise Rejected("these are more times a fortnight than a door can hold", code="too_many_windows")
    if wish.valid_to is not None and wish.valid_to <= wish.valid_from:
        raise Rejected("the end must come after the start", code="end_before_start")
    if wish.valid_from < datetime(2020, 1, 1, tzinfo=SWEDEN) or (wish.valid_to or wish.valid_from) > FOREVER:
        raise Rejected("the time is outside the calendar", code="bad_time")


async def _put_in_force(row: CredentialRow, doors: list[_DoorOf], now: datetime) -> str | None:
    """Its PIN is its own at the doors; staff's grants stand, and an association's bookings have it."""
    pin = None
    given: dict[str, UUID] = {}
    if row.kind != "standing":
        given = await _grants_of_staff(row, doors, now)
    windows = [Kept(given.get(one.controller), one.id, row.span) for one in doors]
    if row.means == "card":
        await codes.keep(row.id, None, [one for one in windows if one.grant is not None])
    else:
        pin = await codes.keep_drawn(row.id, pin_rules.common(doors), windows)
        await keep_pin(row.id, pin)
    if row.kind == "standing":
        held = await grants.of_holder(row.holder, row.municipality, row.span, now)
        await grants.copy(held, (await must(row.id)).code(), now)
        await sharing.follow(row.holder, now)
    return pin


async def _grants_of_staff(row: CredentialRow, doors: list[_DoorOf], now: datetime) -> dict[str, UUID]:
    controllers = sorted({one.controller for one in doors})
    versions = await raise_versions(controllers, now=now)
    given = {name: new_id() for name in controllers}
    rows: list[tuple[object, ...]] = [
        (id, name, row.id, row.holder, row.kind, row.span.start, row.span.end, now, *versions[name])
        for name, id in given.items()
    ]
    await db.run_many(
        "INSERT INTO access_grant (id, controller, credential, holder, role, nb, na, created_at, first_epoch,"
        " first_ver) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        rows,
    )
    return given


async def rotate_credential(
    id: UUID, *, start: datetime, overlap_days: int, by: Actor, now: datetime
) -> Made:
    """From `start` the association has another code; the old one works `overlap_days` longer (§14, Varberg).

    Its people get a message without it: the pages of their bookings show which code opens them. Raises Rejected if a successor is decided already.
    """
    async with db.transaction():
        row = await must(id)
        by.must_have(row.municipality, Role.ADMIN)
        if row.kind != "standing" or row.means == "card" or row.successor or row.revoked_at:
            raise Rejected("this code has a successor, or none is needed", code="no_rotation")
        if not row.span.start < start < row.span.end:
            raise Rejected("a rotation lies within the code's validity", code="bad_time")
        successor, until = new_id(), start + timedelta(days=overlap_days)
        await db.run(
            "INSERT INTO access_credential (id, municipality, kind, means, holder, label, card, doors, weekly,"
            " valid_from, valid_to, rotates_on, overlap_days, created_at)"
            " SELECT $2, municipality, kind, means, holder, label, $3, doors, weekly, $4, valid_to, rotates_on,"
            " overlap_days, $5 FROM access_credential WHERE id = $1",
            id,
            successor,
            await _card_for(id, successor),
            start,
            now,
        )
        await db.run(
            "UPDATE access_credential SET valid_to = least(valid_to, $2), successor = $3 WHERE id = $1",
            id,
            until,
            successor,
        )
        doors = await db.rows(_DoorOf, _DOORS, row.municipality, row.doors)
        pin = await _put_in_force(await must(successor), doors, now)
        await grants.give_own(id, now, since=until)  # where the new one was not free
        await grants.remove("credential = $2 AND gone_ver IS NULL AND nb >= $3", id, until, now=now)
        await sharing.follow(row.holder, now)
        await grants.tell_holder(row.holder, row.municipality, now, from_at=start, until_at=until)
        await journal.record(
            "credential.rotated", about=id, by=by, now=now, topics=[f"doors:{row.municipality}"]
        )
    return Made(successor, pin)


async def _card_for(old: UUID, new: UUID) -> bytes | None:
    sealed = await db.value(bytes, "SELECT card FROM access_credential WHERE id = $1", old)
    return None if sealed is None else vault.seal(vault.unseal(sealed, f"card:{old}"), f"card:{new}")


async def rotate_due(now: datetime) -> int:
    """Every standing code whose yearly day comes within 30 days has its successor; returns how many."""
    rows = await db.rows(
        CredentialRow,
        f"{ROW} WHERE kind = 'standing' AND rotates_on IS NOT NULL AND successor IS NULL"
        " AND revoked_at IS NULL AND coalesce(valid_to, 'infinity') > $1 ORDER BY id",
        now,
    )
    done = 0
    for row in rows:
        start = next_rotation(row.rotates_on or "", max(row.valid_from, now))
        if start - PREPARE <= now and start < row.span.end:
            await rotate_credential(
                row.id, start=start, overlap_days=row.overlap_days, by=Actor.system(), now=now
            )
            done += 1
    return done


def next_rotation(rotates_on: str, after: datetime) -> datetime:
    """Return the first local midnight of the day MM-DD later than the instant."""
    month, day = int(rotates_on[:2]), int(rotates_on[3:])
    local = after.astimezone(SWEDEN).date()
    year = local.year if date(local.year, month, day) > local else local.year + 1
    return at_local(year, month, day, 0)


async def revoke_credential(id: UUID, *, by: Actor, now: datetime) -> None:
    """The code opens nothing as soon as the doors have confirmed; bookings that had no other get their own."""
    async with db.transaction():
        row = await must(id)
        by.must_have(row.municipality, Role.ADMIN)
        await db.run(
            "UPDATE access_credential SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id, now
        )
        await grants.give_own(id, now)
        await grants.remove("credential = $2 AND gone_ver IS NULL", id, now=now)
        await sharing.follow(row.holder, now)
        await journal.record(
            "credential.revoked", about=id, by=by, now=now, topics=[f"doors:{row.municipality}"]
        )
