"""Migrations: plain SQL files in Piccolo's runner, one process at a time, grants for the application role."""

import contextlib
import io
from pathlib import Path

import asyncpg
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from booking.db import DB

FOLDER = Path(__file__).parent / "migrations"
OLDEST_SERVER = 150000
_LOCK = 7_366_294  # any constant; two `booking migrate` at once take turns

_GRANTS = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
    GRANT USAGE ON SCHEMA public TO app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO app;
  END IF;
END $$
"""


class MigrationError(Exception):
    """The database can't be brought up to date; says why."""


def from_sql(migration_id: str, description: str, file: str) -> MigrationManager:
    """Return a Piccolo migration that runs one SQL file in one transaction. There is no way back but a backup."""
    manager = MigrationManager(migration_id=migration_id, app_name="booking", description=description)

    async def run() -> None:
        held = DB.current_transaction.get()
        if held is None:
            raise MigrationError("a migration runs in Piccolo's transaction")
        await held.connection.execute("SET LOCAL lock_timeout = '5s'")
        await held.connection.execute((FOLDER / file).read_text())

    manager.add_raw(run)
    return manager


async def migrate(dsn: str) -> int:
    """The schema at `dsn` is current and role `app`, where it exists, may use it. Returns the server's version.

    Safe to run from several processes at once. Raises MigrationError.
    """
    connection = await asyncpg.connect(dsn)
    try:
        version = int(await connection.fetchval("SHOW server_version_num"))
        if version < OLDEST_SERVER:
            raise MigrationError(f"PostgreSQL 15 or later is needed, this is {version // 10000}")
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await _run_forwards(dsn)
        await connection.execute(_GRANTS)
    finally:
        await connection.close()
    return version


async def _run_forwards(dsn: str) -> None:
    DB.config = {"dsn": dsn}
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        result = await ForwardsMigrationManager(app_name="booking", migration_id="all").run()
    if not result.success:
        raise MigrationError(result.message or output.getvalue()[-2000:])
