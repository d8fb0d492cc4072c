"""simulated_esp_rfid: a behavioural double by esp-rfid's README-MQTT.md, mqtt.esp and rfid.esp; no board was there.

What it does as the firmware does: ignores commands for another IP without a word; acknowledges without uid or result;
lists codes one message each at QoS 0, without an end; lets in on `validsince <= now < validuntil`, and with no time
(0) on any future `validuntil`.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from booking.bridge.contract import Message

TOPIC, HOST = "/rfid", "hall-board"


@dataclass
class SimulatedEspRfid:
    """One board. `fault` is None, silent, forget (acknowledges without effect) or `lossy` (drops list messages)."""

    ip: str = "192.168.1.40"
    fault: str | None = None
    lost: int = 0
    users: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, message: Message) -> list[Message]:
        said = json.loads(message.payload)
        if message.topic != f"{TOPIC}/cmd" or said.get("doorip") != self.ip or self.fault == "silent":
            return []
        command = said["cmd"]
        if command == "getuserlist":
            listed = [self._say({**user, "command": "userfile"}) for user in self.users.values()]
            if self.fault == "lossy" and listed:
                self.lost += 1
                listed.pop(self.lost % len(listed))
            return listed
        if self.fault != "forget":
            if command == "adduser":
                self.users[said["uid"]] = {k: v for k, v in said.items() if k not in ("cmd", "doorip")}
            elif command == "deletuid":
                self.users.pop(said["uid"], None)
        return [self._say({"type": command, "ip": self.ip, "hostname": HOST})]

    def heartbeat(self, time: int) -> Message:
        return self._say({"type": "heartbeat", "time": time, "uptime": 9, "ip": self.ip, "hostname": HOST})

    def access(self, uid: str, access: str = "Always") -> Message:
        known = str(access == "Always").lower()
        body = {"type": "access", "time": 1, "isKnown": known, "access": access, "username": "x", "uid": uid}
        return self._say({**body, "hostname": HOST})

    def _say(self, body: dict[str, Any]) -> Message:
        return Message(f"{TOPIC}/send", json.dumps(body).encode(), qos=0)
