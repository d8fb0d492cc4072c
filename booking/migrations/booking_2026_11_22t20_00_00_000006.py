"""Standing, shared and reserve codes, alarms, commands, facts, staged keys."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T20:00:00:000006"
VERSION = "1.38.0"
DESCRIPTION = "standing, shared and reserve codes, alarms, commands, facts"


async def forwards() -> MigrationManager:
    """Run 0006_doors.sql."""
    return from_sql(ID, DESCRIPTION, "0006_doors.sql")
