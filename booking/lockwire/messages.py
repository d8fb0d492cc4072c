"""Every message but the snapshot: report, events, commands, results, time, status (§6-§10)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from booking.lockwire.snapshot import DoorId, GrantId, Number, Time, Window
from booking.lockwire.strict import StrictError, fit, load, shape

Position = tuple[Annotated[int, Meta(ge=1)], Annotated[int, Meta(ge=1)]]
Boot = Annotated[int, Meta(ge=1, le=2**32 - 1)]
Sid = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,22}$(?!\n)")]
Nonce = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22}$(?!\n)")]
Short = Annotated[str, Meta(min_length=1, max_length=32)]
Millis = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]

OPS = ("open", "unlock", "release", "lockdown", "identify", "resync", "replay", "list")


class Refusal(Struct, frozen=True):
    """One grant a controller refused, and why (full, dup, format, window, door, after, unsupported)."""

    id: GrantId
    why: Short


class Bad(Struct, frozen=True):
    """The last snapshot dropped; its version comes from an untrusted header."""

    epoch: Number
    ver: Number
    why: Short


class Capacity(Struct, frozen=True, kw_only=True):
    """What a controller can hold; max_doc in bytes."""

    grants: Annotated[int, Meta(ge=1, le=1_000)]
    reserve: Annotated[int, Meta(ge=0, le=500)]
    max_doc: Annotated[int, Meta(ge=8_192, le=49_152)]
    pin_min: Annotated[int, Meta(ge=4, le=10)]
    pin_max: Annotated[int, Meta(ge=4, le=10)]
    events: Annotated[int, Meta(ge=5_000)]
    feat: list[str]


class Clock(Struct, frozen=True, kw_only=True):
    """What a controller believes the time is, and how far it may be off."""

    utc_ms: Millis | None
    src: Short
    err_ms: Annotated[int, Meta(ge=0)] | None


class Power(Struct, frozen=True, kw_only=True):
    """Where the power comes from; bat in per cent."""

    src: Short
    bat: Annotated[int, Meta(ge=0, le=100)] | None


class DoorReport(Struct, frozen=True, kw_only=True):
    """How one door is now; unknown words are kept and shown raw."""

    pos: Short
    lock: Short
    mode: Short
    fail: Short


class Kept(Struct, frozen=True, kw_only=True):
    """The oldest and newest event a controller still has."""

    first: Position | None
    last: Position | None


class Report(Struct, frozen=True, kw_only=True):
    """What a controller has stored and how it is (§6)."""

    boot: Boot
    rs: Annotated[int, Meta(ge=1)]
    sid: Sid
    dig: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")] | None
    rej: Annotated[list[Refusal], Meta(max_length=200)]
    rej_more: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    pend: Annotated[list[GrantId], Meta(max_length=1_000)]
    bad: Bad | None
    cap: Capacity
    clk: Clock
    pw: Power
    doors: Annotated[dict[DoorId, DoorReport], Meta(max_length=32)]
    ev: Kept
    fw: Short


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened at a door (§7). mono is milliseconds since boot; never holds digits typed."""

    boot: Boot
    seq: Annotated[int, Meta(ge=1)]
    t: Time | None
    mono: Annotated[int, Meta(ge=0)]
    clk: Short
    d: DoorId | None
    e: Short
    k: Short | UnsetType = UNSET
    why: Short | UnsetType = UNSET
    g: GrantId | UnsetType | None = UNSET
    cmd: GrantId | UnsetType = UNSET
    dur_s: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    tag: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")] | UnsetType = UNSET
    lost: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Events(Struct, frozen=True):
    """One to fifty events in order."""

    ev: Annotated[list[Event], Meta(min_length=1, max_length=50)]


class Unreadable(Struct, frozen=True):
    """An event that breaks §7 but says where it stands: the log goes on past it, and says that it is lost."""

    boot: Boot
    seq: Annotated[int, Meta(ge=1)]


class _Batch(Struct, frozen=True):
    ev: Annotated[list[object], Meta(min_length=1, max_length=50)]


def events_of(raw: bytes) -> list[Event | Unreadable]:
    """Return one to fifty events in order; one that breaks §7 does not take the others with it.

    Raises StrictError if the message breaks §4.4, or an event does not even say where it stands.
    """
    return [_event(one) for one in shape(load(raw), _Batch).ev]


def _event(value: object) -> Event | Unreadable:
    try:
        return fit(value, Event)
    except StrictError:
        members = value if isinstance(value, dict) else {}
        return shape({name: members.get(name) for name in ("boot", "seq")}, Unreadable)


class EventAck(Struct, frozen=True):
    """Everything up to and including this position is stored."""

    boot: Boot
    seq: Annotated[int, Meta(ge=1)]


class Command(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One request to act now (§8)."""

    id: GrantId
    n: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    exp: Time
    op: Short
    d: DoorId | UnsetType = UNSET
    until: Time | UnsetType = UNSET
    from_: Position | UnsetType = UNSET
    to: Position | UnsetType = UNSET
    g: GrantId | UnsetType = UNSET


class Listed(Struct, frozen=True):
    """One stored grant as `list` shows it: its windows, never the PIN."""

    id: GrantId
    w: Annotated[list[Window], Meta(max_length=64)]


class Result(Struct, frozen=True, kw_only=True):
    """What became of a command; why is null if ok."""

    id: GrantId
    n: Number
    ok: bool
    why: Short | None
    grants: list[Listed] | UnsetType = UNSET
    part: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    parts: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class TimeRequest(Struct, frozen=True, kw_only=True):
    """A controller asks what time it is; n is 16 random bytes, base64url."""

    n: Nonce
    utc_ms: Millis | None
    err_ms: Annotated[int, Meta(ge=0)] | None


class TimeAnswer(Struct, frozen=True):
    """The server's time for one request."""

    n: Nonce
    utc_ms: Millis


class Status(Struct, frozen=True):
    """Plain presence hint, also the will (§10)."""

    st: Literal["online", "offline"]
    boot: Boot
    sid: Sid
