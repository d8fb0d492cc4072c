"""Identifiers and topics (lock protocol §1, §3)."""

import re
from typing import Literal

Down = Literal["desired", "cmd", "evack", "time"]
Up = Literal["reported", "evt", "res", "time", "status"]

CONTROLLER = re.compile(r"[a-z0-9][a-z0-9-]{1,31}\Z")
DOOR = re.compile(r"[a-z0-9][a-z0-9_-]{0,15}\Z")

_TOPIC = re.compile(r"lk/v1/([a-z0-9][a-z0-9-]{1,31})/(dn|up)/([a-z]{1,16})\Z")


def is_controller(text: str) -> bool:
    """True if the text may name a controller; wildcards and separators are impossible in it."""
    return CONTROLLER.match(text) is not None


def down(controller: str, name: Down) -> str:
    """Return the topic on which the server speaks to one controller."""
    return f"lk/v1/{controller}/dn/{name}"


def up(controller: str, name: Up) -> str:
    """Return the topic on which one controller speaks to the server."""
    return f"lk/v1/{controller}/up/{name}"


def parse_topic(topic: str) -> tuple[str, str, str] | None:
    """Return (controller, "dn" or "up", name), or None for a topic that is not ours."""
    found = _TOPIC.match(topic)
    return (found[1], found[2], found[3]) if found else None
