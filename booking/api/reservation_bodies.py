"""What is asked of reservations, on the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from booking import billing, reservations
from booking.api.search import must_be_sane
from booking.api.shapes import Note
from booking.span import Span


class NewReservation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a hold a reservation at the price that was shown."""

    hold_id: UUID
    method: billing.Method
    expected_price_ore: Annotated[int, Meta(ge=0, le=10_000_000_000, examples=[56400])]
    terms_accepted: Literal[True]
    terms_version: Annotated[str, Meta(max_length=20)] | None = None
    reason: Note | None = None


class MoveWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where and when it shall be instead, at the price that was shown. Without a resource it stays where it is."""

    start: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T17:00:00Z"])]
    end: Annotated[datetime, Meta(tz=True, examples=["2026-11-24T18:00:00Z"])]
    resource_id: UUID | None = None
    expected_price_ore: Annotated[int, Meta(ge=0, le=10_000_000_000)] | None = None
    reason: Note | None = None

    def target(self) -> reservations.Target:
        """Return the wish as the calendar takes it."""
        span = Span(self.start, self.end)
        must_be_sane(span)
        return reservations.Target(span, self.resource_id)


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one side says to the other."""

    text: Note


class ProposalAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer says to another time or place."""

    answer: Literal["accepted", "declined"]


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the time was used, as staff know it."""

    used: reservations.Used
    reason: Note | None = None


class OvertimeFee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the fee for the time the party stayed too long is owed."""

    charged: bool


class CancelReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is cancelled, for the journal."""

    reason: Note | None = None
