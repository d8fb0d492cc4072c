"""Staff of Nordmaling, a hall, and people who have booked it."""

from tests.reservations.conftest import clerk, eva, hall, log_in, rival
from tests.series.conftest import club

__all__ = ["clerk", "club", "eva", "hall", "log_in", "rival"]
