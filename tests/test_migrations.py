"""The migrations and the tables say the same, and every constraint and foreign key is named and indexed."""

import asyncpg
import pytest
from piccolo.conf.apps import table_finder
from piccolo.table import sort_table_classes

from booking import db, postgres
from booking.migrate import migrate
from booking.piccolo_app import APP_CONFIG

_COLUMNS = """
SELECT table_name || '.' || column_name, data_type || coalesce('(' || character_maximum_length || ')', '')
       || CASE is_nullable WHEN 'YES' THEN '' ELSE ' NOT NULL' END
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migration'
"""
_CONSTRAINTS = """
SELECT conrelid::regclass || ' ' || conname, regexp_replace(pg_get_constraintdef(oid), '\\s+', ' ', 'g')
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u', 'x', 'f', 'p')
  AND conrelid::regclass::text <> 'migration'
"""
_UNINDEXED = """
SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
"""


async def _facts(address: str, sql: str) -> dict[str, str]:
    connection = await asyncpg.connect(address)
    try:
        return {row[0]: row[1] for row in await connection.fetch(sql)}
    finally:
        await connection.close()


@pytest.fixture
async def from_tables(server: postgres.Server) -> str:
    """The address of a database made from the Piccolo tables alone."""
    server.create("from_tables")
    address = server.url(postgres.OWNER, "from_tables")
    connection = await asyncpg.connect(address)
    await connection.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for table in sort_table_classes(APP_CONFIG.table_classes):
        for statement in table.create_table().ddl:
            await connection.execute(statement)
    await connection.close()
    return address


async def test_tables_and_migrations__say_the_same(server: postgres.Server, from_tables: str) -> None:
    migrated = server.url(postgres.OWNER, "migrated")

    assert await _facts(migrated, _COLUMNS) == await _facts(from_tables, _COLUMNS)
    by_hand = await _facts(migrated, _CONSTRAINTS)
    declared = await _facts(from_tables, _CONSTRAINTS)
    assert {name: text for name, text in by_hand.items() if name in declared} == declared


async def test_every_foreign_key__has_an_index(server: postgres.Server) -> None:
    connection = await asyncpg.connect(server.url(postgres.OWNER, "migrated"))
    found = [row[0] for row in await connection.fetch(_UNINDEXED)]
    await connection.close()

    assert found == []


async def test_migrating_again__changes_nothing(server: postgres.Server, database: str) -> None:
    name = database.rsplit("/", 1)[-1]
    owner = server.url(postgres.OWNER, name)
    before = await _facts(owner, _COLUMNS)

    await migrate(owner)

    assert await _facts(owner, _COLUMNS) == before


async def test_the_application_role__cannot_rewrite_history(pool: str, now: object) -> None:
    for attack in ("UPDATE journal SET action = 'x'", "DELETE FROM journal", "TRUNCATE journal"):
        with pytest.raises(asyncpg.PostgresError):
            await db.run(attack)


def test_every_table__is_on_piccolos_list() -> None:
    listed = {table._meta.tablename for table in APP_CONFIG.table_classes}

    assert {table._meta.tablename for table in table_finder(["booking.people.tables"])} <= listed
