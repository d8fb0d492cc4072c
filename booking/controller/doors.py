"""The doors themselves: bolts released and dropped, modes followed, contacts watched (lock protocol §7, §8.3)."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from booking.controller import modes
from booking.controller.hardware import Bolts
from booking.controller.holding import Holding
from booking.controller.modes import Commanded
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.lockwire.messages import DoorReport
from booking.lockwire.snapshot import Mode

Sensed = Literal["opened", "closed", "rex", "tamper", "fire"]
FREE_AFTER_MS = 2_000  # a door pulled as the bolt drops was opened by right
UNLOCK_S, HELD_S = 5, 300


class Note(Protocol):
    """Keep an event."""

    def __call__(self, moment: Moment, e: str, door: str | None, /, *, dur_s: int | None = None) -> None:
        """The event is kept."""


class Doors:
    """Used under the controller's lock; nothing here unlocks without a grant, a command or a mode."""

    def __init__(
        self,
        store: Store,
        holding: Holding,
        bolts: Bolts,
        note: Note,
        now: Callable[[Moment], int | None],
        fail: Mapping[str, str],
        pos: str,
    ) -> None:
        self._fail, self._first_pos = fail, pos
        self._store, self._holding, self._bolts, self._note, self._now = store, holding, bolts, note, now
        self._commanded = store.get("modes", dict[str, Commanded]) or {}
        self._released: dict[str, int] = {}  # until, ms since power-on
        self._by_right: dict[str, int] = {}  # an opening until then is nobody's force
        self._shown: dict[str, Mode] = {}
        self._pos: dict[str, str] = {}
        self._open_since: dict[str, int] = {}
        self._held: set[str] = set()
        self.has_changed = False  # since the last report
        for door in self.ids():
            bolts.lock(door)

    def ids(self) -> list[str]:
        """Return the doors of the snapshot in force."""
        return list(self._holding.snapshot.doors) if self._holding.snapshot else []

    # -- bolts --------------------------------------------------------------------------------

    def release(self, door: str, moment: Moment) -> int:
        """The bolt is free for the seconds returned."""
        settings = self._holding.snapshot.doors.get(door) if self._holding.snapshot else None
        seconds = settings.unlock_s if settings else UNLOCK_S
        self._released[door] = moment.mono_ms + seconds * 1_000
        self._by_right[door] = self._released[door] + FREE_AFTER_MS
        self._bolts.unlock(door)
        self.has_changed = True
        return seconds

    def free(self, door: str, moment: Moment) -> None:
        """The lock was opened by right, though not by us: an opening soon after is nobody's force."""
        self._by_right[door] = moment.mono_ms + UNLOCK_S * 1_000 + FREE_AFTER_MS

    def identify(self, door: str | None) -> None:
        """The light has blinked."""
        self._bolts.identify(door)

    def due_ms(self) -> list[int]:
        """Return when bolts are to drop, ms since power-on."""
        return list(self._released.values())

    def follow(self, moment: Moment) -> None:
        """What time alone demands has happened: bolts drop, modes begin and end, open doors are told."""
        for door in [door for door, until in self._released.items() if moment.mono_ms >= until]:
            self._drop(door, moment)
        for door in self.ids():
            self._follow_mode(door, moment)
            self._follow_held(door, moment)

    def _drop(self, door: str, moment: Moment) -> None:
        del self._released[door]
        self.has_changed = True
        if self.mode(door, moment) != "unlocked":
            self._bolts.lock(door)

    # -- modes --------------------------------------------------------------------------------

    def mode(self, door: str, moment: Moment) -> Mode:
        """Return the mode in force."""
        return self.mode_at(door, self._now(moment))

    def mode_at(self, door: str, now: int | None) -> Mode:
        """Return the mode in force at an instant (UTC s, None while the clock is untrusted)."""
        return modes.in_force(self._holding.snapshot, door, self._commanded.get(door), now)

    def command(self, door: str, commanded: Commanded, moment: Moment) -> None:
        """The mode is in force until a snapshot with a higher number says otherwise; in the caller's change."""
        self._commanded = {**self._commanded, door: commanded}
        self._store.put("modes", self._commanded)
        self._follow_mode(door, moment)

    def _follow_mode(self, door: str, moment: Moment) -> None:
        mode, before = self.mode(door, moment), self._shown.get(door, "normal")
        if mode == before:
            return
        self._shown[door], self.has_changed = mode, True
        if mode == "unlocked":
            self._bolts.unlock(door)
        elif mode == "lockdown" or door not in self._released:
            self._released.pop(door, None)
            self._bolts.lock(door)
        with self._store.change():
            self._note(moment, "mode", door)

    # -- contacts -----------------------------------------------------------------------------

    def sense(self, door: str, what: Sensed, moment: Moment) -> None:
        """A contact has changed; what follows from it is an event (§7)."""
        with self._store.change():
            if what in ("opened", "closed"):
                self._move(door, what, moment)
            else:
                self._note(moment, what, door)
        if what == "rex":
            self._by_right[door] = moment.mono_ms + UNLOCK_S * 1_000 + FREE_AFTER_MS

    def _move(self, door: str, what: str, moment: Moment) -> None:
        is_open = what == "opened"
        before = self._pos.get(door, self._first_pos)
        if before == ("open" if is_open else "closed"):
            return
        is_first = before == "unknown"
        self._pos[door], self.has_changed = "open" if is_open else "closed", True
        if is_open:
            self._open_since[door] = moment.mono_ms
            by_right = moment.mono_ms < self._by_right.get(door, 0) or self.mode(door, moment) == "unlocked"
            self._note(moment, "opened" if by_right or is_first else "forced", door)
            return
        since = self._open_since.pop(door, None)
        was_held = door in self._held
        self._held.discard(door)
        if not is_first:
            seconds = (moment.mono_ms - since) // 1_000 if was_held and since is not None else None
            self._note(moment, "closed", door, dur_s=seconds)

    def _follow_held(self, door: str, moment: Moment) -> None:
        since = self._open_since.get(door)
        if since is None or door in self._held or self._holding.snapshot is None:
            return
        if moment.mono_ms - since >= self._holding.snapshot.doors[door].held_s * 1_000:
            self._held.add(door)
            with self._store.change():
                self._note(moment, "held", door)

    # -- what is said ---------------------------------------------------------------------------

    def report(self, moment: Moment) -> dict[str, DoorReport]:
        """Return how each door is now; a door without a contact is at an unknown position."""
        return {door: self._door(door, moment) for door in self.ids()}

    def _door(self, door: str, moment: Moment) -> DoorReport:
        mode = self.mode(door, moment)
        is_free = mode == "unlocked" or door in self._released
        return DoorReport(
            pos=self._pos.get(door, self._first_pos),
            lock="unlocked" if is_free else "locked",
            mode=mode,
            fail=self._fail.get(door, "secure"),
        )
