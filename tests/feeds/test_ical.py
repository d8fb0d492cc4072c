"""What we write, two parsers read back alike: `icalendar`, which wrote it, and `vobject`, which knows nothing of it."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest
import vobject
from hypothesis import example, given, settings
from hypothesis import strategies as st

from booking.clock import at_local
from booking.feeds.ical import Event, calendar, clean

SPRING, AUTUMN = (2027, 3, 28), (2026, 10, 25)
ODD = "Träning; lag 1, \\n \"A\" 'B' : = ÅÄÖ 🏑 \u202eXYZ\u2028ny rad\u0085 \x00\x07\x1b\r\nBEGIN:VEVENT\r\nEND:VCALENDAR"
instants = st.integers(1_577_836_800, 2_051_222_400).map(lambda s: datetime.fromtimestamp(s, UTC))


def _event(start: datetime, title: str = "Träning", place: str = "", minutes: int = 90) -> Event:
    return Event(
        uid="b1@booking",
        sequence=3,
        status="CONFIRMED",
        start=start,
        end=start + timedelta(minutes=minutes),
        changed_at=start - timedelta(days=1),
        summary=title,
        location=place,
        description=title,
        url="https://boka.example/b/1",
        lat=63.57,
        lon=19.5,
    )


@given(
    title=st.text(max_size=300), place=st.text(max_size=300), start=instants, minutes=st.integers(1, 10_000)
)
@example(title=ODD, place=ODD, start=datetime(2026, 10, 25, 0, 30, tzinfo=UTC), minutes=60)
@settings(max_examples=150, deadline=None)
def test_any_title_and_time__is_read_back_as_it_was(
    title: str, place: str, start: datetime, minutes: int
) -> None:
    octets = calendar(title, [_event(start, title, place, minutes)])

    ours = next(iter(icalendar.Calendar.from_ical(octets).walk("VEVENT")))
    theirs = vobject.readOne(octets.decode()).vevent
    assert str(ours["SUMMARY"]) == theirs.summary.value == clean(title)
    assert ours["DTSTART"].dt == theirs.dtstart.value == start
    assert ours["DTEND"].dt == theirs.dtend.value == start + timedelta(minutes=minutes)
    assert str(ours["UID"]) == theirs.uid.value == "b1@booking"
    assert int(ours["SEQUENCE"]) == int(theirs.sequence.value) == 3


@given(title=st.text(max_size=300))
@example(title=ODD)
@settings(max_examples=100, deadline=None)
def test_every_line__is_short_and_ends_with_crlf(title: str) -> None:
    octets = calendar(title, [_event(datetime(2026, 11, 23, 9, tzinfo=UTC), title)])

    lines = octets.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 75  # RFC 5545 §3.1
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert [line for line in lines if line.startswith((b"BEGIN:VEVENT", b"END:VCALENDAR"))] == [
        b"BEGIN:VEVENT",
        b"END:VCALENDAR",
    ]


@pytest.mark.parametrize(
    ("night", "minute", "expected"),
    [
        (SPRING, 90, "20270328T003000Z"),  # 01:30 winter time
        (SPRING, 180, "20270328T010000Z"),  # 03:00 summer time, one hour later
        (SPRING, 240, "20270328T020000Z"),
        (AUTUMN, 90, "20261024T233000Z"),  # 01:30 summer time
        (AUTUMN, 180, "20261025T020000Z"),  # 03:00 winter time, 2½ hours later
        (AUTUMN, 240, "20261025T030000Z"),
    ],
)
def test_a_booking_on_a_night_when_the_clock_moves__has_its_own_instant(
    night: tuple[int, int, int], minute: int, expected: str
) -> None:
    start = at_local(*night, minute)

    octets = calendar("x", [_event(start)])

    assert f"DTSTART:{expected}\r\n".encode() in octets
    assert vobject.readOne(octets.decode()).vevent.dtstart.value == start


def test_a_cancelled_booking__is_said_and_blocks_nobodys_time() -> None:
    event = _event(datetime(2026, 11, 23, 9, tzinfo=UTC))
    cancelled = Event(**{**{name: getattr(event, name) for name in event.__slots__}, "status": "CANCELLED"})

    octets = calendar("x", [cancelled])

    assert b"STATUS:CANCELLED\r\n" in octets
    assert b"TRANSP:TRANSPARENT\r\n" in octets


def test_the_same_events__give_the_same_octets() -> None:
    events = [_event(datetime(2026, 11, 23, 9, tzinfo=UTC))]

    assert calendar("x", events) == calendar("x", events)


def test_a_calendar_without_events__is_still_one() -> None:
    assert vobject.readOne(calendar("Mina bokningar", []).decode()).version.value == "2.0"
