"""Which journal entries other systems may hear of, under which names."""

from datetime import datetime
from uuid import UUID

import msgspec

EVENTS: dict[str, str] = {  # journal action → event type
    "reservation.awaits_payment": "reservation.awaiting_payment",
    "reservation.confirmed": "reservation.confirmed",
    "reservation.moved": "reservation.moved",
    "reservation.changed": "reservation.changed",
    "reservation.requested": "reservation.requested",
    "reservation.approved": "reservation.approved",
    "reservation.rejected": "reservation.rejected",
    "reservation.cancelled": "reservation.cancelled",
    "reservation.expired": "reservation.expired",
    "reservation.completed": "reservation.completed",
    "series.booked": "series.booked",
    "payment.refunded": "payment.refunded",
    "payment.refund_refused": "payment.refund_refused",
    "invoice.issued": "invoice.issued",
    "credit_note.issued": "credit_note.issued",
    "access.unconfirmed": "door.code_unconfirmed",
    "access.rejected": "door.code_rejected",
    "access.used": "door.opened",
    "access.settled": "door.settled",
    "alarm.opened": "door.alarm",
    "alarm.closed": "door.alarm_over",
    "controller.offline": "door.offline",
}
TEST = "webhook.test"
_FACTS = ("kind", "door", "controller", "series", "times")
TYPES = sorted(set(EVENTS.values()))
GROUPS = sorted({f"{one.partition('.')[0]}.*" for one in TYPES})  # "reservation.*": also what is added later


class Body(msgspec.Struct, frozen=True):
    """What is posted: the specification's recommended three members."""

    type: str
    timestamp: datetime
    data: dict[str, object]


def wants(wishes: list[str], event: str) -> bool:
    """True if one of the wishes names the event or its group."""
    return event in wishes or f"{event.partition('.')[0]}.*" in wishes


def body(event: str, at: datetime, municipality: str, data: dict[str, object]) -> str:
    """Return the JSON that is signed and sent."""
    return msgspec.json.encode(Body(event, at, {"municipality": municipality, **data})).decode()


def municipality_of(topics: list[str]) -> str | None:
    """Return whose entry it is: `timeline:2401`, `doors:2401` and `invoices:2401` name the owner."""
    return next(
        (t.partition(":")[2] for t in topics if t.startswith(("timeline:", "doors:", "invoices:"))), None
    )


class Source(msgspec.Struct, frozen=True):
    """A journal entry as webhooks need it."""

    action: str
    about: UUID | None
    at: datetime
    topics: list[str]
    data: str

    def facts(self) -> dict[str, object]:
        """Return those facts of the entry that any subscriber may have: no free text, nobody's name."""
        noted = msgspec.json.decode(self.data, type=dict[str, object])
        return {name: noted[name] for name in _FACTS if name in noted}
