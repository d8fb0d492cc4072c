"""Season rounds: associations wish for weekly times, the solver proposes, staff decide, series are booked.

The pure core is `allocating` with what it imports; the actions are rounds, applying, proposing, placing, publishing.
"""

from booking.reservations.seasons.applying import (
    MOST_WINDOWS,
    MOST_WISHES,
    NewWish,
    save_application,
    send_application,
    withdraw_application,
)
from booking.reservations.seasons.ground import Slot, Window
from booking.reservations.seasons.pages import application, plan, round_page, rounds
from booking.reservations.seasons.placing import (
    Change,
    change_allocation,
    give,
    remove_allocation,
    round_of,
)
from booking.reservations.seasons.proposing import propose
from booking.reservations.seasons.publishing import SeasonProgress, publish
from booking.reservations.seasons.rounds import (
    MOST_RESOURCES,
    NewRound,
    change_round,
    close_round,
    create_round,
    open_round,
)
from booking.reservations.seasons.rules import Activity, PriorityClass, RoundRules
from booking.reservations.seasons.views import ApplicationPage, PlanPage, RoundCard, RoundPage

__all__ = [
    "MOST_RESOURCES",
    "MOST_WINDOWS",
    "MOST_WISHES",
    "Activity",
    "ApplicationPage",
    "Change",
    "NewRound",
    "NewWish",
    "PlanPage",
    "PriorityClass",
    "RoundCard",
    "RoundPage",
    "RoundRules",
    "SeasonProgress",
    "Slot",
    "Window",
    "application",
    "change_allocation",
    "change_round",
    "close_round",
    "create_round",
    "give",
    "open_round",
    "plan",
    "propose",
    "publish",
    "remove_allocation",
    "round_of",
    "round_page",
    "rounds",
    "save_application",
    "send_application",
    "withdraw_application",
]
