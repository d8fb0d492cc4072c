"""The calendar: who has what, when. Enter here; it calls down.

Knows holds, reservations, free time and search. Asks billing for prices and charges, locks for codes.
"""

from booking.reservations.actions import cancel, complete_due, reserve, settle_payment
from booking.reservations.alternatives import Suggestion, alternatives
from booking.reservations.days import Days, availability
from booking.reservations.errors import HoldExpired, SlotTaken
from booking.reservations.finding import Facet, Facets
from booking.reservations.holds import (
    Wish,
    adopt_holds,
    change_hold,
    expire_due,
    extend_hold,
    hold,
    release_hold,
)
from booking.reservations.months import Month, MonthDay, month
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
from booking.reservations.search import Hint, Hit, Query, Results, search
from booking.reservations.series_search import SeriesQuery, SeriesResults, search_series

__all__ = [
    "Customer",
    "Days",
    "Facet",
    "Facets",
    "Held",
    "Hint",
    "Hit",
    "HoldExpired",
    "Month",
    "MonthDay",
    "Purpose",
    "Query",
    "ReservationCard",
    "ReservationPage",
    "Results",
    "SeriesQuery",
    "SeriesResults",
    "SlotTaken",
    "Suggestion",
    "TimelineBooking",
    "Wish",
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
    "month",
    "must_see",
    "page",
    "price",
    "release_hold",
    "reserve",
    "search",
    "search_series",
    "settle_payment",
    "timeline",
]
