"""Free text: Swedish stems and folded words of every resource."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T23:00:00:000007"
VERSION = "1.38.0"
DESCRIPTION = "what free text finds"


async def forwards() -> MigrationManager:
    """Run 0007_search.sql."""
    return from_sql(ID, DESCRIPTION, "0007_search.sql")
