"""Season rounds: applications, wishes, allocations."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T23:45:00:000009"
VERSION = "1.38.0"
DESCRIPTION = "season rounds"


async def forwards() -> MigrationManager:
    """Run 0009_season.sql."""
    return from_sql(ID, DESCRIPTION, "0009_season.sql")
