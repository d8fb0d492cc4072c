"""New resources: parts of halls, other divisions of the same hall, pools and their units.

Two resources get in each other's way when they share a leaf. So a new part needs leaves of its own and one shared
leaf with each part that it overlaps; whatever contains those parts contains the new leaves too.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.places.levels import Level, level
from booking.places.queries import Kind
from booking.places.rule_actions import lock_places, tell
from booking.places.rulebook import refresh_rules

MOST_UNITS = 200


class NameTaken(Conflict):
    """Something in the facility has this name already."""

    code = "name_taken"


class NewResource(msgspec.Struct, frozen=True, kw_only=True):
    """What to add to a facility. Of `leaves_of` (whole existing parts) and `own_leaf` one is given; a pool has units.

    With `own_leaf` the new part lies in its parent and touches no other part but those it `overlaps`.
    """

    name: str
    kind: Kind
    tariff_class: str
    parent: UUID | None = None
    leaves_of: tuple[UUID, ...] = ()
    own_leaf: bool = False
    overlaps: tuple[UUID, ...] = ()
    picks_unit: bool = False
    units: int = 0


@dataclass(frozen=True, slots=True)
class Gained:
    """These resources have one leaf more: whoever has booked one of them has it too."""

    leaf: int
    resources: tuple[UUID, ...]


Occupy = Callable[[Sequence[Gained]], Awaitable[None]]


async def add_resource(facility: UUID, new: NewResource, *, occupy: Occupy, by: Actor, now: datetime) -> UUID:
    """The facility has the resource, and every booking ahead of a divided hall has its new leaves. Returns its id.

    `occupy` writes the latter (booking.reservations.add_resource brings it). Raises NotFound, NameTaken, Rejected.
    """
    async with db.transaction():
        here = await level("facilities", str(facility), by=by)
        await lock_places(here.municipality)
        floor = await _floor(facility)
        _must_make_sense(new, floor)
        await _must_be_new(facility, new)
        made = await _insert(here, new, new.name, new.parent)
        names = [f"{new.name} {number}" for number in range(1, new.units + 1)]
        units = [await _insert(here, new, name, made, is_unit=True) for name in names]
        await refresh_rules(here.municipality)
        await db.take_locks(
            "leaf", [leaf for one in floor.values() for leaf in one.leaves]
        )  # late: people book
        gained = [one for resource in units or [made] for one in await _lay(resource, new, floor)]
        await occupy([one for one in gained if one.resources])
        await tell(here, "resource.added", by, now, resource=made, new=new)
        return made


class _Thing(db.Record):
    id: UUID
    parent: UUID | None
    picks_unit: bool
    leaves: list[int]


Floor = dict[UUID, _Thing]


async def _floor(facility: UUID) -> Floor:
    found = await db.rows(
        _Thing,
        "SELECT r.id, r.parent, r.picks_unit, ARRAY(SELECT leaf FROM resource_leaf WHERE resource = r.id) AS leaves"
        " FROM resource r WHERE r.facility = $1",
        facility,
    )
    return {one.id: one for one in found}


def _space(new: NewResource, floor: Floor) -> _Thing | None:
    """Return what the new thing lies in: its parent, or what the pool that is its parent lies in."""
    parent = None if new.parent is None else floor[new.parent]
    while parent is not None and parent.picks_unit:
        parent = None if parent.parent is None else floor[parent.parent]
    return parent


def _must_make_sense(new: NewResource, floor: Floor) -> None:
    named = {*new.leaves_of, *new.overlaps} | ({new.parent} if new.parent else set())
    if not named <= floor.keys():
        raise NotFound("a part that is named is not in this facility", code="unknown_resource")
    if new.picks_unit:
        if not 1 <= new.units <= MOST_UNITS or new.leaves_of or new.overlaps:
            raise Rejected(f"a pool has 1 to {MOST_UNITS} units, each of its own", code="bad_units")
        if new.parent is not None and floor[new.parent].picks_unit:
            raise Rejected("a pool has units, not other pools", code="bad_units")
        return
    if new.units:
        raise Rejected("only a pool has units", code="bad_units")
    if bool(new.leaves_of) == new.own_leaf or (new.overlaps and not new.own_leaf):
        raise Rejected(
            "say which parts it consists of, or that it has a floor of its own", code="unclear_floor"
        )
    _must_fit(new, floor)


def _must_fit(new: NewResource, floor: Floor) -> None:
    """What shares a floor is part of one whole, so that all of it keeps the same distance between bookings."""
    space = _space(new, floor)
    parent = None if new.parent is None else floor[new.parent]
    if parent is not None and parent.parent is not None and floor[parent.parent].picks_unit:
        raise Rejected("a unit of a pool has no parts", code="bad_parent")
    room = set(space.leaves) if space else set()
    for one in (*new.leaves_of, *new.overlaps):
        if not floor[one].leaves or not room.issuperset(floor[one].leaves):
            raise Rejected("it can only share the floor of parts of its own whole", code="outside_parent")


async def _must_be_new(facility: UUID, new: NewResource) -> None:
    names = [new.name, *(f"{new.name} {number}" for number in range(1, new.units + 1))]
    taken = await db.value(
        str,
        "SELECT name FROM resource WHERE facility = $1 AND lower(name) = ANY($2) LIMIT 1",
        facility,
        [one.lower() for one in names],
    )
    if taken is not None:
        raise NameTaken(f"there is a {taken} here already")


async def _insert(
    here: Level, new: NewResource, name: str, parent: UUID | None, *, is_unit: bool = False
) -> UUID:
    made = new_id()
    await db.run(
        "INSERT INTO resource (id, facility, parent, kind, slug, name, tariff_class, picks_unit, calendar)"
        " SELECT $1, f.id, p.id, $4, left(f.slug, 60) || '-' || right($1::uuid::text, 12), $5, $6, $7,"
        " coalesce(p.calendar, f.id) FROM facility f LEFT JOIN resource p ON p.id = $3 WHERE f.id = $2",
        made,
        here.uuid,
        parent,
        new.kind,
        name,
        new.tariff_class,
        new.picks_unit and not is_unit,
    )
    return made


async def _lay(made: UUID, new: NewResource, floor: Floor) -> list[Gained]:
    """The new thing has its leaves; returns which existing things have one more."""
    if new.leaves_of:
        leaves = {leaf for one in new.leaves_of for leaf in floor[one].leaves}
        await _give(made, sorted(leaves))
        return []
    space = _space(new, floor)
    containers = _containing(space, floor) if space else set()
    gained = [await _split(made, containers)]
    for one in new.overlaps:
        gained.append(await _split(made, containers | _containing(floor[one], floor)))
    return gained


async def _split(made: UUID, containers: set[UUID]) -> Gained:
    leaf = await db.value(
        int, "INSERT INTO leaf (facility) SELECT facility FROM resource WHERE id = $1 RETURNING id", made
    )
    assert leaf is not None
    await db.run_many(
        "INSERT INTO resource_leaf (resource, leaf) VALUES ($1, $2)",
        [(one, leaf) for one in (made, *sorted(containers))],
    )
    return Gained(leaf, tuple(sorted(containers)))


async def _give(made: UUID, leaves: list[int]) -> None:
    await db.run_many(
        "INSERT INTO resource_leaf (resource, leaf) VALUES ($1, $2)", [(made, leaf) for leaf in leaves]
    )


def _containing(part: _Thing, floor: Floor) -> set[UUID]:
    """Return what has all of the part, the part itself among them."""
    leaves = set(part.leaves)
    return {one.id for one in floor.values() if leaves and leaves.issubset(one.leaves)}
