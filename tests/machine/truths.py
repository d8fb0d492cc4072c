"""What is true of the calendar at every moment, asked of the rows by brute force, in SQL that is nobody else's."""

from datetime import datetime
from itertools import product
from uuid import UUID

from booking import billing, db, reservations

Step = tuple[str | None, str]

# Which states a deed may lead from and to. Anything may clear away what has run out (LAPSE, where the clock says so).
LAPSE: set[Step] = {("held", "expired"), ("awaiting_payment", "expired")}
_GRANT: set[Step] = {("requested", "confirmed"), ("requested", "awaiting_payment")}
_END: set[Step] = {("confirmed", "cancelled"), ("awaiting_payment", "cancelled"), ("requested", "cancelled")}
STEPS: dict[str, set[Step]] = {
    "hold": {(None, "held")},
    "reserve": {("held", "confirmed"), ("held", "awaiting_payment"), ("held", "requested")},
    "pay": {("awaiting_payment", "confirmed")},
    "cancel": _END,
    "release": {("held", "expired")},
    "extend": set(),
    "move": set(),
    "approve": _GRANT | {("requested", "rejected")},
    "reject": {("requested", "rejected")},
    "propose": set(),
    "answer": _GRANT,
    "block": _END | {("held", "expired"), (None, "confirmed")},
    "lift": {("confirmed", "cancelled")},
    "series": {(None, "confirmed"), (None, "requested")},
    "approve_series": _GRANT | {("requested", "rejected")},
    "reject_series": {("requested", "rejected")},
    "cancel_series": _END,
    "note_usage": set(),
    "expire": {("requested", "expired")},
    "complete": {("confirmed", "completed")},
}


def closed(steps: set[Step]) -> set[Step]:
    """Return the steps and every chain of them: what several deeds at once may lead to."""
    reach = set(steps)
    while more := {(a, d) for (a, b), (c, d) in product(reach, reach) if b == c} - reach:
        reach |= more
    return reach


class Stand(db.Record):
    """Where a reservation stands."""

    id: UUID
    state: str
    hold_until: datetime | None


async def standing() -> dict[UUID, Stand]:
    found = await db.rows(Stand, "SELECT id, state, hold_until FROM reservation")
    return {one.id: one for one in found}


def illegal(
    before: dict[UUID, Stand], after: dict[UUID, Stand], verbs: list[str], now: datetime
) -> list[tuple[Step, UUID]]:
    """Return the changes of state that none of the deeds may make."""
    allowed = closed(set().union(*(STEPS[verb] for verb in verbs)))
    wrong: list[tuple[Step, UUID]] = [
        ((one.state, "gone"), id) for id, one in before.items() if id not in after
    ]
    for id, one in after.items():
        was = before.get(id)
        step = (was.state if was else None, one.state)
        if step[0] == step[1] or step in allowed:
            continue
        if step in LAPSE and was and was.hold_until is not None and was.hold_until <= now:
            continue
        wrong.append((step, id))
    return wrong


QUESTIONS = {
    "two have the same leaf at the same time": (
        "SELECT a.reservation::text FROM occupancy a JOIN occupancy b ON a.leaf = b.leaf AND a.id < b.id"
        " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
    ),
    "one that stands lacks a leaf, or has one at another time": (
        "SELECT r.id::text || ' ' || r.state FROM reservation r JOIN (SELECT id AS reservation, resource FROM"
        " reservation WHERE kind = 'booking' UNION SELECT reservation, resource FROM reservation_extra) p"
        " ON p.reservation = r.id JOIN resource_leaf l ON l.resource = p.resource"
        " LEFT JOIN occupancy o ON o.reservation = r.id AND o.leaf = l.leaf"
        " WHERE r.state IN ('held', 'awaiting_payment', 'confirmed', 'completed')"
        " AND (o.id IS NULL OR o.starts_at <> r.starts_at OR o.ends_at < r.ends_at)"
    ),
    "one has a leaf that is not of its resource": (
        "SELECT r.id::text FROM reservation r JOIN occupancy o ON o.reservation = r.id WHERE kind = 'booking'"
        " AND NOT EXISTS (SELECT FROM resource_leaf l WHERE l.leaf = o.leaf AND l.resource = r.resource)"
    ),
    "a block has no time, or another than it says": (
        "SELECT r.id::text FROM reservation r LEFT JOIN occupancy o ON o.reservation = r.id AND o.starts_at ="
        " r.starts_at AND o.ends_at = r.ends_at WHERE r.kind = 'block' AND r.state = 'confirmed' AND o.id IS NULL"
    ),
    "one that has ended still has time": (
        "SELECT r.id::text || ' ' || r.state FROM reservation r JOIN occupancy o ON o.reservation = r.id"
        " WHERE r.state IN ('cancelled', 'expired', 'rejected')"
    ),
    "the calendar and the reservation disagree about until when it is kept": (
        "SELECT r.id::text || ' ' || r.state FROM reservation r JOIN occupancy o ON o.reservation = r.id WHERE"
        " o.hold_until IS DISTINCT FROM CASE WHEN r.state IN ('held', 'awaiting_payment') THEN r.hold_until END"
    ),
    "what stands is not charged once at its price": (
        "SELECT r.id::text || ' ' || r.price_ore || ' ' || coalesce(sum(c.total_ore), -1) FROM reservation r LEFT JOIN"
        " charge c ON c.source = r.id AND c.kind = 'usage' AND c.state IN ('open', 'free', 'invoiced', 'paid_direct')"
        " WHERE r.kind = 'booking' AND r.state IN ('confirmed', 'completed') GROUP BY r.id"
        " HAVING coalesce(sum(c.total_ore), -1) <> r.price_ore"
    ),
    "use is charged of what does not stand": (
        "SELECT r.id::text || ' ' || r.state FROM reservation r JOIN charge c ON c.source = r.id AND c.kind = 'usage'"
        " AND c.state IN ('open', 'free', 'invoiced', 'paid_direct') WHERE r.state NOT IN ('confirmed', 'completed')"
    ),
    "a door would open for who has nothing booked": (
        "SELECT r.id::text || ' ' || r.state FROM reservation r JOIN access_grant g ON g.reservation = r.id"
        " WHERE g.gone_ver IS NULL AND g.gone_at IS NULL AND r.state NOT IN ('confirmed', 'completed')"
    ),
}


_ALL = " UNION ALL ".join(
    f"SELECT ($1::text[])[{n}] || ': ' || told.what FROM ({sql}) told(what)"
    for n, sql in enumerate(QUESTIONS.values(), start=1)
)


async def lies(now: datetime) -> list[str]:
    """Return what is not as it should be."""
    found = await db.column(str, _ALL, list(QUESTIONS))
    return found + await reservations.wrong_leaves(now) + [str(one) for one in await billing.invariants()]


async def taken(leaves: list[int], start: datetime, end: datetime, now: datetime) -> bool:
    """Tell, by looking at every row, whether somebody has any of the leaves."""
    return bool(
        await db.value(
            bool,
            "SELECT EXISTS (SELECT FROM occupancy WHERE leaf = ANY($1) AND starts_at < $3 AND ends_at > $2"
            " AND (hold_until IS NULL OR hold_until > $4))",
            leaves,
            start,
            end,
            now,
        )
    )
