"""Key derivation (lock protocol §4.2)."""

from dataclasses import dataclass, field
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from booking.lockwire.ids import is_controller

Direction = Literal["dn", "up"]
MAX_GEN = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Keys:
    """The two directional keys of one controller and generation."""

    controller: str
    gen: int
    dn: bytes = field(repr=False)
    up: bytes = field(repr=False)

    def kid(self, direction: Direction) -> str:
        """Return the key id that stands in a header."""
        return f"{self.controller}.{self.gen}.{direction}"

    def of(self, direction: Direction) -> bytes:
        """Return the content key of a direction."""
        return self.dn if direction == "dn" else self.up


def derive(master: bytes, controller: str, gen: int) -> Keys:
    """Return the keys of one generation. Raises ValueError for a short key or a bad name."""
    if len(master) != 32 or not is_controller(controller) or not 1 <= gen <= MAX_GEN:
        raise ValueError("a controller key is 32 bytes, with a valid controller id and generation")
    return Keys(
        controller, gen, _expand(master, controller, gen, "dn"), _expand(master, controller, gen, "up")
    )


def _expand(master: bytes, controller: str, gen: int, direction: Direction) -> bytes:
    info = f"lk/v1|{controller}|{gen}|{direction}".encode("ascii")
    return HKDF(SHA256(), 32, b"", info).derive(master)
