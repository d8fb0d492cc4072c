"""A vehicle is picked up and brought back. One public function = one transaction. Meters in km, fuel in per cent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db, locks, places
from booking.errors import Conflict, NotAllowed, NotFound, Rejected
from booking.people import Actor, Role
from booking.reservations.calendar import local_day
from booking.reservations.confirming import invoice_text, resources_of
from booking.reservations.damage import write_note
from booking.reservations.freeing import cut_short
from booking.reservations.ordering import parts_of
from booking.reservations.rows import Row, locked, may_handle, seen, tell
from booking.reservations.telling import owe_customer, owe_staff
from booking.reservations.writing import lock_leaves
from booking.span import Span

EARLIEST = timedelta(minutes=30)  # before the start, if the vehicle is in
KEPT = timedelta(hours=1)  # a vehicle that is late is taken for another hour at a time
WARNED = timedelta(hours=24)  # who comes next is warned when their time is this near


class WrongMoment(Conflict):
    """A vehicle is picked up in its own time, once, and then brought back, once; `code` says what is wrong."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the dashboard shows."""

    km: int
    pct: int


class Meter(db.Record):
    """A trip as stored."""

    out_at: datetime | None
    out_km: int | None
    in_at: datetime | None
    in_km: int | None


async def pick_up(
    reservation_id: UUID, reading: Reading, *, damage: str | None, by: Actor, now: datetime
) -> None:
    """The vehicle is out, with this meter. A damage that was there before is noted.

    Raises NotFound, NotAllowed where a licence is asked for and not shown, WrongMoment, Rejected for a meter that
    runs backwards.
    """
    async with db.transaction():
        row = await _vehicle_of(reservation_id, by)
        if row.state != "confirmed" or not row.starts_at - EARLIEST <= now < row.ends_at:
            raise WrongMoment("the vehicle is picked up in the booked time", code="not_pickup_time")
        if (await _trip(row.id)) is not None:
            raise WrongMoment("the vehicle is out already", code="already_picked_up")
        if await _who_has(row.resource) is not None:
            raise WrongMoment("the vehicle is not back yet", code="vehicle_not_back")
        await _must_drive(row, by)
        await _must_run_on(row, reading.km)
        await db.run(
            "INSERT INTO trip (reservation, out_at, out_km, out_pct) VALUES ($1, $2, $3, $4)",
            row.id,
            now,
            reading.km,
            reading.pct,
        )
        await db.run("UPDATE reservation SET used = 'used', version = version + 1 WHERE id = $1", row.id)
        if damage:
            await write_note(row.resource, row.id, damage, None, by, now)
        await tell(row, "trip.begun", by, now, km=reading.km, pct=reading.pct)


async def bring_back(
    reservation_id: UUID, reading: Reading, *, note: str | None, by: Actor, now: datetime
) -> None:
    """The vehicle is in, free for the next, and its km are charged by the list, once.

    Raises NotFound, WrongMoment, Rejected for a meter that runs backwards.
    """

    async def act() -> None:
        async with db.transaction():
            await _lock(reservation_id)
            row = await _vehicle_of(reservation_id, by)
            trip = await _trip(row.id)
            if trip is None or trip.out_km is None:
                raise WrongMoment("the vehicle has not been picked up", code="not_picked_up")
            if trip.in_at is not None:
                raise WrongMoment("the vehicle is back already", code="already_returned")
            if reading.km < trip.out_km:
                raise Rejected(
                    "the meter was further when it left", code="meter_backwards", last_km=trip.out_km
                )
            await db.run(
                "UPDATE trip SET in_at = $2, in_km = $3, in_pct = $4 WHERE reservation = $1",
                row.id,
                now,
                reading.km,
                reading.pct,
            )
            if now > row.ends_at:
                await _end_late(row, now)
            await _charge(row, reading.km - trip.out_km, now)
            if note:
                await write_note(row.resource, row.id, note, None, by, now)
            await tell(row, "trip.ended", by, now, km=reading.km, pct=reading.pct)

    await db.retried(act)


async def watch_trips(now: datetime) -> int:
    """Vehicles that are not back keep their time, hour by hour up to the next booking; staff know, and so does
    whoever comes next, with another vehicle that is free. Their booking stands. Returns how many are late."""
    late = await db.column(
        UUID,
        "SELECT t.reservation FROM trip t JOIN reservation r ON r.id = t.reservation"
        " WHERE t.out_at IS NOT NULL AND t.in_at IS NULL AND r.ends_at <= $1 ORDER BY r.ends_at LIMIT 200",
        now,
    )
    for one in late:
        await _keep(one, now)
    return len(late)


_NEXT = """
FROM reservation WHERE resource = $1 AND starts_at >= $2 AND id <> $3 AND kind = 'booking'
AND state IN ('confirmed', 'awaiting_payment', 'requested') ORDER BY starts_at LIMIT 1
"""


async def next_start(resource: UUID, after: datetime, reservation: UUID) -> datetime | None:
    """Return when the vehicle is somebody's next."""
    return await db.value(datetime, "SELECT starts_at" + _NEXT, resource, after, reservation)


async def _next_of(row: Row) -> Row | None:
    found = await db.value(UUID, "SELECT id" + _NEXT, row.resource, row.ends_at, row.id)
    return None if found is None else await seen(found)


async def _keep(reservation_id: UUID, now: datetime) -> None:
    async def act() -> None:
        async with db.transaction():
            await _lock(reservation_id)
            row = await locked(reservation_id)
            trip = await _trip(reservation_id)
            if row is None or trip is None or trip.in_at is not None or row.party is None:
                return
            if await _stretch(row.id, now + KEPT, now):
                await _leave_door_open(row, now + KEPT, now)
            if await db.run(
                "UPDATE trip SET late_told_at = $2 WHERE reservation = $1 AND late_told_at IS NULL",
                row.id,
                now,
            ):
                await tell(row, "trip.late", Actor.system(), now)
                await owe_staff(row, "Ett fordon är inte återlämnat i tid", now)
            follower = await _next_of(row)
            if follower is not None and follower.starts_at <= now + WARNED:
                await _warn(follower, now)

    await db.retried(act)


async def _warn(follower: Row, now: datetime) -> None:
    """Whoever has the vehicle next knows, once, and what they could take instead."""
    if await db.value(
        bool,
        "SELECT true FROM journal WHERE about = $1 AND action = 'reservation.late_before' LIMIT 1",
        follower.id,
    ):
        return
    await tell(follower, "reservation.late_before", Actor.system(), now)
    other = await _another(follower, now)
    await owe_customer(follower, "vehicle_late", now, alternative=other)


async def _another(row: Row, now: datetime) -> str | None:
    """Return the name of a vehicle of the municipality that is free at that time, the same house first."""
    wanted = await places.resource(row.resource, in_use=False)
    found = await places.resources(municipalities=[row.municipality], kind=wanted.kind, as_taken=True)
    found = [one for one in found if one.id != wanted.id and one.leaves]
    found.sort(
        key=lambda one: (one.facility.id != wanted.facility.id, one.tariff_class != wanted.tariff_class)
    )
    for one in found:
        taken = await db.value(
            bool,
            "SELECT true FROM occupancy WHERE leaf = ANY($1) AND starts_at < $3 AND ends_at > $2"
            " AND (hold_until IS NULL OR hold_until > $4) LIMIT 1",
            one.leaves,
            row.starts_at,
            row.ends_at,
            now,
        )
        if not taken:
            return f"{one.facility.name}, {one.name}"
    return None


async def _stretch(reservation: UUID, until: datetime, now: datetime) -> bool:
    """The vehicle is taken until then, or the next booking; True if that is longer than it was.

    Done when half of what was kept has passed, not at every look.
    """
    touched = await db.run(
        "UPDATE occupancy o SET ends_at = n.until FROM (SELECT m.id, least($2, (SELECT min(a.starts_at)"
        " FROM occupancy a WHERE a.leaf = m.leaf AND a.starts_at >= m.ends_at)) AS until"
        " FROM occupancy m WHERE m.reservation = $1) n WHERE o.id = n.id AND n.until > o.ends_at AND o.ends_at <= $3",
        reservation,
        until,
        now + KEPT / 2,
    )
    return touched > 0


async def _leave_door_open(row: Row, until: datetime, now: datetime) -> None:
    """The code still opens the key cabinet, so that the key can be put back."""
    granted = "SELECT true FROM access_grant WHERE reservation = $1 AND gone_ver IS NULL LIMIT 1"
    if row.party is not None and await db.value(bool, granted, row.id):
        await locks.move(
            reservation=row.id,
            holder=row.party,
            resources=await resources_of(row),
            span=Span(row.starts_at, max(until, row.ends_at)),
            purpose=row.purpose,
            credential=row.series,
            now=now,
        )


async def _end_late(row: Row, now: datetime) -> None:
    """What was kept beyond the booking is free, and its code ends."""
    parts = (await parts_of([row]))[row.id]
    until = max(now, row.ends_at + timedelta(minutes=max(part.gap_min for part in parts)))
    await cut_short([row.id], until, now)
    await _leave_door_open(row, now, now)


async def _charge(row: Row, km: int, now: datetime) -> None:
    if row.party is None or km == 0:
        return
    paid = billing.read_snapshot(row.price)
    usage = billing.Usage(paid.resource_class, row.starts_at, row.ends_at, row.purpose, km=km)
    facts = await billing.customer_facts(row.party, row.municipality, local_day(row.span), None)
    try:
        fee = billing.distance_fee(await billing.tariff_of(paid), usage, facts)
    except billing.NotPriced:  # a vehicle comes back whatever the list says
        await owe_staff(row, f"Taxan prissätter inte {km} körda km", now)
        return
    if fee.total_ore:
        await billing.charge(
            source=row.id,
            party=row.party,
            municipality=row.municipality,
            kind="trip",
            quote=fee,
            service_at=row.starts_at,
            text=f"{km} km: {await invoice_text(row)}",
            now=now,
        )


async def _lock(reservation_id: UUID) -> None:
    """The reservation's leaves are locked, before its row is, as everywhere."""
    await lock_leaves(
        await db.column(int, "SELECT leaf FROM occupancy WHERE reservation = $1", reservation_id)
    )


async def _vehicle_of(reservation_id: UUID, by: Actor) -> Row:
    row = await locked(reservation_id)
    if row is None or row.state == "held" or not may_handle(row, by):
        raise NotFound("there is no such reservation")
    if (await places.resource(row.resource, in_use=False)).kind != "vehicle":
        raise WrongMoment("this is no vehicle", code="not_a_vehicle")
    return row


async def _trip(reservation: UUID) -> Meter | None:
    return await db.row(
        Meter,
        "SELECT out_at, out_km, in_at, in_km FROM trip WHERE reservation = $1 FOR NO KEY UPDATE",
        reservation,
    )


async def _who_has(resource: UUID) -> UUID | None:
    return await db.value(
        UUID,
        "SELECT r.id FROM trip t JOIN reservation r ON r.id = t.reservation"
        " WHERE r.resource = $1 AND t.out_at IS NOT NULL AND t.in_at IS NULL LIMIT 1",
        resource,
    )


async def _must_drive(row: Row, by: Actor) -> None:
    """Raise NotAllowed unless the one who picks it up has shown a licence, where the rules ask for one."""
    rules = (await places.rules_on([row.resource], local_day(row.span)))[row.resource]
    if not rules.needs_driver or by.has(row.municipality, Role.STAFF):
        return
    known = await db.value(
        bool,
        "SELECT true FROM driver WHERE account = $1 AND municipality = $2 AND valid_to >= $3",
        by.account,
        row.municipality,
        local_day(row.span),
    )
    if not known:
        raise NotAllowed(
            "your driving licence must be shown to the municipality first", code="driver_unknown"
        )


async def _must_run_on(row: Row, km: int) -> None:
    last = await db.value(
        int,
        "SELECT max(t.in_km) FROM trip t JOIN reservation r ON r.id = t.reservation WHERE r.resource = $1",
        row.resource,
    )
    if last is not None and km < last:
        raise Rejected("the meter was further when it came back last", code="meter_backwards", last_km=last)
