"""The words the modules of this package share."""

from collections.abc import Callable

DATABASE = "booking"
OWNER = "owner"  # makes tables
APP = "app"  # reads and writes rows
SUPERUSER = "postgres"  # passes row security, hence never the product

Say = Callable[[str], None]


class PostgresTrouble(Exception):
    """The embedded server can't be used; the message says what to do."""
