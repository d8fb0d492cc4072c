"""Who may connect to our own broker."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from booking.broker.files import PID, read_accounts, write_accounts


def add_accounts(state: Path, passwords: Mapping[str, str]) -> bool:
    """These accounts may connect from now on, others are untouched. True if a running broker was told."""
    write_accounts(state, {**read_accounts(state), **passwords})
    return _tell(state)


def remove_account(state: Path, name: str) -> bool:
    """The account may not connect any more. True if a running broker was told."""
    write_accounts(
        state, {known: password for known, password in read_accounts(state).items() if known != name}
    )
    return _tell(state)


def password_of(state: Path, name: str) -> str | None:
    """Return the password of an account of our own broker."""
    return read_accounts(state).get(name)


def _tell(state: Path) -> bool:
    """Ask the broker to read its accounts again, if the pid is still that of our broker."""
    try:
        pid = int((state / PID).read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if os.fsencode(state.resolve()) not in command:
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True
