"""Judge a report: only what we wrote ourselves, proved by its digest, moves a grant (lock protocol §12.2)."""

import logging
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, journal, outbox
from booking.locks import codes, commands, ignored, reserve
from booking.locks.contents import lacks_room
from booking.locks.grants import tell
from booking.locks.refusals import take_refusals
from booking.locks.rollbacks import withdraw_removals
from booking.locks.snapshots import Owed
from booking.locks.telling import opens_otherwise, tell_bookers
from booking.locks.versions import PUBLISH, raise_versions
from booking.lockwire.envelope import Opened
from booking.lockwire.messages import Report
from booking.people import Actor

log = logging.getLogger("booking.locks")


class _Before(db.Record):
    """What the controller's row said until now."""

    municipality: str
    gen: int
    old_gen: int | None
    epoch: int
    want_ver: int
    broker_epoch: int
    broker_ver: int
    rep_epoch: int
    rep_ver: int
    rep_boot: int
    rep_rs: int
    sid: str | None
    quarantine: bool
    offline_at: datetime | None
    report: str | None
    horizon_end: datetime | None


# Locks the controller's row. The commit waits for no disk: a lost judgement is made again from the retained report.
_BEFORE = f"""
SELECT f.municipality, c.gen, c.old_gen, c.epoch, c.want_ver, c.broker_epoch, c.broker_ver, c.rep_epoch,
  c.rep_ver, c.rep_boot, c.rep_rs, c.sid, c.quarantine, c.offline_at, c.report,
  (SELECT s.horizon_end FROM snapshot_log s
    WHERE s.controller = c.id AND s.epoch = $3 AND s.ver = $4 AND s.digest = $5) AS horizon_end
FROM controller c JOIN facility f ON f.id = c.facility
WHERE c.id = $1 AND (c.gen = $2 OR c.old_gen = $2) AND {db.NOT_WAITED_FOR} FOR NO KEY UPDATE OF c
"""


async def judge(row: Owed, opened: Opened, report: Report, now: datetime) -> None:
    """The controller's row and its grants say what this report proves; an older or unknown one proves nothing."""
    async with db.transaction():
        version = (opened.epoch, opened.ver)
        before = await db.row(_Before, _BEFORE, row.id, opened.gen, *version, report.dig)
        if before is not None and opened.gen != before.gen:
            await _note_old_key(row.id, report, now)
            return
        if before is None or (report.boot, report.rs) == (before.rep_boot, before.rep_rs):
            return  # the retained copy of the last one
        if (report.boot, report.rs) < (before.rep_boot, before.rep_rs):
            ignored.note(row.id, "reported", "older")  # late, or played back by somebody
            return
        recognised = report.dig is None if version == (0, 0) else before.horizon_end is not None
        if not recognised and _is_settled(before, version):
            await db.run(_NOTE, *_noted(row.id, version, report, now, quarantine=False))
            return
        if before.quarantine or not recognised:
            await db.run(_NOTE, *_noted(row.id, version, report, now, quarantine=True))
            await _quarantine(row.id, before, now)
            return
        reported = (before.rep_epoch, before.rep_ver)
        if version != (0, 0) and (version < reported or reported == (0, 0)):
            await withdraw_removals(row.id, version, before.municipality, now)
        has_told = await _move_grants(row.id, version, report, before, now)
        if _has_more_room(before, report) and await lacks_room(row.id, now):
            await raise_versions([row.id], now=now)
        # A new connection gets what it lacks at once, if the broker does not hold it already; one that goes on
        # lacking it is left to `reconcile`.
        wanted = (before.epoch, before.want_ver)
        if wanted not in (version, (before.broker_epoch, before.broker_ver)) and report.sid != before.sid:
            await outbox.put(PUBLISH, key=row.id, now=now)
        if not has_told and _visibly_changed(before, version, report):
            await _tell_doors("doors.changed", before.municipality, now)
        if before.offline_at is not None or opens_otherwise(before.report, report):
            await tell_bookers("doors.changed", [row.id], now)


def _is_settled(before: _Before, version: tuple[int, int]) -> bool:
    """True if an operator has ended the quarantine for just this version: it is on its way out, and proves nothing."""
    reported = (before.rep_epoch, before.rep_ver)
    return not before.quarantine and version == reported and version[0] < before.epoch


_NOTE = """
UPDATE controller SET rep_epoch = $2, rep_ver = $3, rep_boot = $5, rep_rs = $6, sid = $7, report = $8, last_seen = $4,
  rep_at = $4, offline_at = NULL, quarantine = $9, old_gen = NULL, old_key = NULL,
  retry_s = CASE WHEN (rep_epoch, rep_ver) < ($2, $3) THEN 5 ELSE retry_s END WHERE id = $1
"""


def _noted(
    controller: str, version: tuple[int, int], report: Report, now: datetime, *, quarantine: bool
) -> tuple[object, ...]:
    text = msgspec.json.encode(report).decode()
    return controller, *version, now, report.boot, report.rs, report.sid, text, quarantine


async def _note_old_key(controller: str, report: Report, now: datetime) -> None:
    """It is alive but has not taken what the new key seals: staff see that, and why; nothing moves."""
    await db.run(
        "UPDATE controller SET report = $2, last_seen = $3, offline_at = NULL, sid = $4 WHERE id = $1",
        controller,
        msgspec.json.encode(report).decode(),
        now,
        report.sid,
    )


async def _quarantine(controller: str, before: _Before, now: datetime) -> None:
    """Nothing more is published to it until an operator confirms (§12.5)."""
    if before.quarantine:
        return
    await db.run("UPDATE controller SET quarantined_at = $2, listing = NULL WHERE id = $1", controller, now)
    await commands.ask_listing(controller, now)
    log.error("restore quarantine: controller=%s reports a version this database never wrote", controller)
    await _tell_doors("controller.quarantine", before.municipality, now)


def _has_more_room(before: _Before, report: Report) -> bool:
    """Before its first report a controller is taken for the smallest there may be (§12.1.4)."""
    return before.report is None or msgspec.json.decode(before.report, type=Report).cap != report.cap


def _visibly_changed(before: _Before, version: tuple[int, int], report: Report) -> bool:
    if (
        before.report is None
        or before.offline_at is not None
        or version != (before.rep_epoch, before.rep_ver)
    ):
        return True
    known = msgspec.json.decode(before.report, type=Report)
    return (known.doors, known.clk.src, known.bad) != (report.doors, report.clk.src, report.bad)


class _Moved(db.Record):
    id: UUID
    reservation: UUID | None


class _Proved(_Moved):
    is_removed: bool
    has_reserve: bool


# What a report proves, in one statement: three kinds of grants, none of which is of two.
# $1 to $9 as in _NOTE ($1 controller, $2 $3 the version it has, $4 now), $10 what its locks have not confirmed,
# $11 what it refuses, $12 where its horizon ends: what begins later does not stand in that version.
# (`gone_at IS NULL` follows from the rest; it lets the index of what is still watched be used.)
_PROVED = f"""
WITH noted AS ({_NOTE}), applied AS (
  UPDATE access_grant SET applied_at = $4, rejected = NULL, stale_nb = NULL, stale_na = NULL
  WHERE controller = $1 AND gone_ver IS NULL AND gone_at IS NULL AND (first_epoch, first_ver) <= ($2, $3)
    AND (applied_at IS NULL OR rejected IS NOT NULL) AND id <> ALL($10) AND id <> ALL($11)
    AND nb < coalesce($12, 'infinity'::timestamptz)
  RETURNING id, reservation
), removed AS (
  UPDATE access_grant SET gone_at = $4
  WHERE controller = $1 AND gone_at IS NULL AND gone_ver IS NOT NULL AND id <> ALL($10)
    AND ((gone_epoch, gone_ver) <= ($2, $3) OR $3 = 0)
  RETURNING id, reservation
), lost AS (
  -- An emptied or rolled-back device has lost what it had; a bridge's lock, or a live one, whose window is over.
  UPDATE access_grant SET applied_at = NULL
  WHERE controller = $1 AND applied_at IS NOT NULL AND gone_ver IS NULL AND gone_at IS NULL
    AND ((first_epoch, first_ver) > ($2, $3) OR first_ver IS NULL
      OR (id = ANY($10) AND nb < coalesce($12, 'infinity'::timestamptz)))
), beyond AS (
  -- Moved beyond the horizon: the door has let the old window go, and gets the new one with a later version.
  UPDATE access_grant SET first_epoch = NULL, first_ver = NULL, applied_at = NULL, stale_nb = NULL, stale_na = NULL
  WHERE controller = $1 AND nb >= $12 AND gone_ver IS NULL AND gone_at IS NULL
    AND (first_epoch, first_ver) <= ($2, $3) AND id <> ALL($10)
)
SELECT id, reservation, false AS is_removed,
  EXISTS (SELECT FROM access_grant r WHERE r.controller = $1 AND r.role = 'reserve'
    AND r.reservation IS NOT NULL AND r.gone_ver IS NULL AND r.gone_at IS NULL) AS has_reserve
FROM applied
UNION ALL SELECT id, reservation, true, false FROM removed
"""


async def _move_grants(
    controller: str, version: tuple[int, int], report: Report, before: _Before, now: datetime
) -> bool:
    """The report and what it proves of each grant are stored; True if pages of the municipality have been told."""
    pending = [UUID(id) for id in report.pend if _is_uuid(id)]
    refused = {UUID(each.id): each.why for each in report.rej if _is_uuid(each.id)}
    noted = _noted(controller, version, report, now, quarantine=False)
    municipality = before.municipality
    proved = await db.rows(_Proved, _PROVED, *noted, pending, list(refused), before.horizon_end)
    removed = [one.id for one in proved if one.is_removed]
    if removed:
        await codes.free(removed, at=now)
    if any(one.has_reserve for one in proved):
        await reserve.take_back(controller, now)
    arrived = sorted({one.reservation for one in proved if one.reservation and not one.is_removed})
    left = sorted({one.reservation for one in proved if one.reservation and one.is_removed})
    for action, bookings in (("access.applied", arrived), ("access.removed", left)):
        for booking in bookings:
            await tell(action, booking, municipality, now)
    await take_refusals(controller, version, refused, municipality, now)
    return bool(arrived or left)


def _is_uuid(id: str) -> bool:
    return len(id) == 32 and all(digit in "0123456789abcdef" for digit in id)


async def tell_doors(action: str, controller: str, now: datetime) -> None:
    """Open pages of the municipality's doors learn that something about this controller changed."""
    municipality = await db.value(
        str,
        "SELECT f.municipality FROM controller c JOIN facility f ON f.id = c.facility WHERE c.id = $1",
        controller,
    )
    if municipality is not None:
        await _tell_doors(action, municipality, now)


async def _tell_doors(action: str, municipality: str, now: datetime) -> None:
    topics = [f"doors:{municipality}"]
    await journal.record(action, about=None, by=Actor.system(), now=now, topics=topics)
