"""Doors that are taken away from their controller."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-23T07:00:00:000010"
VERSION = "1.38.0"
DESCRIPTION = "doors taken away"


async def forwards() -> MigrationManager:
    """Run 0010_doors_removed.sql."""
    return from_sql(ID, DESCRIPTION, "0010_doors_removed.sql")
