"""A hall with doors on a real database; the vault is open."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from booking import db, locks
from booking.ids import new_id
from booking.locks import events, vault
from booking.people import Actor, Role
from booking.span import Span

SECRET = bytes(range(32))
TOWN = "2401"


@dataclass(frozen=True)
class Hall:
    """One hall with an entrance and a changing room, on one controller."""

    facility: UUID
    resource: UUID
    controller: str
    entrance: str
    changing: str
    key_file: bytes = field(repr=False)
    password: str = field(repr=False)

    async def book(self, span: Span, now: datetime, *, purpose: str = "training") -> UUID:
        """Promise the doors for the span; returns the reservation's id (whose holder is the same id)."""
        reservation = new_id()
        await locks.grant(
            reservation=reservation,
            holder=reservation,
            resources=[self.resource],
            span=span,
            purpose=purpose,
            now=now,
        )
        return reservation


def staff(town: str = TOWN) -> Actor:
    return Actor(account=new_id(), roles=frozenset({(town, Role.STAFF)}))


def holder(party: UUID) -> Actor:
    return Actor(account=new_id(), party=party, acts_for=frozenset({party}))


def hours(now: datetime, start: float, end: float) -> Span:
    return Span(now + timedelta(hours=start), now + timedelta(hours=end))


async def make_hall(controller: str = "hall-1") -> Hall:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    facility, resource = new_id(), new_id()
    await db.run(
        "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
        " VALUES ($1, 'Nordmaling', 63.5, 19.5, 'a@example.se', '0930', '0930-112') ON CONFLICT DO NOTHING",
        TOWN,
    )
    await db.run(
        "INSERT INTO facility (id, municipality, slug, name, address, lat, lon) VALUES ($1, $2, $3, 'Hallen', 'x', 1, 1)",
        facility,
        TOWN,
        controller,
    )
    await db.run(
        "INSERT INTO resource (id, facility, calendar, kind, slug, name, tariff_class) VALUES ($1, $2, $2, 'hall', $3, 'Hall', 'h')",
        resource,
        facility,
        controller,
    )
    enrolment = await locks.enrol(controller, facility=facility, by=Actor.system(), now=now, simulated=True)
    entrance = await locks.add_door(controller, "d1", "Entré")
    changing = await locks.add_door(controller, "d2", "Omklädning")
    await locks.allow(resource, entrance, before_s=900, after_s=0)
    await locks.allow(resource, changing, before_s=900, after_s=1_800)
    return Hall(facility, resource, controller, entrance, changing, enrolment.key_file, enrolment.password)


@pytest.fixture
async def hall(pool: str) -> Hall:
    vault.open_vault(SECRET)
    events._asked.clear()  # another test's controller has the same name
    return await make_hall()
