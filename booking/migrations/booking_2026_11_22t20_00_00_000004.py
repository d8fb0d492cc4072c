"""Inherited rules, seasons, pools, series, requests, blocks, teams, waiting, vehicles."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T20:00:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "the whole calendar"


async def forwards() -> MigrationManager:
    """Run 0004_calendar.sql."""
    return from_sql(ID, DESCRIPTION, "0004_calendar.sql")
