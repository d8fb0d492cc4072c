"""The calendar: who has what, when. Enter here; it calls down.

Knows holds, reservations, free time and search. Asks billing for prices and charges, locks for codes.
"""

from booking.reservations.actions import cancel, complete_due, note_usage, reserve, settle_payment
from booking.reservations.days import Days, availability
from booking.reservations.errors import (
    AlreadyDecided,
    BreaksRule,
    HoldExpired,
    NotMovable,
    QuotaFull,
    SlotTaken,
)
from booking.reservations.holds import (
    Wish,
    adopt_holds,
    change_hold,
    expire_due,
    extend_hold,
    hold,
    release_hold,
)
from booking.reservations.moving import MovePlan, Target, move, preview_move
from booking.reservations.offers import Customer, price
from booking.reservations.queries import cards, cards_by_id, held, must_see, page
from booking.reservations.requests import (
    answer_proposal,
    approve,
    propose,
    reject,
    tell_overdue,
    write_message,
)
from booking.reservations.search import Facet, Facets, Hit, Query, Results, Suggestion, alternatives, search
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

__all__ = [
    "AlreadyDecided",
    "BreaksRule",
    "Customer",
    "Days",
    "Facet",
    "Facets",
    "Held",
    "Hit",
    "HoldExpired",
    "MovePlan",
    "NotMovable",
    "Purpose",
    "Query",
    "QuotaFull",
    "RequestCard",
    "ReservationCard",
    "ReservationPage",
    "Results",
    "SlotTaken",
    "Suggestion",
    "Target",
    "TimelineBooking",
    "Used",
    "Wish",
    "adopt_holds",
    "alternatives",
    "answer_proposal",
    "approve",
    "availability",
    "cancel",
    "cards",
    "cards_by_id",
    "change_hold",
    "complete_due",
    "expire_due",
    "extend_hold",
    "held",
    "hold",
    "move",
    "must_see",
    "note_usage",
    "page",
    "preview_move",
    "price",
    "propose",
    "reject",
    "release_hold",
    "requests",
    "reserve",
    "search",
    "settle_payment",
    "tell_overdue",
    "timeline",
    "write_message",
]
