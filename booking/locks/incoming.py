"""What controllers say: opened, checked, and handed to the one function that cares. Untrusted until then (§15.11)."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from booking import db
from booking.locks import commands, events, ignored, reports, snapshots
from booking.locks.packets import Incoming, Packet
from booking.locks.snapshots import Owed
from booking.lockwire import envelope, ids
from booking.lockwire.envelope import Dropped, Opened
from booking.lockwire.messages import Report, Result, Status, TimeAnswer, TimeRequest, events_of
from booking.lockwire.strict import StrictError, parse

log = logging.getLogger("booking.locks")

DRIFT, UNTRUSTED = timedelta(seconds=30), timedelta(seconds=300)


async def receive(message: Incoming, now: datetime) -> list[Packet]:
    """The message has had its effect, committed; returns what to answer. Anything wrong with it: no effect."""
    found = ids.parse_topic(message.topic)
    if found is None or found[1] != "up" or not message.payload:
        return []
    if found[2] == "status" and _is_online(message.payload):
        return []  # says nothing that the report beside it does not prove
    row, opened = _opened_as_known(found[0], message) if found[2] == "reported" else (None, None)
    if row is None:
        row = await snapshots.owed(found[0])
    if row is None:
        return []  # unknown ids are never created on their word
    if found[2] == "status":
        await _take_status(row.id, message.payload, now)
        return []
    act = _ACTS.get(found[2])
    if act is None:
        return []
    try:
        opened = opened or _open(row, message)
        before = row.before()
        return await act(row if before is None or opened.gen == row.gen else before, opened, now)
    except (Dropped, StrictError) as error:
        why = error.why if isinstance(error, Dropped) else "schema"
        ignored.note(row.id, found[2], why)
        log.warning("dropped: controller=%s message=%s why=%s", row.id, found[2], error)
        return []


def _open(row: Owed, message: Incoming) -> Opened:
    """Return what the message says. Raises Dropped.

    In a planned change of key the old one is heard, too, until the new one has reported.
    """
    before = row.before()
    known = [row.keys()] if before is None else [row.keys(), before.keys()]
    return envelope.unseal(message.payload, known, "up", message.topic)


# Rows as last read, for their keys alone: `judge` looks at the present row for all else, its generation included.
_known: dict[str, Owed] = {}


def _opened_as_known(controller: str, message: Incoming) -> tuple[Owed | None, Opened | None]:
    """Return the row whose keys open a report without asking the database, and what it says; else nothing."""
    row = _known.get(controller)
    if row is None:
        return None, None
    try:
        return row, _open(row, message)
    except Dropped:  # a new key, or nobody's: the database knows
        del _known[controller]
        return None, None


async def is_genuine(message: Incoming) -> bool:
    """True if the seal holds: the controller itself has said this, be it long ago."""
    found = ids.parse_topic(message.topic)
    row = None if found is None else await snapshots.owed(found[0])
    if row is None:
        return False
    try:
        _open(row, message)
    except Dropped:
        return False
    return True


async def _take_report(row: Owed, opened: Opened, now: datetime) -> list[Packet]:
    await reports.judge(row, opened, parse(opened.plain, Report), now)
    _known[row.id] = row
    return []


async def _take_events(row: Owed, opened: Opened, now: datetime) -> list[Packet]:
    return await events.store(row, events_of(opened.plain), now)


async def _take_result(row: Owed, opened: Opened, now: datetime) -> list[Packet]:
    result = parse(opened.plain, Result)
    log.info("result: controller=%s command=%s ok=%s why=%s", row.id, result.id, result.ok, result.why)
    await commands.take_result(row.id, result, now)
    return []


async def _take_time(row: Owed, opened: Opened, now: datetime) -> list[Packet]:
    """Answer at once, and compare its clock with ours (§9.6)."""
    asked = parse(opened.plain, TimeRequest)
    utc_ms = int(now.timestamp() * 1_000)
    clock = "untrusted"
    if asked.utc_ms is not None:
        off = timedelta(milliseconds=abs(asked.utc_ms - utc_ms))
        clock = "ok" if off <= DRIFT else "drift" if off <= UNTRUSTED else "untrusted"
    await db.run(
        "UPDATE controller SET clock = $2, last_seen = $3 WHERE id = $1 AND (clock <> $2 OR"
        f" coalesce(last_seen, '-infinity') < $3) AND {db.NOT_WAITED_FOR}",
        row.id,
        clock,
        now,
    )
    return [snapshots.sealed(row, "time", msgspec.json.encode(TimeAnswer(asked.n, utc_ms)), qos=0)]


def _is_online(payload: bytes) -> bool:
    try:
        return parse(payload, Status).st == "online"
    except StrictError:
        return False


async def _take_status(controller: str, payload: bytes, now: datetime) -> None:
    """A hint only: it never moves a grant, and an older connection's will is ignored (§10)."""
    try:
        status = parse(payload, Status)
    except StrictError:
        ignored.note(controller, "status", "schema")
        return
    if status.st == "offline":
        changed = await db.run(
            "UPDATE controller SET offline_at = $3 WHERE id = $1 AND sid = $2 AND offline_at IS NULL",
            controller,
            status.sid,
            now,
        )
        if changed:
            await reports.tell_doors("controller.offline", controller, now)


_ACTS: dict[str, Callable[[Owed, Opened, datetime], Awaitable[list[Packet]]]] = {
    "reported": _take_report,
    "evt": _take_events,
    "res": _take_result,
    "time": _take_time,
}
