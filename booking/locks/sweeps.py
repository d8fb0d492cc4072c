"""What is done again and again: horizons roll, ended grants leave, those behind are owed again, old secrets go."""

from datetime import datetime, timedelta

from booking import db, journal
from booking.locks.grants import remove
from booking.locks.lines import MAY_BE_SILENT
from booking.locks.telling import tell_bookers
from booking.locks.versions import PUBLISH, owe, raise_versions
from booking.people import Actor

KEPT = timedelta(days=7)  # a PIN after its last window
SEASON_OVER = timedelta(days=30)
TOLD_LATE = timedelta(minutes=60)  # an ended grant stays so long, so that the door can tell `late`


async def mend_reports(_now: datetime) -> int:
    """No stored report holds a NUL any more, which PostgreSQL's jsonb can't read; returns how many did.

    One stored before such texts were refused would otherwise stop every page and sweep that looks into reports.
    """
    found = "UPDATE controller SET report = replace(report, $1, $2) WHERE position($1 IN report) > 0"
    return await db.run(found, r"\u0000", r"\u0020")


async def refresh_horizon(now: datetime) -> int:
    """Every controller has been owed a fresh snapshot within the last day, so that its horizon rolls (§12.3)."""
    async with db.transaction():
        due = await db.column(
            str,
            "SELECT id FROM controller c WHERE NOT quarantine AND retired_at IS NULL AND NOT EXISTS (SELECT FROM snapshot_log s"
            " WHERE s.controller = c.id AND s.built_at > $1) AND NOT EXISTS (SELECT FROM outbox o"
            " WHERE o.kind = $2 AND o.key = c.id) ORDER BY id",
            now - timedelta(hours=20),
            PUBLISH,
        )
        if due:
            await raise_versions(due, now=now)
    return len(due)


async def expire_ended(now: datetime) -> int:
    """Grants that ended over an hour ago leave with the next version; returns how many.

    A transaction per controller: a booking waits for none of the others.
    """
    over = now - TOLD_LATE
    ended = await db.column(
        str,
        "SELECT DISTINCT controller FROM access_grant WHERE gone_ver IS NULL AND na < $1 ORDER BY 1",
        over,
    )
    gone = [
        await remove("gone_ver IS NULL AND na < $2 AND controller = $3", over, name, now=now)
        for name in ended
    ]
    return sum(len(one) for one in gone)


async def reconcile(now: datetime) -> int:
    """Controllers that are online but lack the wanted version are owed it again, less and less often.

    Offline ones are left to the retained copy and to their next report (§12.3). Returns how many.
    """
    async with db.transaction():
        behind = await db.column(
            str,
            "UPDATE controller SET retry_at = $1::timestamptz + retry_s * interval '1 second',"
            " retry_s = least(retry_s * 2, 300) WHERE id IN (SELECT id FROM controller c WHERE NOT quarantine"
            " AND rep_boot > 0"
            " AND (rep_epoch, rep_ver) <> (epoch, want_ver) AND coalesce(retry_at, '-infinity') <= $1"
            f" AND last_seen > $1::timestamptz - {MAY_BE_SILENT}"
            " AND coalesce(offline_at, 'infinity') > $1::timestamptz - interval '30 seconds'"
            " ORDER BY id FOR NO KEY UPDATE) RETURNING id",
            now,
        )
        if behind:
            await owe(behind, now)
    await _tell_of_silence(now)
    return len(behind)


class _Silent(db.Record):
    id: str
    municipality: str


async def _tell_of_silence(now: datetime) -> None:
    """Pages learn when a controller has been gone for 30 s and counts as offline from now on (§10)."""
    silent = await db.rows(
        _Silent,
        "SELECT c.id, f.municipality FROM controller c JOIN facility f ON f.id = c.facility"
        " WHERE c.offline_at BETWEEN $1::timestamptz - interval '36 seconds' AND $1::timestamptz - interval"
        " '30 seconds' ORDER BY c.id",
        now,
    )
    for municipality in sorted({one.municipality for one in silent}):
        topics = [f"doors:{municipality}", f"timeline:{municipality}"]
        await journal.record("controller.offline", about=None, by=Actor.system(), now=now, topics=topics)
    await tell_bookers("controller.offline", [one.id for one in silent], now)


async def forget_old(now: datetime) -> None:
    """PINs and cards a week after they were good for anything (§14.6) and plain text of superseded snapshots are gone.

    When somebody entered, and what followed for his booking, is kept as long as the events that say it.
    """
    await db.run(
        "UPDATE access_grant SET pin = NULL WHERE pin IS NOT NULL AND (na < $1 OR gone_at < $1)", now - KEPT
    )
    await db.run(_ERASED, now - KEPT, now - SEASON_OVER)
    await db.run(_UNUSED, now)
    await db.run(_UNSETTLED, now)
    await db.run(
        "UPDATE snapshot_log s SET octets = NULL FROM controller c WHERE c.id = s.controller"
        " AND s.octets IS NOT NULL AND s.built_at < $1 AND (s.epoch, s.ver) < (c.logged_epoch, c.logged_ver)",
        now - timedelta(days=1),
    )
    await db.run(
        "DELETE FROM grant_window WHERE access_grant IS NULL AND kept_until < $1", now - timedelta(days=1)
    )
    # A season that is over keeps its PIN no longer than its last window does.
    await db.run(
        "DELETE FROM grant_window w USING access_credential c WHERE w.access_grant IS NULL AND c.id = w.credential"
        " AND c.kind = 'series' AND NOT EXISTS (SELECT FROM access_grant g WHERE g.credential = c.id"
        " AND g.na > $1)",
        now - SEASON_OVER,
    )


# A code that is revoked, replaced or over, or a season that is, and no door has it or may have it any more.
_ERASED = """
WITH erased AS (
  UPDATE access_credential c SET pin = NULL, pin_tag = NULL, card = NULL
  WHERE (c.pin IS NOT NULL OR c.card IS NOT NULL)
    AND (c.revoked_at < $1 OR c.valid_to < $1 OR c.kind = 'member' OR (c.kind = 'series' AND c.created_at < $2))
    AND NOT EXISTS (SELECT FROM access_grant g WHERE g.credential = c.id AND (g.gone_at IS NULL OR g.gone_at > $1)
      AND g.na > CASE WHEN c.kind = 'series' THEN $2 ELSE $1 END)
  RETURNING c.id
)
DELETE FROM grant_window w USING erased WHERE w.credential = erased.id AND w.access_grant IS NULL
"""
_TOWN = (
    "FROM controller c JOIN facility f ON f.id = c.facility"
    " LEFT JOIN access_policy p ON p.municipality = f.municipality WHERE c.id = g.controller"
)
_DAYS = "coalesce(p.events_kept_days, 90) * interval '1 day'"
_UNUSED = f"UPDATE access_grant g SET used_at = NULL {_TOWN} AND g.used_at < $1::timestamptz - {_DAYS}"
# Nine days: a booking is judged for eight, and must not be judged again when nothing is left to judge by.
_UNSETTLED = f"""
DELETE FROM door_fact d WHERE d.settled_at < $1::timestamptz - interval '9 days' AND NOT EXISTS (
  SELECT FROM access_grant g, LATERAL (SELECT {_DAYS} AS kept {_TOWN}) t
  WHERE g.reservation = d.reservation AND d.settled_at >= $1::timestamptz - t.kept)
"""
