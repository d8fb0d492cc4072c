"""simulated_zigbee: the shortest zigbee2mqtt with a lock, for tests that are not about Zigbee.

The driver itself is proven against the real converters in test_zigbee2mqtt.py.
"""

import json
from dataclasses import dataclass, field

from booking.bridge.contract import Message
from booking.bridge.drivers.zigbee2mqtt import Zigbee2Mqtt

TOPIC = "zigbee2mqtt/entrance"


def zigbee() -> Zigbee2Mqtt:
    return Zigbee2Mqtt("entrance", slots=4)


@dataclass
class SimulatedZigbee:
    """One lock with four places."""

    codes: dict[int, str] = field(default_factory=dict)
    is_silent: bool = False

    def take(self, message: Message) -> list[Message]:
        wish = json.loads(message.payload).get("pin_code")
        if self.is_silent or wish is None or not message.topic.startswith(TOPIC):
            return []
        user = wish["user"]
        if message.topic.endswith("/get"):
            status = "enabled" if user in self.codes else "available"
            return [Message(TOPIC, json.dumps({"users": {str(user): {"status": status}}}).encode())]
        if wish["pin_code"] is None:
            self.codes.pop(user, None)
        else:
            self.codes[user] = wish["pin_code"]
        return []
