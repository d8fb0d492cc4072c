"""Pure: what a picture is, by its first bytes, and without what the camera noted (where and by whom it was taken)."""

import struct

from booking.errors import Rejected

LARGEST = 600_000
_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF = b"Exif\0\0"
_KEPT_IN_PNG = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs"}


def check_picture(media_type: str, content: bytes) -> bytes:
    """Return the picture without its notes. Raises Rejected (`not_an_image`, `image_too_large`)."""
    if len(content) > LARGEST:
        raise Rejected(f"a picture has at most {LARGEST // 1000} kB", code="image_too_large")
    cleaners = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}
    try:
        return cleaners[media_type](content)
    except (KeyError, ValueError, IndexError, struct.error) as error:
        raise Rejected("this is no JPEG, PNG or WebP picture of that type", code="not_an_image") from error


def _jpeg(content: bytes) -> bytes:
    """Keep every segment but comments and applications' own; colour profiles (2) and Adobe's (14) stay."""
    if content[:2] != b"\xff\xd8" or b"\xff\xd9" not in content:
        raise ValueError("no JPEG")
    kept, at, turned = [content[:2]], 2, b""
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xDA:  # the picture itself, to the end
            return b"".join([kept[0], turned, *kept[1:], content[at:]])
        size = struct.unpack_from(">H", content, at + 2)[0]
        if size < 2:
            raise ValueError("an empty segment")
        if marker == 0xE1 and content[at + 4 : at + 10] == _EXIF:
            turned = _turned(content[at + 10 : at + 2 + size])
        if not (marker == 0xFE or (0xE0 <= marker <= 0xEF and marker not in (0xE0, 0xE2, 0xEE))):
            kept.append(content[at : at + 2 + size])
        at += 2 + size
    raise ValueError("no picture in it")


def _turned(notes: bytes) -> bytes:
    """Return a note of which way is up and nothing else, as a segment; nothing where the camera stood upright."""
    order = {b"II": "<", b"MM": ">"}.get(notes[:2])
    if order is None:
        return b""
    at = struct.unpack_from(order + "I", notes, 4)[0]
    for number in range(struct.unpack_from(order + "H", notes, at)[0]):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", notes, at + 2 + 12 * number)
        if tag == 0x0112 and kind == 3 and 2 <= value <= 8:
            note = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, value, 0, 0)
            return b"\xff\xe1" + struct.pack(">H", 2 + len(_EXIF) + len(note)) + _EXIF + note
    return b""


def _png(content: bytes) -> bytes:
    """Keep the chunks that a picture is drawn with."""
    if content[:8] != _PNG or content[12:16] != b"IHDR":
        raise ValueError("no PNG")
    kept, at, kind = [_PNG], 8, b""
    while kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", content, at)
        chunk = content[at : at + 12 + size]
        if len(chunk) != 12 + size:
            raise ValueError("cut off")
        if kind in _KEPT_IN_PNG:
            kept.append(chunk)
        at += 12 + size
    return b"".join(kept)


def _webp(content: bytes) -> bytes:
    """Keep every chunk but EXIF and XMP; the size in front follows."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise ValueError("no WebP")
    kept: list[bytes] = []
    at = 12
    while at < len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        end = at + 8 + size + size % 2
        if end > len(content):
            raise ValueError("cut off")
        if kind == b"VP8X":  # says what follows: neither of the two
            kept.append(content[at : at + 8] + bytes([content[at + 8] & ~0x0C]) + content[at + 9 : end])
        elif kind not in (b"EXIF", b"XMP "):
            kept.append(content[at:end])
        at = end
    if not any(one.startswith((b"VP8 ", b"VP8L", b"ANMF")) for one in kept):
        raise ValueError("no picture in it")
    body = b"".join([b"WEBP", *kept])
    return b"RIFF" + struct.pack("<I", len(body)) + body
