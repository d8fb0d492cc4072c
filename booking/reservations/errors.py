"""The calendar's refusals."""

from booking.errors import Conflict, NotAllowed, Rejected


class SlotTaken(Conflict):
    """Somebody else holds this time. `taken` are the indices of the wishes that met somebody."""

    code = "slot_taken"

    def __init__(self, detail: str, *, taken: list[int]) -> None:
        super().__init__(detail)
        self.taken = taken


class PlaceChanged(Conflict):
    """The hall was divided while it was being booked; asking again books all of it."""

    code = "place_changed"


class HoldExpired(Conflict):
    """The hold has run out and the time may be somebody else's by now."""

    code = "hold_expired"


class AlreadyExtended(Conflict):
    """A hold can be extended once."""

    code = "already_extended"


class PriceChanged(Conflict):
    """The price is no longer what the page showed; `price` says what it is."""

    code = "price_changed"


class NotCancellable(Conflict):
    """The booking has started, is over or is cancelled already."""

    code = "not_cancellable"


class TooManyHolds(NotAllowed):
    """One browser holds a few times at once, not the whole week."""

    code = "too_many_holds"


class QuotaFull(Conflict):
    """The party has as many bookings as it may have; `code` says of what."""


class TermsNotAccepted(Conflict):
    """Another version of the terms is in force; `terms` says which."""

    code = "terms_not_accepted"


class NotMovable(Conflict):
    """The booking has started, is over, or waits for something else first."""

    code = "not_movable"


class NotYetUsed(Conflict):
    """Whether a booking was used can be told once it has begun, and while it stands."""

    code = "not_yet_used"


class NoOvertime(Conflict):
    """The doors have not proved that the party stayed, have more to tell yet, or the list asks nothing for it."""

    code = "no_overtime"


class AlreadyDecided(Conflict):
    """The request has been answered, or has ended."""

    code = "already_decided"


class BreaksRule(Rejected):
    """The wish breaks a rule of the resource; `code` names it."""


RULES = {
    "past": "the time has passed",
    "too_late": "it is too late to book this time",
    "not_open_yet": "this time can't be booked yet",
    "too_short": "the booking is shorter than this resource allows",
    "too_long": "the booking is longer than this resource allows",
    "off_raster": "bookings of this resource start on its time raster and last whole five minutes",
    "outside_hours": "the place is closed at that time",
    "not_for_you": "this kind of customer can't book it",
    "too_young": "the one who books is too young for it",
    "age_unknown": "tell us when you were born before you book it",
    "wrong_purpose": "it can't be booked for this purpose",
    "driver_unknown": "your driving licence must be shown to the municipality first",
    "quota_week": "you have as many bookings that week as you may have",
    "quota_open": "you have as many bookings ahead as you may have",
}
