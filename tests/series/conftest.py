"""A club of Nordmaling and its Tuesdays."""

from datetime import datetime
from uuid import UUID

import pytest

from booking.people import Actor
from booking.places import Resource
from booking.reservations.recurrence import Wall
from booking.reservations.series import SeriesWish
from tests.reservations.conftest import clerk, day_after, eva, hall, log_in, party, rival

__all__ = ["clerk", "eva", "hall", "log_in", "rival"]


@pytest.fixture
async def club(rival: Actor) -> UUID:
    """Nordmalings IBK, for which `rival` acts."""
    found = await party("Nordmalings IBK")
    assert found in rival.acts_for
    return found


@pytest.fixture
def tuesdays(hall: Resource, club: UUID, now: datetime) -> SeriesWish:
    """18–20 in the whole hall, six Tuesdays from the next one on."""
    first = Wall(day_after(now, 1), 18 * 60, 20 * 60)
    return SeriesWish(hall.id, club, "training", "Innebandy P12", first, "FREQ=WEEKLY;BYDAY=TU;COUNT=6")
