"""Where a simulated keypad listens: known to the controller that serves it and to those who type at it."""

import hashlib
import os
import tempfile
from pathlib import Path

_LONGEST_PATH = 100  # a unix socket's address has room for 107 bytes


def socket_path(state: Path) -> Path:
    """Return where the keypad of this state directory listens; a deep directory gets a short stand-in."""
    path = state.resolve() / "keypad.sock"
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:24]
    return Path(tempfile.gettempdir()) / f"booking-keypad-{name}" / "keypad.sock"
