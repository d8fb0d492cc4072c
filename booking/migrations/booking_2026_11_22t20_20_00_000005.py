"""Calendar feeds, messages to people, webhooks to other systems."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T20:20:00:000005"
VERSION = "1.38.0"
DESCRIPTION = "feeds, messages, webhooks"


async def forwards() -> MigrationManager:
    """Run 0005_messages.sql."""
    return from_sql(ID, DESCRIPTION, "0005_messages.sql")
