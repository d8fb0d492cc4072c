"""The one way rows come into the calendar: leaf locks first, stale holds cleared, then one statement.

Every path (hold, series, block, move, approval) goes through here and so through the same constraint. All of it
happens in the caller's transaction, or in one of its own. Order of locks everywhere: quotas, leaves, rows.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from asyncpg import ExclusionViolationError

from booking import db
from booking.errors import Rejected
from booking.places import Resource, Rules
from booking.reservations.errors import PlaceChanged, SlotTaken
from booking.reservations.freeing import give_up
from booking.reservations.rows import COLUMNS, Row, expire
from booking.span import Span

Role = Literal["main", "together", "equipment"]


@dataclass(frozen=True, slots=True)
class Part:
    """A resource of a reservation: its leaves, each taken until `gap_min` after the end."""

    resource: UUID
    leaves: tuple[int, ...]
    gap_min: int = 0
    wished: UUID | None = None  # the pool it was picked from
    role: Role = "main"


def part_of(resource: Resource, rules: Rules, *, wished: UUID | None = None, role: Role = "main") -> Part:
    """Return the resource as a part of a reservation under the rules of its day."""
    return Part(resource.id, tuple(resource.leaves), rules.gap_min, wished, role)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A reservation to be written; the first part is its resource, the others are extras."""

    id: UUID
    parts: tuple[Part, ...]
    span: Span
    municipality: str
    state: str
    purpose: str
    created_at: datetime
    kind: str = "booking"
    party: UUID | None = None
    account: UUID | None = None
    session: UUID | None = None
    home: str | None = None
    hold_until: datetime | None = None
    title: str | None = None
    method: str | None = None
    price_ore: int = 0
    price: str = "null"
    series: UUID | None = None
    series_start: datetime | None = None
    block: UUID | None = None
    team: UUID | None = None
    terms: str | None = None
    answer_by: datetime | None = None
    confirmed_at: datetime | None = None
    takes_time: bool = True  # False: a request that keeps no time while it waits


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when an existing reservation shall be."""

    reservation: UUID
    parts: tuple[Part, ...]
    span: Span
    hold_until: datetime | None = None


async def take(rows: Sequence[NewRow], *, now: datetime, instead_of: Iterable[UUID] = ()) -> None:
    """All the rows are in the calendar with their occupancy, or none is.

    `instead_of` names reservations that give their time up in this transaction. Raises SlotTaken; its `taken` are
    the indices of the rows that met somebody.
    """
    places = [Place(one.id, one.parts if one.takes_time else (), one.span, one.hold_until) for one in rows]
    async with db.transaction():
        await _make_room(places, now, list(instead_of))
        await _write(_INSERT, *_columns(rows), *_extras(rows), *_occupancy(places))


async def occupy(places: Sequence[Place], *, now: datetime, instead_of: Iterable[UUID] = ()) -> None:
    """The reservations have this time and no other; what they had before is free. Their rows are the caller's.

    A reservation is never in its own way. Raises SlotTaken as `take` does.
    """
    leaving = [*instead_of, *(one.reservation for one in places)]
    async with db.transaction():
        await _make_room(places, now, leaving)
        await _write(_OCCUPY, *_occupancy(places))


async def lock_leaves(leaves: Iterable[int]) -> None:
    """Nobody else writes on these leaves until the transaction ends. Taken before any row is locked."""
    await db.take_locks("leaf", leaves)


async def in_the_way(
    places: Sequence[Place], *, now: datetime, instead_of: Iterable[UUID] = ()
) -> dict[int, set[UUID]]:
    """Return which of the places meet which live reservations. Exact while the leaves are locked, else a hint."""
    found = await _meeting(places, list(instead_of))
    return {
        number: met
        for number in range(len(places))
        if (met := {one.reservation for one in found if one.n == number and not one.is_stale(now)})
    }


def own_overlaps(places: Sequence[Place], *, besides: Container[int] = ()) -> set[int]:
    """Return which of the places meet an earlier one of the same list on some leaf; `besides` are left out."""
    clash: set[int] = set()
    taken: dict[int, datetime] = {}
    for n in sorted(range(len(places)), key=lambda each: places[each].span):
        span, until = places[n].span, _until(places[n].parts, places[n].span)
        if n in besides:
            continue
        if any(span.start < taken.get(leaf, span.start) for leaf in until):
            clash.add(n)
        else:
            taken.update(until)
    return clash


async def _make_room(places: Sequence[Place], now: datetime, leaving: list[UUID]) -> None:
    """Leaves are locked, stale holds gone, those that leave have left. Raises SlotTaken if anybody remains."""
    if any(not part.leaves for place in places for part in place.parts):  # it would keep nobody else out
        raise Rejected("a pool is booked by one of its units", code="no_unit")
    await lock_leaves(leaf for place in places for part in place.parts for leaf in part.leaves)
    await _must_be_undivided(places)
    found = await _meeting(places, leaving)
    for _ in range(3):  # a predicate can't use now(): who has run out is cleared by the next one
        stale = sorted({one.reservation for one in found if one.is_stale(now)})
        if not stale:
            break
        await _expire(stale, now)
        found = await _meeting(places, leaving)
    if found:
        raise _taken({one.n for one in found}, places)
    if leaving:
        await give_up(leaving, now)


async def _must_be_undivided(places: Sequence[Place]) -> None:
    """Raise PlaceChanged if a resource has got leaves since it was read: a hall was divided a moment ago."""
    parts = [part for place in places for part in place.parts]
    gained = await db.value(
        bool,
        "SELECT EXISTS (SELECT FROM resource_leaf WHERE resource = ANY($1) AND leaf <> ALL($2))",
        sorted({part.resource for part in parts}),
        sorted({leaf for part in parts for leaf in part.leaves}),
    )
    if gained:
        raise PlaceChanged("the place was divided a moment ago: try again")


def _taken(met: set[int], places: Sequence[Place]) -> SlotTaken:
    error = SlotTaken("this time is already booked", taken=sorted(met))
    if len(places) > 1:
        error.extra["occurrence"] = [
            {
                "resource_id": places[n].parts[0].resource,
                "start": places[n].span.start,
                "end": places[n].span.end,
            }
            for n in sorted(met)
        ]
    return error


class _Met(db.Record):
    n: int
    reservation: UUID
    hold_until: datetime | None

    def is_stale(self, now: datetime) -> bool:
        return self.hold_until is not None and self.hold_until <= now


# One indexed look per leaf: the last row before the start, and those that start inside (no overlaps can exist).
_MEETING = """
SELECT DISTINCT w.n, o.reservation, o.hold_until
FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[]) AS w(n, leaf, starts_at, ends_at)
CROSS JOIN LATERAL (
  SELECT * FROM (SELECT reservation, ends_at, hold_until FROM occupancy
                 WHERE leaf = w.leaf AND starts_at < w.starts_at ORDER BY starts_at DESC LIMIT 1) before
  WHERE before.ends_at > w.starts_at
  UNION ALL
  SELECT reservation, ends_at, hold_until FROM occupancy
  WHERE leaf = w.leaf AND starts_at >= w.starts_at AND starts_at < w.ends_at
) o WHERE o.reservation <> ALL($5::uuid[])
"""


async def _meeting(places: Sequence[Place], leaving: list[UUID]) -> list[_Met]:
    claims = [
        (n, leaf, place.span.start, until)
        for n, place in enumerate(places)
        for leaf, until in _until(place.parts, place.span).items()
    ]
    columns: list[list[object]] = [list(column) for column in zip(*claims, strict=True)] or [[], [], [], []]
    return await db.rows(_Met, _MEETING, *columns, leaving)


async def _expire(stale: list[UUID], now: datetime) -> None:
    # hold_until is read again after a wait for the row: one that was just extended or booked stays.
    found = await db.rows(
        Row,
        f"SELECT {COLUMNS} FROM reservation WHERE id = ANY($1) AND state IN ('held', 'awaiting_payment')"
        " AND hold_until <= $2 ORDER BY id FOR NO KEY UPDATE",
        stale,
        now,
    )
    for one in found:
        await expire(one, now)


def _until(parts: Iterable[Part], span: Span) -> dict[int, datetime]:
    """Return until when each leaf is taken; one that two parts share is taken once."""
    until: dict[int, datetime] = {}
    for part in parts:
        end = span.end + timedelta(minutes=part.gap_min)
        for leaf in part.leaves:
            until[leaf] = max(end, until.get(leaf, end))
    return until


_ROW: tuple[tuple[str, str], ...] = (
    ("id", "uuid"), ("resource", "uuid"), ("wished", "uuid"), ("municipality", "text"), ("kind", "text"),
    ("party", "uuid"), ("account", "uuid"), ("session", "uuid"), ("home", "text"), ("state", "text"),
    ("starts_at", "timestamptz"), ("ends_at", "timestamptz"), ("hold_until", "timestamptz"),
    ("purpose", "text"), ("title", "text"), ("method", "text"), ("price_ore", "bigint"), ("price", "text"),
    ("series", "uuid"), ("series_start", "timestamptz"), ("block", "uuid"), ("team", "uuid"),
    ("terms", "text"), ("answer_by", "timestamptz"), ("confirmed_at", "timestamptz"),
    ("created_at", "timestamptz"),
)  # fmt: skip
_TAKEN = "leaf, reservation, starts_at, ends_at, hold_until"


def _unnest(first: int, kinds: Iterable[str]) -> str:
    return "unnest(" + ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, start=first)) + ")"


_TAKEN_KINDS = ("int", "uuid", "timestamptz", "timestamptz", "timestamptz")
_ORDERED = (
    f"INSERT INTO occupancy ({_TAKEN}) SELECT t.* FROM {{}} AS t({_TAKEN}) ORDER BY t.leaf, t.starts_at"
)
_INSERT = (
    f"WITH r AS (INSERT INTO reservation ({', '.join(name for name, _ in _ROW)})"
    f" SELECT * FROM {_unnest(1, (kind for _, kind in _ROW))}),"
    " e AS (INSERT INTO reservation_extra (reservation, resource, wished, role)"
    f" SELECT * FROM {_unnest(len(_ROW) + 1, ('uuid', 'uuid', 'uuid', 'text'))})"
    + _ORDERED.format(_unnest(len(_ROW) + 5, _TAKEN_KINDS))
)
_OCCUPY = _ORDERED.format(_unnest(1, _TAKEN_KINDS))


async def _write(sql: str, *columns: list[object]) -> None:
    try:
        await db.run(sql, *columns)
    except ExclusionViolationError as error:  # a writer that took no lock: the constraint has the last word
        raise SlotTaken("this time is already booked", taken=[]) from error


def _columns(rows: Sequence[NewRow]) -> list[list[object]]:
    return [[_value(row, name) for row in rows] for name, _ in _ROW]


def _value(row: NewRow, name: str) -> object:
    match name:
        case "resource" | "wished":
            return getattr(row.parts[0], name)
        case "starts_at":
            return row.span.start
        case "ends_at":
            return row.span.end
        case _:
            return getattr(row, name)


def _extras(rows: Sequence[NewRow]) -> list[list[object]]:
    found = [(row.id, one.resource, one.wished, one.role) for row in rows for one in row.parts[1:]]
    return [list(column) for column in zip(*found, strict=True)] or [[], [], [], []]


def _occupancy(places: Sequence[Place]) -> list[list[object]]:
    found = [
        (leaf, place.reservation, place.span.start, until, place.hold_until)
        for place in places
        for leaf, until in _until(place.parts, place.span).items()
    ]
    return [list(column) for column in zip(*found, strict=True)] or [[], [], [], [], []]
