"""Strict JSON: no duplicate members, no floats, integers within 53 bits (lock protocol §4.4)."""

import json
from typing import TypeVar

import msgspec

T = TypeVar("T")
MAX_INT = 2**53 - 1


class StrictError(ValueError):
    """This is not the JSON the protocol allows; the text never quotes a value."""


def load(raw: bytes) -> object:
    """Return the JSON value. Raises StrictError for anything §4.4 forbids."""
    try:
        value: object = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_bounded,
        )
        if b"\\u" in raw:  # half a surrogate pair is no text: neither log nor database could take it
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except StrictError:
        raise
    except (ValueError, RecursionError) as error:
        raise StrictError("not JSON") from error
    return value


def parse(raw: bytes, type_: type[T]) -> T:
    """Return the value as this Struct. Unknown members are ignored (§16); everything else must fit."""
    try:
        return msgspec.convert(load(raw), type_)
    except msgspec.ValidationError as error:
        # msgspec's text may quote what it saw, which could be a PIN.
        raise StrictError("does not fit the schema") from error


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictError("duplicate member")
    return members


def _refuse(text: str) -> object:
    raise StrictError("floats are not allowed")


def _bounded(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) > MAX_INT:
        raise StrictError("integer out of range")
    return value
