"""A charge for the km of a trip; one offer per hold."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T23:30:00:000008"
VERSION = "1.38.0"
DESCRIPTION = "charges per km, one offer per hold"


async def forwards() -> MigrationManager:
    """Run 0008_life.sql."""
    return from_sql(ID, DESCRIPTION, "0008_life.sql")
