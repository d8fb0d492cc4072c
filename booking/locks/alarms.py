"""What staff should look at: derived from stored facts every few seconds, opened once, closed when cured (§12.3)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db, journal
from booking.ids import new_id
from booking.locks.grants import tell
from booking.locks.lines import MAY_BE_SILENT
from booking.locks.telling import tell_staff
from booking.people import Actor

Kind = Literal[
    "not_applied",
    "removal_unconfirmed",
    "clock_untrusted",
    "clock_drift",
    "full",
    "battery",
    "power",
    "held",
    "forced",
    "tamper",
    "offline",
    "two_servers",
    "brute_force",
    "quarantine",
    "horizon_short",
    "bad_snapshot",
    "broker_refuses",
]
WARNINGS = ("clock_drift", "battery", "power", "horizon_short")

# Every alarm that holds at $1: (controller, door, kind, reservations). One statement, no message is counted.
_HOLDS = f"""
WITH c AS (
  SELECT c.*, c.report::jsonb AS said, coalesce(p.alarm_lead_min, 30) * interval '1 minute' AS lead
  FROM controller c JOIN facility f ON f.id = c.facility LEFT JOIN access_policy p ON p.municipality = f.municipality
  WHERE c.retired_at IS NULL
)
SELECT g.controller, w.door, 'not_applied' AS kind,
  coalesce(array_agg(DISTINCT g.reservation ORDER BY g.reservation) FILTER (WHERE g.reservation IS NOT NULL), '{{}}')
    AS reservations
FROM c JOIN access_grant g ON g.controller = c.id JOIN grant_window w ON w.access_grant = g.id
WHERE ((g.role = 'leader' AND g.reservation IS NOT NULL) OR (g.role IN ('staff', 'clean') AND g.rejected = 'dup'))
  AND g.gone_ver IS NULL AND w.na > $1
  AND g.nb < $1 + CASE WHEN c.said #> '{{cap,feat}}' ? 'live' THEN -interval '1 minute' ELSE c.lead END
  AND g.created_at < $1 - interval '20 seconds'
  AND (g.first_ver IS NULL OR (c.rep_epoch, c.rep_ver) < (g.first_epoch, g.first_ver) OR g.rejected IS NOT NULL
    OR c.quarantine OR c.said -> 'pend' ? replace(g.id::text, '-', ''))
GROUP BY g.controller, w.door
UNION ALL
SELECT g.controller, NULL, 'removal_unconfirmed',
  coalesce(array_agg(DISTINCT g.reservation ORDER BY g.reservation) FILTER (WHERE g.reservation IS NOT NULL), '{{}}')
FROM c JOIN access_grant g ON g.controller = c.id
WHERE g.gone_at IS NULL AND g.in_log AND g.role <> 'reserve' AND (
  (g.gone_ver IS NOT NULL AND g.na > $1 AND (g.gone_asked_at < $1 - interval '10 minutes'
    OR (g.nb <= $1 AND g.gone_asked_at < $1 - interval '20 seconds')))
  OR (g.stale_na > $1 AND (g.created_at < $1 - interval '10 minutes'
    OR (g.stale_nb <= $1 AND g.created_at < $1 - interval '20 seconds'))))
GROUP BY g.controller
UNION ALL
SELECT g.controller, NULL, 'full', '{{}}' FROM c JOIN access_grant g ON g.controller = c.id
WHERE c.logged_ver > 0 AND c.rep_boot > 0 AND g.gone_ver IS NULL AND g.role <> 'reserve' AND g.na > $1
  AND g.created_at < $1 - interval '20 seconds'
  AND (g.rejected = 'full' OR (g.first_ver IS NULL AND g.rejected IS NULL AND g.nb < $1 + interval '13 days'))
GROUP BY g.controller
UNION ALL SELECT id, NULL, 'clock_untrusted', '{{}}' FROM c
WHERE rep_boot > 0 AND (clock = 'untrusted' OR said->'clk'->>'src' = 'none')
UNION ALL SELECT id, NULL, 'clock_drift', '{{}}' FROM c WHERE clock = 'drift'
UNION ALL SELECT id, NULL, 'battery', '{{}}' FROM c WHERE (said->'pw'->>'bat')::int < 20
UNION ALL SELECT id, NULL, 'power', '{{}}' FROM c WHERE said->'pw'->>'src' = 'backup'
UNION ALL SELECT id, NULL, 'quarantine', '{{}}' FROM c WHERE quarantine
UNION ALL SELECT id, NULL, 'broker_refuses', '{{}}' FROM c WHERE broker_reason >= 128
UNION ALL SELECT id, NULL, 'bad_snapshot', '{{}}' FROM c WHERE said->'bad'->>'why' IN ('conflict', 'decrypt')
UNION ALL SELECT id, NULL, 'offline', '{{}}' FROM c WHERE rep_boot > 0
  AND (last_seen < $1 - {MAY_BE_SILENT} OR offline_at <= $1 - interval '30 seconds')
UNION ALL SELECT id, NULL, 'offline', '{{}}' FROM c WHERE gen > 1 AND rep_boot = 0
  AND greatest(enrolled_at, last_seen) < $1 - greatest(lead, interval '45 minutes')
UNION ALL SELECT c.id, NULL, 'horizon_short', '{{}}' FROM c JOIN snapshot_log s ON s.controller = c.id
  AND s.epoch = c.rep_epoch AND s.ver = c.rep_ver WHERE s.horizon_end < $1 + interval '72 hours'
UNION ALL SELECT DISTINCT e.controller, e.door, 'brute_force', '{{}}'::uuid[] FROM door_event e JOIN c ON c.id = e.controller
WHERE e.kind = 'lockout' AND e.received_at > $1 - interval '1 hour'
"""

# Alarms that hold until staff have seen them, however soon the door was well again: (controller, door, kind, newest
# event). `known` says which events an alarm, open or closed, has told of: by arrival, so that what comes late after an
# outage is told and what is said twice is not. An event older than a day has had its alarm.
_LATCHED = """
WITH c AS (SELECT id FROM controller WHERE retired_at IS NULL), said AS (
  SELECT e.controller, e.door, e.kind, max(e.received_at) AS at FROM door_event e JOIN c ON c.id = e.controller
  WHERE e.kind IN ('forced', 'held', 'tamper') AND e.received_at > $1::timestamptz - interval '1 day' GROUP BY 1, 2, 3
), not_cured AS (
  SELECT d.controller, d.id AS door, e.kind, e.received_at AS at FROM door d JOIN c ON c.id = d.controller, LATERAL (
    (SELECT kind, received_at FROM door_event WHERE door = d.id AND kind IN ('held', 'opened', 'closed')
      ORDER BY id DESC LIMIT 1)
    UNION ALL
    (SELECT kind, received_at FROM door_event WHERE door = d.id AND kind IN ('forced', 'closed', 'granted')
      ORDER BY id DESC LIMIT 1)
  ) e WHERE e.kind IN ('held', 'forced') AND d.removed_at IS NULL
), known AS (
  SELECT a.controller, a.door, a.kind, max(a.seen_at) AS at,
    bool_or(a.closed_at IS NULL AND a.acknowledged_at IS NULL) AS waits
  FROM door_alarm a JOIN c ON c.id = a.controller
  WHERE a.kind IN ('forced', 'held', 'tamper') AND (a.closed_at IS NULL OR a.seen_at > $1::timestamptz - interval '1 day')
  GROUP BY 1, 2, 3
)
SELECT controller, door, kind, '{}'::uuid[] AS reservations, max(at) AS seen_at FROM (
  SELECT s.* FROM said s LEFT JOIN known k
    ON k.controller = s.controller AND k.kind = s.kind AND k.door IS NOT DISTINCT FROM s.door
  WHERE k.at IS NULL OR s.at > k.at
  UNION ALL SELECT * FROM not_cured
  UNION ALL SELECT controller, door, kind, at FROM known WHERE waits
) holds GROUP BY 1, 2, 3
"""


class _Holds(db.Record):
    controller: str | None
    door: str | None
    kind: str
    reservations: list[UUID]

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what makes it the same alarm."""
        return self.controller or "", self.door or "", self.kind


class _Latched(_Holds):
    seen_at: datetime


class _Open(_Holds):
    id: UUID
    seen_at: datetime
    acknowledged_at: datetime | None


async def watch(now: datetime) -> None:
    """The open alarms are those that hold; what opened or closed has been told to pages and journal."""
    async with db.transaction():
        # Their rows are locked first: an acknowledgement counts for what was known when it was given.
        known = await db.rows(
            _Open,
            "SELECT id, controller, door, kind, reservations, seen_at, acknowledged_at FROM door_alarm"
            " WHERE closed_at IS NULL ORDER BY id FOR NO KEY UPDATE",
        )
        holding = {one.key: one for one in await db.rows(_Holds, _HOLDS, now)}
        holding |= {one.key: one for one in await db.rows(_Latched, _LATCHED, now)}
        open_ = {one.key: one for one in known}
        for key, one in holding.items():
            if key not in open_:
                await _open(one, now)
            elif one.reservations != open_[key].reservations:
                await _widen(open_[key], one.reservations, now)
            elif isinstance(one, _Latched) and one.seen_at > open_[key].seen_at:
                await _see_again(open_[key], one.seen_at, now)
        for key, was in open_.items():
            if key not in holding and was.kind != "two_servers":
                await _close(was, now)
        await db.run(
            "UPDATE door_alarm SET closed_at = $1 WHERE kind = 'two_servers' AND closed_at IS NULL"
            " AND seen_at < $1::timestamptz - interval '10 minutes'",
            now,
        )
        await _tell_bookers(now)


async def _open(one: _Holds, now: datetime) -> None:
    id = new_id()
    added = await db.run(
        "INSERT INTO door_alarm (id, controller, door, kind, reservations, opened_at, seen_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        id,
        one.controller,
        one.door,
        one.kind,
        one.reservations,
        now,
        one.seen_at if isinstance(one, _Latched) else now,
    )
    if added:
        await _tell("alarm.opened", one, now)
        if one.kind not in WARNINGS:
            await tell_staff(id, one.kind, one.door, one.controller, now)


async def _widen(was: _Open, reservations: list[UUID], now: datetime) -> None:
    """Further bookings are concerned: what was acknowledged is so no more."""
    news = not set(reservations) <= set(was.reservations)
    await db.run(
        "UPDATE door_alarm SET reservations = $2, seen_at = $3,"
        " acknowledged_at = CASE WHEN $4 THEN NULL ELSE acknowledged_at END WHERE id = $1",
        was.id,
        reservations,
        now,
        news,
    )
    if news:
        await _tell("alarm.opened", was, now)


async def _see_again(was: _Open, seen_at: datetime, now: datetime) -> None:
    """It has happened once more while open: what was acknowledged is so no more. Staff have had their message."""
    await db.run("UPDATE door_alarm SET seen_at = $2, acknowledged_at = NULL WHERE id = $1", was.id, seen_at)
    if was.acknowledged_at is not None:
        await _tell("alarm.opened", was, now)


async def _close(was: _Open, now: datetime) -> None:
    await db.run("UPDATE door_alarm SET closed_at = $2 WHERE id = $1", was.id, now)
    await _tell("alarm.closed", was, now)


async def _tell(action: str, one: _Holds, now: datetime) -> None:
    towns = await db.column(
        str,
        "SELECT f.municipality FROM controller c JOIN facility f ON f.id = c.facility WHERE c.id = $1"
        " UNION SELECT code FROM municipality WHERE $1::text IS NULL ORDER BY 1",
        one.controller,
    )
    topics = [f"doors:{town}" for town in towns]
    facts = {"kind": one.kind, "door": one.door, "controller": one.controller}
    await journal.record(action, about=None, by=Actor.system(), now=now, topics=topics, **facts)


class _Late(db.Record):
    reservation: UUID
    municipality: str


async def _tell_bookers(now: datetime) -> None:
    """Each booking whose code is not in its door when it should be is told of once."""
    late = await db.rows(
        _Late,
        "UPDATE access_grant g SET alarmed_at = $1 FROM controller c JOIN facility f ON f.id = c.facility"
        " LEFT JOIN access_policy p ON p.municipality = f.municipality"
        " WHERE c.id = g.controller AND g.role = 'leader' AND g.reservation IS NOT NULL"
        " AND g.alarmed_at IS NULL AND g.gone_ver IS NULL AND g.gone_at IS NULL AND g.na > $1"
        " AND g.nb < $1::timestamptz + CASE WHEN c.report::jsonb #> '{cap,feat}' ? 'live'"
        "   THEN -interval '1 minute' ELSE coalesce(p.alarm_lead_min, 30) * interval '1 minute' END"
        " AND (g.first_ver IS NULL"
        "   OR (c.rep_epoch, c.rep_ver) < (g.first_epoch, g.first_ver) OR g.rejected IS NOT NULL OR c.quarantine"
        "   OR c.report::jsonb -> 'pend' ? replace(g.id::text, '-', ''))"
        " AND g.created_at < $1::timestamptz - interval '20 seconds'"
        " RETURNING g.reservation, f.municipality",
        now,
    )
    for one in sorted({(one.reservation, one.municipality) for one in late}):
        await tell("access.unconfirmed", *one, now)


async def note_two_servers(now: datetime) -> None:
    """Another installation uses our broker account (§2.4); the alarm closes ten minutes after the last time."""
    async with db.transaction():
        seen = await db.run(
            "UPDATE door_alarm SET seen_at = $1 WHERE kind = 'two_servers' AND closed_at IS NULL", now
        )
        if not seen:
            await _open(_Holds(None, None, "two_servers", []), now)
