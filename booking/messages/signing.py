"""Pure: Standard Webhooks 1.0 – how a webhook is signed so that its receiver can trust it (standardwebhooks.com)."""

import base64
import hashlib
import hmac
from datetime import datetime
from uuid import UUID

from booking import derived

PREFIX = "whsec_"


def secret_of(key: bytes, endpoint: UUID, generation: int) -> str:
    """Return the endpoint's secret as its owner pastes it: 256 bits, derived, stored nowhere."""
    return PREFIX + base64.b64encode(derived.secret(key, "webhook", endpoint, generation)).decode()


def sign(secret: str, webhook_id: str, at: datetime, body: str) -> str:
    """Return `v1,` and the HMAC-SHA256 of id, timestamp and body."""
    octets = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{webhook_id}.{int(at.timestamp())}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(octets, signed, hashlib.sha256).digest()).decode()


def headers(secrets: list[str], webhook_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the three headers of the specification; with two secrets, both sign."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(sign(one, webhook_id, at, body) for one in secrets),
    }
