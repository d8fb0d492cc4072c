"""One real PostgreSQL per test process, migrated once into a template, cloned per test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from booking import db, postgres
from booking.migrate import migrate

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Sweden
_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL of this test process, with the schema in the template database `migrated`."""
    with postgres.temporary() as running:
        running.create("migrated")
        asyncio.run(migrate(running.url(postgres.OWNER, "migrated")))
        yield running


@pytest.fixture
def database(server: postgres.Server) -> Iterator[str]:
    """The address (role `app`) of an empty, migrated database of this test alone."""
    name = f"t{next(_numbers)}"
    server.clone("migrated", name)
    yield server.url(postgres.APP, name)
    server.drop(name)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[str]:
    """The pool is open on an empty database."""
    await db.open_pool(database, 10)
    yield database
    await db.close_pool()


@pytest.fixture
def now() -> datetime:
    """Monday 2026-11-23 10:00 in Sweden."""
    return NOW
