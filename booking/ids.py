"""Identifiers: time-ordered UUIDs, so that new rows land side by side in an index."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562)."""
    return uuid_utils.compat.uuid7()
