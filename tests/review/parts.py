"""People and places the attacks need, found by name."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from booking import db, people, places
from booking.ids import new_id
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, Wish
from booking.span import Span

EVENING = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def resource_of(facility: str, name: str) -> Resource:
    """Return a resource of the demonstration."""
    found = await places.resources(municipalities=[one.code for one in await people.municipalities()])
    return next(one for one in found if one.facility.name == facility and one.name == name)


async def somebody(email: str) -> Actor:
    """Return the actor of a demonstration account, in a session of no consequence."""
    account = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
    party = await db.value(UUID, "SELECT party FROM account WHERE email = $1", email)
    assert account
    assert party
    return Actor(account=account, session=new_id(), party=party, acts_for=frozenset({party}))


def wish(resource: Resource, by: Actor, start: datetime = EVENING, length: timedelta = HOUR) -> Wish:
    """Return the wish for an hour for oneself."""
    return Wish(resource.id, Span(start, start + length), "private", Customer(by.party))


async def state_of(reservation: UUID) -> str | None:
    """Return the stored state."""
    return await db.value(str, "SELECT state FROM reservation WHERE id = $1", reservation)
