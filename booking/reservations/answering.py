"""Answers to requests as all of them are given: locked, decided, turned down, told. In the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from booking import db, journal, messages
from booking.people import Actor
from booking.reservations.freeing import give_up
from booking.reservations.rows import COLUMNS, Row

GIVEN_AWAY = "given_to_another"  # a decision in no clerk's words: pages know the sentence


async def lock_open(reservations: Sequence[UUID], now: datetime) -> list[Row]:
    """Return those that are still requests for a time ahead, by start, locked until the transaction ends."""
    found = await db.rows(
        Row,
        f"SELECT {COLUMNS} FROM reservation WHERE id = ANY($1) AND state = 'requested' AND starts_at > $2"
        " ORDER BY id FOR NO KEY UPDATE",
        list(reservations),
        now,
    )
    return sorted(found, key=lambda one: (one.starts_at, one.id))


async def decided(reservations: Sequence[UUID], who: UUID | None, why: str | None, now: datetime) -> None:
    """The rows say who has decided about them, when and why."""
    await db.run(
        "UPDATE reservation SET decided_at = $2, decided_by = $3, decision = $4 WHERE id = ANY($1)",
        list(reservations),
        now,
        who,
        why,
    )


async def turn_down(rows: Sequence[Row], reason: str, by: Actor, now: datetime) -> None:
    """The locked requests are refused and keep no time; nobody is told yet (`tell_refused`)."""
    if not rows:
        return
    ids = [one.id for one in rows]
    await give_up(ids, now)
    await db.run(
        "UPDATE reservation SET state = 'rejected', decided_at = $2, decided_by = $3, decision = $4,"
        " version = version + 1 WHERE id = ANY($1)",
        ids,
        now,
        by.account,
        reason,
    )
    towns: dict[str, UUID] = {}
    for one in rows:  # a day or queue that is open hears once of all of them
        towns.setdefault(one.municipality, one.id)
    notes = [
        journal.Note(
            "reservation.rejected",
            one.id,
            [f"reservation:{one.id}"]
            + ([f"timeline:{one.municipality}"] if towns[one.municipality] == one.id else []),
            {"reason": reason},
        )
        for one in rows
    ]
    await journal.record_many(notes, by=by, now=now)


async def tell_refused(rows: Sequence[Row], reason: str, now: datetime) -> None:
    """Whoever asked will get one message for each request, and one for all the times of a series."""
    asked: dict[UUID, list[Row]] = {}
    for one in rows:
        asked.setdefault(one.series or one.id, []).append(one)
    for times in asked.values():
        first, last = times[0], times[-1]
        if first.party is None:
            continue
        many: dict[str, object] = {}
        if len(times) > 1:
            many = {"count": len(times), "last_at": last.starts_at, "path": f"/serie/{first.series}"}
        await messages.owe(
            "request_decided",
            account=first.account,
            party=first.party,
            about=first.id,
            municipality=first.municipality,
            data={"reason": None if reason == GIVEN_AWAY else reason, **many},
            now=now,
        )


async def rivals_of(reservations: Sequence[UUID]) -> list[UUID]:
    """Return the other open requests for any of the same leaves at the same times, their own series' left out."""
    return await db.column(
        UUID,
        "WITH mine AS (SELECT DISTINCT l.leaf, m.starts_at, m.ends_at, m.municipality FROM reservation m"
        "  LEFT JOIN reservation_extra e ON e.reservation = m.id"
        "  JOIN resource_leaf l ON l.resource IN (m.resource, e.resource) WHERE m.id = ANY($1))"
        " SELECT DISTINCT r.id FROM reservation r LEFT JOIN reservation_extra e ON e.reservation = r.id"
        " JOIN resource_leaf l ON l.resource IN (r.resource, e.resource)"
        " JOIN mine ON mine.leaf = l.leaf AND mine.starts_at < r.ends_at AND mine.ends_at > r.starts_at"
        "  AND mine.municipality = r.municipality"
        " WHERE r.state = 'requested' AND r.id <> ALL($1) AND (r.series IS NULL OR r.series NOT IN"
        "  (SELECT series FROM reservation WHERE id = ANY($1) AND series IS NOT NULL)) ORDER BY r.id",
        list(reservations),
    )
