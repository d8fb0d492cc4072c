"""From what is asked for to the units that are taken: combined resources, equipment, pools of like units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db, places
from booking.errors import NotFound, Rejected
from booking.places import Resource, Rules
from booking.reservations.calendar import local_day
from booking.reservations.errors import SlotTaken
from booking.reservations.offers import Order
from booking.reservations.rows import Row
from booking.reservations.writing import Part, Place, Role, in_the_way, lock_leaves, part_of
from booking.span import Span

LOOKED_BACK = timedelta(days=90)
MOST_TOGETHER, MOST_EQUIPMENT = 10, 50


async def ordered(main: UUID, together: Sequence[UUID], equipment: Sequence[tuple[UUID, int]]) -> Order:
    """Return what is asked for. Raises NotFound, Rejected where the things can't be one booking."""
    resource = await places.resource(main)
    if resource.kind == "equipment":
        raise Rejected("equipment is booked with a place", code="equipment_alone")
    if not together and not equipment:
        return Order(resource)
    asked = [*together, *(one for one, _ in equipment)]
    if len({main, *asked}) != 1 + len(asked) or len(together) > MOST_TOGETHER:
        raise Rejected("each thing is named once", code="not_together")
    found = await places.resources_by_id(asked)
    if missing := [one for one in asked if one not in found]:
        raise NotFound(f"there is no resource {missing[0]}", code="unknown_resource")
    order = Order(
        resource,
        tuple(found[one] for one in together),
        tuple((found[one], count) for one, count in equipment),
    )
    must_fit(order)
    return order


def must_fit(order: Order) -> None:
    """Raise Rejected where these things can't be one booking."""
    owner, house = order.main.facility.municipality.code, order.main.facility.id
    for one in order.together:
        if one.facility.municipality.code != owner or one.kind == "equipment":
            raise Rejected("only one municipality's places are one booking", code="not_together")
    for thing, count in order.equipment:
        if thing.kind != "equipment" or thing.facility.id != house:
            raise Rejected("this equipment is not of that place", code="not_here")
        if not 1 <= count <= (MOST_EQUIPMENT if thing.picks_unit else 1):
            raise Rejected("there are not so many", code="too_many")


class Extra(db.Record):
    """A further resource of a reservation, as stored."""

    reservation: UUID
    resource: UUID
    wished: UUID | None
    role: Role


async def extras_of(reservations: Sequence[UUID]) -> dict[UUID, list[Extra]]:
    """Return what belongs to each reservation beside its own resource."""
    found = await db.rows(
        Extra,
        "SELECT reservation, resource, wished, role FROM reservation_extra WHERE reservation = ANY($1) ORDER BY id",
        list(reservations),
    )
    return {one: [extra for extra in found if extra.reservation == one] for one in reservations}


async def order_of(row: Row) -> Order:
    """Return what a reservation was ordered as: pools where pools were asked for."""
    extras = (await extras_of([row.id]))[row.id]
    together = [one.wished or one.resource for one in extras if one.role == "together"]
    counts: dict[UUID, int] = {}
    for one in extras:
        if one.role == "equipment":
            counts[one.wished or one.resource] = counts.get(one.wished or one.resource, 0) + 1
    main = row.wished or row.resource
    found = await places.resources_by_id([main, *together, *counts])
    return Order(
        found[main],
        tuple(found[one] for one in together),
        tuple((found[one], count) for one, count in counts.items()),
    )


async def parts_of(rows: Sequence[Row]) -> dict[UUID, tuple[Part, ...]]:
    """Return each reservation's resources with the leaves and gaps they have for its day."""
    extras = await extras_of([row.id for row in rows])
    ids = {row.id: [row.resource, *(one.resource for one in extras[row.id])] for row in rows}
    every = sorted({one for each in ids.values() for one in each})
    found = await places.resources_by_id(every)
    days = {row.id: local_day(row.span) for row in rows}
    if not days:
        return {}
    periods = await places.rules_through(every, min(days.values()), max(days.values()))

    def rules(resource: UUID, day: date) -> Rules:
        return next((one[2] for one in periods[resource] if one[0] <= day < one[1]), Rules())

    return {
        row.id: (
            part_of(found[row.resource], rules(row.resource, days[row.id]), wished=row.wished),
            *(
                part_of(
                    found[one.resource], rules(one.resource, days[row.id]), wished=one.wished, role=one.role
                )
                for one in extras[row.id]
            ),
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Need:
    """Something that is ordered, and the units that can be it, the best first."""

    wished: UUID | None
    role: Role
    count: int
    units: list[Resource]


async def pick(
    order: Order, span: Span, *, now: datetime, instead_of: Iterable[UUID] = ()
) -> tuple[Part, ...]:
    """Return the parts that the order takes, the least used free units of its pools; in the caller's transaction.

    Where there is a pool, all of its leaves are locked, so that the choice stands. Raises SlotTaken.
    """
    return await choose(await needs_of(order, now=now), span, now=now, instead_of=instead_of)


async def needs_of(order: Order, *, now: datetime, rather: Iterable[UUID] = ()) -> list[Need]:
    """Return what can meet the order; of a pool, the units named in `rather` come first, then the least used."""
    kept = set(rather)
    needs = [await _need(order.main, "main", 1, kept, now)]
    needs += [await _need(one, "together", 1, kept, now) for one in order.together]
    needs += [await _need(one, "equipment", count, kept, now) for one, count in order.equipment]
    return needs


def leaves_of(needs: Iterable[Need]) -> set[int]:
    """Return every leaf that the choice may fall on, to be locked before any row is."""
    return {leaf for need in needs for unit in need.units for leaf in unit.leaves}


async def choose(
    needs: list[Need], span: Span, *, now: datetime, instead_of: Iterable[UUID] = ()
) -> tuple[Part, ...]:
    """Return the parts that are taken, as `pick` does. Raises SlotTaken."""
    units = [unit for need in needs for unit in need.units]
    rules = await places.rules_on([one.id for one in units], local_day(span))
    busy: set[UUID] = set()
    if any(need.wished is not None for need in needs):
        await lock_leaves(leaves_of(needs))
        tried = [Place(unit.id, (part_of(unit, rules[unit.id]),), span) for unit in units]
        busy = {units[n].id for n in await in_the_way(tried, now=now, instead_of=instead_of)}
    parts: list[Part] = []
    for need in needs:
        parts += _chosen(need, busy, {leaf for part in parts for leaf in part.leaves}, rules)
    return tuple(parts)


def _chosen(need: Need, busy: set[UUID], used: set[int], rules: dict[UUID, Rules]) -> list[Part]:
    free = [unit for unit in need.units if unit.id not in busy and not used & set(unit.leaves)]
    if need.wished is None:
        free = need.units  # no choice: the constraint answers
    if len(free) < need.count:
        raise SlotTaken("no unit is free at this time", taken=[0])
    return [part_of(one, rules[one.id], wished=need.wished, role=need.role) for one in free[: need.count]]


async def _need(resource: Resource, role: Role, count: int, rather: set[UUID], now: datetime) -> Need:
    if not resource.picks_unit:
        return Need(None, role, count, [resource])
    ids = await db.column(
        UUID,
        "SELECT u.id FROM resource u LEFT JOIN reservation r ON r.resource = u.id AND r.starts_at > $2"
        " AND r.state IN ('held', 'requested', 'awaiting_payment', 'confirmed', 'completed')"
        " LEFT JOIN reservation_extra e ON e.resource = u.id"
        " WHERE u.parent = $1 AND u.is_bookable"
        " GROUP BY u.id, u.name ORDER BY count(DISTINCT r.id) + count(DISTINCT e.id), u.name",
        resource.id,
        now - LOOKED_BACK,
    )
    found = await places.resources_by_id(ids)
    return Need(
        resource.id, role, count, [found[one] for one in sorted(ids, key=lambda one: one not in rather)]
    )


async def relocate(row: Row, parts: tuple[Part, ...], span: Span) -> None:
    """The reservation's own rows say these resources and this time; its occupancy is `writing.occupy`'s."""
    main, extras = parts[0], parts[1:]
    await db.run(
        "UPDATE reservation SET resource = $2, wished = $3, starts_at = $4, ends_at = $5, version = version + 1"
        " WHERE id = $1",
        row.id,
        main.resource,
        main.wished,
        span.start,
        span.end,
    )
    await db.run("DELETE FROM reservation_extra WHERE reservation = $1", row.id)
    await db.run_many(
        "INSERT INTO reservation_extra (reservation, resource, wished, role) VALUES ($1, $2, $3, $4)",
        [(row.id, one.resource, one.wished, one.role) for one in extras],
    )
    await db.run(  # what teams had of a time that is no longer the reservation's
        "DELETE FROM team_time WHERE reservation = $1 AND NOT (starts_at >= $2 AND ends_at <= $3)",
        row.id,
        span.start,
        span.end,
    )
