"""Places of the demonstration, and its staff, as the tests of places know them."""

from tests.reservations.conftest import clerk, eva, hall, log_in, rival

__all__ = ["clerk", "eva", "hall", "log_in", "rival"]
