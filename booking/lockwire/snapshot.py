"""The snapshot: everything one controller needs to decide, alone (lock protocol §5)."""

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from booking.lockwire.ids import DOOR
from booking.lockwire.strict import StrictError, parse

Time = Annotated[int, Meta(ge=1_600_000_000, le=4_102_444_800)]
Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]
DoorId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,15}$(?!\n)")]
GrantId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,36}$(?!\n)")]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,10}$(?!\n)")]
Card = Annotated[str, Meta(pattern=r"^[0-9A-F]{8,20}$(?!\n)")]
Mode = Literal["normal", "lockdown", "unlocked"]

KINDS = ("pin", "card", "pin+card")
ROLES = ("leader", "member", "staff", "clean", "emergency", "reserve")
ALWAYS = ("staff", "emergency")  # roles that lockdown, horizon and clock do not stop
HOUR, DAY = 3_600, 86_400


class Door(Struct, frozen=True, kw_only=True):
    """How one door behaves; all members required. unlock_s and held_s are seconds."""

    unlock_s: Annotated[int, Meta(ge=1, le=60)]
    held_s: Annotated[int, Meta(ge=10, le=1_800)]
    mode: Mode
    mode_n: Number
    mode_until: Time | None


class Policy(Struct, frozen=True, kw_only=True):
    """Keypad lock-out, in tries and seconds."""

    tries: Annotated[int, Meta(ge=3, le=10)]
    lock_s: Annotated[int, Meta(ge=30, le=600)]
    max_s: Annotated[int, Meta(ge=600, le=86_400)]


class Window(Struct, frozen=True, kw_only=True):
    """Doors d may be opened from nb inclusive to na exclusive, grace already applied."""

    d: Annotated[list[DoorId], Meta(min_length=1, max_length=32)]
    nb: Time
    na: Time


class Grant(Struct, frozen=True, kw_only=True):
    """One credential and its windows; `repr` shows neither PIN nor card."""

    id: GrantId
    k: str  # an unknown kind refuses the grant, not the snapshot (§16)
    pin: Pin | UnsetType = UNSET
    card: Card | UnsetType = UNSET
    role: str
    after: GrantId | UnsetType | None = UNSET
    w: Annotated[list[Window], Meta(min_length=1, max_length=64)]
    max: Annotated[int, Meta(ge=1, le=1_000)] | UnsetType | None = UNSET
    rights: list[str] | UnsetType = UNSET
    crit: list[str] | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"Grant(id={self.id!r}, k={self.k!r}, role={self.role!r}, w={len(self.w)})"


class Snapshot(Struct, frozen=True, kw_only=True):
    """Who may open which door when; version and epoch stand in the envelope's header."""

    iat: Time
    hz: tuple[Time, Time]
    tz: Annotated[str, Meta(min_length=1, max_length=64)]
    doors: Annotated[dict[str, Door], Meta(min_length=1, max_length=32)]
    policy: Policy
    grants: Annotated[list[Grant], Meta(max_length=1_000)]
    reserve: Annotated[list[Grant], Meta(max_length=500)]


DEFAULT_POLICY = Policy(tries=5, lock_s=60, max_s=3_600)


def encode(snapshot: Snapshot) -> bytes:
    """Return the canonical octets; the same (epoch, ver) must always have the same ones."""
    return msgspec.json.encode(snapshot)


def digest(octets: bytes) -> str:
    """Return lower-case hex SHA-256 of a snapshot's plain-text octets."""
    return hashlib.sha256(octets).hexdigest()


def decode(octets: bytes) -> Snapshot:
    """Return the snapshot if it keeps every rule of §5. Raises StrictError; the whole is refused."""
    snapshot = parse(octets, Snapshot)
    _check(snapshot)
    return snapshot


def _check(snapshot: Snapshot) -> None:
    start, end = snapshot.hz
    _require(HOUR <= end - start <= 90 * DAY, "horizon")
    _require(all(DOOR.match(name) for name in snapshot.doors), "door id")
    for door in snapshot.doors.values():
        _require(door.mode != "unlocked" or door.mode_until is not None, "mode_until")
    every = [*snapshot.grants, *snapshot.reserve]
    _require(len({grant.id for grant in every}) == len(every), "grant id twice")
    _require(all(grant.role != "reserve" for grant in snapshot.grants), "reserve among grants")
    _require(all(grant.role == "reserve" for grant in snapshot.reserve), "grant among reserve")
    for grant in every:
        _check_grant(grant)


def _check_grant(grant: Grant) -> None:
    parts = grant.k.split("+") if grant.k in KINDS else []
    _require("pin" not in parts or grant.pin is not UNSET, "pin missing")
    _require("card" not in parts or grant.card is not UNSET, "card missing")
    for window in grant.w:
        _require(window.nb < window.na <= window.nb + 400 * DAY, "window")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise StrictError(f"snapshot breaks a rule: {what}")
