"""What passes between the broker's wire and our rules: plain values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Packet:
    """One message to publish. Payloads are sealed, yet they stay out of repr."""

    topic: str
    payload: bytes = field(repr=False)
    qos: int = 1
    retain: bool = False
    correlation: bytes | None = None
    expiry_s: int | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as the broker delivered it."""

    topic: str
    payload: bytes = field(repr=False)
    retain: bool = False
