"""Codes and cards that outlive a booking: a series', an association's, staff's and cleaning's."""

from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, journal, people
from booking.clock import SWEDEN, at_local
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.locks import codes, grants, pin_rules, vault, weekly
from booking.locks.codes import Code, Kept
from booking.locks.versions import raise_versions
from booking.locks.weekly import Weekly
from booking.people import Actor, Role
from booking.span import Span

Means = Literal["pin", "card", "pin+card"]
ROLES = {"association": "standing", "staff": "staff", "clean": "clean"}
FOREVER = datetime(2099, 12, 31, tzinfo=SWEDEN)
PREPARE = timedelta(days=30)  # a rotation is decided so long before its day, so that the new code can be told


class CredentialRow(db.Record):
    """A stored credential; PIN and card are sealed."""

    id: UUID
    municipality: str
    kind: str
    means: Means
    holder: UUID
    label: str
    pin: bytes | None
    doors: list[str]
    weekly: str
    valid_from: datetime
    valid_to: datetime | None
    rotates_on: str | None
    overlap_days: int
    successor: UUID | None
    revoked_at: datetime | None

    def code(self) -> Code:
        """Return what opens with it; a series without PIN is at its first booking."""
        pin = None if self.pin is None else vault.unseal(self.pin, f"pin:{self.id}").decode()
        return Code(self.id, self.means, pin, is_shared=True, is_new=pin is None and self.means != "card")

    @property
    def span(self) -> Span:
        """Return when it is valid."""
        return Span(self.valid_from, self.valid_to or FOREVER)


COLUMNS = (
    "id, municipality, kind, means, holder, label, pin, doors, weekly, valid_from, valid_to, rotates_on,"
    " overlap_days, successor, revoked_at"
)
_ROW = f"SELECT {COLUMNS} FROM access_credential"


async def for_booking(
    credential: UUID | None, holder: UUID, municipality: str, span: Span, now: datetime
) -> list[Code]:
    """Return the shared codes that open this booking, newest first; none if it is to have its own.

    A credential that is not known yet is a series at its first booking. Within a transaction.
    """
    if credential is not None:
        await db.run(
            "INSERT INTO access_credential (id, municipality, kind, holder, valid_from, created_at)"
            " VALUES ($1, $2, 'series', $3, $4, $4) ON CONFLICT (id) DO NOTHING",
            credential,
            municipality,
            holder,
            now,
        )
        row = await db.row(CredentialRow, f"{_ROW} WHERE id = $1 FOR UPDATE", credential)
        if row is not None and row.kind == "series" and row.revoked_at is None:
            return [row.code()]
    rows = await db.rows(
        CredentialRow,
        f"{_ROW} WHERE kind = 'standing' AND holder = $1 AND municipality = $2 AND revoked_at IS NULL"
        " AND valid_from < $4 AND coalesce(valid_to, 'infinity') > $3 ORDER BY valid_from DESC FOR SHARE",
        holder,
        municipality,
        span.start,
        span.end,
    )
    return [row.code() for row in rows]


async def keep_pin(credential: UUID, pin: str) -> None:
    """The credential has this PIN."""
    await db.run(
        "UPDATE access_credential SET pin = $2, pin_tag = $3 WHERE id = $1",
        credential,
        vault.seal(pin.encode(), f"pin:{credential}"),
        vault.tag(pin),
    )


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


_DOORS = (
    "SELECT d.id, d.controller, c.driver FROM door d JOIN controller c ON c.id = d.controller"
    " JOIN facility f ON f.id = c.facility WHERE f.municipality = $1 AND c.retired_at IS NULL"
    " AND (cardinality($2::varchar[]) = 0 OR d.id = ANY($2)) ORDER BY d.id"
)


async def create_credential(wish: Wish, *, by: Actor, now: datetime) -> Made:
    """The code or card opens from `valid_from` on: an association's by its bookings, staff's by the week.

    Bookings that the association already has open with it too. Raises Rejected for a wish that can't be met.
    """
    by.must_have(wish.municipality, Role.ADMIN)
    _check(wish)
    async with db.transaction():
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
        pin = await _put_in_force(await _must(id), doors, now)
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
        pin = await codes.keep_drawn(row.id, pin_rules.common(one.driver for one in doors), windows)
        await keep_pin(row.id, pin)
        await codes.write_pin(list(given.values()), pin)
    if row.kind == "standing":
        held = await grants.of_holder(row.holder, row.municipality, row.span, now)
        await grants.copy(held, (await _must(row.id)).code(), now)
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


async def _must(id: UUID) -> CredentialRow:
    row = await db.row(CredentialRow, f"{_ROW} WHERE id = $1 FOR UPDATE", id)
    if row is None or row.kind in ("series", "member"):
        raise NotFound("there is no such code")
    return row


async def rotate_credential(
    id: UUID, *, start: datetime, overlap_days: int, by: Actor, now: datetime
) -> Made:
    """From `start` the association has another code; the old one works `overlap_days` longer (§14, Varberg).

    Raises Rejected if a successor is decided already.
    """
    async with db.transaction():
        row = await _must(id)
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
        pin = await _put_in_force(await _must(successor), doors, now)
        await grants.remove("credential = $2 AND gone_ver IS NULL AND nb >= $3", id, until, now=now)
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
        f"{_ROW} WHERE kind = 'standing' AND rotates_on IS NOT NULL AND successor IS NULL"
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
        row = await _must(id)
        by.must_have(row.municipality, Role.ADMIN)
        await db.run(
            "UPDATE access_credential SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id, now
        )
        await grants.give_own(id, now)
        await grants.remove("credential = $2 AND gone_ver IS NULL", id, now=now)
        await journal.record(
            "credential.revoked", about=id, by=by, now=now, topics=[f"doors:{row.municipality}"]
        )


class CredentialView(msgspec.Struct, frozen=True):
    """A standing code as staff see it: never its PIN."""

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


async def credentials_of(municipality: str, *, by: Actor) -> list[CredentialView]:
    """Return the standing codes of a municipality where the actor is staff."""
    by.must_have(municipality, Role.STAFF)
    rows = await db.rows(
        CredentialRow,
        f"{_ROW} WHERE municipality = $1 AND kind IN ('standing', 'staff', 'clean') ORDER BY valid_from, id",
        municipality,
    )
    names = await people.party_names([row.holder for row in rows], by)
    return [view(row, names) for row in rows]


def view(row: CredentialRow, names: dict[UUID, str]) -> CredentialView:
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
    )


async def credential_of(id: UUID, *, by: Actor) -> CredentialView:
    """Return one standing code; absent unless the actor is staff of its municipality."""
    row = await db.row(CredentialRow, f"{_ROW} WHERE id = $1", id)
    if row is None or row.kind in ("series", "member") or not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such code")
    return view(row, await people.party_names([row.holder], by))


def day_start(day: date) -> datetime:
    """Return local midnight."""
    return datetime.combine(day, time(), SWEDEN)
