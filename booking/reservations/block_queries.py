"""Reads of staff blocks: what one would affect, which there are. For the owner's staff only."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import db, places
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.places import ResourceCard
from booking.reservations.blocks import BlockWish, Category, Ground, ground_of, in_the_way
from booking.reservations.judging import Alternative, Verdict, with_alternatives
from booking.reservations.offers import Customer
from booking.reservations.outlook import Claim, look_ahead, taken_in
from booking.reservations.pooling import Case
from booking.reservations.queries import cards_of
from booking.reservations.rows import Row
from booking.reservations.views import ReservationCard
from booking.span import Span


class Affected(db.Record):
    """A booking in the way of a block, and the best place it could be moved to at no higher price."""

    reservation: ReservationCard
    best: Alternative | None


class BlockPreview(db.Record):
    """How many times a block would have, what it would affect, and how many requests that keep no time."""

    occurrences: int
    affected: list[Affected]
    requests: int
    overlaps: list[str]


class BlockRow(db.Record):
    """One resource and time of a block."""

    id: UUID
    resource: ResourceCard
    start: datetime
    end: datetime


class Displaced(db.Record):
    """A booking that gave way, and what became of it."""

    reservation_id: UUID
    number: str
    outcome: str
    reason: str


class Block(db.Record):
    """A staff block with the times it still has and what it displaced."""

    id: UUID
    municipality: str
    category: Category
    title: str
    reason: str
    rrule: str | None
    rows: list[BlockRow]
    created_at: datetime
    lifted_at: datetime | None
    displaced: list[Displaced]


async def preview_block(wish: BlockWish, *, by: Actor, now: datetime) -> BlockPreview:
    """Return what the block would affect, each booking with the best alternative. Nothing is changed.

    Raises NotFound for others than the owner's staff, BadRule, Rejected.
    """
    ground = await ground_of(wish, by, now)
    found = await in_the_way(ground, now)
    cards = {one.id: one for one in await cards_of([one.id for one in found.bookings], by, now)}
    best = await _best(found.bookings, ground, now)
    affected = [Affected(cards[one.id], best.get(one.id)) for one in found.bookings if one.id in cards]
    return BlockPreview(
        len(ground.spans), affected, await _requests(ground), [one.title for one in found.blocks]
    )


async def _best(bookings: list[Row], ground: Ground, now: datetime) -> dict[UUID, Alternative]:
    """Return where each booking could go: asked once for each customer and purpose."""
    resources = await places.resources_by_id([one.resource for one in bookings])
    by_customer: dict[tuple[UUID | None, str], list[Row]] = {}
    for one in bookings:
        by_customer.setdefault((one.party, one.purpose), []).append(one)
    result: dict[UUID, Alternative] = {}
    for (party, purpose), rows in by_customer.items():
        cases = [Case(resources[one.resource], one.span) for one in rows]
        customer = Customer(party)
        outlook = await look_ahead(
            list({one.resource.id: one.resource for one in cases}.values()),
            [one.span for one in cases],
            customer,
            purpose,
            now,
        )
        day = timedelta(days=1)
        around = [Claim(tuple(one.resource.leaves), one.span.widened(before=day, after=day)) for one in cases]
        taken = [[each.span for each in met] for met in await taken_in(around, now)]
        closed = [
            [*each, *(ground.spans if set(one.resource.leaves) & set(ground.leaves) else ())]
            for one, each in zip(cases, taken, strict=True)
        ]
        verdicts = [Verdict(one, "taken", "blocked", None) for one in cases]
        offered = await with_alternatives(
            verdicts, closed, outlook, customer, without=frozenset(ground.leaves)
        )
        for row, verdict in zip(rows, offered, strict=True):
            if verdict.alternative is not None:
                result[row.id] = _no_dearer(verdict.alternative, row.price_ore)
    return result


def _no_dearer(alternative: Alternative, paid_ore: int) -> Alternative:
    price = None if alternative.price_ore is None else min(alternative.price_ore, paid_ore)
    return Alternative(alternative.resource, alternative.start, alternative.end, price)


async def _requests(ground: Ground) -> int:
    """Return how many pending requests want some of the time without keeping it."""
    found = await db.value(
        int,
        "SELECT count(DISTINCT r.id) FROM reservation r JOIN resource_leaf l ON l.resource = r.resource"
        " JOIN unnest($2::timestamptz[], $3::timestamptz[]) AS w(starts_at, ends_at)"
        "  ON r.starts_at < w.ends_at AND r.ends_at > w.starts_at"
        " WHERE r.state = 'requested' AND l.leaf = ANY($1)"
        " AND NOT EXISTS (SELECT FROM occupancy o WHERE o.reservation = r.id)",
        list(ground.leaves),
        [span.start for span in ground.spans],
        [span.end for span in ground.spans],
    )
    return found or 0


class _Head(db.Record):
    id: UUID
    municipality: str
    category: Category
    title: str
    reason: str
    rrule: str | None
    created_at: datetime
    lifted_at: datetime | None


class _Row(db.Record):
    id: UUID
    block: UUID
    resource: UUID
    starts_at: datetime
    ends_at: datetime


class _Displaced(db.Record):
    block: UUID
    reservation: UUID
    number: int
    outcome: str
    reason: str


_HEAD = "SELECT id, municipality, category, title, reason, rrule, created_at, lifted_at FROM staff_block b"


async def block_page(block: UUID, by: Actor) -> Block:
    """Return one block. Raises NotFound for others than the owner's staff."""
    head = await db.row(_Head, _HEAD + " WHERE id = $1", block)
    if head is None or not by.has(head.municipality, Role.STAFF):
        raise NotFound("there is no such block")
    return (await _blocks([head]))[0]


async def blocks_of(municipality: str, window: Span, by: Actor) -> list[Block]:
    """Return the blocks with time in the window, the latest made first. Raises NotFound elsewhere."""
    by.must_have(municipality, Role.STAFF)
    heads = await db.rows(
        _Head,
        _HEAD + " WHERE municipality = $1 AND EXISTS (SELECT FROM reservation r WHERE r.block = b.id"
        " AND r.state IN ('confirmed', 'completed') AND r.starts_at < $3 AND r.ends_at > $2)"
        " ORDER BY created_at DESC LIMIT 200",
        municipality,
        window.start,
        window.end,
    )
    return await _blocks(heads)


async def _blocks(heads: list[_Head]) -> list[Block]:
    ids = [one.id for one in heads]
    rows = await db.rows(
        _Row,
        "SELECT id, block, resource, starts_at, ends_at FROM reservation WHERE block = ANY($1)"
        " AND state IN ('confirmed', 'completed') ORDER BY starts_at, id",
        ids,
    )
    displaced = await db.rows(
        _Displaced,
        "SELECT d.block, d.reservation, r.number, d.outcome, d.reason FROM displacement d"
        " JOIN reservation r ON r.id = d.reservation WHERE d.block = ANY($1) ORDER BY r.number",
        ids,
    )
    found = await places.resources_by_id(list({one.resource for one in rows}))
    return [
        Block(
            head.id,
            head.municipality,
            head.category,
            head.title,
            head.reason,
            head.rrule,
            [
                BlockRow(one.id, found[one.resource].card, one.starts_at, one.ends_at)
                for one in rows
                if one.block == head.id
            ],
            head.created_at,
            head.lifted_at,
            [
                Displaced(one.reservation, f"B-{one.number:06d}", one.outcome, one.reason)
                for one in displaced
                if one.block == head.id
            ],
        )
        for head in heads
    ]
