"""Staff take time over many resources at once: closures, maintenance, out of order, events, own use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal
from uuid import UUID

from booking import db, journal, places
from booking.clock import SWEDEN
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor, Role
from booking.places import Resource
from booking.reservations.displacing import Cause, Decision, give_way
from booking.reservations.freeing import cut_short, give_up
from booking.reservations.outlook import Claim, taken_in
from booking.reservations.recurrence import Pattern, Wall, expand, read_rule
from booking.reservations.rows import COLUMNS, Row, expire
from booking.reservations.writing import NewRow, Part, lock_leaves, take
from booking.span import Span

Category = Literal["closure", "maintenance", "out_of_order", "event", "own_use"]
MOST_ROWS = 2000
STANDING = ("confirmed", "awaiting_payment", "requested")


class BlockOverlaps(Conflict):
    """Some of the time is blocked already; `blocks` says by what."""

    code = "block_overlaps"


class AffectedBookings(Conflict):
    """Bookings are in the way that nobody has decided about; `affected` lists them."""

    code = "affected_bookings"

    def __init__(self, detail: str, bookings: list[UUID]) -> None:
        super().__init__(detail, reservations=bookings)
        self.bookings = bookings


@dataclass(frozen=True, slots=True)
class BlockWish:
    """What staff want to keep for the owner: resources, a first time, and a rule if it recurs."""

    municipality: str
    category: Category
    title: str
    reason: str
    resources: tuple[UUID, ...]
    span: Span
    rrule: str | None = None

    @property
    def spans(self) -> list[Span]:
        """Every time, on the wall clock of the first one. Raises BadRule."""
        if self.rrule is None:
            return [self.span]
        start, end = self.span.start.astimezone(SWEDEN), self.span.end.astimezone(SWEDEN)
        opens = start.hour * 60 + start.minute
        length = end.replace(tzinfo=None) - start.replace(tzinfo=None)
        first = Wall(start.date(), opens, opens + int(length / timedelta(minutes=1)))
        found = [one.span for one in expand(Pattern(first, read_rule(self.rrule))) if one.span is not None]
        if any(one.end > other.start for one, other in pairwise(found)):
            raise Rejected("the times of the block overlap each other", code="overlaps_itself")
        return found


@dataclass(frozen=True, slots=True)
class Ground:
    """What a block covers: each resource with the leaves that no earlier one of the list has, and all of them."""

    parts: tuple[tuple[Resource, tuple[int, ...]], ...]
    spans: tuple[Span, ...]

    @property
    def leaves(self) -> tuple[int, ...]:
        """Every leaf, once."""
        return tuple(leaf for _, leaves in self.parts for leaf in leaves)


async def ground_of(wish: BlockWish, by: Actor, now: datetime) -> Ground:
    """Return what the block would cover from now on. Raises NotFound for others than the owner's staff, BadRule, Rejected."""
    by.must_have(wish.municipality, Role.STAFF)
    found = await places.resources_by_id(list(wish.resources))
    for id in wish.resources:
        if id not in found or found[id].facility.municipality.code != wish.municipality:
            raise NotFound("there is no such resource here", code="unknown_resource")
    wanted = [found[id] for id in wish.resources]
    pools = [one.id for one in wanted if not one.leaves]
    units = await db.column(UUID, "SELECT id FROM resource WHERE parent = ANY($1)", pools)
    wanted += (await places.resources_by_id(units)).values()
    spans = [Span(max(one.start, now), one.end) for one in wish.spans if one.end > now]
    if wish.spans and not spans:
        raise Rejected("all of these times have passed", code="past")
    parts, used = [], set[int]()
    for one in sorted(wanted, key=lambda each: -len(each.leaves)):
        fresh = tuple(leaf for leaf in one.leaves if leaf not in used)
        used |= set(fresh)
        if fresh:
            parts.append((one, fresh))
    if not parts or not spans or len(parts) * len(spans) > MOST_ROWS:
        raise Rejected(f"a block has between 1 and {MOST_ROWS} times and resources", code="block_too_large")
    return Ground(tuple(parts), tuple(spans))


class _Blocking(db.Record):
    id: UUID
    title: str


@dataclass(frozen=True, slots=True)
class InTheWay:
    """Who has time that a block would take: bookings, holds of visitors, other blocks."""

    bookings: list[Row]
    holds: list[Row]
    blocks: list[_Blocking]


async def in_the_way(ground: Ground, now: datetime, *, lock: bool = False) -> InTheWay:
    """Return who is in the way of a block, in order of start. Exact while the leaves are locked, else a hint."""
    claims = [Claim(ground.leaves, span) for span in ground.spans]
    met = sorted({one.reservation for each in await taken_in(claims, now) for one in each})
    rows = await db.rows(
        Row,
        f"SELECT {COLUMNS} FROM reservation WHERE id = ANY($1) ORDER BY id"
        + (" FOR NO KEY UPDATE" if lock else ""),
        met,
    )
    # A gap after a booking is not in the way of a block: only the booking's own time counts.
    rows = [one for one in rows if any(one.span.overlaps(span) for span in ground.spans)]
    blocks = await db.rows(
        _Blocking,
        "SELECT DISTINCT b.id, b.title FROM staff_block b JOIN reservation r ON r.block = b.id WHERE r.id = ANY($1)",
        [one.id for one in rows],
    )
    standing = sorted(
        (one for one in rows if one.state in STANDING and one.party), key=lambda one: one.starts_at
    )
    return InTheWay(standing, [one for one in rows if one.state == "held"], blocks)


async def create_block(wish: BlockWish, decisions: Sequence[Decision], *, by: Actor, now: datetime) -> UUID:
    """The time is the owner's, and every booking in the way is moved or cancelled as decided, or nothing happens.

    Holds that nobody has booked yet just end. Raises AffectedBookings (`reservations`) for those without a decision,
    BlockOverlaps, SlotTaken where a booking can't be moved to, NotFound, BadRule.
    """
    ground = await ground_of(wish, by, now)
    aside = await _leaves_of(decisions)
    block = new_id()

    async def act() -> None:
        async with db.transaction():
            await lock_leaves({*ground.leaves, *aside})
            found = await in_the_way(ground, now, lock=True)
            if found.blocks:
                named = [{"id": one.id, "title": one.title} for one in found.blocks]
                raise BlockOverlaps("some of this time is blocked already", blocks=named)
            by_id = {one.reservation: one for one in decisions}
            unsaid = [one.id for one in found.bookings if one.id not in by_id]
            if unsaid:
                raise AffectedBookings("bookings are in the way", unsaid)
            await _insert(block, wish, by, now)
            for held in found.holds:
                await expire(held, now)
            cause = Cause(wish.reason or wish.title, block)
            await give_way([(one, by_id[one.id]) for one in found.bookings], cause, by=by, now=now)
            await _cut_gaps(ground)
            await take(_rows(block, wish, ground, now), now=now)
            topics = [f"timeline:{wish.municipality}"]
            await journal.record(
                "block.created", about=block, by=by, now=now, topics=topics, affected=len(found.bookings)
            )

    await db.retried(act)
    return block


async def _leaves_of(decisions: Sequence[Decision]) -> list[int]:
    """Return the leaves that the bookings have and those that they move to: all are locked before any row."""
    return await db.column(
        int,
        "SELECT leaf FROM occupancy WHERE reservation = ANY($1) UNION"
        " SELECT l.leaf FROM resource_leaf l WHERE l.resource = ANY($2) UNION"
        " SELECT l.leaf FROM resource_leaf l JOIN reservation r ON r.resource = l.resource WHERE r.id = ANY($1)",
        [one.reservation for one in decisions],
        [one.resource_id for one in decisions if one.resource_id is not None],
    )


async def _insert(block: UUID, wish: BlockWish, by: Actor, now: datetime) -> None:
    await db.run(
        "INSERT INTO staff_block (id, municipality, category, title, reason, rrule, created_by, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        block,
        wish.municipality,
        wish.category,
        wish.title,
        wish.reason,
        wish.rrule,
        by.account,
        now,
    )


async def _cut_gaps(ground: Ground) -> None:
    """The gap after a booking ends where the block begins: the owner needs no distance to itself."""
    starts = [span.start for span in ground.spans]
    await db.run(
        "UPDATE occupancy o SET ends_at = w.at FROM unnest($1::timestamptz[]) AS w(at), reservation r"
        " WHERE o.leaf = ANY($2) AND o.starts_at < w.at AND o.ends_at > w.at AND r.id = o.reservation"
        " AND r.ends_at <= w.at",
        starts,
        list(ground.leaves),
    )


def _rows(block: UUID, wish: BlockWish, ground: Ground, now: datetime) -> list[NewRow]:
    return [
        NewRow(
            id=new_id(),
            parts=(Part(resource.id, leaves),),
            span=span,
            municipality=wish.municipality,
            state="confirmed",
            purpose="other",
            created_at=now,
            kind="block",
            title=wish.title,
            block=block,
            confirmed_at=now,
        )
        for span in ground.spans
        for resource, leaves in ground.parts
    ]


@db.retrying
async def lift_block(block: UUID, *, by: Actor, now: datetime, since: datetime | None = None) -> None:
    """The block's time from `since` (or now) on is free. What it moved or cancelled stays so. Raises NotFound.

    A row that is running ends there. Lifting what is lifted is a no-op.
    """
    at = max(since or now, now)
    async with db.transaction():
        town = await db.value(str, "SELECT municipality FROM staff_block WHERE id = $1", block)
        if town is None or not by.has(town, Role.STAFF):
            raise NotFound("there is no such block")
        leaves = await db.column(
            int,
            "SELECT DISTINCT o.leaf FROM occupancy o JOIN reservation r ON r.id = o.reservation WHERE r.block = $1",
            block,
        )
        await lock_leaves(leaves)
        under_way = await db.column(
            UUID,
            "SELECT id FROM reservation WHERE block = $1 AND starts_at < $2 AND ends_at > $2",
            block,
            at,
        )
        await cut_short(under_way, at, now)
        await db.run(
            "UPDATE reservation SET ends_at = $2, version = version + 1 WHERE block = $1 AND starts_at < $2"
            " AND ends_at > $2",
            block,
            at,
        )
        freed = await db.column(
            UUID,
            "UPDATE reservation SET state = 'cancelled', cancelled_at = $3, cancelled_by = 'municipality',"
            " version = version + 1 WHERE block = $1 AND starts_at >= $2 AND state = 'confirmed' RETURNING id",
            block,
            at,
            now,
        )
        await give_up(freed, now)
        await db.run("UPDATE staff_block SET lifted_at = coalesce(lifted_at, $2) WHERE id = $1", block, at)
        await journal.record("block.lifted", about=block, by=by, now=now, topics=[f"timeline:{town}"])
