"""Words of a calendar, which no page of ours can translate."""

from booking.people import Language

_WORDS: dict[Language, dict[str, str]] = {
    "sv": {
        "busy": "Upptaget",
        "mine": "Mina bokningar",
        "number": "Bokning",
        "party": "Bokas av",
        "training": "Träning",
        "match": "Match",
        "meeting": "Möte",
        "event": "Arrangemang",
        "private": "Privat",
        "other": "Annat",
        "awaiting_payment": "Väntar på betalning",
        "cancelled": "Avbokad",
        "confirmed": "Beviljad",
        "rejected": "Avslagen",
        "requested": "Väntar på beslut",
    },
    "en": {
        "busy": "Busy",
        "mine": "My bookings",
        "number": "Booking",
        "party": "Booked by",
        "training": "Training",
        "match": "Match",
        "meeting": "Meeting",
        "event": "Event",
        "private": "Private",
        "other": "Other",
        "awaiting_payment": "Waiting for payment",
        "cancelled": "Cancelled",
        "confirmed": "Granted",
        "rejected": "Refused",
        "requested": "Waiting for a decision",
    },
}


def word(name: str, language: Language) -> str:
    """Return the word, or the name itself where there is none."""
    return _WORDS[language].get(name, name)
