"""Pure: what the events at a booking's doors tell of that booking, and of nobody else's.

A movement belongs to whoever's code caused it. One without a code (a way out, a door left open) belongs to the
booking only if its party is in and nobody else can be; from the moment the next booking's code opens it is theirs.
Where that can't be told, it is nobody's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

FOLLOWED = timedelta(hours=4)  # after the end; whoever leaves later did not stay for the booking
CAUSED = timedelta(seconds=20)  # an opening so soon after a code or a request to exit is due to it
ADJOINS = timedelta(minutes=30)  # a party that books again so soon need not go out and come in
SLACK = timedelta(minutes=1)  # a window's edge, seen by the door's clock
MOVES = ("opened", "closed", "rex", "forced")

Cause = Literal["own", "party", "booking", "other", "exit"]


@dataclass(frozen=True, slots=True)
class Window:
    """When a booking's leader code opens a door; `starts_at` and `ends_at` are the time as booked."""

    reservation: UUID
    holder: UUID
    door: str
    nb: datetime
    na: datetime
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """An event at a door by a trusted clock. `reservation`: whose code it was, if this controller holds it."""

    door: str
    at: datetime
    kind: str
    reservation: UUID | None
    dur_s: int | None = None


@dataclass(frozen=True, slots=True)
class Free:
    """A door that staff kept unlocked: anybody came and went."""

    door: str
    start: datetime
    end: datetime


@dataclass(slots=True)
class Trace:
    """What the events tell; instants are UTC. `until`: later events are not this booking's."""

    until: datetime
    first_entry_at: datetime | None = None
    last_use_at: datetime | None = None
    held_s: int = 0
    forced: int = 0
    party_was_in: bool = False  # by the code of another booking of its own
    party_stayed: bool = False  # and it moved a door in this booking's time
    was_open: bool = False  # somebody may have come in without a code
    was_tried: bool = False  # somebody stood at the door and was denied


@dataclass(slots=True)
class _Open:
    at: datetime
    is_mine: bool
    was_held: bool = False


@dataclass(slots=True)
class _Door:
    """One door as it is followed through time; the booking's time at it is [nb, na), and its traces end `until`."""

    name: str
    nb: datetime
    na: datetime
    until: datetime
    before: list[Window]
    beside: list[Window]
    cause: tuple[datetime, Cause] | None = None
    open: _Open | None = None


@dataclass(slots=True)
class _Reader:
    mine: UUID
    starts_at: datetime
    doors: dict[str, _Door]
    adjoining: frozenset[UUID]
    same_party: frozenset[UUID]
    free: Sequence[Free]
    trace: Trace
    who_is_in: Literal["nobody", "own", "other"] = "nobody"
    entered: set[UUID] = field(default_factory=set)

    def take(self, one: Happening) -> None:
        door = self.doors[one.door]
        if one.kind == "granted":
            self._enter(door, one)
        elif one.kind in MOVES:
            self._move(door, one)
        elif one.kind == "held" and door.open is not None:
            door.open.was_held = True
        elif door.nb <= one.at < door.na:
            self.trace.was_tried |= one.kind in ("denied", "lockout")
            self.trace.was_open |= one.kind in ("mode", "fire", "tamper", "boot")

    def finish(self, seen_until: datetime) -> None:
        for door in self.doors.values():
            if door.open is not None and door.open.is_mine and door.open.was_held:
                self.trace.held_s += _seconds(min(door.until, seen_until) - door.open.at)

    def _enter(self, door: _Door, one: Happening) -> None:
        cause = self._cause(door, one)
        door.cause = (one.at, cause)
        if one.reservation is not None:
            self.entered.add(one.reservation)
        if cause == "own":
            self.who_is_in = "own"
            self.trace.first_entry_at = self.trace.first_entry_at or one.at
            self._use(one.at)
        elif cause == "party":
            self.who_is_in, self.trace.party_was_in = "own", True
        else:
            self.who_is_in = "other"
            if door.nb <= one.at < door.na:
                self.trace.was_open |= cause == "other"
                self.trace.party_was_in |= one.reservation in self.same_party

    def _cause(self, door: _Door, one: Happening) -> Cause:
        if one.reservation == self.mine:
            return "own" if door.nb - SLACK <= one.at < door.na + SLACK else "other"
        if one.reservation in self.adjoining:
            return "party"
        return "other" if one.reservation is None else "booking"

    def _move(self, door: _Door, one: Happening) -> None:
        if one.kind == "rex":
            door.cause = (one.at, "exit")
        opening = door.open
        if one.kind == "closed" and opening is not None:
            door.open = None
            self._shut(door, opening, one)
            return
        if one.kind == "forced":
            self._force(door, one.at)
        cause = self._recent(door, one.at) if one.kind != "forced" else "exit"
        is_mine = self._is_mine(door, cause, one.at)
        self._mark_open(door, cause, one.at)
        if one.kind in ("opened", "forced"):
            door.open = _Open(one.at, is_mine)
        if is_mine and one.dur_s is None:  # held open by whom was not seen
            self._use(one.at)

    def _shut(self, door: _Door, opening: _Open, one: Happening) -> None:
        if one.dur_s is not None:
            self._hold(door, opening, one)
        elif opening.is_mine and one.at < door.until:
            self._use(one.at)

    def _hold(self, door: _Door, opening: _Open, one: Happening) -> None:
        """Held open by whoever opened it, as long as the door's time was theirs."""
        if opening.is_mine:
            self.trace.held_s += min(one.dur_s or 0, _seconds(door.until - opening.at))

    def _force(self, door: _Door, at: datetime) -> None:
        if door.nb <= at < min(door.na, door.until) and not self._somebody_beside(door):
            self.trace.forced += 1
        else:
            self.who_is_in = "other"

    def _recent(self, door: _Door, at: datetime) -> Cause:
        return door.cause[1] if door.cause is not None and at - door.cause[0] <= CAUSED else "exit"

    def _is_mine(self, door: _Door, cause: Cause, at: datetime) -> bool:
        if cause == "own":
            return True
        if cause != "exit" or self.who_is_in != "own" or not door.nb <= at < door.until:
            return False
        return not self._is_free(door, at) and not self._somebody_beside(door)

    def _somebody_beside(self, door: _Door) -> bool:
        """Another booking of the same time has come in by this door."""
        return any(one.reservation in self.entered for one in door.beside)

    def _is_free(self, door: _Door, at: datetime) -> bool:
        return any(one.door == door.name and one.start <= at < one.end for one in self.free)

    def _mark_open(self, door: _Door, cause: Cause, at: datetime) -> None:
        """Somebody may have come in as it moved, unless another booking's code moved it, or its people left."""
        others = cause in ("booking", "party") or (
            at < self.starts_at and any(one.nb <= at < one.na for one in door.before)
        )
        if door.nb <= at < min(door.na, door.until) and cause != "own" and not others:
            self.trace.was_open = True

    def _use(self, at: datetime) -> None:
        self.trace.last_use_at = max(at, self.trace.last_use_at or at)
        self.trace.party_stayed |= self.trace.party_was_in and at >= self.starts_at


def read(
    mine: UUID,
    windows: Iterable[Window],
    happenings: Iterable[Happening],
    free: Sequence[Free],
    seen_until: datetime,
) -> Trace:
    """Return what the events (oldest first) at the booking's doors tell of it. `windows`: its own and others'."""
    known = list(windows)
    own = [one for one in known if one.reservation == mine]
    doors = {name: _door(name, own, known) for name in sorted({one.door for one in own})}
    trace = Trace(until=max(one.until for one in doors.values()))
    same_party = frozenset(one.reservation for one in known if one.holder == own[0].holder)
    reader = _Reader(mine, own[0].starts_at, doors, _adjoining(own, known), same_party, free, trace)
    trace.was_open = any(
        one.start < doors[one.door].na and one.end > doors[one.door].nb for one in free if one.door in doors
    )
    for one in happenings:
        if one.door in doors and one.at < trace.until + FOLLOWED:
            reader.take(one)
    reader.finish(seen_until)
    return trace


def _door(name: str, own: list[Window], known: list[Window]) -> _Door:
    here = [one for one in own if one.door == name]
    others = [one for one in known if one.door == name and one.reservation != own[0].reservation]
    start, end = own[0].starts_at, own[0].ends_at
    nb, na = min(one.nb for one in here), max(one.na for one in here)
    following = [one.nb for one in others if one.starts_at >= end]
    return _Door(
        name,
        nb,
        na,
        until=min([na + FOLLOWED, *following]),
        before=[one for one in others if one.ends_at <= start],
        beside=[one for one in others if one.starts_at < end and one.ends_at > start],
    )


def _adjoining(own: list[Window], known: list[Window]) -> frozenset[UUID]:
    """The same party's bookings that run into this one, one after the other."""
    start, found = own[0].starts_at, set[UUID]()
    earlier = [one for one in known if one.holder == own[0].holder and one.ends_at <= start]
    for one in sorted(earlier, key=lambda window: window.ends_at, reverse=True):
        if start - one.ends_at <= ADJOINS:
            found.add(one.reservation)
            start = min(start, one.starts_at)
    return frozenset(found)


def _seconds(length: timedelta) -> int:
    return max(0, int(length.total_seconds()))
