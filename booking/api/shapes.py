"""Types that several nouns share on the wire: bounded text, codes, parameters."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar import Request
from litestar.datastructures import State
from litestar.params import QueryParameter
from msgspec import Meta

from booking.errors import Rejected

NO_CONTROLS = (
    r"^[^\x00-\x1f\x7f]*$"  # no NUL, which PostgreSQL can't store, and no line breaks in one-line texts
)

FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
HTTPRequest = Request[None, None, State]  # who asks is the Actor, not the framework's user
Instant = Annotated[datetime, Meta(tz=True)]
Line = Annotated[str, Meta(min_length=1, max_length=120, pattern=NO_CONTROLS)]
Note = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Email = Annotated[
    str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")
]
Password = Annotated[str, Meta(min_length=10, max_length=200, pattern=r"^[^\x00]*$")]
MunicipalityCode = Annotated[str, Meta(pattern=r"^[0-9]{4}$", examples=["2401"])]
Month = Annotated[str, Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])]

CodeQuery = Annotated[str | None, QueryParameter(pattern=r"^[0-9]{4}$", required=False)]
CodeRequired = Annotated[str, QueryParameter(name="municipality", pattern=r"^[0-9]{4}$")]
TextQuery = Annotated[str | None, QueryParameter(max_length=100, pattern=NO_CONTROLS, required=False)]
PartyQuery = Annotated[UUID | None, QueryParameter(name="party_id", required=False)]
LimitQuery = Annotated[int, QueryParameter(ge=1, le=100, required=False)]
OffsetQuery = Annotated[int, QueryParameter(ge=0, le=100_000, required=False)]
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
Clock = Annotated[str, Meta(pattern=_CLOCK, examples=["18:00"])]
FromClock = Annotated[str | None, QueryParameter(name="from", pattern=_CLOCK, required=False)]
ToClock = Annotated[str | None, QueryParameter(name="to", pattern=_CLOCK, required=False)]


def minute_of_day(clock: str | None, otherwise: int) -> int:
    """Return HH:MM as a minute of the local day."""
    if clock is None:
        return otherwise
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def must_be_a_day(*days: date | None) -> None:
    """Raise Rejected for a date outside the calendar that is kept."""
    if any(one is not None and not FIRST <= one <= LAST for one in days):
        raise Rejected("dates lie between 2000 and 2099", code="bad_time")
