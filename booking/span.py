"""Half-open UTC time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from booking.errors import Rejected


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """[start, end) in UTC. Both ends become UTC on construction; an empty or naive span is refused."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.tzinfo is None:
                raise Rejected("times need a UTC offset", code="naive_time")
        try:
            object.__setattr__(self, "start", self.start.astimezone(UTC))
            object.__setattr__(self, "end", self.end.astimezone(UTC))
        except OverflowError as error:
            raise Rejected("the time is outside the calendar", code="bad_time") from error
        if self.end <= self.start:
            raise Rejected("the end must come after the start", code="end_before_start")

    @property
    def length(self) -> timedelta:
        """Elapsed time: seven hours for 00–06 on the night when the clock goes back."""
        return self.end - self.start

    @property
    def minutes(self) -> int:
        """Whole elapsed minutes."""
        return int(self.length.total_seconds() // 60)

    def overlaps(self, other: "Span") -> bool:
        """True when the two share at least one instant."""
        return self.start < other.end and other.start < self.end

    def widened(self, *, before: timedelta = timedelta(0), after: timedelta = timedelta(0)) -> "Span":
        """Return the span with its ends moved apart."""
        return Span(self.start - before, self.end + after)
