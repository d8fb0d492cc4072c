"""The calendar: who has what, when. Enter here; it calls down.

Knows holds, reservations, free time and search. Asks billing for prices and charges, locks for codes.
"""

from booking.reservations.actions import cancel, complete_due, note_usage, reserve, settle_payment
from booking.reservations.block_queries import Block, BlockPreview, block_page, blocks_of, preview_block
from booking.reservations.blocks import AffectedBookings, BlockWish, Category, create_block, lift_block
from booking.reservations.days import Days, availability
from booking.reservations.displacing import Decision
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
from booking.reservations.misfits import Outside, outside_hours
from booking.reservations.moving import MovePlan, Target, move, preview_move
from booking.reservations.offers import Customer, price
from booking.reservations.preempting import Match, preempt
from booking.reservations.queries import cards, cards_by_id, held, must_see, page
from booking.reservations.recurrence import BadRule, Wall
from booking.reservations.requests import (
    answer_proposal,
    approve,
    propose,
    reject,
    tell_overdue,
    write_message,
)
from booking.reservations.search import Facet, Facets, Hit, Query, Results, Suggestion, alternatives, search
from booking.reservations.series import (
    Chosen,
    SeriesOrder,
    SeriesPreview,
    SeriesWish,
    book_series,
    preview_series,
)
from booking.reservations.series_changes import (
    CancelPreview,
    ChangePreview,
    NewTimes,
    SeriesPart,
    add_date,
    cancel_series,
    change_series,
    preview_cancel,
    preview_change,
)
from booking.reservations.series_queries import SeriesCard, SeriesPage, series_of, series_page
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
    "AffectedBookings",
    "AlreadyDecided",
    "BadRule",
    "Block",
    "BlockPreview",
    "BlockWish",
    "BreaksRule",
    "CancelPreview",
    "Category",
    "ChangePreview",
    "Chosen",
    "Customer",
    "Days",
    "Decision",
    "Facet",
    "Facets",
    "Held",
    "Hit",
    "HoldExpired",
    "Match",
    "MovePlan",
    "NewTimes",
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
    "SeriesPart",
    "SeriesPreview",
    "SeriesWish",
    "SlotTaken",
    "Suggestion",
    "Target",
    "TimelineBooking",
    "Used",
    "Wall",
    "Wish",
    "add_date",
    "adopt_holds",
    "alternatives",
    "answer_proposal",
    "approve",
    "availability",
    "block_page",
    "blocks_of",
    "book_series",
    "cancel",
    "cancel_series",
    "cards",
    "cards_by_id",
    "change_hold",
    "change_series",
    "complete_due",
    "create_block",
    "expire_due",
    "extend_hold",
    "held",
    "hold",
    "lift_block",
    "move",
    "must_see",
    "note_usage",
    "outside_hours",
    "page",
    "preempt",
    "preview_block",
    "preview_cancel",
    "preview_change",
    "preview_move",
    "preview_series",
    "price",
    "propose",
    "reject",
    "release_hold",
    "requests",
    "reserve",
    "search",
    "series_of",
    "series_page",
    "settle_payment",
    "tell_overdue",
    "timeline",
    "write_message",
]
