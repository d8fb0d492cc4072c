"""Prices, charges, payments, invoices, ledger."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from booking.migrate import from_sql

ID = "2026-11-22T17:20:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "prices, charges, payments, invoices, ledger"


async def forwards() -> MigrationManager:
    """Run 0002_billing.sql."""
    return from_sql(ID, DESCRIPTION, "0002_billing.sql")
