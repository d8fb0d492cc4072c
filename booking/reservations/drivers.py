"""Whose driving licence a municipality has seen."""

from datetime import date, datetime
from uuid import UUID

from booking import db, journal
from booking.errors import NotFound
from booking.ids import new_id
from booking.people import Actor, Role


class DriverView(db.Record):
    """A driver that a municipality knows."""

    id: UUID
    account_id: UUID
    email: str
    name: str
    classes: str
    valid_to: date
    checked_at: datetime
    checked_by: str | None


_SELECT = """
SELECT d.id, d.account AS account_id, a.email, p.name, d.classes, d.valid_to, d.checked_at, s.name AS checked_by
FROM driver d JOIN account a ON a.id = d.account JOIN party p ON p.id = a.party
  LEFT JOIN account c ON c.id = d.checked_by LEFT JOIN party s ON s.id = c.party
"""


async def drivers_of(
    by: Actor, *, municipality: str, limit: int, offset: int
) -> tuple[list[DriverView], int]:
    """Return a municipality's drivers to its staff, by name. Raises NotFound."""
    by.must_have(municipality, Role.STAFF)
    total = await db.value(int, "SELECT count(*) FROM driver WHERE municipality = $1", municipality)
    found = await db.rows(
        DriverView,
        _SELECT + " WHERE d.municipality = $1 ORDER BY p.name, d.id LIMIT $2 OFFSET $3",
        municipality,
        limit,
        offset,
    )
    return found, total or 0


async def register_driver(
    municipality: str, email: str, classes: str, valid_to: date, *, by: Actor, now: datetime
) -> DriverView:
    """Staff have seen the account's licence; it counts until the day, which may have passed to end it.

    Raises NotFound for others than staff, and for an unknown account (`unknown_account`).
    """
    by.must_have(municipality, Role.STAFF)
    async with db.transaction():
        account = await db.value(UUID, "SELECT id FROM account WHERE lower(email) = lower($1)", email)
        if account is None:
            raise NotFound("nobody has an account with this address", code="unknown_account")
        driver = await db.value(
            UUID,
            "INSERT INTO driver (id, account, municipality, classes, valid_to, checked_by, checked_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, municipality) DO UPDATE SET"
            " classes = excluded.classes, valid_to = excluded.valid_to, checked_by = excluded.checked_by,"
            " checked_at = excluded.checked_at RETURNING id",
            new_id(),
            account,
            municipality,
            classes,
            valid_to,
            by.account,
            now,
        )
        await journal.record(
            "driver.registered", about=driver, by=by, now=now, valid_to=valid_to.isoformat(), classes=classes
        )
        found = await db.row(DriverView, _SELECT + " WHERE d.id = $1", driver)
    if found is None:
        raise NotFound("there is no such driver")
    return found
