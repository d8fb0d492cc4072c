"""What the doors tell of a booking that is over: evidence for no-show, overtime and doors left open."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, journal
from booking.locks import evidence
from booking.locks.evidence import Vouched, heard
from booking.locks.traces import Trace
from booking.people import Actor

SETTLED_AFTER = timedelta(minutes=10)  # past the last window
AGAIN_AFTER = timedelta(minutes=15)  # what is not final is judged anew
GIVEN_UP_AFTER = timedelta(days=7)  # a controller that is dark so long tells nothing any more
AT_ONCE = 200

Doubt = Literal[
    "not_heard", "not_in_door", "clock", "offline", "events_lost", "door_open", "tried", "same_party"
]


class DoorFacts(msgspec.Struct, frozen=True):
    """What the doors prove. Seconds; `never_used` is None where nothing is proved either way, `doubt` says why.

    It is True only if the code was in every door when the time began, the clock could be trusted, every event until
    after the end has arrived, and nobody can have come in otherwise. `is_final`: nothing more is expected.
    `overtime_s` counts from the end as booked, without grace.
    """

    first_entry_at: datetime | None
    last_use_at: datetime | None
    never_used: bool | None
    overtime_s: int
    held_s: int
    forced: int
    is_final: bool
    doubt: Doubt | None


class _Stored(db.Record):
    reservation: UUID
    first_entry_at: datetime | None
    last_use_at: datetime | None
    never_used: bool | None
    overtime_s: int
    held_s: int
    forced: int
    is_final: bool
    said: str | None


async def facts_of(reservations: list[UUID]) -> dict[UUID, DoorFacts]:
    """Return what is known of each booking that is over and opened a door; the others are absent.

    The one read of door facts, for pages, webhooks and fees. Not filtered by actor: callers have filtered.
    """
    rows = await db.rows(
        _Stored,
        "SELECT reservation, first_entry_at, last_use_at, never_used, overtime_s, held_s, forced, is_final,"
        " (SELECT j.data FROM journal j WHERE j.about = f.reservation AND j.action = 'access.settled'"
        " ORDER BY j.id DESC LIMIT 1) AS said FROM door_fact f WHERE reservation = ANY($1)",
        reservations,
    )
    return {row.reservation: _shown(row) for row in rows}


def _shown(row: _Stored) -> DoorFacts:
    said = msgspec.json.decode(row.said, type=dict[str, object]) if row.said else {}
    doubt: Doubt | None = None
    if row.never_used is None:
        doubt = msgspec.convert(said.get("doubt") or "not_heard", Doubt)
    return DoorFacts(
        row.first_entry_at,
        row.last_use_at,
        row.never_used,
        row.overtime_s,
        row.held_s,
        row.forced,
        row.is_final,
        doubt,
    )


# Not judged yet first: many bookings of a dark controller must not keep the others waiting.
_DUE = """
SELECT g.reservation FROM access_grant g LEFT JOIN door_fact f ON f.reservation = g.reservation
WHERE g.reservation IS NOT NULL AND g.role = 'leader' AND g.na < $1::timestamptz - $2::interval
  AND g.na > $1::timestamptz - $3::interval - interval '1 day'
  AND (g.gone_ver IS NULL OR g.gone_asked_at >= g.na)
  AND EXISTS (SELECT FROM grant_window w WHERE w.access_grant = g.id)
  AND (f.reservation IS NULL OR NOT f.is_final AND f.settled_at < $1::timestamptz - $4::interval)
GROUP BY g.reservation, f.settled_at ORDER BY f.settled_at NULLS FIRST, max(g.na) LIMIT $5
"""


async def settle_facts(now: datetime) -> int:
    """What the doors tell of every booking that is over is stored; returns how many became final.

    A booking is judged again until its controllers have been heard past the time in which its party may still have
    been there, or for a week.
    """
    due = await db.column(UUID, _DUE, now, SETTLED_AFTER, GIVEN_UP_AFTER, AGAIN_AFTER, AT_ONCE)
    return sum([await _settle(one, now) for one in due])


async def _settle(reservation: UUID, now: datetime) -> bool:
    async with db.transaction():
        windows = await evidence.windows_around(reservation)
        controllers = await evidence.vouched(reservation)
        ends_at = next((one.ends_at for one in windows if one.reservation == reservation), None)
        if ends_at is None:
            return False
        found = _judge(await evidence.trace(windows, reservation, now), controllers, ends_at, now)
        await _keep(reservation, found, now)
        if found.is_final:
            await _tell(reservation, found, controllers[0].municipality, now)
        return found.is_final


def _judge(trace: Trace, controllers: list[Vouched], ends_at: datetime, now: datetime) -> DoorFacts:
    over_at = max(one.na for one in controllers)
    has_entered = trace.first_entry_at is not None or any(one.untimed_entry for one in controllers)
    doubt = None if has_entered or trace.party_stayed else _doubt(trace, controllers)
    never_used = False if has_entered or trace.party_stayed else (True if doubt is None else None)
    may_be_there = has_entered or trace.party_was_in
    is_heard_out = heard(controllers, max(over_at, trace.until) if may_be_there else over_at)
    last = trace.last_use_at
    return DoorFacts(
        trace.first_entry_at,
        last,
        never_used,
        0 if last is None else max(0, int((last - ends_at).total_seconds())),
        trace.held_s,
        trace.forced,
        is_heard_out or over_at < now - GIVEN_UP_AFTER,
        doubt,
    )


def _doubt(trace: Trace, controllers: list[Vouched]) -> Doubt | None:
    """Return why the silence of the doors proves nothing; None if it does."""
    doubts: list[tuple[bool, Doubt]] = [
        (trace.party_was_in, "same_party"),
        (trace.was_tried, "tried"),
        (trace.was_open, "door_open"),
        (not all(one.was_there for one in controllers), "not_in_door"),
        (not all(heard([one], one.na) for one in controllers), "not_heard"),
        (any(one.was_offline for one in controllers), "offline"),
        (any(one.lost for one in controllers), "events_lost"),
        (not all(one.clock_ok for one in controllers), "clock"),
    ]
    return next((code for holds, code in doubts if holds), None)


async def _keep(reservation: UUID, found: DoorFacts, now: datetime) -> None:
    await db.run(
        "INSERT INTO door_fact (reservation, first_entry_at, last_use_at, never_used, overtime_s, held_s, forced,"
        " is_final, settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (reservation) DO UPDATE"
        " SET first_entry_at = $2, last_use_at = $3, never_used = $4, overtime_s = $5, held_s = $6, forced = $7,"
        " is_final = $8, settled_at = $9",
        reservation,
        found.first_entry_at,
        found.last_use_at,
        found.never_used,
        found.overtime_s,
        found.held_s,
        found.forced,
        found.is_final,
        now,
    )


async def _tell(reservation: UUID, found: DoorFacts, municipality: str, now: datetime) -> None:
    """Open pages of the booking and the doors learn of it, and so do webhooks; `doubt` stands nowhere else."""
    await journal.record(
        "access.settled",
        about=reservation,
        by=Actor.system(),
        now=now,
        topics=[f"reservation:{reservation}", f"doors:{municipality}"],
        **{name: getattr(found, name) for name in ("never_used", "doubt", "overtime_s", "held_s", "forced")},
    )
