"""The calendar: who has what, when. Enter here; it calls down.

Knows holds, reservations, free time and search. Asks billing for prices and charges, locks for codes.
"""

from booking.outbox import Handler
from booking.reservations.actions import cancel, complete_due, note_usage, reserve, settle_payment
from booking.reservations.alternatives import Suggestion, alternatives
from booking.reservations.days import Days, availability
from booking.reservations.divisions import add_resource, wrong_leaves
from booking.reservations.errors import (
    AlreadyDecided,
    BreaksRule,
    HoldExpired,
    NotMovable,
    QuotaFull,
    SlotTaken,
)
from booking.reservations.finding import Facet, Facets
from booking.reservations.freeing import TIME_FREED
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
from booking.reservations.months import Month, MonthDay, month
from booking.reservations.moving import MovePlan, Target, move, preview_move
from booking.reservations.offers import Customer, price
from booking.reservations.queries import cards, held, must_see, page
from booking.reservations.recurrence import BadRule, Wall
from booking.reservations.requests import (
    answer_proposal,
    approve,
    propose,
    reject,
    tell_overdue,
    write_message,
)
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
from booking.reservations.series_search import SeriesQuery, SeriesResults, search_series
from booking.reservations.staff_queries import requests, timeline
from booking.reservations.views import (
    Held,
    Purpose,
    RequestCard,
    ReservationCard,
    ReservationPage,
    TimelineBooking,
    Used,
)
from booking.reservations.waiting import (
    AlreadyWaiting,
    TooManyWaits,
    WaitingKind,
    WaitingWish,
    end_waiting,
)
from booking.reservations.waiting import join as join_waiting
from booking.reservations.waiting import leave as leave_waiting
from booking.reservations.waiting_offers import offer_freed
from booking.reservations.waiting_queries import WaitingView, my_waiting, waiting_entry, waiting_queue

HANDLERS: dict[str, Handler] = {TIME_FREED: offer_freed}

__all__ = [
    "HANDLERS",
    "AlreadyDecided",
    "AlreadyWaiting",
    "BadRule",
    "BreaksRule",
    "Chosen",
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
    "MovePlan",
    "NotMovable",
    "Outside",
    "Purpose",
    "Query",
    "QuotaFull",
    "RequestCard",
    "ReservationCard",
    "ReservationPage",
    "Results",
    "SeriesCard",
    "SeriesOrder",
    "SeriesPage",
    "SeriesPreview",
    "SeriesQuery",
    "SeriesResults",
    "SeriesWish",
    "SlotTaken",
    "Suggestion",
    "Target",
    "TimelineBooking",
    "TooManyWaits",
    "Used",
    "WaitingKind",
    "WaitingView",
    "WaitingWish",
    "Wall",
    "Wish",
    "add_resource",
    "adopt_holds",
    "alternatives",
    "answer_proposal",
    "approve",
    "availability",
    "book_series",
    "cancel",
    "cards",
    "change_hold",
    "complete_due",
    "end_waiting",
    "expire_due",
    "extend_hold",
    "held",
    "hold",
    "join_waiting",
    "leave_waiting",
    "month",
    "move",
    "must_see",
    "my_waiting",
    "note_usage",
    "offer_freed",
    "outside_hours",
    "page",
    "preview_move",
    "preview_series",
    "price",
    "propose",
    "reject",
    "release_hold",
    "requests",
    "reserve",
    "search",
    "search_series",
    "series_of",
    "series_page",
    "settle_payment",
    "tell_overdue",
    "timeline",
    "waiting_entry",
    "waiting_queue",
    "write_message",
    "wrong_leaves",
]
