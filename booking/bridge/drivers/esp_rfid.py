"""esp-rfid 2.x boards in PIN mode: a hobby firmware, to be used with open eyes.

Silent failures, and what is done about them:
- The acknowledgement names neither code nor result: only a fresh `getuserlist` with the same ends counts.
- The list comes as one message per code at QoS 0, without an end: it ends with silence, and since one may be lost,
  a code counts as gone only if two lists in a row are equal and lack it.
- A command with another IP is ignored without a word: a new DHCP lease makes a dead door. The address is learnt from
  the board's boot and heartbeat messages; until then a time-out says what to look for.
- A missing `validuntil` means expired, and before it has the time any future one is valid: both ends are always sent,
  and no code is put while the board's clock is known to be wrong.
- A PIN is a file name, one per board, and stands in clear in every list and event.

Wire: esp-rfid README-MQTT.md, src/mqtt.esp, src/rfid.esp.
"""

from collections.abc import Generator, Sequence
from typing import Final

import msgspec

from booking.bridge.contract import (
    Ask,
    Declared,
    Held,
    Message,
    PinRule,
    Sighting,
    Steps,
    Survey,
    Surveying,
    TimedOut,
    Trouble,
    decoded,
)

ANSWER_MS: Final = 10_000
LIST_MS: Final = 3_000  # for the first code; a list without one says nothing at all
QUIET_MS: Final = 2_000  # so long without another code is the end of a list
NO_CLOCK_S: Final = 86_400  # a board so far behind has not reached its time server
MARK: Final = "lk-"


class _Said(msgspec.Struct, frozen=True, rename="camel"):
    """Anything the board says on <topic>/send."""

    type: str | None = None
    command: str | None = None
    cmd: str | None = None
    ip: str | None = None
    hostname: str | None = None
    time: int | None = None
    uid: str | None = None
    user: str | None = None
    acctype: int | None = None
    validsince: int | None = None
    validuntil: int | None = None
    is_known: str | None = None
    access: str | None = None
    src: str | None = None
    desc: str | None = None


Listing = dict[str, _Said]


class EspRfid:
    """One board. `hostname` is its own name; `ip` is where it was last, and is corrected by what it says."""

    def __init__(self, topic: str, hostname: str, ip: str, *, slots: int = 200, longest: int = 10) -> None:
        self._topic, self._hostname, self._ip = topic, hostname, ip
        self.topics: tuple[str, ...] = (f"{topic}/send",)
        self.declared = Declared(
            driver="esp_rfid",
            pin=PinRule(4, longest),
            windows=1,
            time_base="utc",
            step_s=1,
            confirmation="two equal user lists with the code and both its ends",
            slots=slots,
            has_ids=False,
            note="clear text on the local broker; no keypad lock-out of its own",
        )
        self._clock_s: int | None = None  # as it last said

    def prepare(self, now: int | None) -> Steps:
        """The board's clock is not known to be wrong. Raises Trouble if it is."""
        yield from ()
        if self._clock_s is not None and now is not None and self._clock_s < now - NO_CLOCK_S:
            raise Trouble(
                "the board has no time: let it reach its NTP server, codes there would open too early"
            )
        return None

    def put(self, held: Held) -> Steps:
        """The code is in two lists in a row, with both its ends."""
        yield self._ask("adduser", **self._wish(held))
        users = yield from self._users()
        found = users.get(held.pin)
        if found is None or not self._is_as_sent(found, held):
            raise Trouble("the board acknowledged the code but does not list it as sent")
        return None

    def clear(self, held: Held) -> Steps:
        """The code is in neither of two equal lists."""
        pin = held.key or held.pin
        yield self._ask("deletuid", uid=pin)
        if pin in (yield from self._users()):
            raise Trouble("the board acknowledged the removal but still lists the code")
        return None

    def survey(self, held: Sequence[Held]) -> Surveying:
        """Compare the list with what we believe; codes of ours that we do not know are strays."""
        users = yield from self._users()
        sure = frozenset(
            row.slot for row in held if row.pin in users and self._is_as_sent(users[row.pin], row)
        )
        known = {row.key or row.pin for row in held}
        ours = [uid for uid, user in users.items() if (user.user or "").startswith(MARK)]
        return Survey(sure, tuple(uid for uid in ours if uid not in known))

    def caveat(self, held: Held) -> str | None:
        """Nothing: the lock does as told."""
        return None

    def release(self, free: bool) -> tuple[Message, ...]:
        """Return what opens the door once; the board locks by itself."""
        return (self._message("opendoor"),) if free else ()

    def heard(self, message: Message, held: Sequence[Held]) -> list[Sighting]:
        """Return uses of codes and the door contact; learn the board's address and clock."""
        said = self._decoded(message)
        if said is None:
            return []
        is_mine = said.hostname == self._hostname
        if said.type in ("boot", "heartbeat") and is_mine:
            self._ip, self._clock_s = said.ip or self._ip, said.time
        if said.type == "access" and is_mine:
            return [self._access(said, held)]
        if said.cmd == "event" and is_mine:
            return _event(said)
        return []

    def _access(self, said: _Said, held: Sequence[Held]) -> Sighting:
        if said.is_known == "true" and said.access in ("Always", "Admin"):
            return Sighting("granted", next((row.slot for row in held if row.pin == said.uid), None))
        return Sighting("denied")

    def _wish(self, held: Held) -> dict[str, str]:
        nb, na = held.windows[0]
        user = f"{MARK}{held.slot:03}"
        return {"uid": held.pin, "user": user, "acctype": "1", "validsince": str(nb), "validuntil": str(na)}

    def _is_as_sent(self, user: _Said, held: Held) -> bool:
        return user.acctype == 1 and ((user.validsince, user.validuntil),) == held.windows

    def _users(self) -> Generator[Ask, Message, Listing]:
        """Return the board's list once two in a row are equal; at most four are asked for."""
        before = yield from self._list()
        for _ in range(3):
            after = yield from self._list()
            if after == before:
                return after
            before = after
        raise Trouble("the board's lists of codes differ each time: messages are being lost")

    def _list(self) -> Generator[Ask, Message, Listing]:
        users: Listing = {}
        ask = Ask((self._message("getuserlist"),), self._is_listed, LIST_MS)
        try:
            while True:
                said = self._decoded((yield ask))
                if said is not None and said.type == "getuserlist":
                    return users
                if said is not None and said.uid is not None:
                    users[said.uid] = said
                ask = Ask((), self._is_listed, QUIET_MS)
        except TimedOut:
            if not users:  # only a board that answers otherwise is believed to have none
                yield self._ask("getconf")
            return users

    def _is_listed(self, message: Message) -> bool:
        said = self._decoded(message)
        if said is None:
            return False
        return (said.uid is not None and said.type is None) or said.type == "getuserlist"

    def _ask(self, command: str, **more: str) -> Ask:
        def acknowledges(message: Message) -> bool:
            said = self._decoded(message)
            return said is not None and said.type == command and said.ip == self._ip

        return Ask((self._message(command, **more),), acknowledges, ANSWER_MS)

    def _message(self, command: str, **more: str) -> Message:
        body = msgspec.json.encode({"cmd": command, "doorip": self._ip, **more})
        return Message(f"{self._topic}/cmd", body)

    def _decoded(self, message: Message) -> _Said | None:
        return decoded(message, _Said) if message.topic == f"{self._topic}/send" else None


def _event(said: _Said) -> list[Sighting]:
    if said.src == "door":
        return [Sighting("opened" if "Open" in (said.desc or "") else "closed")]
    return [Sighting("tamper")] if said.src == "tamper" else []
