"""Zigbee locks behind zigbee2mqtt. Live-only: actual locks' schedules are unverified.

Silent failures, and what is done about them:
- The lock refuses a code (status 1, 2, 3): nothing is published. So silence is failure.
- Of 44 lock definitions (converters 26.112.0) one publishes `last_successful_pincode_save`, and 42 answer `get`. So
  the proof is a read-back; a lock that has only stamps is set up with `reads_back=False`.
- Every publish repeats the cached state, so an old status is no answer. Proof is a change: the slot must read as free
  before the code is set and as enabled after, and the other way round for a removal. A stamp must be a new one.
- `enabled` does not say which code: a slot that is taken is cleared first, unless the PIN is shown and right.
- A number loses its leading zeros and letters are taken: the PIN is sent as a string of digits only.
- With `expose_pin` the read-back carries the PIN in clear on this broker; then it is compared too.

Wire: zigbee2mqtt device pages (9GED18000-009); converters `pincode_lock`, `lock_set_pin_code_response`,
`lock_pin_code_response`, `lock_operation_event`, `lock_programming_event`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from booking.bridge.contract import (
    Ask,
    Declared,
    Happening,
    Held,
    Message,
    PinRule,
    Sighting,
    Steps,
    Survey,
    Surveying,
    TimedOut,
    decoded,
)

ANSWER_MS: Final = 10_000
_EVENTS: dict[str, Happening] = {
    "unlock": "granted",
    "unlock_failure_invalid_pin_or_id": "denied",
    "unlock_failure_invalid_schedule": "denied",
    "pin_code_added": "changed",
    "pin_code_deleted": "changed",
    "pin_code_changed": "changed",
    "master_code_changed": "changed",
}


class _User(msgspec.Struct, frozen=True):
    status: str | None = None
    pin_code: str | None = None


class _State(msgspec.Struct, frozen=True):
    """What zigbee2mqtt publishes of a lock: news and cache in one."""

    users: dict[str, _User] | None = None
    last_successful_pincode_save: int | None = None
    last_successful_pincode_clear: int | None = None
    action: str | None = None
    action_user: int | None = None
    action_source_name: str | None = None
    state: str | None = None
    contact: bool | None = None
    door_state: str | None = None
    battery: float | None = None


class Zigbee2Mqtt:
    """One lock. `device` is its friendly name; our codes are kept in `slots` places from `first` on."""

    def __init__(self, device: str, *, base: str = "zigbee2mqtt", first: int = 1, slots: int = 20,
                 shortest: int = 4, longest: int = 8, reads_back: bool = True) -> None:  # fmt: skip
        self._topic, self._first, self._reads_back = f"{base}/{device}", first, reads_back
        self.topics: tuple[str, ...] = (self._topic,)
        self.declared = Declared(
            driver="zigbee2mqtt",
            pin=PinRule(shortest, longest),
            windows=0,
            time_base="none",
            step_s=1,
            confirmation="get: free before, enabled after" if reads_back else "a new stamp",
            slots=slots,
            has_ids=False,
            note="clear text on the local broker; must be online at start and end of every window",
        )
        self._saved: int | None = None
        self._cleared: int | None = None

    def prepare(self, now: int | None) -> Steps:
        """Earlier stamps are known where only stamps prove anything, so that they can't pass for an answer."""
        yield from ()
        return None

    def put(self, held: Held) -> Steps:
        """The slot was free, and reads as enabled."""
        user = self._first + held.slot
        wish = self._set(
            {"user": user, "user_type": "unrestricted", "user_enabled": True, "pin_code": held.pin}
        )
        if not self._reads_back:
            before = self._saved
            yield Ask((wish,), lambda message: self._saved_since(message, before), ANSWER_MS)
            return None
        found = self._user((yield self._get(user)), user)
        if found is not None and found.status == "enabled" and found.pin_code == held.pin:
            return None
        if found is None or found.status != "available":
            yield from self.clear(held)
        yield from self._until(wish, user, "enabled", held.pin)
        return None

    def clear(self, held: Held) -> Steps:
        """The slot reads as free."""
        user = self._first + held.slot
        wish = self._set({"user": user, "pin_code": None})
        if not self._reads_back:
            before = self._cleared
            yield Ask((wish,), lambda message: self._cleared_since(message, before), ANSWER_MS)
            return None
        yield from self._until(wish, user, "available")
        return None

    def survey(self, held: Sequence[Held]) -> Surveying:
        """Each of our slots is read; a code disabled or shown as another counts as lost.

        A lock that can't be read is taken at its word.
        """
        if not self._reads_back:
            return Survey(frozenset(row.slot for row in held))
        pins = {row.slot: row.pin for row in held if row.state == "in"}
        taken = set()
        for slot in range(self.declared.slots):
            user = self._user((yield self._get(self._first + slot)), self._first + slot)
            if user is None or user.status == "available":
                continue
            if slot not in pins or (user.status == "enabled" and user.pin_code in (None, pins[slot])):
                taken.add(slot)
        return Survey(frozenset(taken))

    def caveat(self, held: Held) -> str | None:
        """Nothing: the lock does as told."""
        return None

    def release(self, free: bool) -> tuple[Message, ...]:
        """Return what unlocks or locks."""
        return (self._set_raw({"state": "UNLOCK" if free else "LOCK"}),)

    def heard(self, message: Message, held: Sequence[Held]) -> list[Sighting]:
        """Return uses of codes, the bolt, the contact and the battery; remember the stamps."""
        state = self._state(message)
        if state is None:
            return []
        self._saved = state.last_successful_pincode_save or self._saved
        self._cleared = state.last_successful_pincode_clear or self._cleared
        return [*self._action(state), *_plain(state)]

    def _action(self, state: _State) -> list[Sighting]:
        what = _EVENTS.get(state.action or "")
        source = state.action_source_name
        if what == "granted" and source in ("manual", "rf"):
            return [Sighting("unlocked")]
        if what is None or (what == "changed" and source == "rf"):  # rf is ourselves
            return []
        slot = (
            state.action_user - self._first if what == "granted" and state.action_user is not None else None
        )
        return [Sighting(what, slot)]

    def _until(self, wish: Message, user: int, status: str, pin: str | None = None) -> Steps:
        """The slot reads so after the wish; asked twice, since a read may overtake it."""

        def is_done(message: Message) -> bool:
            found = self._user(message, user)
            return (
                found is not None
                and found.status == status
                and (pin is None or found.pin_code in (None, pin))
            )

        read = self._get(user).says
        try:
            yield Ask((wish, *read), is_done, ANSWER_MS)
        except TimedOut:
            yield Ask(read, is_done, ANSWER_MS)
        return None

    def _get(self, user: int) -> Ask:
        def answers(message: Message) -> bool:
            found = self._user(message, user)
            return found is not None and found.status is not None

        wish = msgspec.json.encode({"pin_code": {"user": user}})
        return Ask((Message(f"{self._topic}/get", wish),), answers, ANSWER_MS)

    def _set(self, pin_code: Mapping[str, object]) -> Message:
        return self._set_raw({"pin_code": pin_code})

    def _set_raw(self, wish: Mapping[str, object]) -> Message:
        return Message(f"{self._topic}/set", msgspec.json.encode(wish))

    def _saved_since(self, message: Message, before: int | None) -> bool:
        state = self._state(message)
        return state is not None and state.last_successful_pincode_save not in (None, before)

    def _cleared_since(self, message: Message, before: int | None) -> bool:
        state = self._state(message)
        return state is not None and state.last_successful_pincode_clear not in (None, before)

    def _user(self, message: Message, user: int) -> _User | None:
        state = self._state(message)
        return state.users.get(str(user)) if state is not None and state.users else None

    def _state(self, message: Message) -> _State | None:
        return decoded(message, _State) if message.topic == self._topic else None


def _plain(state: _State) -> list[Sighting]:
    seen = []
    if state.state in ("LOCK", "UNLOCK"):
        seen.append(Sighting("locked" if state.state == "LOCK" else "unlocked"))
    if state.contact is not None or state.door_state in ("open", "closed"):
        is_closed = state.contact if state.contact is not None else state.door_state == "closed"
        seen.append(Sighting("closed" if is_closed else "opened"))
    if state.battery is not None:
        seen.append(Sighting("battery", value=int(state.battery)))
    return seen
