"""Wiegand: pulses on two wires → bits → a key or a card. Pure; the pins are in gpio.py.

26 bits: even parity over the first 12 data bits, odd over the last 12 (HID's open format, H10301); 34 bits
likewise over 16 and 16. A key comes as 4 bits, or as 8 whose upper nibble is the complement of the lower
(HID Wiegand PINPad; Rosslare calls it "nibbles complemented"): 0-9, 10 is *, 11 is #.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GAP_MS = 30  # a frame's pulses come 1-2 ms apart; silence ends it
KEYS = "0123456789*#"


@dataclass(frozen=True, slots=True)
class Key:
    """One key was pressed."""

    name: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card was read; upper-case hex of 8 digits, a 24-bit number padded with zeros."""

    uid: str


def decode(bits: Sequence[int]) -> Key | Card | None:
    """Return what a frame says, None if its length or parity is wrong."""
    if len(bits) in (4, 8):
        return _key(bits)
    half = {26: 12, 34: 16}.get(len(bits))
    if half is None:
        return None
    first, last = bits[: half + 1], bits[half + 1 :]
    if sum(first) % 2 != 0 or sum(last) % 2 != 1:
        return None
    return Card(f"{_number(bits[1:-1]):08X}")


def _key(bits: Sequence[int]) -> Key | None:
    low = _number(bits[-4:])
    if len(bits) == 8 and _number(bits[:4]) != 15 - low:
        return None
    return Key(KEYS[low]) if low < len(KEYS) else None


def _number(bits: Sequence[int]) -> int:
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return value


class Frames:
    """Pulses of one reader, joined to frames by the silence between them."""

    def __init__(self) -> None:
        self._bits: list[int] = []
        self._last_ms = 0

    def pulse(self, bit: int, now_ms: int) -> list[int] | None:
        """A pulse came; returns the frame before it, if silence had ended one."""
        ended = self.ended(now_ms)
        self._bits.append(bit)
        self._last_ms = now_ms
        return ended

    def ended(self, now_ms: int) -> list[int] | None:
        """Return the bits of a frame that is over, once."""
        if not self._bits or now_ms - self._last_ms < GAP_MS:
            return None
        bits, self._bits = self._bits, []
        return bits
