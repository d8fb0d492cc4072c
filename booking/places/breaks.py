"""School breaks: days that recurring bookings may skip."""

from datetime import date

from booking import db


class SchoolBreak(db.Record):
    """A stretch of days without school, both ends included."""

    name: str
    from_day: date
    to_day: date


async def school_breaks(municipality: str, first: date, last: date) -> list[SchoolBreak]:
    """Return the municipality's school breaks that touch the days, in order."""
    return await db.rows(
        SchoolBreak,
        "SELECT name, from_day, to_day FROM school_break WHERE municipality = $1 AND from_day <= $3"
        " AND to_day >= $2 ORDER BY from_day",
        municipality,
        first,
        last,
    )
