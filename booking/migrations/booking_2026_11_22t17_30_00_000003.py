"""Controllers, doors, access rules, grants, what controllers said."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T17:30:00:000003"
VERSION = "1.38.0"
DESCRIPTION = "controllers, doors, access rules, grants"


async def forwards() -> MigrationManager:
    """Run 0003_locks.sql."""
    return from_sql(ID, DESCRIPTION, "0003_locks.sql")
