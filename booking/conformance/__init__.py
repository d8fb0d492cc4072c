"""`booking conformance`: plays the server against any controller over a real broker (lock protocol §17).

Knows the protocol (`booking.lockwire`) and the wire, nothing of any controller's inside.
"""
