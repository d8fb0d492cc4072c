"""People, places, the calendar, outbox, journal."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T17:00:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "people, places, the calendar, outbox, journal"


async def forwards() -> MigrationManager:
    """Run 0001_core.sql."""
    return from_sql(ID, DESCRIPTION, "0001_core.sql")
