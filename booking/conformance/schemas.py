"""JSON Schemas of every message's plain text, from the very types both sides parse with."""

from typing import Any

import msgspec

from booking.lockwire import messages
from booking.lockwire.ids import DOOR
from booking.lockwire.snapshot import Snapshot

BODIES: dict[str, type[msgspec.Struct]] = {
    "snapshot": Snapshot,
    "command": messages.Command,
    "event-ack": messages.EventAck,
    "time-answer": messages.TimeAnswer,
    "report": messages.Report,
    "events": messages.Events,
    "result": messages.Result,
    "time-request": messages.TimeRequest,
    "status": messages.Status,
}
WORDS = {  # what v1 sends where receivers must accept more (§16)
    "Command.op": messages.OPS,
    "Grant.k": ("pin", "card", "pin+card"),
    "Grant.role": ("leader", "member", "staff", "clean", "emergency", "reserve"),
}


def schema(name: str) -> dict[str, object]:
    """Return one message's schema (draft 2020-12), self-contained. Rules across members are in protocol.md."""
    (found,), parts = msgspec.json.schema_components([BODIES[name]], ref_template="#/$defs/{name}")
    parts = _for_any_regex(parts)
    _open_ended(parts)
    top = BODIES[name].__name__
    body: dict[str, Any] = parts.pop(top)
    if found != {"$ref": f"#/$defs/{top}"}:
        raise TypeError(f"{top} is no object")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Generated: python -m booking.conformance.kit docs/lock-protocol",
    }
    return {**head, **body, **({"$defs": parts} if parts else {})}


def _for_any_regex(parts: dict[str, Any]) -> dict[str, Any]:
    """Python's `$` also matches before a last line feed, so our patterns forbid one; elsewhere that is noise."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(parts).replace(rb"$(?!\\n)", b"$"))
    return plain


def _open_ended(parts: dict[str, Any]) -> None:
    """Say which words v1 uses, as examples: an unknown one refuses a grant, not the message."""
    for place, words in WORDS.items():
        kind, member = place.split(".")
        if kind in parts:
            parts[kind]["properties"][member]["examples"] = list(words)
    if "Snapshot" in parts:
        pattern = DOOR.pattern.removesuffix(r"\Z")
        parts["Snapshot"]["properties"]["doors"]["propertyNames"] = {"pattern": f"^{pattern}$"}
