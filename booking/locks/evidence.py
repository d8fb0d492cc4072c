"""Rows about a booking that is over: windows and events at its doors, and what its controllers can vouch for."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db
from booking.locks import traces
from booking.locks.traces import Free, Happening, Trace, Window
from booking.lockwire.messages import Report

AROUND = timedelta(hours=28)  # a neighbour's window may begin so long before its time: a day, and FOLLOWED

# The booking's grants that stood to the end, and the doors they open: a hall it was moved from is not among them.
_STOOD = """
WITH stood AS (
  SELECT g.*, coalesce(g.starts_at, g.nb) AS began_at FROM access_grant g
  WHERE g.reservation = $1 AND g.role = 'leader' AND (g.gone_ver IS NULL OR g.gone_asked_at >= g.na)
)
"""
_WINDOWS = (
    _STOOD
    + """
, mine AS (SELECT w.door, min(w.nb) AS nb, max(w.na) AS na FROM stood g JOIN grant_window w ON w.access_grant = g.id GROUP BY w.door)
SELECT DISTINCT o.reservation, o.holder, w.door, w.nb, w.na, coalesce(o.starts_at, o.nb) AS starts_at,
  coalesce(o.ends_at, o.na) AS ends_at
FROM mine m JOIN grant_window w ON w.door = m.door AND w.nb < m.na + $2::interval AND w.na > m.nb - $2::interval
  JOIN access_grant o ON o.id = w.access_grant
WHERE o.role = 'leader' AND o.reservation IS NOT NULL AND (o.gone_ver IS NULL OR o.gone_asked_at >= o.na)
"""
)

# Whose code it was counts only at the controller that holds it. Without a trusted clock it has no place in time.
_HAPPENED = """
SELECT e.door, e.at, e.kind, g.reservation, e.dur_s FROM door_event e
LEFT JOIN access_grant g ON g.id = e.access_grant AND g.controller = e.controller AND e.kind = 'granted'
WHERE e.door = ANY($1) AND e.at >= $2::timestamptz AND e.at < $3::timestamptz AND e.received_at >= $2::timestamptz
  AND e.clock <> 'none' ORDER BY e.at, e.id
"""
_FREE = """
SELECT door, confirmed_at AS start, until AS end FROM door_command
WHERE door = ANY($1) AND op = 'unlock' AND confirmed_at < $3 AND until > $2
"""


class Vouched(db.Record):
    """What one of the booking's controllers can vouch for, in the booking's time there."""

    municipality: str
    na: datetime
    last_seen: datetime | None
    rep_at: datetime | None
    ev_boot: int
    ev_seq: int
    report: str | None
    was_there: bool
    clock_ok: bool
    was_offline: bool
    lost: bool
    untimed_entry: bool


_VOUCHED = (
    _STOOD
    + """
, mine AS (
  SELECT g.controller, min(g.nb) AS nb, max(g.na) AS na, bool_and(coalesce(g.applied_at <= g.began_at, false)) AS was_there
  FROM stood g GROUP BY g.controller
), said AS (
  SELECT e.*, lag(e.at) OVER place AS before_at,
    e.lost IS NOT NULL OR (e.seq <> lag(e.seq) OVER place + 1) IS TRUE AS has_gap
  FROM mine m JOIN door_event e ON e.controller = m.controller AND e.received_at >= m.nb - interval '1 day'
  WINDOW place AS (PARTITION BY e.controller ORDER BY e.gen, e.boot, e.seq)
)
SELECT f.municipality, m.na, c.last_seen, c.rep_at, c.ev_boot, c.ev_seq, c.report, m.was_there,
  c.clock = 'ok' AND NOT c.quarantine AND NOT EXISTS (SELECT FROM door_alarm a WHERE a.controller = c.id
    AND a.kind = 'clock_untrusted' AND a.opened_at < m.na AND coalesce(a.closed_at, m.na) > m.nb)
  AND NOT EXISTS (SELECT FROM said e WHERE e.controller = c.id AND (
    (e.kind = 'clock' AND e.at >= m.nb AND e.at < m.na)
    OR ((e.at IS NULL OR e.clock = 'none') AND e.received_at >= m.nb))) AS clock_ok,
  c.retired_at IS NOT NULL OR EXISTS (SELECT FROM door_alarm a WHERE a.controller = c.id AND a.kind IN ('offline', 'quarantine')
    AND a.opened_at < m.na AND coalesce(a.closed_at, m.na) > m.nb)
  OR EXISTS (SELECT FROM said e WHERE e.controller = c.id AND e.kind = 'boot' AND e.at >= m.nb AND e.at < m.na) AS was_offline,
  EXISTS (SELECT FROM said e WHERE e.controller = c.id AND e.has_gap
    AND coalesce(e.before_at, '-infinity') < m.na AND coalesce(e.at, 'infinity') > m.nb) AS lost,
  EXISTS (SELECT FROM said e JOIN access_grant g ON g.id = e.access_grant AND g.controller = e.controller
    WHERE e.controller = c.id AND e.kind = 'granted' AND g.reservation = $1
      AND (e.at IS NULL OR e.clock = 'none')) AS untimed_entry
FROM mine m JOIN controller c ON c.id = m.controller JOIN facility f ON f.id = c.facility
"""
)


async def windows_around(reservation: UUID) -> list[Window]:
    """Return when leaders' codes open the booking's doors: its own, and others' that may matter to it."""
    return await db.rows(Window, _WINDOWS, reservation, AROUND)


async def vouched(reservation: UUID) -> list[Vouched]:
    """Return what each of the booking's controllers can vouch for."""
    return await db.rows(Vouched, _VOUCHED, reservation)


async def trace(windows: list[Window], reservation: UUID, now: datetime) -> Trace:
    """Return what has happened at the booking's doors, read as its own."""
    own = [one for one in windows if one.reservation == reservation]
    doors = sorted({one.door for one in own})
    party = [one.nb for one in windows if one.holder == own[0].holder and one.nb <= own[0].nb]
    start = min(party) - traces.SLACK
    end = max(one.na for one in own) + 2 * traces.FOLLOWED
    happened = await db.rows(Happening, _HAPPENED, doors, start, end)
    free = await db.rows(Free, _FREE, doors, start, end)
    return traces.read(reservation, windows, happened, free, now)


def heard(controllers: list[Vouched], until: datetime) -> bool:
    """Return True if each has reported after this instant, and everything that it then had to say is stored."""
    return all(
        one.last_seen is not None
        and one.rep_at is not None
        and one.last_seen > until + timedelta(minutes=1)
        and one.rep_at > until
        and _has_caught_up(one)
        for one in controllers
    )


def _has_caught_up(one: Vouched) -> bool:
    last = msgspec.json.decode(one.report, type=Report).ev.last if one.report else None
    return last is None or (one.ev_boot, one.ev_seq) >= tuple(last)
