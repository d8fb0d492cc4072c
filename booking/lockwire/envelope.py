"""The sealed envelope: one compact JWE per message (lock protocol §4)."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from joserfc import jwe
from joserfc.errors import ExceededSizeError, JoseError
from joserfc.jwk import OctKey
from joserfc.registry import HeaderParameter

from booking.lockwire.ids import parse_topic
from booking.lockwire.keys import Direction, Keys
from booking.lockwire.strict import StrictError, load

MAX_COMPACT = 67_584
MAX_EPOCH = 2**31 - 1
MAX_VER = 2**53 - 1

_MEMBERS = {"alg", "enc", "kid", "tpc", "epoch", "ver"}
_REGISTRY = jwe.JWERegistry(
    header_registry={
        "tpc": HeaderParameter("Topic", "str", True),
        "epoch": HeaderParameter("Epoch", "int", True),
        "ver": HeaderParameter("Version", "int", True),
    },
    algorithms=["dir", "A256GCM"],
)


class Dropped(Exception):
    """This message is to be dropped; `why` is the code a controller shows in `bad` (§6)."""

    def __init__(self, why: Literal["size", "header", "decrypt"]) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Opened:
    """A message whose seal held: who sealed it, for which version, and what it says."""

    gen: int
    epoch: int
    ver: int
    plain: bytes = field(repr=False)


def seal(plain: bytes, keys: Keys, direction: Direction, topic: str, epoch: int, ver: int) -> bytes:
    """Return one sealed message for one topic; every call draws a new IV."""
    header = {
        "alg": "dir",
        "enc": "A256GCM",
        "kid": keys.kid(direction),
        "tpc": topic,
        "epoch": epoch,
        "ver": ver,
    }
    key = OctKey.import_key(keys.of(direction))
    return jwe.encrypt_compact(header, plain, key, registry=_REGISTRY).encode("ascii")


def unseal(token: bytes, known: Iterable[Keys], direction: Direction, topic: str) -> Opened:
    """Return what a message says if its seal holds for this topic; raises Dropped otherwise (§4.3)."""
    if len(token) > MAX_COMPACT:
        raise Dropped("size")
    header = _header(token)
    if header is None or header["tpc"] != topic or parse_topic(topic) is None:
        raise Dropped("header")
    keys = next((each for each in known if each.kid(direction) == header["kid"]), None)
    if keys is None:
        raise Dropped("header")
    try:
        opened = jwe.decrypt_compact(token, OctKey.import_key(keys.of(direction)), registry=_REGISTRY)
    except ExceededSizeError as error:
        raise Dropped("size") from error
    except (JoseError, ValueError, binascii.Error, TypeError, KeyError) as error:
        raise Dropped("decrypt") from error
    if opened.plaintext is None:
        raise Dropped("decrypt")
    return Opened(keys.gen, int(str(header["epoch"])), int(str(header["ver"])), opened.plaintext)


def peek_version(token: bytes) -> tuple[int, int]:
    """Return (epoch, ver) of an untrusted header, (0, 0) if there is none; good for a report only."""
    header = _header(token) if len(token) <= MAX_COMPACT else None
    return (int(str(header["epoch"])), int(str(header["ver"]))) if header else (0, 0)


def _header(token: bytes) -> dict[str, object] | None:
    """Return the header if it has exactly the members of §4.1, of the right types and bounds."""
    segment = token.split(b".", 1)[0]
    try:
        raw = base64.b64decode(segment + b"=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        header = load(raw)
    except (StrictError, ValueError, binascii.Error):
        return None
    if not isinstance(header, dict) or set(header) != _MEMBERS:
        return None
    sound = (
        header["alg"] == "dir"
        and header["enc"] == "A256GCM"
        and isinstance(header["kid"], str)
        and isinstance(header["tpc"], str)
        and _is_int(header["epoch"], MAX_EPOCH)
        and _is_int(header["ver"], MAX_VER)
    )
    return header if sound else None


def _is_int(value: object, top: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= top
