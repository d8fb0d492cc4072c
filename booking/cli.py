"""The command line: `booking demo` and operator commands. Each operator command calls one action."""

import asyncio
import sys

import click

from booking.settings import Settings, SettingsError


def _settings() -> Settings:
    try:
        return Settings.from_env()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def main() -> None:
    """Municipal booking: halls, premises and vehicles, priced, invoiced and unlocked by one engine."""


@main.command()
def migrate() -> None:
    """Bring the database of DATABASE_URL up to date."""
    from booking.migrate import MigrationError
    from booking.migrate import migrate as run

    try:
        version = asyncio.run(run(_settings().database_url))
    except MigrationError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"schema is current (PostgreSQL {version // 10000}.{version % 10000})")


@main.command()
def web() -> None:
    """Serve the API and the pages."""
    import uvicorn

    from booking.app import create_app

    settings = _settings()
    uvicorn.run(
        create_app(settings), host=settings.host, port=settings.port, log_config=None, server_header=False
    )


@main.command()
def worker() -> None:
    """Pay the outbox, hold the MQTT connection, run what is due."""
    from booking.worker import run

    sys.exit(run(_settings()))
