"""Reads of codes: the PIN of a booking and where it stands. Doors as staff see them: staff.py."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import clock, db, journal
from booking.errors import NotFound
from booking.locks import states, vault
from booking.locks.states import Facts, State
from booking.people import Actor, Role

ONLINE_FOR = timedelta(minutes=45)  # three missed reports (§12.3)
GRACE = timedelta(seconds=30)


class AccessDoor(msgspec.Struct, frozen=True):
    """One door of a booking, with where its code stands."""

    id: str
    name: str
    state: State
    opens_at: datetime
    closes_at: datetime
    confirmed_at: datetime | None
    offline: bool
    flags: list[str]


class AccessView(msgspec.Struct, frozen=True):
    """The code of a booking. `confirmed_at` is when every door had proved to have it."""

    pin: str | None
    state: State
    confirmed_at: datetime | None
    opens_at: datetime
    closes_at: datetime
    alarm: str | None
    doors: list[AccessDoor]
    reserve_pin: str | None
    on_call_phone: str

    def __repr__(self) -> str:
        return f"AccessView(state={self.state!r}, doors={len(self.doors)})"


class Line(db.Record):
    """One door of one grant with the facts of its controller."""

    grant_id: UUID
    reservation: UUID
    holder: UUID
    pin: bytes | None
    door: str
    door_name: str
    opens_at: datetime
    closes_at: datetime
    nb: datetime
    na: datetime
    first_epoch: int | None
    first_ver: int | None
    gone_epoch: int | None
    gone_ver: int | None
    in_log: bool
    logged_epoch: int
    logged_ver: int
    broker_epoch: int
    broker_ver: int
    rep_epoch: int
    rep_ver: int
    rejected: str | None
    used_at: datetime | None
    gone_at: datetime | None
    applied_at: datetime | None
    last_seen: datetime | None
    offline_at: datetime | None
    clock: str
    quarantine: bool
    municipality: str
    on_call_phone: str

    @property
    def facts(self) -> Facts:
        """What decides the state."""
        return Facts(
            self.nb,
            self.na,
            _version(self.first_epoch, self.first_ver),
            _version(self.gone_epoch, self.gone_ver),
            self.in_log,
            (self.logged_epoch, self.logged_ver),
            (self.broker_epoch, self.broker_ver),
            (self.rep_epoch, self.rep_ver),
            self.rejected,
            self.used_at,
            self.gone_at,
        )


def _version(epoch: int | None, ver: int | None) -> tuple[int, int] | None:
    return None if epoch is None or ver is None else (epoch, ver)


LINES = """
SELECT g.id AS grant_id, g.reservation, g.holder, g.pin, d.id AS door, d.name AS door_name,
  w.nb AS opens_at, w.na AS closes_at, g.nb, g.na, g.first_epoch, g.first_ver, g.gone_epoch, g.gone_ver,
  g.in_log, c.logged_epoch, c.logged_ver, c.broker_epoch, c.broker_ver, c.rep_epoch, c.rep_ver, g.rejected,
  g.used_at, g.gone_at, g.applied_at, c.last_seen, c.offline_at, c.clock, c.quarantine, f.municipality,
  coalesce(f.on_call_phone, m.on_call_phone) AS on_call_phone
FROM access_grant g JOIN controller c ON c.id = g.controller JOIN facility f ON f.id = c.facility
  JOIN municipality m ON m.code = f.municipality
  JOIN grant_window w ON w.access_grant = g.id JOIN door d ON d.id = w.door
"""


async def access_of(reservation: UUID, *, by: Actor, now: datetime) -> AccessView:
    """Return the code with where it stands in each door.

    The holder sees it, and staff of the municipality, whose look is journalled (§14.6). Raises NotFound where
    the booking opens no door.
    """
    lines = await db.rows(Line, LINES + " WHERE g.reservation = $1 ORDER BY d.name, w.nb", reservation)
    if not lines or not _may_see(lines[0], by):
        raise NotFound("this booking opens no door", code="no_access")
    found = {line.door: states.state_of(line.facts, now) for line in lines}
    state = states.together(found.values())
    pin = _shown_pin(lines[0], state)
    if pin is not None and lines[0].holder not in by.acts_for:
        await journal.record("access.shown", about=reservation, by=by, now=now)
    unsure = any(states.is_unconfirmed(line.facts, now) for line in lines)
    return AccessView(
        pin=pin,
        state=state,
        confirmed_at=_confirmed_at(lines, state),
        opens_at=min(line.opens_at for line in lines),
        closes_at=max(line.closes_at for line in lines),
        alarm="unconfirmed" if unsure else None,
        doors=[_door_of(line, now) for line in lines],
        reserve_pin=None,
        on_call_phone=lines[0].on_call_phone,
    )


def _may_see(line: Line, by: Actor) -> bool:
    return line.holder in by.acts_for or by.has(line.municipality, Role.STAFF)


def _shown_pin(line: Line, state: State) -> str | None:
    """A code that no longer opens is not shown."""
    if line.pin is None or state in ("ended", "removing", "removed_confirmed"):
        return None
    return vault.unseal(line.pin, f"pin:{line.grant_id}").decode()


def _confirmed_at(lines: list[Line], state: State) -> datetime | None:
    """When the last of the doors confirmed what the state says."""
    if state in ("applied", "active", "used", "ended"):
        times = [line.applied_at for line in lines]
    elif state == "removed_confirmed":
        times = [line.gone_at for line in lines]
    else:
        return None
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(lines) else None


def _door_of(line: Line, now: datetime) -> AccessDoor:
    state = states.state_of(line.facts, now)
    offline = not is_online(line.last_seen, line.offline_at, now)
    flags = {
        "unconfirmed": states.is_unconfirmed(line.facts, now),
        "offline": offline,
        "clock_untrusted": line.clock == "untrusted",
        "clock_drift": line.clock == "drift",
        "quarantine": line.quarantine,
    }
    return AccessDoor(
        id=line.door,
        name=line.door_name,
        state=state,
        opens_at=line.opens_at,
        closes_at=line.closes_at,
        confirmed_at=_confirmed_at([line], state),
        offline=offline,
        flags=[name for name, holds in flags.items() if holds],
    )


def is_online(last_seen: datetime | None, offline_at: datetime | None, now: datetime) -> bool:
    """True unless its will is 30 s old or three of its reports are missing; a hint, nothing more (§10)."""
    if last_seen is None or last_seen < now - ONLINE_FOR:
        return False
    return offline_at is None or now < offline_at + GRACE


async def states_of(reservations: list[UUID], *, now: datetime | None = None) -> dict[UUID, State]:
    """Return the state of each booking's code, one query for all; those without doors are absent.

    Not filtered by actor: it tells no code, and callers have filtered the bookings.
    """
    if not reservations:
        return {}
    lines = await db.rows(Line, LINES + " WHERE g.reservation = ANY($1)", reservations)
    at = now or clock.utc_now()
    found: dict[UUID, list[State]] = {}
    for line in lines:
        found.setdefault(line.reservation, []).append(states.state_of(line.facts, at))
    return {reservation: states.together(each) for reservation, each in found.items()}
