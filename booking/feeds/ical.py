"""Pure: bookings as an iCalendar object (RFC 5545). `icalendar` folds and escapes; we decide what is said."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import icalendar

Status = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
PRODID = "-//Booking//Municipal booking//SV"
REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One booking as a calendar shows it. The UID never changes; the sequence grows with each change."""

    uid: str
    sequence: int
    status: Status
    start: datetime  # UTC, which needs no VTIMEZONE and is unambiguous on both nights when the clock moves
    end: datetime
    changed_at: datetime
    summary: str
    location: str = ""
    description: str = ""
    url: str = ""
    lat: float | None = None
    lon: float | None = None


def calendar(name: str, events: list[Event]) -> bytes:
    """Return the calendar with these events, the same octets for the same events."""
    whole = icalendar.Calendar()
    whole.add("prodid", PRODID)
    whole.add("version", "2.0")
    whole.add("calscale", "GREGORIAN")
    for field in (
        "name",
        "x-wr-calname",
    ):  # RFC 7986, and what came before it; escaped only if told to be text
        whole.add(field, icalendar.vText(clean(name)))
    whole.add("x-wr-timezone", "Europe/Stockholm")  # a hint for showing; all times are UTC
    whole.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    whole.add("x-published-ttl", "PT1H")
    for event in events:
        whole.add_component(_component(event))
    return bytes(whole.to_ical())


def _component(event: Event) -> icalendar.Event:
    made = icalendar.Event()
    made.add("uid", event.uid)
    made.add("dtstamp", event.changed_at)  # without METHOD it says the same as LAST-MODIFIED (§3.8.7.2)
    made.add("last-modified", event.changed_at)
    made.add("sequence", event.sequence)
    made.add("status", event.status)
    made.add("dtstart", event.start)
    made.add("dtend", event.end)
    made.add("summary", clean(event.summary))
    made.add("transp", "TRANSPARENT" if event.status == "CANCELLED" else "OPAQUE")
    for field, text in (("location", event.location), ("description", event.description)):
        if text:
            made.add(field, clean(text))
    if event.url:
        made.add("url", event.url)
    if event.lat is not None and event.lon is not None:
        made.add("geo", (event.lat, event.lon))
    return made


def clean(text: str) -> str:
    """Return the text without what no calendar may hold: controls, lone surrogates, odd line ends (§3.1, §3.3.11)."""
    lines = "\n".join(text.splitlines())
    return "".join(one for one in lines if one == "\n" or unicodedata.category(one) not in ("Cc", "Cs"))
