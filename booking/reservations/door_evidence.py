"""What the doors say of a booking that is over, for staff who note its use and ask for what the list lets them."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import billing, db, locks
from booking.errors import NotFound
from booking.locks import DoorFacts
from booking.people import Actor, Role
from booking.reservations.confirming import invoice_text
from booking.reservations.errors import NoOvertime
from booking.reservations.reading import Booked
from booking.reservations.rows import locked, tell
from booking.reservations.views import DoorEvidence, Used


async def evidence_of(row: Booked, quote: billing.Quote, by: Actor, now: datetime) -> DoorEvidence | None:
    """Return the doors' evidence to the owner's staff; None to others, and where no door has told anything yet."""
    if row.ends_at > now or not by.has(row.municipality, Role.STAFF):
        return None
    found = (await locks.facts_of([row.id])).get(row.id)
    if found is None:
        return None
    tariff = await billing.tariff_of(quote)
    return DoorEvidence(
        **msgspec.structs.asdict(found),
        suggests=_suggested(found, row, tariff),
        no_show_fee_ore=billing.no_show_fee(tariff, quote).total_ore,
        overtime_fee_ore=_overtime_fee(found, quote, tariff).total_ore,
        overtime_charged=await billing.owes_fee(row.id, "penalty"),
    )


@db.retrying
async def charge_overtime(reservation_id: UUID, charged: bool, *, by: Actor, now: datetime) -> None:
    """The party owes what the list asks for use without booking, for the minutes it stayed; or owes it no more.

    Never by the doors alone: staff ask for it. Asking twice is a no-op. Raises NotFound for others than the owner's
    staff, NoOvertime where the doors or the list give no cause.
    """
    async with db.transaction():
        found = await locked(reservation_id)
        if found is None or found.kind != "booking" or found.party is None:
            raise NotFound("there is no such reservation")
        by.must_have(found.municipality, Role.STAFF)
        if charged == await billing.owes_fee(found.id, "penalty"):
            return
        if charged:
            told = (await locks.facts_of([found.id])).get(found.id)
            paid = billing.read_snapshot(found.price)
            fee = None if told is None else _overtime_fee(told, paid, await billing.tariff_of(paid))
            if fee is None or fee.total_ore == 0:
                raise NoOvertime("nothing is owed for overtime")
            text = f"Nyttjande efter bokad tid: {await invoice_text(found)}"
            await billing.charge_fee(
                found.id, found.party, found.municipality, "penalty", fee, found.ends_at, text, now
            )
        else:
            await billing.drop_fee(found.id, "penalty", now=now)
        await db.run("UPDATE reservation SET version = version + 1 WHERE id = $1", found.id)
        await tell(found, f"reservation.overtime_{'charged' if charged else 'dropped'}", by, now)


def _overtime_fee(found: DoorFacts, quote: billing.Quote, tariff: billing.Tariff) -> billing.Quote:
    """Whole minutes, once the doors have nothing more to tell; a quote of nothing where the list has no such fee."""
    stayed = timedelta(minutes=found.overtime_s // 60 if found.is_final else 0)
    try:
        return billing.unbooked_use_fee(tariff, quote, stayed)
    except billing.NotPriced:
        return msgspec.structs.replace(quote, total_ore=0)


def _suggested(found: DoorFacts, row: Booked, tariff: billing.Tariff) -> Used | None:
    """Staff decide; a list may say that who comes too late has forfeited the time."""
    if not found.is_final or found.never_used is None:
        return None
    if found.never_used:
        return "no_show"
    came = None if found.first_entry_at is None else found.first_entry_at - row.starts_at
    return "no_show" if came is not None and billing.is_forfeited(tariff, came) else "used"
