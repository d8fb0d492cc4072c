"""Z-Wave locks behind zwave-js-ui's MQTT API: User Code and Schedule Entry Lock.

Silent failures, and what is done about them:
- A result echoes its request, PIN included: fine on a broker next to the lock, and our number in it names the request.
- A code without schedule opens always. So it is set disabled, given its windows, and only then enabled; a surplus
  window of an earlier code is deleted while it is disabled. A lock that forgets its schedules (a reset, a new
  battery) keeps its codes: each survey reads the windows too.
- "success" says that the call was made: the supervision status inside must be 255, and code and windows are read back.
- Enabling a schedule can't be read back: it is sent each time, and again at each survey.
- Schedules are the lock's local time to the minute, and its clock is set by the gateway's zone: synchronised daily.
- Users and schedule slots count from 1; a PIN is a string of 4 to 10 digits.

Wire: zwave-js-ui docs/guide/mqtt.md; ZwaveClient callApi, ScheduleService.setSchedule; zwave-js UserCodeCC.
"""

from collections.abc import Generator, Sequence
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from booking.bridge.contract import (
    Ask,
    Declared,
    Happening,
    Held,
    Message,
    PinRule,
    Refused,
    Sighting,
    Steps,
    Survey,
    Surveying,
    Trouble,
    Window,
    decoded,
)
from booking.bridge.local_time import caveat, to_local

ANSWER_MS: Final = 30_000  # a sleeping lock is woken, and each frame may be sent three times
USER_CODE, SCHEDULES, DOOR_LOCK = 99, 78, 98
FREE, ENABLED, DISABLED = 0, 1, 2
FAILED, SUCCESS = 2, 255
ACCESS_CONTROL: Final = 6
_EVENTS: dict[int, Happening] = {
    0x01: "locked", 0x02: "unlocked", 0x03: "locked", 0x04: "unlocked", 0x05: "locked", 0x06: "granted",
    0x0C: "changed", 0x0D: "changed", 0x0E: "changed", 0x16: "opened", 0x17: "closed",
}  # fmt: skip

Json = dict[str, object] | list[object] | str | int | float | bool | None


class _Origin(msgspec.Struct, frozen=True):
    n: int = 0


class _Answer(msgspec.Struct, frozen=True):
    """What the gateway answers; `result` is a supervision result, a report, or nothing."""

    success: bool
    message: str = ""
    result: Json = None
    origin: _Origin = _Origin()


class _Told(msgspec.Struct, frozen=True):
    data: list[Json]


class ZwaveJsUi:
    """One lock. `gateway` is the name in zwave-js-ui's MQTT settings."""

    def __init__(self, node: int, zone: ZoneInfo, *, prefix: str = "zwave", gateway: str = "zwave-js-ui",
                 first: int = 1, slots: int = 20, windows: int = 1) -> None:  # fmt: skip
        self._node, self._zone, self._first = node, zone, first
        self._api = f"{prefix}/_CLIENTS/ZWAVE_GATEWAY-{gateway}/api"
        self._told = f"{prefix}/_EVENTS_/ZWAVE_GATEWAY-{gateway}/node/notification"
        self.topics: tuple[str, ...] = (f"{self._api}/+", self._told)
        self.declared = Declared(
            driver="zwave_js_ui",
            pin=PinRule(4, 10),
            windows=windows,
            time_base="local",
            step_s=60,
            confirmation="supervision status 255, then code and windows read back",
            slots=slots,
            has_ids=True,
            note="clear text on the local broker, whose clients can also reset the network: keep it closed",
        )
        self._numbers = count(1)

    def prepare(self, now: int | None) -> Steps:
        """The lock's clock is that of the gateway."""
        if (yield from self._call("syncNodeDateAndTime", [self._node])).result is not True:
            raise Trouble("the lock did not take the time: its windows would be wrong")
        return None

    def put(self, held: Held) -> Steps:
        """The code is enabled, with these windows and no others, all read back."""
        user = self._first + held.slot
        is_there = (yield from self._code(user)) == (ENABLED, held.pin)
        if not is_there or (yield from self._window(user, 1)) is None:
            yield from self._set(user, DISABLED, held.pin)
        for slot in range(1, self.declared.windows + 1):
            window = held.windows[slot - 1] if slot <= len(held.windows) else None
            yield from self._set_window(user, slot, window)
        yield from self._supervised("setEnabledSchedule", [self._node, True, user])
        yield from self._set(user, ENABLED, held.pin)
        if (yield from self._code(user)) != (ENABLED, held.pin):
            raise Trouble("the lock reads back another code")
        for slot, window in enumerate(held.windows, 1):
            if (yield from self._window(user, slot)) != self._schedule(window):
                raise Trouble(f"the lock reads back another window in schedule {slot}")
        return None

    def clear(self, held: Held) -> Steps:
        """The user reads as free. Its windows stay, on nobody; the next code's overwrite or delete them."""
        user = self._first + held.slot
        yield from self._supervised("sendCommand", [self._class(USER_CODE), "clear", [user]])
        status, _ = yield from self._code(user)
        if status != FREE:
            raise Trouble("the lock said it cleared the code, but reads it back")
        return None

    def survey(self, held: Sequence[Held]) -> Surveying:
        """Each of our users is read; a code changed at the lock, or without its very windows, counts as lost."""
        rows = {row.slot: row for row in held if row.state == "in"}
        taken = set()
        for slot in range(self.declared.slots):
            code = yield from self._code(self._first + slot)
            if code[0] != FREE and (slot not in rows or (yield from self._is_as_put(rows[slot], code))):
                taken.add(slot)
        return Survey(frozenset(taken))

    def caveat(self, held: Held) -> str | None:
        """Return what an autumn night does to the window."""
        return caveat(held.windows, self._zone)

    def release(self, free: bool) -> tuple[Message, ...]:
        """Return what unlocks (mode 0) or locks (mode 255)."""
        return (self._message("sendCommand", [self._class(DOOR_LOCK), "set", [0 if free else 255]], 0),)

    def heard(self, message: Message, held: Sequence[Held]) -> list[Sighting]:
        """Return what the lock notifies of: who opened, the bolt, the door, codes changed at the lock."""
        told = decoded(message, _Told) if message.topic == self._told else None
        if told is None or len(told.data) < 3 or _node_of(told.data[0]) != self._node:
            return []
        about = told.data[2]
        if not isinstance(about, dict) or about.get("type") != ACCESS_CONTROL:
            return []
        event, more = about.get("event"), about.get("parameters")
        what = _EVENTS.get(event) if isinstance(event, int) else None
        if what != "granted":
            return [Sighting(what)] if what else []
        user = more.get("userId") if isinstance(more, dict) else None
        return [
            Sighting("unlocked"),
            Sighting("granted", user - self._first if isinstance(user, int) else None),
        ]

    # -- codes and windows ----------------------------------------------------------------------

    def _is_as_put(self, held: Held, code: tuple[int, str | None]) -> Generator[Ask, Message, bool]:
        """True if this code is the one put there, and its windows and no others are read back."""
        if code != (ENABLED, held.pin):
            return False
        user = self._first + held.slot
        for slot in range(1, self.declared.windows + 1):
            window = self._schedule(held.windows[slot - 1]) if slot <= len(held.windows) else None
            if (yield from self._window(user, slot)) != window:
                return False
        yield from self._supervised("setEnabledSchedule", [self._node, True, user])
        return True

    def _set(self, user: int, status: int, pin: str) -> Steps:
        yield from self._supervised(
            "sendCommand", [self._class(USER_CODE), "set", [user, status, pin]], dup=True
        )
        return None

    def _code(self, user: int) -> Generator[Ask, Message, tuple[int, str | None]]:
        """Return status and code of a user, as the lock says now."""
        answer = yield from self._call("sendCommand", [self._class(USER_CODE), "get", [user]])
        if not isinstance(answer.result, dict):
            raise Trouble("the lock does not tell its codes")
        status, pin = answer.result.get("userIdStatus"), answer.result.get("userCode")
        if not isinstance(status, int):
            raise Trouble("the lock does not tell its codes")
        return status, pin if isinstance(pin, str) else None

    def _set_window(self, user: int, slot: int, window: Window | None) -> Steps:
        schedule = {} if window is None else self._schedule(window)
        yield from self._supervised(
            "setSchedule", [self._node, "yearly", {"userId": user, "slotId": slot, **schedule}]
        )
        return None

    def _window(self, user: int, slot: int) -> Generator[Ask, Message, Json]:
        wish = {"userId": user, "slotId": slot}
        answer = yield from self._call("sendCommand", [self._class(SCHEDULES), "getYearDaySchedule", [wish]])
        found = answer.result
        return {key: found[key] for key in found if key not in wish} if isinstance(found, dict) else None

    def _schedule(self, window: Window) -> dict[str, object]:
        local = to_local(window, self._zone, 60)
        ends: dict[str, object] = {}
        for name, at in (("start", local.start), ("stop", local.end)):
            ends |= {f"{name}Year": at.year % 100, f"{name}Month": at.month, f"{name}Day": at.day,
                     f"{name}Hour": at.hour, f"{name}Minute": at.minute}  # fmt: skip
        return ends

    # -- calls ----------------------------------------------------------------------------------

    def _supervised(self, api: str, args: list[object], *, dup: bool = False) -> Steps:
        """The lock has not said that it failed. Without supervision the read-back that follows decides."""
        result = (yield from self._call(api, args)).result
        status = result.get("status") if isinstance(result, dict) else None
        if status == FAILED and dup:
            raise Refused("dup", "the lock refused the code: as a rule because it holds the same one")
        if status not in (None, SUCCESS):
            raise Trouble(f"{api} ended with supervision status {status}")
        return None

    def _call(self, api: str, args: list[object]) -> Generator[Ask, Message, _Answer]:
        number = next(self._numbers)
        answered: list[_Answer] = []

        def answers(message: Message) -> bool:
            found = decoded(message, _Answer) if message.topic == f"{self._api}/{api}" else None
            if found is None or found.origin.n != number or message.retain:
                return False
            answered.append(found)
            return True

        yield Ask((self._message(api, args, number),), answers, ANSWER_MS)
        answer = answered[-1]
        if not answer.success:
            raise _refusal(answer.message)
        return answer

    def _message(self, api: str, args: list[object], number: int) -> Message:
        return Message(f"{self._api}/{api}/set", msgspec.json.encode({"args": args, "n": number}))

    def _class(self, command_class: int) -> dict[str, int]:
        return {"nodeId": self._node, "commandClass": command_class, "endpoint": 0}


def _refusal(text: str) -> Trouble:
    """What the driver rejects before it reaches the lock never will be taken; anything else is tried again."""
    if "user code must consist" in text:
        return Refused("format", text)
    if "User IDs must be" in text or "user ID must be" in text:
        return Refused("full", text)
    return Trouble(text or "the gateway gave no reason")


def _node_of(said: Json) -> int | None:
    number = said.get("id", said.get("nodeId")) if isinstance(said, dict) else said
    return number if isinstance(number, int) else None
