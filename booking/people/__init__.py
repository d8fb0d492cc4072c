"""Who asks, for whom, and where they may.

Knows accounts, parties (person, association, municipal unit, company), who acts for whom, roles per
municipality, sessions. Does not know what they book, pay or open.
"""

from booking.people.actor import Actor, Role
from booking.people.queries import (
    AccountRow,
    Identity,
    Language,
    Neighbourhood,
    actor_of_account,
    actor_of_session,
    associations_of,
    me,
    municipalities,
    party_names,
)

__all__ = [
    "AccountRow",
    "Actor",
    "Identity",
    "Language",
    "Neighbourhood",
    "Role",
    "actor_of_account",
    "actor_of_session",
    "associations_of",
    "me",
    "municipalities",
    "party_names",
]
