"""Bookings as others read them: calendar programs, messages, webhooks.

Knows secret addresses and iCalendar. Shows what the address's owner may see on the day it is read, never a code.
Tells `messages` the facts of a booking or an invoice at the moment a message leaves.
"""

from booking.feeds.actions import FeedView, create, feeds, renew, revoke
from booking.feeds.facts import SOURCES
from booking.feeds.queries import FeedGone, Kind, Site, of_resource, read

__all__ = [
    "SOURCES",
    "FeedGone",
    "FeedView",
    "Kind",
    "Site",
    "create",
    "feeds",
    "of_resource",
    "read",
    "renew",
    "revoke",
]
