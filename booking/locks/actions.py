"""Promise a door, take the promise back. One booking action, one transaction, no network (§12.1)."""

from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import ExclusionViolationError

from booking import db, journal, outbox
from booking.errors import Conflict
from booking.ids import new_id
from booking.locks import vault
from booking.lockwire import pins
from booking.people import Actor
from booking.span import Span

PUBLISH = "locks.publish"  # the debt "controller `key` is owed a snapshot"
HORIZON = timedelta(days=14)
TOLD_LATE = timedelta(minutes=60)  # an ended grant stays so long, so that the door can tell `late`
PIN_QUARANTINE = timedelta(hours=24)
ATTEMPTS = 20


class NoFreePin(Conflict):
    """Twenty drawn codes were all taken at the door; the next attempt draws others."""

    code = "no_free_pin"


class _Opening(db.Record):
    """A door that a booking opens, with its grace in seconds."""

    door: str
    controller: str
    before_s: int
    after_s: int


# The rules of the nearest part upwards that has any; a rule for this purpose beats the one for all.
_OPENINGS = """
WITH RECURSIVE up (id, parent, depth) AS (
  SELECT id, parent, 0 FROM resource WHERE id = $1
  UNION ALL SELECT r.id, r.parent, up.depth + 1 FROM resource r JOIN up ON r.id = up.parent
), ruled AS (
  SELECT id FROM up WHERE EXISTS (SELECT FROM access_rule a WHERE a.resource = up.id) ORDER BY depth LIMIT 1
)
SELECT DISTINCT ON (a.door) a.door, d.controller, a.before_s, a.after_s
FROM ruled JOIN access_rule a ON a.resource = ruled.id JOIN door d ON d.id = a.door
WHERE a.purpose IS NULL OR a.purpose = $2
ORDER BY a.door, a.purpose NULLS LAST
"""


async def grant(
    *, reservation: UUID, holder: UUID, resource_id: UUID, span: Span, purpose: str, now: datetime
) -> None:
    """The doors of the resource are promised for the span, grace included, with one fresh PIN.

    A resource without doors is a no-op, and so is a second grant for the same reservation. Joins the caller's
    transaction; raises NoFreePin.
    """
    async with db.transaction():
        if await db.value(bool, "SELECT true FROM access_grant WHERE reservation = $1 LIMIT 1", reservation):
            return
        openings = await db.rows(_Opening, _OPENINGS, resource_id, purpose)
        if not openings:
            return
        controllers = sorted({one.controller for one in openings})
        versions = await raise_versions(controllers, touched=span.start - HORIZON <= now, now=now)
        grants = {name: new_id() for name in controllers}
        for name, id in grants.items():
            spans = [_widened(span, one) for one in openings if one.controller == name]
            version = versions[name]
            await db.run(
                "INSERT INTO access_grant (id, controller, reservation, credential, holder, nb, na, created_at,"
                " first_epoch, first_ver) VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9)",
                id,
                name,
                reservation,
                holder,
                min(one.start for one in spans),
                max(one.end for one in spans),
                now,
                version[0] if version else None,
                version[1] if version else None,
            )
        windows = [(grants[one.controller], one.door, _widened(span, one)) for one in openings]
        await _draw_pin(reservation, windows)


def _widened(span: Span, opening: _Opening) -> Span:
    return span.widened(before=timedelta(seconds=opening.before_s), after=timedelta(seconds=opening.after_s))


async def _draw_pin(credential: UUID, windows: list[tuple[UUID, str, Span]]) -> None:
    """One PIN for all windows, its own at every door for 24 h beyond: `one_holder_per_pin` decides."""
    for _ in range(ATTEMPTS):
        pin = pins.draw()
        rows: list[tuple[object, ...]] = [
            (id, door, credential, vault.tag(pin), span.start, span.end, span.end + PIN_QUARANTINE)
            for id, door, span in windows
        ]
        try:
            async with db.savepoint():
                await db.run_many(
                    "INSERT INTO grant_window (access_grant, door, credential, pin_tag, nb, na, kept_until)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    rows,
                )
        except ExclusionViolationError:
            continue
        for id in {id for id, _, _ in windows}:
            sealed = vault.seal(pin.encode(), f"pin:{id}")
            await db.run("UPDATE access_grant SET pin = $2 WHERE id = $1", id, sealed)
        return
    raise NoFreePin("no free code was found at the door, try again")


class _Raised(db.Record):
    id: str
    epoch: int
    want_ver: int


async def raise_versions(
    controllers: list[str], *, touched: bool = True, now: datetime
) -> dict[str, tuple[int, int] | None]:
    """Each controller wants one version more and is owed a snapshot, once however often this is called.

    Rows are locked in sorted order, so every grant up to a wanted version is committed when it can be read.
    With `touched` false the change lies beyond the horizon: nothing is owed and the version is None.
    """
    if not touched:
        return dict.fromkeys(controllers)
    await db.run("SELECT FROM controller WHERE id = ANY($1) ORDER BY id FOR UPDATE", controllers)
    raised = await db.rows(
        _Raised,
        "UPDATE controller SET want_ver = want_ver + 1, retry_s = 5, retry_at = NULL WHERE id = ANY($1)"
        " RETURNING id, epoch, want_ver",
        controllers,
    )
    for name in controllers:
        await outbox.put(PUBLISH, key=name, now=now)
    return {one.id: (one.epoch, one.want_ver) for one in raised}


class _Removed(db.Record):
    id: UUID
    in_log: bool


async def revoke(reservation: UUID, *, now: datetime) -> None:
    """The code is taken out of the next version. Revoking what is gone, or never was, is a no-op.

    Its PIN stays taken until the controller has confirmed the removal (§14.4).
    """
    await remove("reservation = $2 AND gone_ver IS NULL", reservation, now=now)


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
        for name, version in versions.items():
            epoch, ver = version or (0, 0)
            removed = await db.rows(
                _Removed,
                "UPDATE access_grant SET gone_at = CASE WHEN in_log THEN NULL ELSE $1::timestamptz END,"
                f" gone_epoch = ${last}, gone_ver = ${last + 1} WHERE controller = ${last + 2} AND {condition}"
                " RETURNING id, in_log",
                now,
                *args,
                epoch,
                ver,
                name,
            )
            gone += [one.id for one in removed]
            await free_pins([one.id for one in removed if not one.in_log], at=now, wait=timedelta(0))
        return gone


async def free_pins(grants: list[UUID], *, at: datetime, wait: timedelta = PIN_QUARANTINE) -> None:
    """Nobody else gets these PINs at these doors until `at` + `wait`, or their original end if that is sooner."""
    await db.run(
        "UPDATE grant_window SET kept_until = greatest(least(kept_until, $2), nb + interval '1 second')"
        " WHERE access_grant = ANY($1)",
        grants,
        at + wait,
    )


async def refresh_horizon(now: datetime) -> int:
    """Every controller has been owed a fresh snapshot within the last day, so that its horizon rolls (§12.3)."""
    async with db.transaction():
        due = await db.column(
            str,
            "SELECT id FROM controller c WHERE NOT quarantine AND NOT EXISTS (SELECT FROM snapshot_log s"
            " WHERE s.controller = c.id AND s.built_at > $1) AND NOT EXISTS (SELECT FROM outbox o"
            " WHERE o.kind = $2 AND o.key = c.id) ORDER BY id",
            now - timedelta(hours=20),
            PUBLISH,
        )
        if due:
            await raise_versions(due, now=now)
    return len(due)


async def expire_ended(now: datetime) -> int:
    """Grants that ended over an hour ago leave with the next version; returns how many."""
    return len(await remove("gone_ver IS NULL AND na < $2", now - TOLD_LATE, now=now))


async def reconcile(now: datetime) -> int:
    """Controllers that are online but lack the wanted version are owed it again, less and less often.

    Offline ones are left to the retained copy and to their next report (§12.3). Returns how many.
    """
    async with db.transaction():
        behind = await db.column(
            str,
            "UPDATE controller SET retry_at = $1::timestamptz + retry_s * interval '1 second',"
            " retry_s = least(retry_s * 2, 300) WHERE id IN (SELECT id FROM controller WHERE NOT quarantine"
            " AND rep_boot > 0"
            " AND (rep_epoch, rep_ver) <> (epoch, want_ver) AND coalesce(retry_at, '-infinity') <= $1"
            " AND last_seen > $1::timestamptz - interval '45 minutes'"
            " AND coalesce(offline_at, 'infinity') > $1::timestamptz - interval '30 seconds'"
            " ORDER BY id FOR UPDATE) RETURNING id",
            now,
        )
        for name in sorted(behind):
            await outbox.put(PUBLISH, key=name, now=now)
        await _raise_alarms(now)
        await _tell_of_silence(now)
    return len(behind)


class _Late(db.Record):
    reservation: UUID
    municipality: str


async def _raise_alarms(now: datetime) -> None:
    """Staff are told once of each code that is not in its door half an hour before it is needed."""
    late = await db.rows(
        _Late,
        "UPDATE access_grant g SET alarmed_at = $1 FROM controller c JOIN facility f ON f.id = c.facility"
        " WHERE c.id = g.controller AND g.alarmed_at IS NULL AND g.gone_ver IS NULL AND g.na > $1"
        " AND g.nb < $1::timestamptz + interval '30 minutes' AND (g.first_ver IS NULL"
        "   OR (c.rep_epoch, c.rep_ver) < (g.first_epoch, g.first_ver) OR g.rejected IS NOT NULL)"
        " AND g.created_at < $1::timestamptz - interval '20 seconds'"
        " RETURNING g.reservation, f.municipality",
        now,
    )
    for one in late:
        await tell("access.unconfirmed", one.reservation, one.municipality, now)


async def _tell_of_silence(now: datetime) -> None:
    """Pages learn when a controller has been gone for 30 s and counts as offline from now on (§10)."""
    silent = await db.column(
        str,
        "SELECT DISTINCT f.municipality FROM controller c JOIN facility f ON f.id = c.facility"
        " WHERE c.offline_at BETWEEN $1::timestamptz - interval '36 seconds' AND $1::timestamptz - interval"
        " '30 seconds'",
        now,
    )
    for municipality in silent:
        topics = [f"doors:{municipality}", f"timeline:{municipality}"]
        await journal.record("controller.offline", about=None, by=Actor.system(), now=now, topics=topics)


async def tell(action: str, reservation: UUID, municipality: str, now: datetime) -> None:
    """The journal has it, and open pages of the booking, the day and the doors learn of it."""
    topics = [f"reservation:{reservation}", f"timeline:{municipality}", f"doors:{municipality}"]
    await journal.record(action, about=reservation, by=Actor.system(), now=now, topics=topics)


async def forget_old(now: datetime) -> None:
    """PINs a week past their end (§14.6) and the plain text of superseded snapshots are gone."""
    await db.run(
        "UPDATE access_grant SET pin = NULL WHERE pin IS NOT NULL AND na < $1", now - timedelta(days=7)
    )
    await db.run(
        "UPDATE snapshot_log s SET octets = NULL FROM controller c WHERE c.id = s.controller"
        " AND s.octets IS NOT NULL AND s.built_at < $1 AND (s.epoch, s.ver) < (c.logged_epoch, c.logged_ver)",
        now - timedelta(days=1),
    )
