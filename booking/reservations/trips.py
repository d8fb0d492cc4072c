"""A vehicle is picked up and brought back. One public function = one transaction. Meters in km, fuel in per cent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from booking import billing, db, places
from booking.errors import Conflict, NotAllowed, NotFound, Rejected
from booking.people import Actor, Role
from booking.reservations.calendar import local_day
from booking.reservations.confirming import invoice_text
from booking.reservations.damage import write_note
from booking.reservations.freeing import cut_short
from booking.reservations.ordering import parts_of
from booking.reservations.rows import Row, locked, may_handle, tell
from booking.reservations.telling import owe_staff
from booking.reservations.trip_rows import leave_door_open, lock_its_leaves, trip_meter

EARLIEST = timedelta(minutes=30)  # before the start, if the vehicle is in


class WrongMoment(Conflict):
    """A vehicle is picked up in its own time, once, and then brought back, once; `code` says what is wrong."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the dashboard shows."""

    km: int
    pct: int


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
        if (await trip_meter(row.id)) is not None:
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
            await lock_its_leaves(reservation_id)
            row = await _vehicle_of(reservation_id, by)
            trip = await trip_meter(row.id)
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


async def _end_late(row: Row, now: datetime) -> None:
    """What was kept beyond the booking is free, and its code ends."""
    parts = (await parts_of([row]))[row.id]
    until = max(now, row.ends_at + timedelta(minutes=max(part.gap_min for part in parts)))
    await cut_short([row.id], until, now)
    await leave_door_open(row, now, now)


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


async def _vehicle_of(reservation_id: UUID, by: Actor) -> Row:
    row = await locked(reservation_id)
    if row is None or row.state == "held" or not may_handle(row, by):
        raise NotFound("there is no such reservation")
    if (await places.resource(row.resource, in_use=False)).kind != "vehicle":
        raise WrongMoment("this is no vehicle", code="not_a_vehicle")
    return row


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
