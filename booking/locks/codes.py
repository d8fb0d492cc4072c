"""PINs at doors: drawn, kept apart by the database, kept for their owner (lock protocol §14)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db
from booking.errors import Conflict
from booking.locks import pin_rules, vault
from booking.locks.pin_rules import PinRule
from booking.lockwire.messages import Report
from booking.span import Span

PIN_QUARANTINE = timedelta(hours=24)
ATTEMPTS = 20
SEASON = timedelta(days=400)  # so long a series keeps its PIN for itself at its doors


class NoFreePin(Conflict):
    """Twenty drawn codes were all taken at the door; the next attempt draws others."""

    code = "no_free_pin"


@dataclass(frozen=True, slots=True)
class Kept:
    """A door and time at which a PIN is one holder's alone; `grant` is None where it is only kept free."""

    grant: UUID | None
    door: str
    span: Span


_KEEP = """
WITH kept AS (
  INSERT INTO grant_window (access_grant, door, credential, pin_tag, nb, na, kept_until)
  SELECT w.access_grant, w.door, $1, $2, w.nb, w.na, w.kept_until
  FROM unnest($3::uuid[], $4::varchar[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
    WITH ORDINALITY AS w(access_grant, door, nb, na, kept_until, n) ORDER BY w.n
  ON CONFLICT DO NOTHING RETURNING id
), sealed AS (
  UPDATE access_grant g SET pin = p.pin FROM unnest($8::uuid[], $9::bytea[]) p(id, pin)
  WHERE g.id = p.id AND (SELECT count(*) FROM kept) = cardinality($4)
)
SELECT id FROM kept
"""


async def keep(credential: UUID, pin: str | None, windows: list[Kept]) -> bool:
    """The PIN is the credential's at these doors and times, 24 h beyond, and stands in their grants, sealed to each.

    False, and nothing is kept, if another holder has it there: `one_holder_per_pin` decides.
    """
    grants = [] if pin is None else sorted({one.grant for one in windows if one.grant})
    kept = await db.column(
        int,
        _KEEP,
        credential,
        None if pin is None else vault.tag(pin),
        [one.grant for one in windows],
        [one.door for one in windows],
        [one.span.start for one in windows],
        [one.span.end for one in windows],
        [one.span.end + PIN_QUARANTINE for one in windows],
        grants,
        [vault.seal((pin or "").encode(), f"pin:{id}") for id in grants],
    )
    if len(kept) < len(windows):
        await db.run("DELETE FROM grant_window WHERE id = ANY($1)", kept)
    return len(kept) == len(windows)


async def keep_drawn(credential: UUID, rule: PinRule, windows: list[Kept]) -> str:
    """Return a fresh PIN that is the credential's own at these doors and times. Raises NoFreePin."""
    for _ in range(ATTEMPTS):
        pin = pin_rules.draw(rule)
        if await keep(credential, pin, windows):
            return pin
    raise NoFreePin("no free code was found at the door, try again")


def read_pin(grant: UUID, sealed: bytes) -> str:
    """Return the PIN of a grant."""
    return vault.unseal(sealed, f"pin:{grant}").decode()


async def free(grants: list[UUID], *, at: datetime, wait: timedelta = PIN_QUARANTINE) -> None:
    """Nobody else gets these PINs at these doors until `at` + `wait`, or their original end if that is sooner."""
    await db.run(
        "UPDATE grant_window SET kept_until = greatest(least(kept_until, $2), nb + interval '1 second')"
        " WHERE access_grant = ANY($1)",
        grants,
        at + wait,
    )


async def leave_windows(grants: list[UUID]) -> None:
    """The grants have no windows any more; what a door may have stored still counts as theirs to its end (§12.6)."""
    await db.run(
        "DELETE FROM grant_window w USING access_grant g WHERE g.id = w.access_grant AND g.id = ANY($1)"
        " AND NOT g.in_log",
        grants,
    )
    await db.run("UPDATE grant_window SET access_grant = NULL WHERE access_grant = ANY($1)", grants)


@dataclass(frozen=True, slots=True)
class Code:
    """What opens: a booking's own PIN, or the one of a credential."""

    credential: UUID
    means: str = "pin"
    pin: str | None = field(default=None, repr=False)
    is_shared: bool = False  # the credential outlives the booking
    is_new: bool = False  # a series at its first booking: its PIN is drawn with it

    @property
    def has_pin(self) -> bool:
        """True unless a card alone opens."""
        return self.means != "card"

    def works_with(self, report: str | None) -> bool:
        """True if a controller that says this can tell the code; one that has said nothing reads no cards."""
        return self.means == "pin" or self.means in features_of(report)


def features_of(report: str | None) -> frozenset[str]:
    """Return what a controller can do by its newest report; before its first, PINs and no more (§12.1.4)."""
    if report is None:
        return frozenset({"pin"})
    return frozenset(msgspec.json.decode(report, type=Report).cap.feat)
