"""Messages that the doors owe: codes that are ready, alarms that staff should hear of away from our pages."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, journal, messages
from booking.locks.grants import tell
from booking.lockwire.messages import Report
from booking.people import Actor


async def tell_staff(alarm: UUID, kind: str, door: str | None, controller: str | None, now: datetime) -> None:
    """Staff of the controller's municipality will get a message about the alarm, once."""
    town = await db.value(
        str,
        "SELECT f.municipality FROM controller c JOIN facility f ON f.id = c.facility WHERE c.id = $1",
        controller,
    )
    if town is not None:
        told = {"what": f"{kind}: {door or controller}"}
        await messages.owe_staff("staff_alert", municipality=town, data=told, key=str(alarm), now=now)


LATELY = timedelta(minutes=10)
_told: dict[
    UUID, datetime
] = {}  # by this process, of late; another's would be told once, too, by the message's key


class _Ready(db.Record):
    reservation: UUID
    holder: UUID
    municipality: str


async def tell_ready(now: datetime) -> int:
    """Who has a code of their own that all its doors confirmed of late is told once; returns how many were seen.

    A series' or an association's code is known from before. A sweep tells, so that no report waits for it.
    """
    for old in [id for id, at in _told.items() if at < now - 2 * LATELY]:
        del _told[old]
    async with db.transaction():
        ready = await db.rows(
            _Ready,
            "SELECT g.reservation, g.holder, min(f.municipality) AS municipality FROM access_grant g"
            " JOIN controller c ON c.id = g.controller JOIN facility f ON f.id = c.facility"
            " WHERE g.role = 'leader' AND g.credential = g.reservation AND g.gone_ver IS NULL AND g.na > $1"
            " GROUP BY g.reservation, g.holder HAVING bool_and(g.applied_at IS NOT NULL)"
            " AND max(g.applied_at) > $1::timestamptz - $2::interval"
            " AND g.reservation <> ALL($3)",
            now,
            LATELY,
            list(_told),
        )
        for one in ready:
            await messages.owe(
                "code_ready",
                party=one.holder,
                about=one.reservation,
                municipality=one.municipality,
                key="ready",
                now=now,
            )
    _told.update((one.reservation, now) for one in ready)
    return len(ready)


class Doorless(db.Record):
    """A booking to come that loses a door."""

    reservation: UUID
    holder: UUID


async def doorless(condition: str, now: datetime, *args: object) -> list[Doorless]:
    """Return the bookings whose own codes open the doors that fit the condition (arguments from $2 on), not over yet."""
    return await db.rows(
        Doorless,
        "SELECT DISTINCT ON (g.reservation) g.reservation, g.holder FROM access_grant g"
        " JOIN grant_window w ON w.access_grant = g.id WHERE g.role = 'leader' AND g.reservation IS NOT NULL"
        f" AND g.gone_ver IS NULL AND w.na > $1 AND {condition} ORDER BY g.reservation, g.id",
        now,
        *args,
    )


async def tell_doorless(ahead: list[Doorless], doors: list[str], municipality: str, now: datetime) -> None:
    """Whoever has one of the bookings will read that its code opens these doors no more, and the journal has it."""
    names = await db.column(str, "SELECT name FROM door WHERE id = ANY($1) ORDER BY name", doors)
    for one in ahead:
        await tell("access.withdrawn", one.reservation, municipality, now)
        await messages.owe(
            "code_withdrawn",
            party=one.holder,
            about=one.reservation,
            municipality=municipality,
            data={"doors": ", ".join(names)},
            key=now.isoformat(),
            now=now,
        )


AHEAD = timedelta(hours=12)


async def tell_bookers(action: str, controllers: list[str], now: datetime) -> None:
    """Open pages of the bookings at these controllers' doors, now and in the next twelve hours, learn of it."""
    bookings = await db.column(
        UUID,
        "SELECT DISTINCT reservation FROM access_grant WHERE controller = ANY($1) AND reservation IS NOT NULL"
        " AND gone_at IS NULL AND role = 'leader' AND nb < $3 AND na > $2 ORDER BY reservation",
        controllers,
        now,
        now + AHEAD,
    )
    if bookings:
        topics = [f"reservation:{id}" for id in bookings]
        await journal.record(action, about=None, by=Actor.system(), now=now, topics=topics)


def opens_otherwise(before: str | None, report: Report) -> bool:
    """True when a door has been locked down, opened to all, or is normal again since the report `before`."""
    known = msgspec.json.decode(before, type=Report).doors if before else {}
    return {id: door.mode for id, door in known.items()} != {
        id: door.mode for id, door in report.doors.items()
    }
