"""Keys and cards at one reader, put together to what is presented (lock protocol §11.4)."""

from collections.abc import Callable

from booking.lockwire.decide import Presented

FORGET_MS = 10_000  # between two keys, and between card and PIN
LONGEST = 10


class Entry:
    """One reader's half-typed PIN and its last card. Digits are never logged, and gone after ten seconds."""

    def __init__(self, present: Callable[[Presented], bool], lengths: Callable[[], frozenset[int]]) -> None:
        """`present` says whether the door opened; `lengths` are those of the PINs in force."""
        self._present, self._lengths = present, lengths
        self._typed, self._card = "", ""
        self._last_ms = 0

    def key(self, name: str, now_ms: int) -> bool | None:
        """A key was pressed: a digit, `*` clears, `#` ends. Returns whether the door opened, None if not tried."""
        self._forget(now_ms)
        self._last_ms = now_ms
        if name == "*":
            self._typed = self._card = ""
            return None
        if name != "#":
            self._typed += name
        # If PINs of different length exist, the entry must end with a key.
        is_whole = frozenset({len(self._typed)}) == self._lengths()
        if name == "#" or is_whole or len(self._typed) > LONGEST:
            return self._try()
        return None

    def card(self, uid: str, now_ms: int) -> bool:
        """A card was read: tried at once; if it does not open alone, a PIN within ten seconds may."""
        self._typed, self._last_ms = "", now_ms
        opened = self._present(Presented(card=uid))
        self._card = "" if opened else uid
        return opened

    def _try(self) -> bool | None:
        typed, card = self._typed, self._card
        self._typed = self._card = ""
        return self._present(Presented(pin=typed, card=card or None)) if typed else None

    def _forget(self, now_ms: int) -> None:
        if now_ms - self._last_ms > FORGET_MS:
            self._typed = self._card = ""
