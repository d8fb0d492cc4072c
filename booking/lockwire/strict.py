"""Strict JSON: no duplicate members, no floats, integers within 53 bits, plain text (lock protocol §4.4)."""

import json
import re
from typing import TypeVar

import msgspec

T = TypeVar("T")
MAX_INT = 2**53 - 1

# Control characters and halves of surrogate pairs: neither log nor database could take them all.
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MAY_HOLD_SOME = re.compile(rb"\\|\x7f|\xc2[\x80-\x9f]")  # an escape, or one as it is


class StrictError(ValueError):
    """This is not the JSON the protocol allows; the text never quotes a value."""


def load(raw: bytes) -> object:
    """Return the JSON value, its texts unread (`fit`). Raises StrictError for all else that §4.4 forbids."""
    try:
        value: object = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_bounded,
        )
    except StrictError:
        raise
    except (ValueError, RecursionError) as error:
        raise StrictError("not JSON") from error
    return value


def parse(raw: bytes, type_: type[T]) -> T:
    """Return the value as this Struct. Unknown members are ignored (§16); everything else must fit."""
    value = load(raw)
    return fit(value, type_) if _MAY_HOLD_SOME.search(raw) else shape(value, type_)


def fit(value: object, type_: type[T]) -> T:
    """Return what `load` gave, or a part of it, as this Struct. Raises StrictError."""
    _check_texts(value)
    return shape(value, type_)


def shape(value: object, type_: type[T]) -> T:
    """Return what `load` gave as this Struct, its texts still unread. Raises StrictError."""
    try:
        return msgspec.convert(value, type_)
    except (
        msgspec.ValidationError,
        UnicodeEncodeError,
    ) as error:  # the latter of half a surrogate pair in a name
        # msgspec's text may quote what it saw, which could be a PIN.
        raise StrictError("does not fit the schema") from error


def _check_texts(value: object) -> None:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str) and _NO_TEXT.search(one):
            raise StrictError("control character in a text")
        if isinstance(one, dict):
            todo += [*one, *one.values()]
        elif isinstance(one, list):
            todo += one


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
