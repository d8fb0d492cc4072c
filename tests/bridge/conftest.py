"""The hall of the lock tests, for the bridge's end to end."""

from tests.locks.conftest import hall

__all__ = ["hall"]
