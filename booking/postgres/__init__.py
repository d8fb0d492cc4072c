"""The embedded PostgreSQL server: started or adopted, stopped, removed (stack.md §2).

Knows processes, directories and roles; knows no table of ours and no DATABASE_URL: who calls `start` has decided
to want a server. Standard library only, since importing our tables already needs the server.
"""

from booking.postgres.server import Server, in_memory, remove, start, temporary
from booking.postgres.trouble import APP, DATABASE, OWNER, SUPERUSER, PostgresTrouble

__all__ = [
    "APP",
    "DATABASE",
    "OWNER",
    "SUPERUSER",
    "PostgresTrouble",
    "Server",
    "in_memory",
    "remove",
    "start",
    "temporary",
]
