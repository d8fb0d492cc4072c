"""Operator commands for doors: each calls one action of locks as the system and says in lines what happened."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import segno

from booking import db, locks
from booking.clock import utc_now
from booking.operate import OperateError, opened
from booking.people import Actor
from booking.settings import Settings

BY = Actor.system()


async def enrol(
    settings: Settings, name: str, facility: str, doors: tuple[str, ...], driver: str, qr: Path | None
) -> str:
    """Return the content of the new controller's controller.json; its doors are known."""
    async with opened(settings):
        place = await db.value(UUID, "SELECT id FROM facility WHERE slug = $1", facility)
        if place is None:
            raise OperateError(f"there is no facility {facility}")
        async with db.transaction():
            made = await locks.enrol(name, facility=place, by=BY, now=utc_now(), driver=driver)
            for one in doors:
                wire_id, title, kind = read_door(one)
                await locks.add_door(name, wire_id, title, kind=kind)
        return _carried(made, qr)


def read_door(text: str) -> tuple[str, str, locks.DoorKind]:
    """Return wire id, name and kind of WIRE-ID=NAME; a key cabinet's compartment is +WIRE-ID=NAME."""
    wire_id, _, title = text.removeprefix("+").partition("=")
    return wire_id, title or wire_id, "compartment" if text.startswith("+") else "door"


async def add(settings: Settings, name: str, door: str) -> str:
    """The live controller has one door more."""
    async with opened(settings):
        wire_id, title, kind = read_door(door)
        id = await locks.attach_door(name, wire_id, title, kind=kind, by=BY, now=utc_now())
        return f"{id}: say what opens it with `booking door allow`"


async def remove(settings: Settings, door: str, force: bool) -> str:
    """The controller has the door no more."""
    async with opened(settings):
        ahead = await locks.remove_door(door, force=force, by=BY, now=utc_now())
        return f"{door}: taken away; {ahead} bookings to come opened it, and those that booked are told"


async def replace(settings: Settings, name: str, qr: Path | None) -> str:
    """Return the content of controller.json for new hardware in the controller's place."""
    async with opened(settings):
        return _carried(await locks.replace(name, by=BY, now=utc_now()), qr)


async def stage_key(settings: Settings, name: str, qr: Path | None) -> str:
    """Return the next key, to be added to the device's controller.json."""
    async with opened(settings):
        return _carried(await locks.stage_key(name, by=BY, now=utc_now()), qr)


def _carried(made: locks.Enrolment, qr: Path | None) -> str:
    text = made.key_file.decode()
    if qr is not None:
        qr.touch(mode=0o600)
        qr.write_text(segno.make_qr(text, error="m").svg_inline(scale=4, border=4))
    return text


async def activate_key(settings: Settings, name: str) -> str:
    """The next key is in force."""
    async with opened(settings):
        await locks.activate_key(name, by=BY, now=utc_now())
        return f"{name}: the new key is in force; the old one ends with the first report under the new"


async def retire(settings: Settings, name: str, force: bool) -> str:
    """The controller is to empty itself and lose its account."""
    async with opened(settings):
        ahead = await locks.retire(name, force=force, by=BY, now=utc_now())
        view = await locks.controller_of(name, by=BY, now=utc_now())
        return f"{name}: {view.state}, {ahead} bookings told; the account goes when it has proved that it is empty"


async def quarantine(settings: Settings, name: str, confirm: bool) -> list[str]:
    """Return a line per code that we know nothing of; confirmed, our codes replace them."""
    async with opened(settings):
        view = await locks.quarantine_of(name, by=BY)
        lines = [f"{name}: holds version {view.reported}, this database wants {view.wanted}"]
        if not view.listed:
            lines.append("it has not told yet what it holds")
        for one in view.unknown:
            doors = ", ".join(one.door_ids)
            lines.append(
                f"unknown {one.id}: {doors}, {one.opens_at:%Y-%m-%d %H:%M}–{one.closes_at:%H:%M} UTC"
            )
        if confirm:
            await locks.end_quarantine(name, by=BY, now=utc_now())
            lines.append("confirmed: what this database knows replaces it")
        return lines


async def ignored(settings: Settings, hours: int) -> list[str]:
    """Return a line per kind of message that had no effect, the most frequent first."""
    async with opened(settings):
        found = await locks.ignored_since(utc_now() - timedelta(hours=hours))
    lines = [f"{one.controller}: {one.count} × {one.message} ignored ({one.why})" for one in found]
    return lines or [f"nothing was ignored in the last {hours} h"]


async def allow(
    settings: Settings, resource: str, door: str, before_min: int, after_min: int, purpose: str | None
) -> str:
    """Who books the resource may open the door, with this grace."""
    async with opened(settings):
        id = await db.value(UUID, "SELECT id FROM resource WHERE slug = $1", resource)
        if id is None:
            raise OperateError(f"there is no resource {resource}")
        before_s, after_s = before_min * 60, after_min * 60
        await locks.write_rule(
            id, door, before_s=before_s, after_s=after_s, purpose=purpose, by=BY, now=utc_now()
        )
        return f"{resource}: {door} from {before_min} min before to {after_min} min after, also for bookings already made"
