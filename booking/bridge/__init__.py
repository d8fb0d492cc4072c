"""A bridge: a controller towards the server that drives third-party locks through drivers (locks.md §9).

Knows the reference controller, the lock protocol and what each vendor's interface does; nothing of the server.
It reports a code as in the door only after the lock has confirmed it, and as gone only after the same.
"""
