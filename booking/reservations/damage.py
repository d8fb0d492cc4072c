"""Damages that people see, with a photo, until staff have them mended."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, journal, messages, places
from booking.errors import NotAllowed, NotFound
from booking.ids import new_id
from booking.people import Actor, Role

REMEMBERED = timedelta(days=7)  # so long after a booking its holder may still report


class DamageView(db.Record):
    """A damage on a resource. `photo` is the address of the picture."""

    id: UUID
    resource_id: UUID
    reservation_id: UUID | None
    number: str | None
    reported_by: str | None
    text: str
    photo: str | None
    created_at: datetime
    mended_at: datetime | None


class Photo(msgspec.Struct, frozen=True):
    """A picture by its type and bytes."""

    media_type: str
    content: bytes

    def __repr__(self) -> str:
        return f"Photo({self.media_type}, {len(self.content)} bytes)"


_SELECT = """
SELECT d.id, d.resource AS resource_id, d.reservation AS reservation_id,
  'B-' || lpad(r.number::text, 6, '0') AS number, p.name AS reported_by, d.text,
  CASE WHEN d.photo IS NOT NULL THEN '/api/damage/' || d.id || '/photo' END AS photo, d.created_at, d.mended_at
FROM damage_note d LEFT JOIN reservation r ON r.id = d.reservation
  LEFT JOIN account a ON a.id = d.account LEFT JOIN party p ON p.id = a.party
"""


async def report_damage(
    resource_id: UUID, text: str, photo: Photo | None, *, by: Actor, now: datetime
) -> DamageView:
    """Staff know of the damage. The photo is a picture without what the camera noted.

    Raises NotFound, NotAllowed unless the actor is staff or had the thing lately, Rejected for what is no picture.
    """
    by.must_be_known()
    resource = await places.resource(resource_id, in_use=False)
    owner = resource.facility.municipality.code
    had = await db.value(
        UUID,
        "SELECT id FROM reservation WHERE resource = $1 AND party = ANY($2) AND state IN ('confirmed', 'completed')"
        " AND starts_at <= $3 AND ends_at > $4 ORDER BY starts_at DESC LIMIT 1",
        resource_id,
        sorted(by.acts_for),
        now + timedelta(minutes=30),
        now - REMEMBERED,
    )
    if had is None and not by.has(owner, Role.STAFF):
        raise NotAllowed("those who have booked it report damages", code="not_your_booking")
    if photo is not None:
        photo = Photo(photo.media_type, places.check_picture(photo.media_type, photo.content))
    async with db.transaction():
        note = await write_note(resource_id, had, text, photo, by, now)
    return await _one(note)


async def write_note(
    resource_id: UUID, reservation: UUID | None, text: str, photo: Photo | None, by: Actor, now: datetime
) -> UUID:
    """The damage is noted and staff are told; in the caller's transaction."""
    note, owner = new_id(), await _owner(resource_id)
    await db.run(
        "INSERT INTO damage_note (id, resource, reservation, account, text, photo, photo_type, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        note,
        resource_id,
        reservation,
        by.account,
        text,
        photo and photo.content,
        photo and photo.media_type,
        now,
    )
    await journal.record("damage.reported", about=note, by=by, now=now, topics=[f"timeline:{owner}"])
    await messages.owe_staff(
        "staff_alert",
        municipality=owner,
        about=reservation,
        data={"what": "Skada anmäld", "text": text},
        key=str(note),
        now=now,
    )
    return note


async def damages(resource_id: UUID, *, by: Actor) -> list[DamageView]:
    """Return a resource's damages to its owner's staff, those not mended first. Raises NotFound."""
    by.must_have(await _owner(resource_id), Role.STAFF)
    return await db.rows(
        DamageView,
        _SELECT + " WHERE d.resource = $1 ORDER BY d.mended_at IS NOT NULL, d.created_at DESC LIMIT 200",
        resource_id,
    )


async def mend(damage_id: UUID, *, by: Actor, now: datetime) -> DamageView:
    """The damage is mended; doing it again changes nothing. Raises NotFound for others than the owner's staff."""
    async with db.transaction():
        found = await _one(damage_id)
        owner = await _owner(found.resource_id)
        by.must_have(owner, Role.STAFF)
        if await db.run(
            "UPDATE damage_note SET mended_at = $2 WHERE id = $1 AND mended_at IS NULL", damage_id, now
        ):
            await journal.record(
                "damage.mended", about=damage_id, by=by, now=now, topics=[f"timeline:{owner}"]
            )
        return await _one(damage_id)


async def damage_photo(damage_id: UUID, *, by: Actor) -> Photo:
    """Return the picture to the owner's staff and to the one who took it. Raises NotFound."""
    found = await db.row(
        _Stored,
        "SELECT resource, account, photo, photo_type FROM damage_note WHERE id = $1 AND photo IS NOT NULL",
        damage_id,
    )
    if found is None:
        raise NotFound("there is no such photo")
    if found.account is None or found.account != by.account:
        by.must_have(await _owner(found.resource), Role.STAFF)
    return Photo(found.photo_type, found.photo)


class _Stored(db.Record):
    resource: UUID
    account: UUID | None
    photo: bytes
    photo_type: str


async def _one(damage_id: UUID) -> DamageView:
    found = await db.row(DamageView, _SELECT + " WHERE d.id = $1", damage_id)
    if found is None:
        raise NotFound("there is no such damage")
    return found


async def _owner(resource_id: UUID) -> str:
    return (await places.resource(resource_id, in_use=False)).facility.municipality.code
