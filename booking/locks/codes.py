"""PINs at doors: drawn, kept apart by the database, kept for their owner (lock protocol §14)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import ExclusionViolationError

from booking import db
from booking.errors import Conflict
from booking.locks import pin_rules, vault
from booking.locks.pin_rules import PinRule
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


async def keep(credential: UUID, pin: str | None, windows: list[Kept]) -> bool:
    """The PIN is the credential's at these doors and times, 24 h beyond; False if another holder has it there.

    `one_holder_per_pin` decides, in a savepoint of the caller's transaction.
    """
    tag = None if pin is None else vault.tag(pin)
    rows: list[tuple[object, ...]] = [
        (one.grant, one.door, credential, tag, one.span.start, one.span.end, one.span.end + PIN_QUARANTINE)
        for one in windows
    ]
    try:
        async with db.savepoint():
            await db.run_many(
                "INSERT INTO grant_window (access_grant, door, credential, pin_tag, nb, na, kept_until)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                rows,
            )
    except ExclusionViolationError:
        return False
    return True


async def keep_drawn(credential: UUID, rule: PinRule, windows: list[Kept]) -> str:
    """Return a fresh PIN that is the credential's own at these doors and times. Raises NoFreePin."""
    for _ in range(ATTEMPTS):
        pin = pin_rules.draw(rule)
        if await keep(credential, pin, windows):
            return pin
    raise NoFreePin("no free code was found at the door, try again")


async def write_pin(grants: list[UUID], pin: str) -> None:
    """Each of the grants has the PIN, sealed to its own row."""
    rows: list[tuple[object, ...]] = [(id, vault.seal(pin.encode(), f"pin:{id}")) for id in grants]
    await db.run_many("UPDATE access_grant SET pin = $2 WHERE id = $1", rows)


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
