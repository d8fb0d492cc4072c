"""A reservation's row as the actions handle it. Everything here happens in the caller's transaction."""

from datetime import datetime
from uuid import UUID

from booking import billing, db, journal
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.reservations.errors import HoldExpired
from booking.reservations.freeing import give_up
from booking.span import Span


class Row(db.Record):
    """A reservation as the actions need it."""

    id: UUID
    resource: UUID
    municipality: str
    party: UUID | None
    account: UUID | None
    session: UUID | None
    home: str | None
    state: str
    starts_at: datetime
    ends_at: datetime
    hold_until: datetime | None
    extended: bool
    purpose: str
    title: str | None
    price_ore: int
    price: str
    kind: str
    wished: UUID | None
    series: UUID | None
    team: UUID | None
    method: str | None
    terms: str | None
    answer_by: datetime | None
    created_at: datetime
    version: int
    used: str | None

    @property
    def span(self) -> Span:
        """When it is."""
        return Span(self.starts_at, self.ends_at)


COLUMNS = ", ".join(Row.__struct_fields__)


async def locked(reservation: UUID) -> Row | None:
    """Return the reservation, locked until the transaction ends; None if there is none."""
    return await db.row(
        Row, f"SELECT {COLUMNS} FROM reservation WHERE id = $1 FOR NO KEY UPDATE", reservation
    )


async def code_of(series: UUID | None) -> UUID | None:
    """Return the credential of a series' bookings: the first series' of those it was split from."""
    if series is None:
        return None
    return await db.value(
        UUID,
        "WITH RECURSIVE up (id, follows) AS (SELECT id, follows FROM series WHERE id = $1"
        " UNION ALL SELECT s.id, s.follows FROM series s JOIN up ON s.id = up.follows)"
        " SELECT id FROM up WHERE follows IS NULL",
        series,
    )


async def seen(reservation: UUID) -> Row | None:
    """Return the reservation as it is now, unlocked: to know its leaves before they are locked."""
    return await db.row(Row, f"SELECT {COLUMNS} FROM reservation WHERE id = $1", reservation)


def may_handle(row: Row, by: Actor) -> bool:
    """True for those who act for its party and for the owner's staff. Blocks have a door of their own."""
    return row.kind == "booking" and (row.party in by.acts_for or by.has(row.municipality, Role.STAFF))


async def own_hold(hold_id: UUID, by: Actor, now: datetime) -> Row:
    """Return the actor's own live hold, locked. Raises NotFound (also for a foreign one), HoldExpired."""
    held = await locked(hold_id)
    if held is None or not is_own(held, by):
        raise NotFound("there is no such hold")
    if held.state != "held" or held.hold_until is None or held.hold_until <= now:
        raise HoldExpired("the hold has run out")
    return held


def is_own(row: Row, by: Actor) -> bool:
    """True if the hold is this session's or this account's."""
    same_session = by.session is not None and row.session == by.session
    return by.is_system or same_session or (by.account is not None and row.account == by.account)


async def set_hold_until(reservation: UUID, until: datetime) -> None:
    """The time is kept until then, here and in the calendar."""
    await db.run("UPDATE reservation SET hold_until = $2 WHERE id = $1", reservation, until)
    await db.run("UPDATE occupancy SET hold_until = $2 WHERE reservation = $1", reservation, until)


async def expire(row: Row, now: datetime) -> None:
    """A hold or unpaid reservation that has run out is free again, and can't be paid any more."""
    if row.state == "awaiting_payment":
        await billing.expire_payment(row.id, now=now)
    await free(row, "expired", Actor.system(), now)


async def free(row: Row, state: str, by: Actor, now: datetime, **facts: object) -> None:
    """The time is free, the reservation has ended in this state, and open pages are told."""
    await give_up([row.id], now)
    await db.run("UPDATE reservation SET state = $2, version = version + 1 WHERE id = $1", row.id, state)
    await tell(row, f"reservation.{state}", by, now, **facts)


async def tell(row: Row, action: str, by: Actor, now: datetime, **facts: object) -> None:
    """The journal has it, and pages that show the reservation or its day learn of it."""
    topics = [f"reservation:{row.id}", f"timeline:{row.municipality}"]
    await journal.record(action, about=row.id, by=by, now=now, topics=topics, **facts)
