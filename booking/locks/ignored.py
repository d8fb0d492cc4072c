"""Messages that had no effect: counted, and told in the journal at most once a minute per kind (lock protocol §4.3)."""

from collections import Counter
from datetime import datetime, timedelta

from booking import db, journal
from booking.people import Actor

EVERY = timedelta(minutes=1)  # a flood must not become a flood of rows
ACTION = "controller.ignored"

Key = tuple[str, str, str]  # controller, message, why

_counts: Counter[Key] = Counter()  # not told yet, by this process
_told: dict[Key, datetime] = {}


class Ignored(db.Record):
    """So many messages of one controller had no effect, for this reason."""

    controller: str
    message: str
    why: str
    count: int


def note(controller: str, message: str, why: str) -> None:
    """One more message had no effect. The three words are ours or the controller's row's, never the sender's."""
    _counts[controller, message, why] += 1


async def tell(now: datetime) -> None:
    """What was counted stands in the journal, unless its kind was told within the last minute."""
    for key in [key for key in _counts if now - _told.get(key, now - EVERY) >= EVERY]:
        controller, message, why = key
        count = _counts.pop(key)
        try:
            town = await db.value(
                str,
                "SELECT f.municipality FROM controller c JOIN facility f ON f.id = c.facility WHERE c.id = $1",
                controller,
            )
            await journal.record(
                ACTION,
                about=None,
                by=Actor.system(),
                now=now,
                topics=[f"doors:{town}"],
                controller=controller,
                message=message,
                why=why,
                count=count,
            )
        except BaseException:
            _counts[key] += count
            raise
        _told[key] = now


async def ignored_since(since: datetime) -> list[Ignored]:
    """Return what had no effect since then, the most frequent first."""
    return await db.rows(
        Ignored,
        "SELECT d->>'controller' AS controller, d->>'message' AS message, d->>'why' AS why,"
        " sum((d->>'count')::bigint)::bigint AS count FROM journal, LATERAL (SELECT data::jsonb AS d) parsed"
        " WHERE action = $1 AND at >= $2 GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3",
        ACTION,
        since,
    )
