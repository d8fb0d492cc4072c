"""Doors, codes and what the doors say.

Knows controllers, doors, access rules, grants and the lock protocol (booking/lockwire). Does not know what a
reservation is (only its id) nor money. A grant's state is derived from facts; only a controller's own sealed
report makes it `applied` or `removed_confirmed`.
"""

from booking.locks.access_rules import (
    RELAY,
    AccessRules,
    AccessRuleView,
    allow,
    delete_rule,
    doors_of_resources,
    rules_of,
    write_rule,
)
from booking.locks.actions import grant, move, revoke
from booking.locks.alarm_pages import AlarmView, acknowledge, alarms_of
from booking.locks.alarms import watch as watch_alarms
from booking.locks.controllers import ControllerView, controller_of, controllers_of
from booking.locks.credential_pages import CredentialView, credential_of, credentials_of
from booking.locks.credentials import Made, Wish, create_credential, revoke_credential, rotate_credential
from booking.locks.door_list import LastDoor, attach_door, remove_door
from booking.locks.door_setup import DoorTaken, add_door, change_door, door_places
from booking.locks.enrolment import (
    Enrolment,
    StillBooked,
    activate_key,
    enrol,
    replace,
    retire,
    stage_key,
)
from booking.locks.event_log import EventView, Search, export, forget_events, search
from booking.locks.facts import DoorFacts, Doubt, facts_of, settle_facts
from booking.locks.ignored import Ignored, ignored_since
from booking.locks.link import hold_link
from booking.locks.orders import CommandView, Op, command_of, confirm, order
from booking.locks.policy import PolicyView, policy_of, write_policy
from booking.locks.quarantine import QuarantineView, end_quarantine, quarantine_of
from booking.locks.queries import AccessDoor, AccessView, Share, access_of, states_of
from booking.locks.renewing import Scope, replace_code
from booking.locks.reserve import hand_out
from booking.locks.season import Use, grant_series
from booking.locks.sharing import NewShare, replace_share, share, unshare
from booking.locks.staff import DoorKind, DoorPage, DoorView, door, doors
from booking.locks.states import State
from booking.locks.sweeps import forget_old
from booking.locks.vault import open_vault
from booking.locks.weekly import Weekly
from booking.locks.windows import Purpose, stands_as_ruled
from booking.settings import Settings

__all__ = [
    "RELAY",
    "AccessDoor",
    "AccessRuleView",
    "AccessRules",
    "AccessView",
    "AlarmView",
    "CommandView",
    "ControllerView",
    "CredentialView",
    "DoorFacts",
    "DoorKind",
    "DoorPage",
    "DoorTaken",
    "DoorView",
    "Doubt",
    "Enrolment",
    "EventView",
    "Ignored",
    "LastDoor",
    "Made",
    "NewShare",
    "Op",
    "PolicyView",
    "Purpose",
    "QuarantineView",
    "Scope",
    "Search",
    "Share",
    "State",
    "StillBooked",
    "Use",
    "Weekly",
    "Wish",
    "access_of",
    "acknowledge",
    "activate_key",
    "add_door",
    "alarms_of",
    "allow",
    "attach_door",
    "change_door",
    "command_of",
    "configure",
    "confirm",
    "controller_of",
    "controllers_of",
    "create_credential",
    "credential_of",
    "credentials_of",
    "delete_rule",
    "door",
    "door_places",
    "doors",
    "doors_of_resources",
    "end_quarantine",
    "enrol",
    "export",
    "facts_of",
    "forget_events",
    "forget_old",
    "grant",
    "grant_series",
    "hand_out",
    "hold_link",
    "ignored_since",
    "move",
    "order",
    "policy_of",
    "quarantine_of",
    "remove_door",
    "replace",
    "replace_code",
    "replace_share",
    "retire",
    "revoke",
    "revoke_credential",
    "rotate_credential",
    "rules_of",
    "search",
    "settle_facts",
    "share",
    "stage_key",
    "stands_as_ruled",
    "states_of",
    "unshare",
    "watch_alarms",
    "write_policy",
    "write_rule",
]


def configure(settings: Settings) -> None:
    """Codes and keys can be read and written in this process; called once at its start."""
    open_vault(settings.secret_key)
