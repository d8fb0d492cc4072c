"""Access rules: which doors a booking of a resource opens, and with which grace."""

from uuid import UUID

from booking import db
from booking.ids import new_id


async def allow(
    resource: UUID, door: str, *, before_s: int = 900, after_s: int = 900, purpose: str | None = None
) -> None:
    """Who books the resource may open the door, with this grace in seconds. Allowing again changes the grace."""
    await db.run(
        "INSERT INTO access_rule (id, resource, door, before_s, after_s, purpose) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT ON CONSTRAINT access_rule_once DO UPDATE SET before_s = $4, after_s = $5",
        new_id(),
        resource,
        door,
        before_s,
        after_s,
        purpose,
    )
