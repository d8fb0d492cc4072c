"""OSDP frames (IEC 60839-11-5) between this controller and its readers: built, checked, understood. Pure.

Without Secure Channel: the RS-485 pair must run inside the protected side. The port is in osdp_bus.py.
"""

from dataclasses import dataclass

SOM, REPLY, CRC = 0x53, 0x80, 0x04
POLL, LED, BUZZER = 0x60, 0x69, 0x6A
ACK, NAK, RAW, KEYPAD = 0x40, 0x41, 0x50, 0x53
MAX_FRAME = 1_440
KEYS = {0x7F: "*", 0x0D: "#"}  # DELETE and RETURN as keypads send them


class BadFrame(ValueError):
    """The octets are no frame for us; wait for the next."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of either side, without its envelope."""

    address: int
    sequence: int
    code: int
    data: bytes
    is_reply: bool


def crc16(octets: bytes) -> int:
    """Return the frame check: polynomial 0x1021, start value 0x1D0F, most significant bit first."""
    value = 0x1D0F
    for octet in octets:
        value ^= octet << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021) & 0xFFFF if value & 0x8000 else value << 1
    return value


def checksum(octets: bytes) -> int:
    """Return the one-octet check of small devices: the two's complement of the sum."""
    return -sum(octets) & 0xFF


def build(address: int, sequence: int, code: int, data: bytes = b"", *, crc: bool = True) -> bytes:
    """Return one command frame."""
    length = 6 + len(data) + (2 if crc else 1)
    control = sequence & 0x03 | (CRC if crc else 0)
    head = bytes([SOM, address, length & 0xFF, length >> 8, control, code]) + data
    return head + (crc16(head).to_bytes(2, "little") if crc else bytes([checksum(head)]))


def parse(octets: bytes) -> Frame:
    """Return what a whole frame says. Raises BadFrame for a wrong start, length, check or a security block."""
    if len(octets) < 7 or octets[0] != SOM or int.from_bytes(octets[2:4], "little") != len(octets):
        raise BadFrame("start or length")
    control = octets[4]
    if control & 0x08:
        raise BadFrame("security block")
    tail = 2 if control & CRC else 1
    body, check = octets[:-tail], octets[-tail:]
    right = crc16(body).to_bytes(2, "little") if control & CRC else bytes([checksum(body)])
    if check != right or len(body) < 6:
        raise BadFrame("check")
    address = octets[1]
    return Frame(address & 0x7F, control & 0x03, octets[5], body[6:], bool(address & REPLY))


def length_of(head: bytes) -> int | None:
    """Return how long the frame will be, None if these first octets start none."""
    if len(head) < 4 or head[0] != SOM:
        return None
    length = int.from_bytes(head[2:4], "little")
    return length if 7 <= length <= MAX_FRAME else None


def keys_of(frame: Frame) -> list[str]:
    """Return the keys of a KEYPAD reply: reader, count, then one octet each."""
    if frame.code != KEYPAD or len(frame.data) < 2 or len(frame.data) != 2 + frame.data[1]:
        return []
    named = (KEYS.get(octet, chr(octet)) for octet in frame.data[2:])
    return [name for name in named if name in "0123456789*#"]


def bits_of(frame: Frame) -> list[int]:
    """Return the bits of a RAW reply: reader, format, count (2 octets), then the bits from the left."""
    if frame.code != RAW or len(frame.data) < 4:
        return []
    count, raw = int.from_bytes(frame.data[2:4], "little"), frame.data[4:]
    if len(raw) != -(-count // 8):
        return []
    return [raw[index // 8] >> (7 - index % 8) & 1 for index in range(count)]


def shown(granted: bool) -> bytes:
    """Return the LED data of two seconds green, or red; all denials look alike (§11.4)."""
    colour = 2 if granted else 1
    temporary = bytes([2, 10, 0, colour, 0, 20, 0])  # set; on 1 s, off 0; for 20 × 100 ms
    return bytes([0, 0]) + temporary + bytes([0, 0, 0, 0, 0])


def heard(granted: bool) -> bytes:
    """Return the buzzer data: one long tone, or three short ones."""
    return bytes([0, 2, 5, 0, 1]) if granted else bytes([0, 2, 1, 1, 3])
