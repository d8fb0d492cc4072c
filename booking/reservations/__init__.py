"""The calendar: who has what, when. Enter here; it calls down.

Knows holds, reservations, free time and search. Asks billing for prices and charges, locks for codes.
"""

from booking.outbox import Handler
from booking.reservations.actions import cancel, complete_due, note_usage, reserve, settle_payment
from booking.reservations.alternatives import Suggestion, alternatives
from booking.reservations.damage import DamageView, Photo, damage_photo, damages, mend, report_damage
from booking.reservations.days import Days, availability
from booking.reservations.divisions import add_resource, wrong_leaves
from booking.reservations.drivers import DriverView, drivers, register_driver
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
from booking.reservations.trip_queries import trip
from booking.reservations.trips import Reading, bring_back, pick_up, watch_trips
from booking.reservations.views import (
    Held,
    Purpose,
    RequestCard,
    ReservationCard,
    ReservationPage,
    TimelineBooking,
    TripView,
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
    "DamageView",
    "Days",
    "DriverView",
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
    "Photo",
    "Purpose",
    "Query",
    "QuotaFull",
    "Reading",
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
    "TripView",
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
    "bring_back",
    "cancel",
    "cards",
    "change_hold",
    "complete_due",
    "damage_photo",
    "damages",
    "drivers",
    "end_waiting",
    "expire_due",
    "extend_hold",
    "held",
    "hold",
    "join_waiting",
    "leave_waiting",
    "mend",
    "month",
    "move",
    "must_see",
    "my_waiting",
    "note_usage",
    "offer_freed",
    "outside_hours",
    "page",
    "pick_up",
    "preview_move",
    "preview_series",
    "price",
    "propose",
    "register_driver",
    "reject",
    "release_hold",
    "report_damage",
    "requests",
    "reserve",
    "search",
    "search_series",
    "series_of",
    "series_page",
    "settle_payment",
    "tell_overdue",
    "timeline",
    "trip",
    "waiting_entry",
    "waiting_queue",
    "watch_trips",
    "write_message",
    "wrong_leaves",
]
