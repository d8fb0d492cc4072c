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
    """Every grant that fits the condition (arguments from $2 on) leaves with its controller's next version.

    In quarantine the controller has what this database never wrote: any of them may be in it (§12.5).
    """
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
                "UPDATE access_grant SET gone_at = CASE WHEN in_log OR k.unsure THEN NULL ELSE $1::timestamptz END,"
                f" in_log = in_log OR k.unsure, gone_asked_at = $1, gone_epoch = ${last}, gone_ver = ${last + 1}"
                f" FROM (SELECT quarantine AS unsure FROM controller WHERE id = ${last + 2}) k"
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
    report: str | None
    municipality: str
    reservation: UUID
    holder: UUID
    nb: datetime
    na: datetime


HELD = (
    "SELECT g.id, g.controller, c.driver, c.report, f.municipality, g.reservation, g.holder, g.nb, g.na"
    " FROM access_grant g JOIN controller c ON c.id = g.controller"
    " JOIN facility f ON f.id = c.facility WHERE g.role = 'leader' AND g.gone_ver IS NULL"
    " AND g.reservation IS NOT NULL"
)


async def of_holder(holder: UUID, municipality: str, span: Span, now: datetime) -> list[Held]:
    """Return one grant per booking and controller of the party's bookings within the span, not over yet."""
    return await db.rows(
        Held,
        f"SELECT DISTINCT ON (reservation, controller) * FROM ({HELD}"
        " AND g.holder = $1 AND f.municipality = $2 AND g.nb < $4 AND g.na > greatest($3::timestamptz, $5)) h"
        " ORDER BY reservation, controller, id",
        holder,
        municipality,
        span.start,
        span.end,
        now,
    )


async def copy(held: list[Held], code: Code, now: datetime) -> None:
    """The bookings open with this code too, at the same doors and times.

    Where its PIN is taken, or nothing reads its card, they don't: what they had stays.
    """
    able = [one for one in held if code.works_with(one.report)]
    await raise_versions(sorted({one.controller for one in able if one.nb - HORIZON <= now}), now=now)
    for one in able:
        kept = await stand_beside(one, code.credential, now)
        fits = code.pin is None or pin_rules.of(one).allows(code.pin)
        if not fits or not await codes.keep(code.credential, code.pin, kept):
            await db.run("DELETE FROM access_grant WHERE id = $1", kept[0].grant)
            await tell("access.code_differs", one.reservation, one.municipality, now)


async def stand_beside(held: Held, credential: UUID, now: datetime) -> list[Kept]:
    """A grant of the credential stands beside this one, without PIN; returns its doors and times."""
    id = new_id()
    await db.run(
        "INSERT INTO access_grant (id, controller, reservation, credential, holder, role, nb, na, created_at,"
        " starts_at, ends_at, first_epoch, first_ver) SELECT $1, controller, reservation, $3, holder, role, nb,"
        " na, $4, starts_at, ends_at, CASE WHEN $5 THEN c.epoch END, CASE WHEN $5 THEN c.want_ver END"
        " FROM access_grant g JOIN controller c ON c.id = g.controller WHERE g.id = $2",
        id,
        held.id,
        credential,
        now,
        held.nb - HORIZON <= now,
    )
    windows = await db.rows(
        _Window, "SELECT door, nb, na FROM grant_window WHERE access_grant = $1 ORDER BY id", held.id
    )
    return [Kept(id, one.door, Span(one.nb, one.na)) for one in windows]


class _Window(db.Record):
    door: str
    nb: datetime
    na: datetime


async def give_own(credential: UUID, now: datetime, *, since: datetime | None = None) -> None:
    """Every booking from `since` on that only this credential opens has a code of its own as well; all are told."""
    alone = await db.rows(
        Held,
        HELD + " AND g.credential = $1 AND g.na > $2 AND g.nb >= coalesce($3, '-infinity'::timestamptz)"
        " AND NOT EXISTS (SELECT FROM access_grant o"
        " WHERE o.reservation = g.reservation AND o.controller = g.controller AND o.role = 'leader'"
        " AND o.gone_ver IS NULL AND o.credential <> g.credential) ORDER BY g.nb, g.reservation, g.controller",
        credential,
        now,
        since,
    )
    await raise_versions(sorted({one.controller for one in alone if one.nb - HORIZON <= now}), now=now)
    by_booking: dict[UUID, list[Held]] = {}
    for one in alone:
        by_booking.setdefault(one.reservation, []).append(one)
    for held in by_booking.values():
        await _give_own(held, now)
    await tell_changed(alone, now)


async def _give_own(held: list[Held], now: datetime) -> None:
    """One booking has its own code at these controllers: the one it has elsewhere, where that can be."""
    reservation = held[0].reservation
    own = await db.row(
        _Sealed,
        "SELECT id, pin FROM access_grant WHERE reservation = $1 AND credential = $1 AND role = 'leader'"
        " AND gone_ver IS NULL AND pin IS NOT NULL ORDER BY id LIMIT 1",
        reservation,
    )
    kept = [each for one in held for each in await stand_beside(one, reservation, now)]
    rule = pin_rules.common(held)
    pin = None if own is None else codes.read_pin(own.id, own.pin)
    if pin is None or not rule.allows(pin) or not await codes.keep(reservation, pin, kept):
        await codes.keep_drawn(reservation, rule, kept)


class _Sealed(db.Record):
    id: UUID
    pin: bytes


async def tell_changed(held: list[Held], now: datetime) -> None:
    """Pages and journal know that these bookings' codes are others; their party gets one message, not one for each."""
    bookings = {one.reservation: one for one in held}
    first = next(iter(bookings.values()), None)
    if first is None:
        return
    if len(bookings) == 1:
        await tell("access.code_changed", first.reservation, first.municipality, now)
        return
    for one in bookings.values():
        topics = [
            f"timeline:{one.municipality}",
            f"doors:{one.municipality}",
            f"reservation:{one.reservation}",
        ]
        await journal.record(
            "access.code_changed", about=one.reservation, by=Actor.system(), now=now, topics=topics
        )
    await tell_holder(first.holder, first.municipality, now, count=len(bookings))


async def tell_holder(holder: UUID, municipality: str, now: datetime, **facts: object) -> None:
    """The party is told that the code of many of its bookings is another, and where to read it; never the code."""
    await messages.owe(
        "codes_changed", party=holder, municipality=municipality, data=facts, key=now.isoformat(), now=now
    )


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
