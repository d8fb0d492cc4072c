"""A picture is taken for what its bytes say, and gives nothing away about who took it where."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.errors import Rejected
from booking.places.pictures import LARGEST, check_picture

SECRET = b"63.5690 N, Stina"


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(data)) + data


def exif(orientation: int, order: str = ">") -> bytes:
    mark = b"MM" if order == ">" else b"II"
    head = struct.pack(order + "2sHI", mark, 42, 8)
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0" + head + struct.pack(order + "H", 1) + entry + bytes(4) + SECRET


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xda\0\x08\1\1\0\0\x3f\0picture\xff\xd9"


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_jpeg__keeps_its_colours_and_loses_its_notes() -> None:
    colours, comment = segment(0xE2, b"ICC_PROFILE\0..."), segment(0xFE, SECRET)
    taken = jpeg(segment(0xE0, b"JFIF\0..."), segment(0xE1, exif(1)), colours, segment(0xED, SECRET), comment)

    assert check_picture("image/jpeg", taken) == jpeg(segment(0xE0, b"JFIF\0..."), colours)


@pytest.mark.parametrize("order", [">", "<"])
def test_a_jpeg_taken_sideways__still_knows_which_way_is_up(order: str) -> None:
    clean = check_picture("image/jpeg", jpeg(segment(0xE1, exif(6, order)), segment(0xDB, b"tables")))

    assert SECRET not in clean
    assert clean == jpeg(segment(0xE1, exif(6)[: -len(SECRET)]), segment(0xDB, b"tables"))


def test_a_webp__loses_its_notes_and_no_longer_announces_them() -> None:
    head = bytes([0x2C]) + bytes(9)
    taken = webp((b"VP8X", head), (b"VP8 ", b"picture"), (b"EXIF", SECRET), (b"XMP ", SECRET))

    clean = check_picture("image/webp", taken)

    assert clean == webp((b"VP8X", bytes([0x20]) + bytes(9)), (b"VP8 ", b"picture"))


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp"])
@pytest.mark.parametrize("content", [b"", b"hello", b"<svg onload=alert(1)>", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WEBPVP8X\xff\xff\xff\xff"])  # fmt: skip
def test_what_is_no_picture__is_refused(kind: str, content: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        check_picture(kind, content)
    assert refused.value.code == "not_an_image"


def test_too_large_a_picture__is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        check_picture("image/jpeg", bytes(LARGEST + 1))
    assert refused.value.code == "image_too_large"


HEADS = [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"RIFF....WEBP"]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["image/jpeg", "image/png", "image/webp"]), st.sampled_from(HEADS), st.binary(max_size=80)
)
def test_any_bytes__are_a_picture_or_refused(kind: str, head: bytes, rest: bytes) -> None:
    clean = b""
    with contextlib.suppress(Rejected):
        clean = check_picture(kind, head + rest)
    assert len(clean) <= len(head + rest) + 40
