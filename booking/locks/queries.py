"""Reads of codes: the PIN of a booking and where it stands. Doors as staff see them: staff.py."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import clock, db, journal
from booking.errors import NotFound
from booking.locks import reserve, states, vault
from booking.locks.lines import LINES, Line, is_in_force, is_online, may_see, needs_reserve
from booking.locks.states import State
from booking.people import Actor

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # a booking's own code is older than any that is shared


class AccessDoor(msgspec.Struct, frozen=True):
    """One door of a booking, with where its code stands. `hint` is the door's own, e.g. how to arm the alarm.

    A door in `lockdown` opens for no code, until staff say otherwise.
    """

    id: str
    name: str
    kind: Literal["door", "compartment"]
    state: State
    opens_at: datetime
    closes_at: datetime
    confirmed_at: datetime | None
    offline: bool
    flags: list[str]
    mode: Literal["normal", "lockdown", "unlocked"]
    reserve_pin: str | None
    hint: str

    def __repr__(self) -> str:
        return f"AccessDoor(id={self.id!r}, state={self.state!r})"


class Share(msgspec.Struct, frozen=True):
    """A participant's code that the booker has made: opens when the booker has. Its PIN was told once."""

    id: UUID
    label: str
    created_at: datetime
    state: State
    first_used_at: datetime | None


class AccessView(msgspec.Struct, frozen=True):
    """The code of a booking. `confirmed_at` is when every door had proved to have it.

    `also_pin` is another code that opens it too: the association's former one, the series' or the booking's own.
    `reserve_over` is true once a reserve code was handed out and none is in force: the booking's own took its place.
    """

    pin: str | None
    state: State
    confirmed_at: datetime | None
    opens_at: datetime
    closes_at: datetime
    alarm: str | None
    doors: list[AccessDoor]
    reserve_pin: str | None
    on_call_phone: str
    code_of: Literal["booking", "series", "standing"]
    means: Literal["pin", "card", "pin+card"]
    also_pin: str | None
    reserve_offered: bool
    reserve_over: bool
    may_share: bool
    shares: list[Share]

    def __repr__(self) -> str:
        return f"AccessView(state={self.state!r}, doors={len(self.doors)})"


async def access_of(reservation: UUID, *, by: Actor, now: datetime) -> AccessView:
    """Return the code with where it stands in each door.

    The holder sees it, and staff of the municipality, whose look is journalled (§14.6). Raises NotFound where
    the booking opens no door.
    """
    lines = await db.rows(Line, LINES + " WHERE g.reservation = $1 ORDER BY d.name, w.nb, g.id", reservation)
    every = [line for line in lines if line.role == "leader"]
    if not every or not may_see(every[0], by):
        raise NotFound("this booking opens no door", code="no_access")
    leaders = _in_force(every)
    state = states.together(states.state_of(line.facts, now) for line in leaders)
    ranked = _ranked(leaders)
    newest = ranked[0]
    pins = [_shown_pin(line, state) for line in ranked]
    shown = list(dict.fromkeys(pin for pin in pins if pin is not None))
    spare = [line for line in lines if line.role == "reserve" and is_in_force(line, now)]
    handed = {line.door: line for line in sorted(spare, key=lambda one: one.opens_at, reverse=True)}
    if shown and newest.holder not in by.acts_for:
        await journal.record("access.shown", about=reservation, by=by, now=now)
    unsure = any(states.is_unconfirmed(line.facts, now) for line in leaders)
    doors = [_door_of(line, handed.get(line.door), now) for line in _one_per_door(leaders)]
    return AccessView(
        pin=shown[0] if shown else None,
        state=state,
        confirmed_at=_confirmed_at(leaders, state),
        opens_at=min(line.opens_at for line in leaders),
        closes_at=max(line.closes_at for line in leaders),
        alarm="unconfirmed" if unsure else None,
        doors=doors,
        reserve_pin=next((one.reserve_pin for one in doors if one.reserve_pin), None),
        on_call_phone=newest.on_call_phone,
        code_of=_code_of(newest),
        means=newest.means or "pin",
        also_pin=shown[1] if len(shown) > 1 else None,
        reserve_offered=await _is_reserve_left(leaders, set(handed), now),
        reserve_over=not handed and any(line.role == "reserve" for line in lines),
        may_share=_may_share(leaders, state, now),
        shares=_shares([line for line in lines if line.role == "member"], now),
    )


async def _is_reserve_left(leaders: list[Line], handed: set[str], now: datetime) -> bool:
    """True when a door that lacks its code has a reserve code to give: what is offered can be had."""
    for line in leaders:
        if (
            line.door not in handed
            and needs_reserve(line, now)
            and await reserve.spare_at(line.door, max(now, line.opens_at), now)
        ):
            return True
    return False


def _may_share(leaders: list[Line], state: State, now: datetime) -> bool:
    """A participant's code comes the same way as the booker's own: where that does not arrive, none is offered."""
    if state in ("rejected", "ended", "removing", "removed_confirmed"):
        return False
    return not any(needs_reserve(line, now) or not line.takes_members for line in leaders)


def _code_of(line: Line) -> Literal["booking", "series", "standing"]:
    return line.code_of if line.code_of in ("series", "standing") else "booking"


def _in_force(leaders: list[Line]) -> list[Line]:
    """Return the lines that stand; those taken back only where nothing else is left."""
    return [line for line in leaders if line.gone_ver is None] or leaders


def _is_newer(line: Line) -> tuple[datetime, str]:
    return (line.made_at or EARLIEST, str(line.grant_id))


def _ranked(leaders: list[Line]) -> list[Line]:
    """What opens every door of the booking comes first, a card that some can't read last; else the newer first."""
    doors: dict[UUID, set[str]] = {}
    for line in leaders:
        doors.setdefault(line.credential, set()).add(line.door)
    most = max(len(each) for each in doors.values())
    return sorted(
        leaders, key=lambda line: (len(doors[line.credential]) == most, *_is_newer(line)), reverse=True
    )


def _one_per_door(leaders: list[Line]) -> list[Line]:
    """Two codes in one door, old and new: the newer speaks."""
    chosen: dict[str, Line] = {}
    for line in leaders:
        if line.door not in chosen or _is_newer(line) > _is_newer(chosen[line.door]):
            chosen[line.door] = line
    return list(chosen.values())


def _shares(members: list[Line], now: datetime) -> list[Share]:
    found: dict[UUID, list[Line]] = {}
    for line in members:
        if line.gone_ver is None:
            found.setdefault(line.credential, []).append(line)
    return [
        Share(
            id=credential,
            label=lines[0].label or "",
            created_at=lines[0].made_at or lines[0].nb,
            state=states.together(states.state_of(line.facts, now) for line in lines),
            first_used_at=min((line.used_at for line in lines if line.used_at), default=None),
        )
        for credential, lines in found.items()
    ]


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


def _door_of(line: Line, spare: Line | None, now: datetime) -> AccessDoor:
    state = states.state_of(line.facts, now)
    offline = not is_online(line.last_seen, line.offline_at, line.power, now)
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
        kind=line.door_kind,
        state=state,
        opens_at=line.opens_at,
        closes_at=line.closes_at,
        confirmed_at=_confirmed_at([line], state),
        offline=offline,
        flags=[name for name, holds in flags.items() if holds],
        mode=line.door_mode,
        reserve_pin=None if spare is None else _shown_pin(spare, states.state_of(spare.facts, now)),
        hint=line.hint,
    )


async def states_of(reservations: list[UUID], *, now: datetime | None = None) -> dict[UUID, State]:
    """Return the state of each booking's code, one query for all; those without doors are absent.

    Not filtered by actor: it tells no code, and callers have filtered the bookings.
    """
    if not reservations:
        return {}
    lines = await db.rows(Line, LINES + " WHERE g.reservation = ANY($1) AND g.role = 'leader'", reservations)
    at = now or clock.utc_now()
    found: dict[UUID, list[Line]] = {}
    for line in lines:
        if line.reservation is not None:
            found.setdefault(line.reservation, []).append(line)
    return {
        reservation: states.together(states.state_of(line.facts, at) for line in _in_force(each))
        for reservation, each in found.items()
    }
