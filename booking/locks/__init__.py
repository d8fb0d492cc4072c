"""Doors, codes and what the doors say.

Knows controllers, doors, access rules, grants and the lock protocol (booking/lockwire). Does not know what a
reservation is (only its id) nor money. A grant's state is derived from facts; only a controller's own sealed
report makes it `applied` or `removed_confirmed`.
"""

from booking.locks.actions import grant, move, revoke
from booking.locks.enrolment import Enrolment, add_door, allow, end_quarantine, enrol
from booking.locks.link import hold_link
from booking.locks.queries import AccessView, access_of, states_of
from booking.locks.season import Use, grant_series
from booking.locks.staff import DoorPage, DoorView, door, door_places, doors, doors_of_resources
from booking.locks.states import State
from booking.locks.sweeps import forget_old
from booking.locks.vault import open_vault
from booking.settings import Settings

__all__ = [
    "AccessView",
    "DoorPage",
    "DoorView",
    "Enrolment",
    "State",
    "Use",
    "access_of",
    "add_door",
    "allow",
    "configure",
    "door",
    "door_places",
    "doors",
    "doors_of_resources",
    "end_quarantine",
    "enrol",
    "forget_old",
    "grant",
    "grant_series",
    "hold_link",
    "move",
    "revoke",
    "states_of",
]


def configure(settings: Settings) -> None:
    """Codes and keys can be read and written in this process; called once at its start."""
    open_vault(settings.secret_key)
