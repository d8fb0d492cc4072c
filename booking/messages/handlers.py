"""Which function pays which debt, and which debts share a lane: a slow mail server holds up no SMS."""

from booking.messages.owing import KINDS, OWE, address
from booking.messages.sending import send
from booking.outbox import Handler

HANDLERS: dict[str, Handler] = {OWE: address, KINDS["email"]: send, KINDS["sms"]: send}
LANES: list[frozenset[str]] = [frozenset({OWE, KINDS["sms"]}), frozenset({KINDS["email"]})]
