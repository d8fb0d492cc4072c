"""What the doors say of a booking that is over, for staff who note whether its time was used."""

from datetime import datetime

import msgspec

from booking import billing, locks
from booking.locks import DoorFacts
from booking.people import Actor, Role
from booking.reservations.reading import Booked
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
    )


def _suggested(found: DoorFacts, row: Booked, tariff: billing.Tariff) -> Used | None:
    """Staff decide; a list may say that who comes too late has forfeited the time."""
    if not found.is_final or found.never_used is None:
        return None
    if found.never_used:
        return "no_show"
    came = None if found.first_entry_at is None else found.first_entry_at - row.starts_at
    return "no_show" if came is not None and billing.is_forfeited(tariff, came) else "used"
