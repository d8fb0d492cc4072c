"""Mail, SMS and webhooks: what is said to the outside, to whom, in which state.

Knows accounts, parties and templates. Does not know what a reservation or an invoice is: whoever owes a message
names it, and its facts are asked for when the message is sent (`Sources`).
"""

from booking.messages.actions import (
    Choice,
    MessageSettings,
    choose,
    confirm_phone,
    forget_old,
    forget_phone,
    resend,
    set_phone,
    settings_of,
)
from booking.messages.configured import Sources, configure
from booking.messages.endpoints import (
    DeliveryState,
    DeliveryView,
    EndpointView,
    change,
    delivered,
    endpoints,
    rotate,
    secrets,
    send_again,
    subscribe,
    try_out,
    unsubscribe,
)
from booking.messages.events import GROUPS, TYPES
from booking.messages.handlers import HANDLERS, LANES
from booking.messages.owing import owe, owe_staff
from booking.messages.queries import MessageCard, MessagePage, State, messages, page
from booking.messages.templates import Template

__all__ = [
    "GROUPS",
    "HANDLERS",
    "LANES",
    "TYPES",
    "Choice",
    "DeliveryState",
    "DeliveryView",
    "EndpointView",
    "MessageCard",
    "MessagePage",
    "MessageSettings",
    "Sources",
    "State",
    "Template",
    "change",
    "choose",
    "configure",
    "confirm_phone",
    "delivered",
    "endpoints",
    "forget_old",
    "forget_phone",
    "messages",
    "owe",
    "owe_staff",
    "page",
    "resend",
    "rotate",
    "secrets",
    "send_again",
    "set_phone",
    "settings_of",
    "subscribe",
    "try_out",
    "unsubscribe",
]
