"""What else a Monday finds: a closure ahead and somebody who waits for a time that the cup has."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import db, people, reservations
from booking.clock import at_local, local_date
from booking.people import Actor
from booking.places import Resource
from booking.reservations import BlockWish, WaitingWish
from booking.span import Span

TOWN = "2401"


async def closure_and_wait(found: list[Resource], cup_in_days: int, now: datetime) -> None:
    """The swimming hall's lanes are closed one morning, and Levar IF waits for the cup's evening."""
    stina, ali = await _actor("stina@demo.test", now), await _actor("ali@demo.test", now)
    lanes = tuple(one.id for one in found if one.facility.name == "Nordmalings simhall" and one.leaves)
    if stina is not None and lanes:
        wish = BlockWish(TOWN, "maintenance", "Vattenbyte", "Bassängen töms", lanes, _on(26, 6, 9, now))
        seen = await reservations.preview_block(wish, by=stina, now=now)
        if not seen.affected:
            await reservations.create_block(wish, [], by=stina, now=now)
    club = await db.value(UUID, "SELECT id FROM party WHERE name = 'Levar IF'")
    hall = next((one for one in found if one.kind == "hall" and one.facility.name == "Hammarhallen"), None)
    if ali is not None and club is not None and hall is not None:
        evening = WaitingWish(
            kind="queue",
            party=club,
            window=_on(cup_in_days, 17, 21, now),
            minutes=90,
            purpose="training",
            resource=hall.id,
        )
        await reservations.join_waiting(evening, by=ali, now=now)


async def _actor(email: str, now: datetime) -> Actor | None:
    account = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
    return None if account is None else await people.actor_of_account(account, now)


def _on(days: int, opens: int, closes: int, now: datetime) -> Span:
    day = local_date(now) + timedelta(days=days)
    first, last = (at_local(day.year, day.month, day.day, hour * 60) for hour in (opens, closes))
    return Span(first, last)
