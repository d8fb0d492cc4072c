"""Rows of grants that several actions handle: removed, copied to another code, told of."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import db, journal, messages
from booking.ids import new_id
from booking.locks import codes, pin_rules
from booking.locks.codes import Code, Kept
from booking.locks.versions import HORIZON, raise_versions
from booking.people import Actor
from booking.span import Span


class _Removed(db.Record):
    id: UUID
    in_log: bool


async def remove(condition: str, *args: object, now: datetime) -> list[UUID]:
    """Every grant that fits the condition (arguments from $2 on) leaves with its controller's next version."""
    async with db.transaction():
        controllers = await db.column(
            str,
            # $1 is not used by the condition; it keeps the numbering of all statements alike.
            f"SELECT DISTINCT controller FROM access_grant WHERE $1::timestamptz IS NOT NULL AND {condition}"
            " ORDER BY 1",
            now,
            *args,
        )
        if not controllers:
            return []
        versions = await raise_versions(controllers, now=now)
        gone: list[UUID] = []
        last = len(args) + 2
        for name, (epoch, ver) in versions.items():
            removed = await db.rows(
                _Removed,
                "UPDATE access_grant SET gone_at = CASE WHEN in_log THEN NULL ELSE $1::timestamptz END,"
                f" gone_asked_at = $1, gone_epoch = ${last}, gone_ver = ${last + 1}"
                f" WHERE controller = ${last + 2} AND {condition} RETURNING id, in_log",
                now,
                *args,
                epoch,
                ver,
                name,
            )
            gone += [one.id for one in removed]
            await codes.free([one.id for one in removed if not one.in_log], at=now, wait=timedelta(0))
        return gone


class Held(db.Record):
    """One live leader's grant of a booking."""

    id: UUID
    controller: str
    driver: str
    municipality: str
    reservation: UUID
    holder: UUID
    nb: datetime
    na: datetime
    starts_at: datetime | None
    ends_at: datetime | None


_HELD = (
    "SELECT g.id, g.controller, c.driver, f.municipality, g.reservation, g.holder, g.nb, g.na, g.starts_at,"
    " g.ends_at FROM access_grant g JOIN controller c ON c.id = g.controller"
    " JOIN facility f ON f.id = c.facility WHERE g.role = 'leader' AND g.gone_ver IS NULL"
    " AND g.reservation IS NOT NULL"
)


async def of_holder(holder: UUID, municipality: str, span: Span, now: datetime) -> list[Held]:
    """Return one grant per booking and controller of the party's bookings within the span, not over yet."""
    return await db.rows(
        Held,
        "SELECT DISTINCT ON (reservation, controller) * FROM ("
        + _HELD
        + " AND g.holder = $1 AND f.municipality = $2 AND g.nb < $4 AND g.na > greatest($3::timestamptz, $5)) h"
        " ORDER BY reservation, controller, id",
        holder,
        municipality,
        span.start,
        span.end,
        now,
    )


async def copy(held: list[Held], code: Code, now: datetime) -> None:
    """The bookings open with this code too, at the same doors and times; where its PIN is taken, they don't."""
    await raise_versions(sorted({one.controller for one in held if one.nb - HORIZON <= now}), now=now)
    for one in held:
        await _copy(one, code, now)


async def _copy(held: Held, code: Code, now: datetime) -> None:
    id = new_id()
    await db.run(
        "INSERT INTO access_grant (id, controller, reservation, credential, holder, role, nb, na, created_at,"
        " starts_at, ends_at, first_epoch, first_ver) SELECT $1, controller, reservation, $3, holder, role, nb,"
        " na, $4, starts_at, ends_at, CASE WHEN $5 THEN c.epoch END, CASE WHEN $5 THEN c.want_ver END"
        " FROM access_grant g JOIN controller c ON c.id = g.controller WHERE g.id = $2",
        id,
        held.id,
        code.credential,
        now,
        held.nb - HORIZON <= now,
    )
    windows = await db.rows(
        _Window, "SELECT door, nb, na FROM grant_window WHERE access_grant = $1 ORDER BY id", held.id
    )
    kept = [Kept(id, one.door, Span(one.nb, one.na)) for one in windows]
    if code.has_pin and code.pin is None:
        await codes.keep_drawn(code.credential, pin_rules.common([held.driver]), kept)
    elif not await codes.keep(code.credential, code.pin, kept):
        if code.is_shared:
            await db.run("DELETE FROM access_grant WHERE id = $1", id)
            await tell("access.code_differs", held.reservation, held.municipality, now)
            return
        await codes.keep_drawn(code.credential, pin_rules.common([held.driver]), kept)


class _Window(db.Record):
    door: str
    nb: datetime
    na: datetime


async def give_own(credential: UUID, now: datetime) -> None:
    """Every booking that only this credential opens has a code of its own as well."""
    alone = await db.rows(
        Held,
        _HELD + " AND g.credential = $1 AND g.na > $2 AND NOT EXISTS (SELECT FROM access_grant o"
        " WHERE o.reservation = g.reservation AND o.controller = g.controller AND o.role = 'leader'"
        " AND o.gone_ver IS NULL AND o.credential <> g.credential) ORDER BY g.reservation, g.controller",
        credential,
        now,
    )
    await raise_versions(sorted({one.controller for one in alone if one.nb - HORIZON <= now}), now=now)
    drawn: dict[UUID, str] = {}
    for one in alone:
        await _copy(one, Code(one.reservation, pin=drawn.get(one.reservation)), now)
        if one.reservation not in drawn:
            drawn[one.reservation] = await _pin_of(one)
        await tell("access.code_changed", one.reservation, one.municipality, now)


async def _pin_of(held: Held) -> str:
    row = await db.row(
        _Sealed,
        "SELECT id, pin FROM access_grant WHERE reservation = $1 AND credential = $1 AND controller = $2"
        " AND gone_ver IS NULL",
        held.reservation,
        held.controller,
    )
    if row is None:
        raise RuntimeError("a copy that was just written is there")
    return codes.read_pin(row.id, row.pin)


class _Sealed(db.Record):
    id: UUID
    pin: bytes


async def tell(action: str, reservation: UUID | None, municipality: str, now: datetime) -> None:
    """The journal has it, and open pages of the booking, the day and the doors learn of it."""
    topics = [f"timeline:{municipality}", f"doors:{municipality}"]
    if reservation is not None:
        topics.append(f"reservation:{reservation}")
    await journal.record(action, about=reservation, by=Actor.system(), now=now, topics=topics)
    if action == "access.code_changed" and reservation is not None:
        await _owe_new_code(reservation, municipality, now)


async def _owe_new_code(reservation: UUID, municipality: str, now: datetime) -> None:
    holder = await db.value(
        UUID,
        "SELECT holder FROM access_grant WHERE reservation = $1 AND role = 'leader' LIMIT 1",
        reservation,
    )
    if holder is not None:
        key = now.isoformat()
        await messages.owe(
            "code_changed", party=holder, about=reservation, municipality=municipality, key=key, now=now
        )
