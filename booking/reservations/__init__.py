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
from booking.reservations.recurrence import BadRule, Wall
from booking.reservations.search import Hint, Hit, Query, Results, search
from booking.reservations.series import (
    Chosen,
    SeriesOrder,
    SeriesPreview,
    SeriesWish,
    book_series,
    preview_series,
)
from booking.reservations.series_queries import SeriesCard, SeriesPage, series_of, series_page

__all__ = [
    "BadRule",
    "Chosen",
    "Customer",
    "Days",
    "Facet",
    "Facets",
    "Held",
    "Hint",
    "Hit",
    "HoldExpired",
    "Outside",
    "Purpose",
    "Query",
    "ReservationCard",
    "ReservationPage",
    "Results",
    "SeriesCard",
    "SeriesOrder",
    "SeriesPage",
    "SeriesPreview",
    "SeriesWish",
    "SlotTaken",
    "Suggestion",
    "TimelineBooking",
    "Wall",
    "Wish",
    "adopt_holds",
    "alternatives",
    "availability",
    "book_series",
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
    "preview_series",
    "price",
    "release_hold",
    "reserve",
    "search",
    "series_of",
    "series_page",
    "settle_payment",
    "timeline",
]
