"""Passwords (argon2id, RFC 9106) and session tokens."""

import asyncio
import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher()  # argon2id, the library's RFC 9106 low-memory profile
_NOBODY = _HASHER.hash("nobody has this password")


async def hash_password(password: str) -> str:
    """Return an argon2id hash, computed off the event loop."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """True if the password fits. Takes as long for an unknown account as for a wrong password."""
    try:
        fits = await asyncio.to_thread(_HASHER.verify, stored or _NOBODY, password)
    except VerificationError:
        return False
    return fits and stored is not None


def new_token() -> str:
    """Return a fresh 256-bit session token."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def csrf_token(secret_key: bytes, session_token: str) -> str:
    """Return the CSRF token of a session: a keyed hash, so nothing more is stored."""
    return hmac.new(secret_key, b"csrf|" + session_token.encode(), hashlib.sha256).hexdigest()
