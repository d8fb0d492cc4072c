"""Staff describe resources, show them in pictures, publish terms and say when school is out."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from booking import db, journal
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor, Role
from booking.places.levels import level
from booking.places.pictures import check_picture
from booking.places.rule_actions import lock_places, tell

MOST_IMAGES = 10


class TermsExist(Conflict):
    """The version has been published; what somebody has accepted never changes."""

    code = "terms_exist"


class TooManyImages(Conflict):
    """A resource has as many pictures as it may have."""

    code = "too_many_images"


class ResourceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a resource; what is left out stays."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    accessibility: str | UnsetType = UNSET
    features: tuple[str, ...] | UnsetType = UNSET
    surface: str | UnsetType | None = UNSET
    capacity: int | UnsetType | None = UNSET
    area_m2: int | UnsetType | None = UNSET
    is_bookable: bool | UnsetType = UNSET


async def change_resource(resource: UUID, change: ResourceChange, *, by: Actor, now: datetime) -> None:
    """The resource is described so. Out of use, it keeps the bookings it has. Raises NotFound, Conflict."""
    said = {name: getattr(change, name) for name in ResourceChange.__struct_fields__}
    said = {name: value for name, value in said.items() if value is not UNSET}
    async with db.transaction():
        here = await level("resources", str(resource), by=by)
        await lock_places(here.municipality)
        if not said:
            return
        if "name" in said:
            await _must_be_named_once(resource, said["name"])
        await db.run(
            "UPDATE resource SET "
            + ", ".join(f"{name} = ${number}" for number, name in enumerate(said, start=2))
            + " WHERE id = $1",
            resource,
            *said.values(),
        )
        await tell(here, "resource.changed", by, now, change=said)


async def _must_be_named_once(resource: UUID, name: str) -> None:
    taken = await db.value(
        UUID,
        "SELECT o.id FROM resource r JOIN resource o ON o.facility = r.facility AND o.id <> r.id"
        " WHERE r.id = $1 AND lower(o.name) = lower($2)",
        resource,
        name,
    )
    if taken is not None:
        raise Conflict(f"there is a {name} here already", code="name_taken")


async def add_image(
    resource: UUID, media_type: str, alt: str, content: bytes, *, by: Actor, now: datetime
) -> UUID:
    """The resource has the picture, last in order, without what the camera noted. Returns its id.

    Raises NotFound, TooManyImages, Rejected (`not_an_image`, `image_too_large`).
    """
    clean = check_picture(media_type, content)
    async with db.transaction():
        here = await level("resources", str(resource), by=by)
        await lock_places(here.municipality)
        count = await db.value(int, "SELECT count(*) FROM resource_image WHERE resource = $1", resource) or 0
        if count >= MOST_IMAGES:
            raise TooManyImages(f"a resource has at most {MOST_IMAGES} pictures: take one away first")
        image = new_id()
        await db.run(
            "INSERT INTO resource_image (id, resource, position, media_type, alt, content)"
            " SELECT $1, $2, coalesce(max(position) + 1, 0), $3, $4, $5 FROM resource_image WHERE resource = $2",
            image,
            resource,
            media_type,
            alt,
            clean,
        )
        await tell(here, "image.added", by, now, image=image)
        return image


async def delete_image(image: UUID, *, by: Actor, now: datetime) -> UUID:
    """The picture is gone. Returns the resource that showed it. Raises NotFound."""
    async with db.transaction():
        resource = await db.value(UUID, "SELECT resource FROM resource_image WHERE id = $1", image)
        if resource is None:
            raise NotFound("there is no such picture", code="unknown_image")
        here = await level("resources", str(resource), by=by)
        await db.run("DELETE FROM resource_image WHERE id = $1", image)
        await tell(here, "image.deleted", by, now, image=image)
        return resource


async def add_break(
    municipality: str, name: str, from_day: date, to_day: date, *, by: Actor, now: datetime
) -> UUID:
    """School is out on these days, both included. Returns the break. Raises NotFound, Rejected."""
    if to_day < from_day:
        raise Rejected("the last day must not come before the first", code="end_before_start")
    by.must_have(municipality, Role.STAFF)
    made = new_id()
    async with db.transaction():
        await db.run(
            "INSERT INTO school_break (id, municipality, name, from_day, to_day) VALUES ($1, $2, $3, $4, $5)",
            made,
            municipality,
            name,
            from_day,
            to_day,
        )
        days = {"from_day": from_day, "to_day": to_day}
        await journal.record("break.added", about=made, by=by, now=now, topics=_town(municipality), **days)
    return made


async def delete_break(municipality: str, school_break: UUID, *, by: Actor, now: datetime) -> None:
    """School is in again on those days. Raises NotFound."""
    by.must_have(municipality, Role.STAFF)
    async with db.transaction():
        gone = "DELETE FROM school_break WHERE id = $1 AND municipality = $2"
        if not await db.run(gone, school_break, municipality):
            raise NotFound("there is no such break here", code="unknown_break")
        await journal.record("break.deleted", about=school_break, by=by, now=now, topics=_town(municipality))


async def publish_terms(
    municipality: str, version: str, text_sv: str, text_en: str, *, by: Actor, now: datetime
) -> None:
    """The version can be asked for by rules, and never changes. Raises NotFound, TermsExist."""
    by.must_have(municipality, Role.STAFF)
    async with db.transaction():
        written = await db.run(
            "INSERT INTO terms (id, municipality, version, text_sv, text_en, published_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            new_id(),
            municipality,
            version,
            text_sv,
            text_en,
            now,
        )
        if not written:
            raise TermsExist("this version has been published; publish the new text under another name")
        await journal.record(
            "terms.published", about=None, by=by, now=now, topics=_town(municipality), version=version
        )


def _town(municipality: str) -> list[str]:
    return [f"timeline:{municipality}"]
