"""Messages that the doors owe: codes that are ready, alarms that staff should hear of away from our pages."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import db, messages


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
