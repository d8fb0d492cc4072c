"""Who gets a message when something happens to a booking. In the caller's transaction; texts are messages/."""

from datetime import datetime

from booking import messages
from booking.reservations.rows import Row


async def owe_customer(row: Row, template: messages.Template, now: datetime, **data: object) -> None:
    """The one who booked, or who acts for the party, will get the message."""
    if row.party is not None:
        await messages.owe(
            template,
            account=row.account,
            party=row.party,
            about=row.id,
            municipality=row.municipality,
            data=data,
            now=now,
        )


async def owe_staff(row: Row, what: str, now: datetime, text: str | None = None) -> None:
    """The owner's staff will get the alert."""
    data = {"what": what, "text": text}
    await messages.owe_staff("staff_alert", municipality=row.municipality, about=row.id, data=data, now=now)
