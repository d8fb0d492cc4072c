"""What a controller believes the time is, and when it stops believing (lock protocol §9)."""

from dataclasses import dataclass, replace
from typing import Literal

Source = Literal["ntp", "srv", "rtc", "none"]
DRIFT_PPM = 50
TRUST_MS = 300_000
STEP_MS = 30_000
HOST_ERR_MS = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the hardware: milliseconds since power-on, and the host's UTC if it has a synchronised one."""

    mono_ms: int
    host_ms: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """UTC now, where it comes from and how far it may be off; all None or `none` while untrusted."""

    utc_ms: int | None
    src: Source
    err_ms: int | None

    @property
    def utc_s(self) -> int | None:
        """Whole UTC seconds for decisions, None while untrusted."""
        return None if self.utc_ms is None else self.utc_ms // 1_000


@dataclass(frozen=True, slots=True)
class Timepiece:
    """The last setting: UTC at a monotonic instant. `floor_ms` is never undercut; an answer may overrule NTP."""

    utc_ms: int = 0
    mono_ms: int = 0
    src: Source = "none"
    err_ms: int = 0
    floor_ms: int = 0
    overruled: bool = False


def read(piece: Timepiece, moment: Moment) -> Reading:
    """Return the time now; the error grows by 50 ppm of what has passed since the setting."""
    host = host_of(piece, moment)
    if piece.src == "ntp" and host is not None:
        return Reading(max(host, piece.floor_ms), "ntp", HOST_ERR_MS)
    elapsed = moment.mono_ms - piece.mono_ms
    err = piece.err_ms + elapsed * DRIFT_PPM // 1_000_000
    if piece.src == "none" or err > TRUST_MS:
        return Reading(None, "none", None)
    return Reading(max(piece.utc_ms + elapsed, piece.floor_ms), piece.src, err)


def host_of(piece: Timepiece, moment: Moment) -> int | None:
    """Return the host's clock, None if it stands before an instant known to have passed: then it is wrong."""
    host = moment.host_ms
    return None if host is None or host < piece.floor_ms - STEP_MS else host


def start(moment: Moment, floor_ms: int) -> Timepiece:
    """Return the time after power-on: the host's if it has one, else none."""
    empty = Timepiece(floor_ms=floor_ms)
    host = host_of(empty, moment)
    return empty if host is None else Timepiece(host, moment.mono_ms, "ntp", HOST_ERR_MS, floor_ms)


def noticed(piece: Timepiece, moment: Moment) -> Timepiece:
    """Return the time after a look at the host: it has found the time by itself and no answer overruled it."""
    if piece.overruled or read(piece, moment).src != "none":
        return piece
    return start(moment, piece.floor_ms)


def answered(piece: Timepiece, server_ms: int, asked: Moment, now: Moment) -> Timepiece:
    """Return the time after a counted answer; it wins over NTP if they differ by more than 30 s."""
    middle = asked.mono_ms + (now.mono_ms - asked.mono_ms) // 2
    current = server_ms + (now.mono_ms - middle)
    floor = max(piece.floor_ms, server_ms)
    agrees = now.host_ms is not None and abs(now.host_ms - current) <= STEP_MS
    if agrees and now.host_ms is not None:
        return Timepiece(now.host_ms, now.mono_ms, "ntp", HOST_ERR_MS, floor)
    half = (now.mono_ms - asked.mono_ms + 1) // 2
    return Timepiece(current, now.mono_ms, "srv", half, floor, overruled=now.host_ms is not None)


def raised(piece: Timepiece, floor_ms: int, moment: Moment) -> Timepiece:
    """Return the time that is never again below this instant; a clock found slow runs on from there."""
    told = read(piece, moment).utc_ms
    if told is None or told >= floor_ms - STEP_MS:
        return replace(piece, floor_ms=max(piece.floor_ms, floor_ms))
    return Timepiece(floor_ms, moment.mono_ms, "srv", floor_ms - told, floor_ms, overruled=True)
