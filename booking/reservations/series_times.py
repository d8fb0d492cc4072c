"""Which times of a series are meant, and who may handle them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.reservations.rows import COLUMNS, Row
from booking.reservations.series_queries import SeriesRow, series_row

Scope = Literal["this", "following", "all"]
ALIVE = ("confirmed", "requested")


@dataclass(frozen=True, slots=True)
class SeriesPart:
    """Which times of a series: one (`this`), one and those after it, or all ahead."""

    scope: Scope
    reservation: UUID | None = None


class SeriesTime(Row):
    """A reservation with the start that its series gave it."""

    series_start: datetime

    @property
    def thing(self) -> UUID:
        """What was asked for: the pool, where a unit of one was picked."""
        return self.wished or self.resource

    @property
    def is_moved(self) -> bool:
        """True if it was moved by itself: it keeps its own time when the others change."""
        return self.starts_at != self.series_start


async def handled(series: UUID, by: Actor, *, lock: bool = False) -> SeriesRow:
    """Return the series to those who act for its party and to the owner's staff. Raises NotFound."""
    row = await series_row(series, by, lock=lock)
    if row.party not in by.acts_for and not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such series")
    return row


async def times_meant(
    series: UUID, part: SeriesPart, now: datetime, *, lock: bool = False
) -> list[SeriesTime]:
    """Return the times ahead that are meant, by start. Raises NotFound, Rejected."""
    found = await db.rows(
        SeriesTime,
        f"SELECT {COLUMNS}, series_start FROM reservation WHERE series = $1 AND state = ANY($2)"
        " AND starts_at > $3 ORDER BY id" + (" FOR NO KEY UPDATE" if lock else ""),
        series,
        list(ALIVE),
        now,
    )
    found.sort(key=lambda one: one.starts_at)
    if part.scope == "all":
        return found
    first = next((one for one in found if one.id == part.reservation), None)
    if first is None:
        raise NotFound("there is no such time ahead in this series", code="not_in_series")
    if part.scope == "this":
        return [first]
    return [one for one in found if one.series_start >= first.series_start]
