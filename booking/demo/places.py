"""Places of the demonstration: four real neighbours with plausible facilities.

Names, addresses and positions are approximate; what they cost comes from the published lists
(booking/billing/tariffs).
"""

from booking.demo.things import Place, Thing, Town
from booking.demo.towns import nordmaling, ornskoldsvik, umea, vannas

TOWNS = (nordmaling.TOWN, ornskoldsvik.TOWN, vannas.TOWN, umea.TOWN)
PLACES = (*nordmaling.PLACES, *ornskoldsvik.PLACES, *vannas.PLACES, *umea.PLACES)

__all__ = ["PLACES", "TOWNS", "Place", "Thing", "Town"]
