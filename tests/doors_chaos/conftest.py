"""The hall of the locks' tests is a fixture here, too."""

from tests.locks.conftest import hall

__all__ = ["hall"]
