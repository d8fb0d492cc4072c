"""Nuki locks with a keypad behind nuki_hub (an ESP32).

Silent failures, and what is done about them:
- Results carry no id: one wish at a time. The README and the source name two result topics: both are heard.
- `add` does not return the code's id: our entry is found in the list by its name. The list is cut at a length set in
  nuki_hub (10 as delivered): an entry missing from a full list proves nothing.
- `update` with a member left out zeroes it: enabling or disabling a code that way drops its time limit. So an update
  always says everything, and the read-back compares enabled, time limit, both ends and the days.
- Codes with a 0 or starting with 12 are refused by the lock; they are refused here, before they are sent.
- Times are local, without zone: converted in local_time.py alone.

Wire: nuki_hub README "Keypad control using JSON"; NukiWrapper.cpp onKeypadJsonCommandReceived.
"""

from collections.abc import Generator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from booking.bridge.contract import (
    Ask,
    Declared,
    Held,
    Message,
    PinRule,
    Refused,
    Sighting,
    Steps,
    Survey,
    Surveying,
    Trouble,
    decoded,
)
from booking.bridge.local_time import caveat, to_local

RESULT_MS: Final = 45_000  # Bluetooth to a sleeping lock, then the list is read anew
LIST_MS: Final = 60_000
MARK: Final = "lk-"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HINTS = {
    "noPinSet": "set the lock's security PIN in nuki_hub",
    "keypadControlDisabled": "allow keypad control in nuki_hub's access level",
    "keypadNotAvailable": "no keypad is paired with this lock",
    "keypadDisabled": "the keypad is disabled in nuki_hub",
}
_STATES = {"locked": "locked", "unlocked": "unlocked", "unlatched": "unlocked", "unlockedLnga": "unlocked"}


class _Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One code as listed. Numbers come as numbers or strings."""

    code_id: int
    name: str = ""
    enabled: int = 0
    time_limited: int = 0
    allowed_from: str = ""
    allowed_until: str = ""
    allowed_weekdays: list[str] | None = None


class NukiHub:
    """One lock. `path` is the lock's topic in nuki_hub, such as `nukihub/lock`; `listed` its list's length."""

    def __init__(self, path: str, zone: ZoneInfo, *, listed: int = 10, unlock: str = "unlatch") -> None:
        self._path, self._zone, self._listed, self._unlock = path, zone, listed, unlock
        self._results = (f"{path}/keypad/commandResultJson", f"{path}/configuration/commandResultJson")
        self._list = f"{path}/keypad/json"
        self.topics: tuple[str, ...] = (
            *self._results, self._list, f"{path}/state", f"{path}/doorSensorState", f"{path}/battery/level",
        )  # fmt: skip
        self.declared = Declared(
            driver="nuki_hub",
            pin=PinRule(6, 6, "123456789", ("12",)),
            windows=1,
            time_base="local",
            step_s=1,
            confirmation="result, then the list with every member as sent",
            slots=max(1, listed - 1),  # a list with a free place proves that nothing was cut off
            has_ids=False,
            note=f"clear text on the local broker; raise the list of {listed} in nuki_hub for more codes",
        )

    def prepare(self, now: int | None) -> Steps:
        """Nothing: nuki_hub keeps the lock's clock and zone (set both there)."""
        yield from ()
        return None

    def put(self, held: Held) -> Steps:
        """The code is in the list with its window. Returns the lock's id for it."""
        entries = yield from self._read()
        known = next((entry for entry in entries if entry.name == self._name(held)), None)
        wish = {"action": "add", **self._wish(held)}
        if known is not None:
            wish = {"action": "update", "codeId": str(known.code_id), "enabled": "1", **self._wish(held)}
        yield from self._order(wish)
        entries = yield from self._read()
        found = next((entry for entry in entries if self._is_as_sent(entry, held)), None)
        if found is None:
            raise Trouble(
                f"nuki_hub said success, but the code is not listed as sent ({self._fullness(entries)})"
            )
        return str(found.code_id)

    def clear(self, held: Held) -> Steps:
        """The code is in a list that is not cut off no longer."""
        entries = yield from self._read()
        for entry in [entry for entry in entries if self._is_same(entry, held)]:
            yield from self._order({"action": "delete", "codeId": str(entry.code_id)})
            entries = yield from self._read()
        if any(self._is_same(entry, held) for entry in entries):
            raise Trouble("nuki_hub said success, but the code is still listed")
        if len(entries) >= self._listed:
            raise Trouble(f"the code is not listed, which proves nothing: {self._fullness(entries)}")
        return None

    def survey(self, held: Sequence[Held]) -> Surveying:
        """Compare the list with what we believe; entries of ours that we do not know are strays."""
        entries = yield from self._read()
        sure = frozenset(row.slot for row in held if any(self._is_as_sent(entry, row) for entry in entries))
        ours = [entry for entry in entries if entry.name.startswith(MARK)]
        strays = tuple(
            str(entry.code_id) for entry in ours if not any(self._is_same(entry, row) for row in held)
        )
        return Survey(sure, strays)

    def caveat(self, held: Held) -> str | None:
        """Return what an autumn night does to the window."""
        return caveat(held.windows, self._zone)

    def release(self, free: bool) -> tuple[Message, ...]:
        """Return what unlatches or locks."""
        return (Message(f"{self._path}/action", (self._unlock if free else "lock").encode()),)

    def heard(self, message: Message, held: Sequence[Held]) -> list[Sighting]:
        """Return what the bolt, the door sensor and the battery say."""
        said = message.payload[:64].decode(errors="replace")
        if message.topic == f"{self._path}/state" and said in _STATES:
            return [Sighting("locked" if _STATES[said] == "locked" else "unlocked")]
        if message.topic == f"{self._path}/doorSensorState" and said in ("doorOpened", "doorClosed"):
            return [Sighting("opened" if said == "doorOpened" else "closed")]
        if message.topic == f"{self._path}/battery/level" and said.isdecimal():
            return [Sighting("battery", value=int(said))]
        return []

    def _wish(self, held: Held) -> dict[str, object]:
        """Everything about the code: what is left out, the lock zeroes."""
        since, until = self._ends(held)
        return {
            "code": held.pin,
            "name": self._name(held),
            "timeLimited": "1",
            "allowedFrom": since,
            "allowedUntil": until,
            "allowedWeekdays": list(DAYS),
        }

    def _ends(self, held: Held) -> tuple[str, str]:
        if not held.windows:
            return "", ""
        window = to_local(held.windows[0], self._zone)
        return f"{window.start:%Y-%m-%d %H:%M:%S}", f"{window.end:%Y-%m-%d %H:%M:%S}"

    def _name(self, held: Held) -> str:
        """At most 20 characters, the same after a crash, and telling nothing of the code."""
        return f"{MARK}{held.slot:03}"

    def _is_same(self, entry: _Entry, held: Held) -> bool:
        return entry.name == self._name(held) or str(entry.code_id) == held.key

    def _is_as_sent(self, entry: _Entry, held: Held) -> bool:
        is_open = entry.enabled == 1 and entry.time_limited == 1
        is_every_day = entry.allowed_weekdays is None or set(entry.allowed_weekdays) >= set(DAYS)
        ends = (entry.allowed_from, entry.allowed_until)
        return self._is_same(entry, held) and is_open and is_every_day and ends == self._ends(held)

    def _order(self, wish: dict[str, object]) -> Steps:
        """The lock has said success. Raises Refused or Trouble with what it said instead."""
        ask = Message(f"{self._path}/keypad/actionJson", msgspec.json.encode(wish))
        answer = yield Ask(
            (ask,), lambda message: message.topic in self._results and not message.retain, RESULT_MS
        )
        said = answer.payload[:64].decode(errors="replace").strip('"')
        if said in ("noValidCodeSet", "invalidAllowedFrom", "invalidAllowedUntil"):
            raise Refused("format" if said == "noValidCodeSet" else "window", f"nuki_hub says {said}")
        if said != "success":
            raise Trouble(f"nuki_hub says {said}: {_HINTS.get(said, 'tried again')}")
        return None

    def _read(self) -> Generator[Ask, Message, list[_Entry]]:
        """Ask the lock for its codes; what the broker had kept is no answer."""
        ask = Message(f"{self._path}/query/keypad", b"1")
        answer = yield Ask(
            (ask,), lambda message: message.topic == self._list and not message.retain, LIST_MS
        )
        entries = decoded(answer, list[_Entry])
        if entries is None:
            raise Trouble("nuki_hub's list of codes can't be read: turn on its JSON list")
        return entries

    def _fullness(self, entries: Sequence[_Entry]) -> str:
        return f"{len(entries)} of at most {self._listed} codes are listed; raise the limit in nuki_hub"
