"""Time that becomes free: gone from the calendar, and owed to those who wait for it. In the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, outbox

TIME_FREED = "time_freed"


class Freed(msgspec.Struct, frozen=True):
    """Leaves that somebody else may have for a while, or one waiting entry that is new."""

    leaves: tuple[int, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    waiting: UUID | None = None


class _Gone(db.Record):
    leaves: list[int]
    starts_at: datetime
    ends_at: datetime


# An offered hold that gives its time up has lapsed. Who joins the queue meanwhile is looked at when they have joined.
_GIVE_UP = """
WITH gone AS (DELETE FROM occupancy WHERE reservation = ANY($1) RETURNING reservation, leaf, starts_at, ends_at),
lapsed AS (UPDATE waiting SET state = 'lapsed' WHERE offer = ANY($1) AND state = 'offered')
SELECT array_agg(leaf) AS leaves, min(starts_at) AS starts_at, max(ends_at) AS ends_at FROM gone
GROUP BY reservation HAVING max(ends_at) > $2 AND EXISTS (SELECT FROM waiting w
  WHERE w.state = 'waiting' AND w.from_at < max(gone.ends_at) AND w.to_at > min(gone.starts_at))
"""


async def give_up(reservations: Sequence[UUID], now: datetime) -> None:
    """The reservations take no time, and whoever waits for such a time will be looked at."""
    for one in await db.rows(_Gone, _GIVE_UP, list(reservations), now):
        await _owe(one.leaves, one.starts_at, one.ends_at, now)


_CUT = """
WITH old AS (SELECT id, leaf, ends_at FROM occupancy WHERE reservation = ANY($1) AND starts_at < $2 AND ends_at > $2),
gone AS (UPDATE occupancy o SET ends_at = $2 FROM old WHERE o.id = old.id)
SELECT array_agg(leaf) AS leaves, $2::timestamptz AS starts_at, max(ends_at) AS ends_at FROM old
HAVING EXISTS (SELECT FROM waiting w WHERE w.state = 'waiting' AND w.from_at < max(old.ends_at) AND w.to_at > $2)
"""


async def cut_short(reservations: Sequence[UUID], at: datetime, now: datetime) -> None:
    """The reservations take no time after this instant, and whoever waits for such a time will be looked at."""
    for one in await db.rows(_Gone, _CUT, list(reservations), at):
        await _owe(one.leaves, one.starts_at, one.ends_at, now)


async def note_taken(hold_id: UUID) -> None:
    """If the hold was an offer to somebody who waited, they have taken it."""
    await db.run("UPDATE waiting SET state = 'taken' WHERE offer = $1 AND state = 'offered'", hold_id)


async def _owe(leaves: Iterable[int], start: datetime, end: datetime, now: datetime) -> None:
    await outbox.put(TIME_FREED, payload=Freed(tuple(sorted(set(leaves))), start, end), now=now)
