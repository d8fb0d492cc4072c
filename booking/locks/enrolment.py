"""Controllers made known, re-keyed, replaced, retired; operator actions."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, journal, outbox
from booking.errors import Conflict, NotFound, Rejected
from booking.locks import accounts, grants, pin_rules, vault
from booking.locks.telling import doorless, tell_doorless
from booking.locks.versions import raise_versions
from booking.lockwire import ids
from booking.people import Actor, Role


class StillBooked(Conflict):
    """Bookings to come open by this controller; move them, or insist."""

    code = "still_booked"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What leaves the server once: the content of `controller.json` and the broker account.

    For a key in stages there is no password: the account stays, and the key is added to the file (§4.2).
    """

    controller: str
    gen: int
    password: str = field(repr=False)
    key_file: bytes = field(repr=False)


async def enrol(
    controller: str,
    *,
    facility: UUID,
    by: Actor,
    now: datetime,
    simulated: bool = False,
    driver: str = "native",
) -> Enrolment:
    """The controller is known, with a key and a password that are told this once.

    A retired name may be used again in the municipality it had: a new generation and epoch (§4.2). Raises Conflict
    for the name of a live controller (`replace` gives that another key), Rejected for one that can't be a topic level.
    """
    if not ids.is_controller(controller):
        raise Rejected("a controller is named by 2–32 of a–z, 0–9 and -", code="bad_controller_name")
    if driver not in pin_rules.RULES:
        raise Rejected(f"the drivers are: {', '.join(pin_rules.RULES)}", code="unknown_driver")
    municipality = await _must_be_admin(facility, by)
    async with db.transaction():
        await _must_be_free(controller, by)
        return await _written(controller, facility, municipality, driver, by, now, simulated=simulated)


async def _written(
    controller: str,
    facility: UUID,
    municipality: str,
    driver: str,
    by: Actor,
    now: datetime,
    *,
    simulated: bool,
) -> Enrolment:
    """The row has a fresh key and password; one that was there gets a new generation and epoch."""
    master, password = secrets.token_bytes(32), secrets.token_urlsafe(24)
    async with db.transaction():
        gen = (
            await db.value(int, "SELECT gen FROM controller WHERE id = $1 FOR NO KEY UPDATE", controller) or 0
        ) + 1
        gen = max(
            gen, (await db.value(int, "SELECT next_gen FROM controller WHERE id = $1", controller) or 0) + 1
        )
        await db.run(
            "INSERT INTO controller (id, facility, simulated, gen, master_key, enrolled_at, driver, account_secret)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET facility = $2,"
            " simulated = $3, gen = $4, master_key = $5, enrolled_at = $6, driver = $7, account_secret = $8,"
            " epoch = controller.epoch + 1, rep_boot = 0, rep_rs = 0, rep_epoch = 0, rep_ver = 0, report = NULL,"
            " sid = NULL, quarantine = false, quarantined_at = NULL, listing = NULL, ev_boot = 0, ev_seq = 0,"
            " last_n = 0, next_gen = NULL, next_key = NULL, old_gen = NULL, old_key = NULL, retired_at = NULL",
            controller,
            facility,
            simulated,
            gen,
            vault.seal(master, f"key:{controller}:{gen}"),
            now,
            driver,
            vault.seal(password.encode(), f"account:{controller}"),
        )
        await raise_versions([controller], now=now)
        await outbox.put(accounts.SET, key=controller, now=now)
        await journal.record(
            "controller.enrolled",
            about=facility,
            by=by,
            now=now,
            topics=[f"doors:{municipality}"],
            controller=controller,
            gen=gen,
        )
    return Enrolment(controller, gen, password, _key_file(controller, gen, master, password))


def _key_file(controller: str, gen: int, master: bytes, password: str | None) -> bytes:
    key = base64.urlsafe_b64encode(master).decode().rstrip("=")
    account = {} if password is None else {"password": password}
    return msgspec.json.encode({"controller": controller, **account, "keys": [{"gen": gen, "key": key}]})


async def replace(controller: str, *, by: Actor, now: datetime) -> Enrolment:
    """New hardware takes the controller's place: its own key and account, the doors and codes stay (§4.2)."""
    row = await _must(controller, by)
    return await _written(
        controller, row.facility, row.municipality, row.driver, by, now, simulated=row.simulated
    )


class _Row(db.Record):
    id: str
    facility: UUID
    municipality: str
    simulated: bool
    driver: str
    gen: int
    master_key: bytes
    next_gen: int | None
    next_key: bytes | None
    retired_at: datetime | None


async def _must(controller: str, by: Actor) -> _Row:
    row = await db.row(
        _Row,
        "SELECT c.id, c.facility, f.municipality, c.simulated, c.driver, c.gen, c.master_key, c.next_gen,"
        " c.next_key, c.retired_at FROM controller c JOIN facility f ON f.id = c.facility WHERE c.id = $1",
        controller,
    )
    if row is None or not by.has(row.municipality, Role.ADMIN):
        raise NotFound("there is no such controller")
    return row


async def stage_key(controller: str, *, by: Actor, now: datetime) -> Enrolment:
    """The controller's next key exists and can be carried to it; until it is activated the old one is in force."""
    async with db.transaction():
        row = await _must(controller, by)
        if row.retired_at is not None:
            raise NotFound("there is no such controller")
        gen, master = max(row.gen, row.next_gen or 0) + 1, secrets.token_bytes(32)
        await db.run(
            "UPDATE controller SET next_gen = $2, next_key = $3 WHERE id = $1",
            controller,
            gen,
            vault.seal(master, f"key:{controller}:{gen}"),
        )
        await _record("controller.key_staged", row, by, now, gen=gen)
    return Enrolment(controller, gen, "", _key_file(controller, gen, master, None))


async def activate_key(controller: str, *, by: Actor, now: datetime) -> None:
    """The next key seals everything from now on, under a higher epoch; reports under the old one are still read.

    The old key goes for good with the first report under the new one. Raises Rejected if none is staged.
    """
    async with db.transaction():
        row = await _must(controller, by)
        if row.next_gen is None or row.next_key is None:
            raise Rejected("make the next key first, and carry it to the controller", code="no_staged_key")
        await db.run(
            "UPDATE controller SET old_gen = gen, old_key = master_key, gen = next_gen, master_key = next_key,"
            " next_gen = NULL, next_key = NULL, epoch = epoch + 1, rep_boot = 0, rep_rs = 0 WHERE id = $1",
            controller,
        )
        await raise_versions([controller], now=now)
        await _record("controller.key_activated", row, by, now, gen=row.next_gen)


async def retire(controller: str, *, force: bool, by: Actor, now: datetime) -> int:
    """The controller is told to forget every code, then loses its account; returns how many bookings it had to open.

    Its doors open for no booking any more, and those that booked are told. Raises StillBooked where bookings to
    come open by it, unless forced.
    """
    async with db.transaction():
        row = await _must(controller, by)
        ahead = await doorless("g.controller = $2", now, controller)
        if ahead and not force:
            raise StillBooked(f"{len(ahead)} bookings to come open by this controller", bookings=len(ahead))
        await db.run(
            "UPDATE controller SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL", controller, now
        )
        await db.run(
            "DELETE FROM access_rule a USING door d WHERE d.id = a.door AND d.controller = $1", controller
        )
        await grants.remove("controller = $2 AND gone_ver IS NULL", controller, now=now)
        await raise_versions([controller], now=now)
        await outbox.put(accounts.SET, key=controller, now=now)
        doors = await db.column(
            str, "SELECT id FROM door WHERE controller = $1 AND removed_at IS NULL", controller
        )
        await tell_doorless(ahead, doors, row.municipality, now)
        await _record("controller.retired", row, by, now, bookings=len(ahead))
    return len(ahead)


async def _record(action: str, row: _Row, by: Actor, now: datetime, **facts: object) -> None:
    topics = [f"doors:{row.municipality}"]
    facts["controller"] = row.id
    data: dict[str, object] = facts
    await journal.record(action, about=row.facility, by=by, now=now, topics=topics, change=data)


async def _must_be_admin(facility: UUID, by: Actor) -> str:
    municipality = await db.value(str, "SELECT municipality FROM facility WHERE id = $1", facility)
    if municipality is None:
        raise NotFound("there is no such facility", code="unknown_facility")
    by.must_have(municipality, Role.ADMIN)
    return municipality


class _Taken(db.Record):
    municipality: str
    retired_at: datetime | None


async def _must_be_free(controller: str, by: Actor) -> None:
    """Raise Conflict where the name is a live controller's, or another municipality's."""
    known = await db.row(
        _Taken,
        "SELECT f.municipality, c.retired_at FROM controller c JOIN facility f ON f.id = c.facility"
        " WHERE c.id = $1 FOR NO KEY UPDATE OF c",
        controller,
    )
    if known is not None and (known.retired_at is None or not by.has(known.municipality, Role.ADMIN)):
        raise Conflict(
            "this name is taken: replace the controller, or make it another key", code="controller_name_taken"
        )
