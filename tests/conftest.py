"""One real PostgreSQL per test process, migrated once into a template, cloned per test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from booking import billing, db, feeds, locks, messages, postgres
from booking.demo.seed import found
from booking.migrate import migrate
from booking.settings import Settings

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Sweden
_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL of this test process, with the schema in the template database `migrated`."""
    with postgres.temporary(postgres.in_memory()) as running:
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


@pytest.fixture(scope="session")
def peopled(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a template database with the demonstration's towns, lists, places, people and doors."""
    server.clone("migrated", "peopled")
    keypads = tmp_path_factory.mktemp("state") / "controllers"

    async def fill() -> None:
        settings = settings_for(server.url(postgres.APP, "peopled"), keypads)
        billing.configure(settings)
        locks.configure(settings)
        await db.open_pool(settings.database_url, 4)
        await found(settings, NOW)
        await db.close_pool()

    asyncio.run(fill())
    return "peopled"


@pytest.fixture
def world(server: postgres.Server, peopled: str) -> Iterator[str]:
    """The address of a database with places and people, nothing booked, of this test alone."""
    name = f"w{next(_numbers)}"
    server.clone(peopled, name)
    yield server.url(postgres.APP, name)
    server.drop(name)


@pytest.fixture
async def town(world: str, tmp_path: Path) -> AsyncIterator[Settings]:
    """The pool is open on a database with places and people; returns the settings."""
    settings = settings_for(world, tmp_path)
    billing.configure(settings)
    locks.configure(settings)
    messages.configure(settings, feeds.SOURCES)
    await db.open_pool(world, 10)
    yield settings
    await db.close_pool()


def settings_for(address: str, keypads: Path) -> Settings:
    """Return settings of a process on this database; Stripe's address is nobody's."""
    codes = ("2401", "2284", "2460", "2480")
    return Settings(
        database_url=address,
        secret_key=bytes(range(32)),
        stripe_api_base="http://127.0.0.1:9",
        stripe_keys={code: f"sk_test_{code}" for code in codes},
        stripe_webhook_secrets={code: (f"whsec_{code}",) for code in codes},
        demo=True,
        keypad_dir=keypads,
    )


@pytest.fixture
def now() -> datetime:
    """Monday 2026-11-23 10:00 in Sweden."""
    return NOW
