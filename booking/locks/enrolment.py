"""Make controllers, doors and access rules known; operator actions."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, journal
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.locks import vault
from booking.locks.versions import raise_versions
from booking.lockwire import ids
from booking.people import Actor, Role


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What leaves the server once: the content of `controller.json` and the broker account."""

    controller: str
    gen: int
    password: str = field(repr=False)
    key_file: bytes = field(repr=False)


async def enrol(
    controller: str, *, facility: UUID, by: Actor, now: datetime, simulated: bool = False
) -> Enrolment:
    """The controller has a fresh key and password; one enrolled before gets a new generation and epoch (§4.2).

    Hand the key file over out of band. Raises Rejected for a name that can't be a topic level.
    """
    if not ids.is_controller(controller):
        raise Rejected("a controller is named by 2–32 of a–z, 0–9 and -", code="bad_controller_name")
    await _must_be_admin(facility, by)
    master, password = secrets.token_bytes(32), secrets.token_urlsafe(24)
    async with db.transaction():
        gen = (
            await db.value(int, "SELECT gen FROM controller WHERE id = $1 FOR UPDATE", controller) or 0
        ) + 1
        await db.run(
            "INSERT INTO controller (id, facility, simulated, gen, master_key, enrolled_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET facility = $2, simulated = $3,"
            " gen = $4, master_key = $5, enrolled_at = $6, epoch = controller.epoch + 1, rep_boot = 0,"
            " rep_rs = 0, rep_epoch = 0, rep_ver = 0, report = NULL, sid = NULL, quarantine = false,"
            " ev_boot = 0, ev_seq = 0, last_n = 0",
            controller,
            facility,
            simulated,
            gen,
            vault.seal(master, f"key:{controller}:{gen}"),
            now,
        )
        await raise_versions([controller], now=now)
        await journal.record(
            "controller.enrolled", about=facility, by=by, now=now, controller=controller, gen=gen
        )
    return Enrolment(controller, gen, password, _key_file(controller, gen, master, password))


def _key_file(controller: str, gen: int, master: bytes, password: str) -> bytes:
    key = base64.urlsafe_b64encode(master).decode().rstrip("=")
    body = {"controller": controller, "password": password, "keys": [{"gen": gen, "key": key}]}
    return msgspec.json.encode(body)


async def add_door(controller: str, wire_id: str, name: str, *, unlock_s: int = 5, held_s: int = 300) -> str:
    """The controller has the door; returns its id. Adding it again renames it. Seconds as in the snapshot."""
    if ids.DOOR.match(wire_id) is None:
        raise Rejected("a door is called d1, d2, … on the wire", code="bad_door_name")
    id = f"{controller}-{wire_id}".replace("_", "-")
    await db.run(
        "INSERT INTO door (id, controller, wire_id, name, unlock_s, held_s) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (id) DO UPDATE SET name = $4, unlock_s = $5, held_s = $6",
        id,
        controller,
        wire_id,
        name,
        unlock_s,
        held_s,
    )
    return id


async def allow(
    resource: UUID, door: str, *, before_s: int = 900, after_s: int = 900, purpose: str | None = None
) -> None:
    """Who books the resource may open the door, with this grace in seconds. Allowing again changes the grace."""
    await db.run(
        "INSERT INTO access_rule (id, resource, door, before_s, after_s, purpose) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT ON CONSTRAINT access_rule_once DO UPDATE SET before_s = $4, after_s = $5",
        new_id(),
        resource,
        door,
        before_s,
        after_s,
        purpose,
    )


async def _must_be_admin(facility: UUID, by: Actor) -> None:
    municipality = await db.value(str, "SELECT municipality FROM facility WHERE id = $1", facility)
    if municipality is None:
        raise NotFound("there is no such facility", code="unknown_facility")
    by.must_have(municipality, Role.ADMIN)
