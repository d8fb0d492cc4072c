"""simulated_nuki_hub: a behavioural double by nuki_hub's README and NukiWrapper.cpp; no Nuki lock was there.

What it does as the firmware does: results without id; `add` tells no codeId; what an `update` leaves out is zeroed;
the list is read anew after each action and cut at a length; codes with 0 or starting with 12 are refused.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from booking.bridge.contract import Message

PATH = "nukihub/lock"


@dataclass
class SimulatedNukiHub:
    """One lock. `fault` is None, silent, timeOut, forget (success without effect) or unlimited (time limit lost)."""

    listed: int = 10
    result_topic: str = "keypad/commandResultJson"
    fault: str | None = None
    path: str = PATH
    refuses: frozenset[str] = frozenset()  # PINs it will never take
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    next_id: int = 4_000
    actions: list[dict[str, Any]] = field(default_factory=list)

    def take(self, message: Message) -> list[Message]:
        if self.fault == "silent":
            return []
        if message.topic == f"{self.path}/query/keypad":
            return [self.list()]
        if message.topic != f"{self.path}/keypad/actionJson":
            return []
        said = json.loads(message.payload)
        self.actions.append(said)
        if self.fault == "timeOut":
            return [self.list(), self._result("timeOut")]
        result = self._act(said)
        return (
            [self.list(), self._result(result)] if result in ("success", "failed") else [self._result(result)]
        )

    def _act(self, said: dict[str, Any]) -> str:
        action, id = said["action"], int(said.get("codeId", 0))
        if action == "delete":
            if id not in self.entries:
                return "noExistingCodeIdSet"
            if self.fault != "forget":
                del self.entries[id]
            return "success"
        if "name" not in said:
            return "noNameSet"
        pin = str(said.get("code", ""))
        if pin in self.refuses or not (pin.isdecimal() and 100_000 < int(pin) < 1_000_000 and "0" not in pin):
            return "noValidCodeSet"
        if pin.startswith("12") or any(
            each["code"] == pin for key, each in self.entries.items() if key != id
        ):
            return "failed"
        if action == "add":
            self.next_id += 1
            id = self.next_id
        elif id not in self.entries:
            return "noExistingCodeIdSet"
        is_limited = str(said.get("timeLimited", "0")) == "1" and self.fault != "unlimited"
        if self.fault != "forget":
            self.entries[id] = {
                "codeId": id,
                "code": pin,
                "name": said["name"][:20],
                "enabled": 1 if action == "add" else int(str(said.get("enabled", "0")) != "0"),
                "timeLimited": int(is_limited),
                "allowedFrom": said.get("allowedFrom", "") if is_limited else "",
                "allowedUntil": said.get("allowedUntil", "") if is_limited else "",
                "allowedWeekdays": said.get("allowedWeekdays", []) if is_limited else [],
                "lockCount": 0,
            }
        return "success"

    def list(self, *, retain: bool = False) -> Message:
        shown = [{k: v for k, v in each.items() if k != "code"} for each in self.entries.values()]
        return Message(f"{self.path}/keypad/json", json.dumps(shown[: self.listed]).encode(), retain)

    def _result(self, text: str) -> Message:
        return Message(f"{self.path}/{self.result_topic}", text.encode())
