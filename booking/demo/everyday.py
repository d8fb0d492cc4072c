"""What else a Monday finds: a closure ahead, somebody who waits for the cup's time, a series to decide about."""

from datetime import datetime, timedelta
from uuid import UUID

from booking import db, people, reservations
from booking.clock import at_local, local_date
from booking.people import Actor
from booking.places import Resource
from booking.reservations import BlockWish, Chosen, SeriesOrder, SeriesWish, WaitingWish, Wall
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


async def series_asked_for(house: Resource, now: datetime) -> None:
    """Levar IF asks for twelve Tuesdays in the house that needs approval: one entry of the queue."""
    ali = await _actor("ali@demo.test", now)
    club = await db.value(UUID, "SELECT id FROM party WHERE name = 'Levar IF'")
    if ali is None or club is None:
        return
    today = local_date(now)
    tuesday = today + timedelta(days=8 + (1 - today.weekday() - 8) % 7)  # beyond the house's notice
    first, rule = Wall(tuesday, 18 * 60, 20 * 60), "FREQ=WEEKLY;BYDAY=TU;COUNT=12"
    wish = SeriesWish(house.id, club, "meeting", "Läxhjälp P12", first, rule)
    seen = await reservations.preview_series(wish, by=ali, now=now)
    chosen = [Chosen(Span(one.start, one.end)) for one in seen.occurrences if one.reason is None]
    if chosen:
        order = SeriesOrder(wish, chosen, "invoice" if seen.total_ore else "free", seen.total_ore, "2026-1")
        await reservations.book_series(order, by=ali, now=now)


async def _actor(email: str, now: datetime) -> Actor | None:
    account = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
    return None if account is None else await people.actor_of_account(account, now)


def _on(days: int, opens: int, closes: int, now: datetime) -> Span:
    day = local_date(now) + timedelta(days=days)
    first, last = (at_local(day.year, day.month, day.day, hour * 60) for hour in (opens, closes))
    return Span(first, last)
