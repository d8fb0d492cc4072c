"""Secrets at rest: PINs, controller keys and snapshots, sealed under a key outside the database."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_keys: dict[str, bytes] = {}


class VaultClosed(RuntimeError):
    """`locks.configure(settings)` has not run in this process."""


class VaultMismatch(RuntimeError):
    """BOOKING_SECRET_KEY is not the one these rows were sealed with."""


def open_vault(secret_key: bytes) -> None:
    """Secrets can be sealed and opened in this process."""
    for purpose in ("seal", "tag"):
        _keys[purpose] = HKDF(SHA256(), 32, None, f"booking|locks|{purpose}".encode()).derive(secret_key)


def seal(secret: bytes, about: str) -> bytes:
    """Return the sealed secret, bound to what it is about: it opens in no other row."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(_key("seal")).encrypt(nonce, secret, about.encode())


def unseal(sealed: bytes, about: str) -> bytes:
    """Return the secret. Raises VaultMismatch."""
    try:
        return AESGCM(_key("seal")).decrypt(sealed[:12], sealed[12:], about.encode())
    except (InvalidTag, ValueError) as error:
        raise VaultMismatch(f"{about} was sealed with another BOOKING_SECRET_KEY") from error


def tag(pin: str) -> bytes:
    """Return what the database compares instead of the PIN (§14.4)."""
    return hmac.new(_key("tag"), pin.encode(), hashlib.sha256).digest()


def _key(purpose: str) -> bytes:
    if purpose not in _keys:
        raise VaultClosed("call locks.configure(settings) first")
    return _keys[purpose]
