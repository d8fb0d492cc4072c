"""The calendar: who has what, when. Enter here; it calls down.

Knows holds, reservations, free time and search. Asks billing for prices and charges, locks for codes.
"""

from booking import locks
from booking.outbox import Handler
from booking.reservations.actions import cancel, complete_due, note_usage, reserve, settle_payment
from booking.reservations.alternatives import Suggestion, alternatives
from booking.reservations.block_queries import Block, BlockPreview, block_page, blocks_of, preview_block
from booking.reservations.blocks import AffectedBookings, BlockWish, Category, create_block, lift_block
from booking.reservations.damage import DamageView, Photo, damage_photo, damages, mend, report_damage
from booking.reservations.days import Days, availability
from booking.reservations.displacing import Decision
from booking.reservations.divisions import add_resource, wrong_leaves
from booking.reservations.door_evidence import charge_overtime
from booking.reservations.drivers import DriverView, drivers_of, register_driver
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
from booking.reservations.late_trips import watch_trips
from booking.reservations.misfits import Outside, outside_hours
from booking.reservations.months import Month, MonthDay, month
from booking.reservations.moving import MovePlan, Target, move, preview_move
from booking.reservations.offers import Customer, price
from booking.reservations.preempting import Match, preempt
from booking.reservations.queries import cards, cards_of, held, must_see, page
from booking.reservations.recurrence import BadRule, Wall
from booking.reservations.relaying import bookings_ahead, relay
from booking.reservations.request_queries import requests
from booking.reservations.requests import (
    answer_proposal,
    approve,
    propose,
    reject,
    tell_overdue,
    write_message,
)
from booking.reservations.search import Hint, Hit, Query, Results, search
from booking.reservations.series import Chosen, SeriesOrder, SeriesPreview, SeriesWish, preview_series
from booking.reservations.series_booking import book_series
from booking.reservations.series_changes import ChangePreview, change_series, preview_change
from booking.reservations.series_deciding import MissedTime, SeriesDecision, approve_series, reject_series
from booking.reservations.series_ending import CancelPreview, add_date, cancel_series, preview_cancel
from booking.reservations.series_queries import SeriesCard, SeriesPage, series_of, series_page
from booking.reservations.series_rows import NewTimes
from booking.reservations.series_search import SeriesQuery, SeriesResults, search_series
from booking.reservations.series_times import SeriesPart
from booking.reservations.staff_queries import timeline
from booking.reservations.team_queries import (
    Shared,
    TeamPage,
    TeamTimeView,
    TeamView,
    shared,
    team,
    team_page,
    team_times,
    teams_of,
)
from booking.reservations.teams import (
    Stretch,
    add_member,
    create_team,
    divide_among_teams,
    give_to_team,
    remove_member,
    rename_team,
    retire_team,
)
from booking.reservations.trip_queries import trip
from booking.reservations.trips import Reading, bring_back, pick_up
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
from booking.reservations.waiting import AlreadyWaiting, TooManyWaits, WaitingKind, WaitingWish, end_waiting
from booking.reservations.waiting import join as join_waiting
from booking.reservations.waiting import leave as leave_waiting
from booking.reservations.waiting_offers import offer_freed
from booking.reservations.waiting_queries import WaitingView, my_waiting, waiting_entry, waiting_queue

HANDLERS: dict[str, Handler] = {TIME_FREED: offer_freed, locks.RELAY: relay}
SLOW = frozenset({locks.RELAY})  # a hall has thousands of bookings ahead

__all__ = [
    "HANDLERS",
    "SLOW",
    "AffectedBookings",
    "AlreadyDecided",
    "AlreadyWaiting",
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
    "DamageView",
    "Days",
    "Decision",
    "DriverView",
    "Facet",
    "Facets",
    "Held",
    "Hint",
    "Hit",
    "HoldExpired",
    "Match",
    "MissedTime",
    "Month",
    "MonthDay",
    "MovePlan",
    "NewTimes",
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
    "SeriesDecision",
    "SeriesOrder",
    "SeriesPage",
    "SeriesPart",
    "SeriesPreview",
    "SeriesQuery",
    "SeriesResults",
    "SeriesWish",
    "Shared",
    "SlotTaken",
    "Stretch",
    "Suggestion",
    "Target",
    "TeamPage",
    "TeamTimeView",
    "TeamView",
    "TimelineBooking",
    "TooManyWaits",
    "TripView",
    "Used",
    "WaitingKind",
    "WaitingView",
    "WaitingWish",
    "Wall",
    "Wish",
    "add_date",
    "add_member",
    "add_resource",
    "adopt_holds",
    "alternatives",
    "answer_proposal",
    "approve",
    "approve_series",
    "availability",
    "block_page",
    "blocks_of",
    "book_series",
    "bookings_ahead",
    "bring_back",
    "cancel",
    "cancel_series",
    "cards",
    "cards_of",
    "change_hold",
    "change_series",
    "charge_overtime",
    "complete_due",
    "create_block",
    "create_team",
    "damage_photo",
    "damages",
    "divide_among_teams",
    "drivers_of",
    "end_waiting",
    "expire_due",
    "extend_hold",
    "give_to_team",
    "held",
    "hold",
    "join_waiting",
    "leave_waiting",
    "lift_block",
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
    "preempt",
    "preview_block",
    "preview_cancel",
    "preview_change",
    "preview_move",
    "preview_series",
    "price",
    "propose",
    "register_driver",
    "reject",
    "reject_series",
    "release_hold",
    "remove_member",
    "rename_team",
    "report_damage",
    "requests",
    "reserve",
    "retire_team",
    "search",
    "search_series",
    "series_of",
    "series_page",
    "settle_payment",
    "shared",
    "team",
    "team_page",
    "team_times",
    "teams_of",
    "tell_overdue",
    "timeline",
    "trip",
    "waiting_entry",
    "waiting_queue",
    "watch_trips",
    "write_message",
    "wrong_leaves",
]
