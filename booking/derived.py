"""Secrets that are computed from BOOKING_SECRET_KEY whenever they are needed, so that no table holds them."""

import base64
import hashlib
import hmac
from uuid import UUID

_TOKEN = 48  # octets: an id and its 256-bit signature


def secret(key: bytes, purpose: str, *parts: object) -> bytes:
    """Return 32 octets that only the holder of the key can compute; the same every time."""
    text = "|".join([purpose, *map(str, parts)])
    return hmac.new(key, f"booking|{text}".encode(), hashlib.sha256).digest()


def token(key: bytes, purpose: str, thing: UUID, generation: int) -> str:
    """Return 64 URL-safe characters that name the thing and prove that we gave them out."""
    signed = thing.bytes + secret(key, purpose, thing, generation)
    return base64.urlsafe_b64encode(signed).decode()


def named_in(text: str) -> UUID | None:
    """Return which thing a token claims to be for, or None if it is no token. The claim is not yet believed."""
    try:
        octets = base64.urlsafe_b64decode(text.encode())
    except ValueError:
        return None
    return UUID(bytes=octets[:16]) if len(octets) == _TOKEN else None


def fits(key: bytes, purpose: str, thing: UUID, generation: int, text: str) -> bool:
    """True if the text is the token; takes as long for a wrong one."""
    return hmac.compare_digest(token(key, purpose, thing, generation).encode(), text.encode())
