"""The reference door controller: one process, one snapshot, decides alone (lock protocol v1).

Knows the protocol (`booking.lockwire`), SQLite and paho; nothing of the server.
"""
