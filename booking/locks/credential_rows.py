"""Stored codes and cards that outlive a booking, and which of them open one."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db
from booking.clock import SWEDEN
from booking.errors import NotFound
from booking.locks import vault
from booking.locks.codes import Code
from booking.span import Span

Means = Literal["pin", "card", "pin+card"]
FOREVER = datetime(2099, 12, 31, tzinfo=SWEDEN)


class CredentialRow(db.Record):
    """A stored credential; PIN and card are sealed."""

    id: UUID
    municipality: str
    kind: str
    means: Means
    holder: UUID
    label: str
    pin: bytes | None
    doors: list[str]
    weekly: str
    valid_from: datetime
    valid_to: datetime | None
    rotates_on: str | None
    overlap_days: int
    successor: UUID | None
    revoked_at: datetime | None

    def code(self) -> Code:
        """Return what opens with it; a series without PIN is at its first booking."""
        pin = None if self.pin is None else vault.unseal(self.pin, f"pin:{self.id}").decode()
        return Code(self.id, self.means, pin, is_shared=True, is_new=pin is None and self.means != "card")

    @property
    def span(self) -> Span:
        """Return when it is valid."""
        return Span(self.valid_from, self.valid_to or FOREVER)


COLUMNS = (
    "id, municipality, kind, means, holder, label, pin, doors, weekly, valid_from, valid_to, rotates_on,"
    " overlap_days, successor, revoked_at"
)
ROW = f"SELECT {COLUMNS} FROM access_credential"


async def for_booking(
    credential: UUID | None, holder: UUID, municipality: str, span: Span, now: datetime
) -> list[Code]:
    """Return the shared codes that open this booking; none if it is to have its own.

    An association's standing codes come first, the newest before the older; a series opens with them, too. Its own
    code stands behind them if people know it already, and opens alone where no standing code does. A credential
    that is not known yet is a series at its first booking. Within a transaction.
    """
    series: list[Code] = []
    if credential is not None:
        await db.run(
            "INSERT INTO access_credential (id, municipality, kind, holder, valid_from, created_at)"
            " VALUES ($1, $2, 'series', $3, $4, $4) ON CONFLICT (id) DO NOTHING",
            credential,
            municipality,
            holder,
            now,
        )
        row = await db.row(CredentialRow, f"{ROW} WHERE id = $1 FOR NO KEY UPDATE", credential)
        if row is not None and row.kind == "series" and row.revoked_at is None:
            series = [row.code()]
    rows = await db.rows(
        CredentialRow,
        f"{ROW} WHERE kind = 'standing' AND holder = $1 AND municipality = $2 AND revoked_at IS NULL"
        " AND valid_from < $4 AND coalesce(valid_to, 'infinity') > $3 ORDER BY valid_from DESC FOR SHARE",
        holder,
        municipality,
        span.start,
        span.end,
    )
    return [row.code() for row in rows] + [one for one in series if not rows or not one.is_new]


async def keep_pin(credential: UUID, pin: str) -> None:
    """The credential has this PIN."""
    await db.run(
        "UPDATE access_credential SET pin = $2, pin_tag = $3 WHERE id = $1",
        credential,
        vault.seal(pin.encode(), f"pin:{credential}"),
        vault.tag(pin),
    )


async def must(id: UUID) -> CredentialRow:
    """Return a standing code, its row locked. Raises NotFound."""
    row = await db.row(CredentialRow, f"{ROW} WHERE id = $1 FOR NO KEY UPDATE", id)
    if row is None or row.kind in ("series", "member"):
        raise NotFound("there is no such code")
    return row
