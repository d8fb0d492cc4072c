"""The calendar: who has what, when. Enter here; it calls down.

Knows holds, reservations, free time and search. Asks billing for prices and charges, locks for codes.
"""

from booking.reservations.actions import cancel, complete_due, reserve, settle_payment
from booking.reservations.days import Days, availability
from booking.reservations.divisions import add_resource, wrong_leaves
from booking.reservations.errors import HoldExpired, SlotTaken
from booking.reservations.holds import (
    Wish,
    adopt_holds,
    change_hold,
    expire_due,
    extend_hold,
    hold,
    release_hold,
)
from booking.reservations.misfits import Outside, outside_hours
from booking.reservations.offers import Customer, price
from booking.reservations.queries import (
    Held,
    Purpose,
    ReservationCard,
    ReservationPage,
    TimelineBooking,
    cards,
    held,
    must_see,
    page,
    timeline,
)
from booking.reservations.search import Facet, Facets, Hit, Query, Results, Suggestion, alternatives, search

__all__ = [
    "Customer",
    "Days",
    "Facet",
    "Facets",
    "Held",
    "Hit",
    "HoldExpired",
    "Outside",
    "Purpose",
    "Query",
    "ReservationCard",
    "ReservationPage",
    "Results",
    "SlotTaken",
    "Suggestion",
    "TimelineBooking",
    "Wish",
    "add_resource",
    "adopt_holds",
    "alternatives",
    "availability",
    "cancel",
    "cards",
    "change_hold",
    "complete_due",
    "expire_due",
    "extend_hold",
    "held",
    "hold",
    "must_see",
    "outside_hours",
    "page",
    "price",
    "release_hold",
    "reserve",
    "search",
    "settle_payment",
    "timeline",
    "wrong_leaves",
]
