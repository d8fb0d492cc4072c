"""Bookings as calendar programs read them.

Knows secret addresses and iCalendar. Shows what the address's owner may see on the day it is read, never a code.
"""

from booking.feeds.actions import FeedView, create, feeds, renew, revoke
from booking.feeds.queries import FeedGone, Kind, Site, of_resource, read

__all__ = [
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
