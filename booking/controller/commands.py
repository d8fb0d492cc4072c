"""Commands: accepted once, never late, never from a retained message (lock protocol §8)."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from booking.controller.modes import Commanded
from booking.controller.store import Store, Stored
from booking.controller.timepiece import Moment
from booking.lockwire.messages import OPS, Command, Listed, Result
from booking.lockwire.snapshot import Grant, Mode, Snapshot

NEEDS_CLOCK = ("open", "unlock", "release")
NEEDS_DOOR = ("open", "unlock", "release", "lockdown")
MODES: dict[str, Mode] = {"unlock": "unlocked", "release": "normal", "lockdown": "lockdown"}
LIST_PART = 24_000  # octets of JSON per part, well below any packet limit


class Device(Protocol):
    """What a command may ask of a controller."""

    store: Store

    @property
    def stored(self) -> Stored | None:
        """What is stored."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot in force."""

    def now_s(self, moment: Moment) -> int | None:
        """UTC seconds, None while the clock is untrusted."""

    def mode_of(self, door: str, moment: Moment) -> Mode:
        """The mode in force."""

    def act_open(self, command: Command, door: str, moment: Moment) -> None:
        """Release the door once."""

    def act_mode(self, door: str, commanded: Commanded, moment: Moment) -> None:
        """Put the mode in force."""

    def act_identify(self, door: str | None) -> None:
        """Blink."""

    def act_resync(self) -> None:
        """Publish a report."""

    def act_replay(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Send those events again."""


def execute(controller: Device, command: Command, epoch: int, retained: bool, moment: Moment) -> list[bytes]:
    """Return the results to publish; the command took effect at most once and its number is spent first."""
    why = _refusal(controller, command, epoch, retained, moment)
    if why in ("retained", "stale"):
        return [_result(command, why)]
    with controller.store.change():
        controller.store.put("last_n", command.n)
    with controller.store.change():
        bodies = [_result(command, why)] if why else _act(controller, command, moment)
        controller.store.keep_results(command.id, bodies)
    return bodies


def _refusal(controller: Device, command: Command, epoch: int, retained: bool, moment: Moment) -> str | None:
    """Return why the command may not be executed, in the order of §8.1."""
    now = controller.now_s(moment)
    if retained:
        return "retained"
    if command.n <= (controller.store.get("last_n", int) or 0):
        return "stale"
    if controller.stored is not None and epoch < controller.stored.epoch:
        return "stale"
    if now is not None and now >= command.exp:
        return "expired"
    if command.op not in OPS:
        return "unsupported"
    if now is None and command.op in NEEDS_CLOCK:
        return "clock"
    doors = controller.snapshot.doors if controller.snapshot else {}
    if command.op in NEEDS_DOOR and command.d not in doors:
        return "door"
    if command.op == "unlock" and not isinstance(command.until, int):
        return "unsupported"
    if command.op == "open" and controller.mode_of(str(command.d), moment) == "lockdown":
        return "mode"
    return None


def _act(controller: Device, command: Command, moment: Moment) -> list[bytes]:
    door = command.d if isinstance(command.d, str) else None
    if command.op == "open" and door:
        controller.act_open(command, door, moment)
    elif command.op in MODES and door:
        until = command.until if isinstance(command.until, int) else None
        controller.act_mode(door, Commanded(MODES[command.op], command.n, until), moment)
    elif command.op == "identify":
        controller.act_identify(door)
    elif command.op == "resync":
        controller.act_resync()
    elif command.op == "replay" and isinstance(command.from_, tuple) and isinstance(command.to, tuple):
        controller.act_replay(command.from_, command.to)
    elif command.op == "list":
        return _listing(controller, command)
    return [_result(command, None)]


def _listing(controller: Device, command: Command) -> list[bytes]:
    held = [*controller.snapshot.grants, *controller.snapshot.reserve] if controller.snapshot else []
    parts = list(_split([_listed(grant) for grant in held])) or [[]]
    if len(parts) == 1:
        return [_result(command, None, grants=parts[0])]
    return [
        _result(command, None, grants=part, part=index, parts=len(parts))
        for index, part in enumerate(parts, 1)
    ]


def _listed(grant: Grant) -> Listed:
    return Listed(grant.id, grant.w)


def _split(listed: list[Listed]) -> Iterator[list[Listed]]:
    part: list[Listed] = []
    size = 0
    for each in listed:
        length = len(msgspec.json.encode(each)) + 1
        if part and size + length > LIST_PART:
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    if part:
        yield part


def _result(
    command: Command,
    why: str | None,
    *,
    grants: list[Listed] | msgspec.UnsetType = msgspec.UNSET,
    part: int | msgspec.UnsetType = msgspec.UNSET,
    parts: int | msgspec.UnsetType = msgspec.UNSET,
) -> bytes:
    result = Result(
        id=command.id, n=command.n, ok=why is None, why=why, grants=grants, part=part, parts=parts
    )
    return msgspec.json.encode(result)
