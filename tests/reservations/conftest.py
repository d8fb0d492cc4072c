"""People and places of the demonstration as the calendar's tests know them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from booking import billing, db, people, places, reservations
from booking.billing import PaymentOutcome
from booking.clock import SWEDEN, at_local
from booking.errors import Refusal
from booking.ids import new_id
from booking.people import Actor
from booking.people import actions as people_actions
from booking.places import Resource
from booking.reservations import Customer, Wish
from booking.settings import Settings
from booking.span import Span

LogIn = Callable[[str], Awaitable[Actor]]
NONE_LEFT = "SELECT count(*) FROM occupancy WHERE reservation = $1"


def visitor() -> Actor:
    """A browser that nobody has logged in from."""
    return Actor(session=uuid4())


@pytest.fixture
def log_in(town: Settings, now: datetime) -> LogIn:
    """Returns the actor of a demonstration account in a browser of its own."""

    async def enter(email: str) -> Actor:
        account = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
        assert account is not None, email
        token, _ = await people_actions.start_session(account, now)
        actor = await people.actor_of_session(token, now)
        assert actor is not None
        return actor

    return enter


@pytest.fixture
async def eva(log_in: LogIn) -> Actor:
    """A private person in Nordmaling."""
    return await log_in("eva@demo.test")


@pytest.fixture
async def rival(log_in: LogIn) -> Actor:
    """Somebody else, who may also act for associations of Nordmaling."""
    return await log_in("ali@demo.test")


@pytest.fixture
async def clerk(log_in: LogIn) -> Actor:
    """Staff in Nordmaling."""
    return await log_in("stina@demo.test")


async def party(name: str) -> UUID:
    """Return the party of this name."""
    found = await db.value(UUID, "SELECT id FROM party WHERE name = $1", name)
    assert found is not None, name
    return found


async def thing(facility: str, name: str) -> Resource:
    """Return a resource by its facility and its own name."""
    slug = await db.value(str, "SELECT slug FROM facility WHERE name = $1", facility)
    _, found = await places.facility(slug or "")
    return next(one for one in found if one.name == name)


@pytest.fixture
async def hall(town: Settings) -> Resource:
    """Norrskenshallen in Nordmaling, the whole of it: 282 kr an hour for a resident (list example N1)."""
    return await thing("Norrskenshallen", "Hela hallen")


def on(day: date, clock: str, minutes: int = 120) -> Span:
    """Return so many minutes of elapsed time from a Swedish wall-clock time on."""
    hour, minute = clock.split(":")
    start = at_local(day.year, day.month, day.day, int(hour) * 60 + int(minute))
    return Span(start, start + timedelta(minutes=minutes))


def day_after(now: datetime, days: int) -> date:
    return now.astimezone(SWEDEN).date() + timedelta(days=days)


async def held(
    resource: Resource, span: Span, by: Actor, now: datetime, customer: Customer | None = None
) -> UUID:
    """Hold as the actor's own person, or as the customer given."""
    wish = Wish(resource.id, span, "training", customer or Customer(by.party))
    return await reservations.hold(wish, by=by, now=now)


async def price_of(hold: UUID) -> int:
    return await db.value(int, "SELECT price_ore FROM reservation WHERE id = $1", hold) or 0


async def reserved(hold: UUID, method: str, by: Actor, now: datetime) -> UUID:
    """Reserve at the price that the hold shows."""
    return await reservations.reserve(
        hold,
        method=method,
        expected_ore=await price_of(hold),
        by=by,
        now=now,
        return_url="http://127.0.0.1:9/{id}",
    )


async def buy(resource: Resource, span: Span, by: Actor, now: datetime) -> UUID:
    """Reserve for the actor and pay by card."""
    one = await reserved(await held(resource, span, by, now), "card", by, now)
    payment = await db.value(UUID, "SELECT id FROM payment WHERE source = $1", one)
    assert payment
    outcome = PaymentOutcome(payment, one, "2401", "paid", "cs_1", "pi_1", await price_of(one))
    await reservations.settle_payment(outcome, now=now)
    return one


async def state_of(reservation: UUID) -> str:
    return await db.value(str, "SELECT state FROM reservation WHERE id = $1", reservation) or "absent"


async def books_in_order() -> bool:
    return await billing.invariants() == []


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def rule(resource: Resource, **fields: object) -> None:
    """The rules in force of a resource are changed, as their refresh would derive them."""
    changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(fields, start=2))
    await db.run(f"UPDATE effective_rule SET {changes} WHERE resource = $1", resource.id, *fields.values())


async def pool_of(beside: Resource, name: str, kind: str, units: int, tariff_class: str) -> Resource:
    """Return a new pool of so many like units in the facility of another resource; its units are "NAME 1" …"""
    pool = new_id()
    for number in range(units + 1):
        id = pool if number == 0 else new_id()
        await db.run(
            "INSERT INTO resource (id, facility, parent, kind, slug, name, tariff_class, picks_unit, is_bookable,"
            " calendar) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, true, $9)",
            id,
            beside.facility.id,
            None if number == 0 else pool,
            kind,
            str(id),
            name if number == 0 else f"{name} {number}",
            tariff_class,
            number == 0,
            beside.calendar,
        )
        if number:
            await db.run(
                "WITH l AS (INSERT INTO leaf (facility) VALUES ($1) RETURNING id)"
                " INSERT INTO resource_leaf (resource, leaf) SELECT $2, id FROM l",
                beside.facility.id,
                id,
            )
    return await places.resource(pool)


async def refused(attempt: Awaitable[object]) -> str:
    """Return the code with which an attempt is refused."""
    with pytest.raises(Refusal) as refusal:
        await attempt
    return refusal.value.code


async def charges_of(reservation: UUID) -> list[str]:
    """Return kind, state and öre of a reservation's charges, in order."""
    return await db.column(
        str,
        "SELECT kind || ' ' || state || ' ' || total_ore FROM charge WHERE source = $1 ORDER BY id",
        reservation,
    )


async def told(reservation: UUID) -> list[str]:
    """Return what the journal says of a reservation, in order."""
    return await db.column(str, "SELECT action FROM journal WHERE about = $1 ORDER BY id", reservation)
