"""The AsyncAPI 3 description of a controller: what it receives, what it sends, and with which MQTT settings."""

from dataclasses import dataclass
from typing import Literal

from booking.lockwire.envelope import MAX_COMPACT

PREFIX = "lk/v1/{c}"
SEALED = "^[A-Za-z0-9_-]+\\.\\.[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{22}$"


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of protocol.md §3."""

    way: Literal["dn", "up"]
    name: str
    body: str
    says: str
    qos: int = 1
    retain: bool = False
    reply: str | None = None  # the channel of the answer

    @property
    def key(self) -> str:
        """The channel's name in the document."""
        return f"{self.way}_{self.name}"


TOPICS = (
    Topic("dn", "desired", "snapshot", "The whole wanted state: who may open which door when.", retain=True),
    Topic("dn", "cmd", "command", "One request to act now; never retained.", reply="up_res"),
    Topic("dn", "evack", "event-ack", "Every event up to here is stored."),
    Topic("dn", "time", "time-answer", "The answer to a time request.", qos=0),
    Topic("up", "reported", "report", "What is stored, and how the controller is.", retain=True),
    Topic("up", "evt", "events", "What happened at the doors."),
    Topic("up", "res", "result", "What became of a command."),
    Topic("up", "time", "time-request", "Asks what time it is.", qos=0, reply="dn_time"),
    Topic("up", "status", "status", "Presence hint, and the will; the only message in clear.", retain=True),
)


def document() -> dict[str, object]:
    """Return the document, as the controller sees the world."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Door controller, lock protocol v1",
            "version": "1.0.0",
            "description": "Between a booking server and a door controller, over a broker that is trusted with "
            "nothing but delivery. Normative text: protocol.md.",
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": "application/jose",
        "servers": {"broker": _server()},
        "channels": {topic.key: _channel(topic) for topic in TOPICS},
        "operations": {_verb(topic): _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {topic.body: _message(topic) for topic in TOPICS},
            "securitySchemes": {
                "account": {"type": "userPassword", "description": "User name = client id = {c}."},
                "certificate": {"type": "X509", "description": "Common name = {c}."},
            },
        },
    }


def _server() -> dict[str, object]:
    will = {"topic": f"{PREFIX}/up/status", "qos": 1, "retain": True, "message": '{"st":"offline",…}'}
    return {
        "host": "{host}:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5.0",
        "variables": {"host": {"description": "The municipality's broker."}},
        "security": [
            {"$ref": "#/components/securitySchemes/account"},
            {"$ref": "#/components/securitySchemes/certificate"},
        ],
        "bindings": {
            "mqtt": {
                "clientId": "{c}",
                "cleanSession": True,
                "lastWill": will,
                "keepAlive": 60,
                "sessionExpiryInterval": 0,
                "bindingVersion": "0.2.0",
            }
        },
    }


def _channel(topic: Topic) -> dict[str, object]:
    return {
        "address": f"{PREFIX}/{topic.way}/{topic.name}",
        "description": topic.says,
        "parameters": {"c": {"description": "Controller id, ^[a-z0-9][a-z0-9-]{1,31}$."}},
        "messages": {topic.body: {"$ref": f"#/components/messages/{topic.body}"}},
    }


def _verb(topic: Topic) -> str:
    return f"{'receive' if topic.way == 'dn' else 'send'}_{topic.name}"


def _operation(topic: Topic) -> dict[str, object]:
    binding = {"qos": topic.qos, "retain": topic.retain, "bindingVersion": "0.2.0"}
    made: dict[str, object] = {
        "action": "receive" if topic.way == "dn" else "send",
        "channel": {"$ref": f"#/channels/{topic.key}"},
        "summary": topic.says,
        "messages": [{"$ref": f"#/channels/{topic.key}/messages/{topic.body}"}],
        "bindings": {"mqtt": binding},
    }
    if topic.reply:
        made["reply"] = {"channel": {"$ref": f"#/channels/{topic.reply}"}}
    return made


def _message(topic: Topic) -> dict[str, object]:
    plain = {"$ref": f"./schemas/{topic.body}.schema.json"}
    if topic.name == "status":
        return {"title": topic.body, "contentType": "application/json", "payload": plain}
    sealed = {
        "type": "string",
        "pattern": SEALED,
        "maxLength": MAX_COMPACT,
        "description": "Compact JWE, alg dir, enc A256GCM (protocol.md §4).",
    }
    return {
        "title": topic.body,
        "summary": topic.says,
        "contentType": "application/jose",
        "payload": sealed,
        "x-plain-text": plain,
    }
