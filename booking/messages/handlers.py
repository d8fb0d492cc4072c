"""Which function pays which debt, and which debts share a lane: a slow mail server holds up no SMS."""

from booking.messages.deliveries import FAN, SEND, deliver, spread
from booking.messages.owing import KINDS, OWE, address
from booking.messages.sending import send
from booking.outbox import Handler

HANDLERS: dict[str, Handler] = {
    OWE: address,
    KINDS["email"]: send,
    KINDS["sms"]: send,
    FAN: spread,
    SEND: deliver,
}
_WEBHOOKS = frozenset({SEND})
# Three loops share the webhooks: one endpoint that is slow to answer is not the end of all the others.
LANES: list[frozenset[str]] = [
    frozenset({OWE, FAN, KINDS["sms"]}),
    frozenset({KINDS["email"]}),
    _WEBHOOKS,
    _WEBHOOKS,
    _WEBHOOKS,
]
