"""Sealing by hand, with headers no honest sealer would write."""

import base64
import json
import secrets
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PARTS = {"header": 0, "IV": 2, "ciphertext": 3, "tag": 4}


def b64(raw: bytes) -> bytes:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def unb64(text: bytes) -> bytes:
    """Return the octets."""
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def sealed(plain: bytes, key: bytes, header: Mapping[str, object], iv: bytes | None = None) -> bytes:
    """Return a compact JWE with exactly this protected header, honestly encrypted and authenticated.

    An `iv` is given for published test vectors only.
    """
    protected = b64(json.dumps(header, separators=(",", ":")).encode())
    iv = iv or secrets.token_bytes(12)
    both = AESGCM(key).encrypt(iv, plain, protected)
    return b".".join([protected, b"", b64(iv), b64(both[:-16]), b64(both[-16:])])


def header_of(
    kid: str, topic: str, version: tuple[int, int], changes: Mapping[str, object]
) -> dict[str, object]:
    """Return the header of §4.1 with changes; a member changed to None is left out."""
    header: dict[str, object] = {
        "alg": "dir",
        "enc": "A256GCM",
        "kid": kid,
        "tpc": topic,
        "epoch": version[0],
        "ver": version[1],
    }
    return {name: value for name, value in ({**header, **changes}).items() if value is not None}


def flipped(token: bytes, part: str) -> bytes:
    """Return the token with one bit of a part's octets changed."""
    parts = token.split(b".")
    raw = bytearray(unb64(parts[PARTS[part]]))
    raw[-2 if part == "header" else len(raw) // 2] ^= 1  # in the header: the last digit of `ver`
    parts[PARTS[part]] = b64(bytes(raw))
    return b".".join(parts)
