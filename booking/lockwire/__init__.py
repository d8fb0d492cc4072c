"""The lock protocol v1 as pure functions and values: no database, no network, no clock.

Shared by the server (`booking.locks`) and the reference controller (`booking.controller`).
Import the modules (`from booking.lockwire import envelope`); this package stays empty so that a
controller loads only what it uses.
"""
