"""The clock. The only place that reads it; everything else takes `now` as an argument."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SWEDEN = ZoneInfo("Europe/Stockholm")


def utc_now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)


def local_date(moment: datetime) -> date:
    """Return the Swedish date of an instant."""
    return moment.astimezone(SWEDEN).date()


def at_local(year: int, month: int, day: int, minute: int) -> datetime:
    """Return the UTC instant of a wall-clock minute of a Swedish day; minute 1440 is the next midnight.

    A minute that the spring night skips becomes the minute an hour later on the clock (02:30 → 03:30).
    """
    wall = datetime(year, month, day, tzinfo=SWEDEN) + timedelta(minutes=minute)
    return wall.astimezone(UTC)
