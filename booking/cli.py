"""The command line: `booking demo` and operator commands. Each operator command calls one action."""

import asyncio
import sys
from pathlib import Path
from typing import TextIO

import click

from booking.cli_doors import door
from booking.settings import Settings, SettingsError


class _Commands(click.Group):
    """Says in one sentence what is wrong with the environment."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands)
def main() -> None:
    """Municipal booking: halls, premises and vehicles, priced, invoiced and unlocked by one engine."""


main.add_command(door)


@main.command()
def migrate() -> None:
    """Bring the database of DATABASE_URL up to date."""
    from booking.migrate import MigrationError
    from booking.migrate import migrate as run
    from booking.operate import derive

    settings = Settings.from_env()
    try:
        version = asyncio.run(run(settings.database_url))
    except MigrationError as error:
        raise click.ClickException(str(error)) from error
    for code in asyncio.run(derive(settings)):
        click.echo(f"rules and opening hours of {code} are in force")
    click.echo(f"schema is current (PostgreSQL {version // 10000}.{version % 10000})")


@main.command()
def web() -> None:
    """Serve the API and the pages."""
    import uvicorn

    from booking.app import configure_logging, create_app

    settings = Settings.from_env()
    configure_logging()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,  # longer than clients and proxies wait: they close first, never in mid-request
    )


@main.command()
def worker() -> None:
    """Pay the outbox, hold the MQTT connection, run what is due."""
    from booking.worker import run

    sys.exit(run(Settings.from_env()))


@main.command()
def seed() -> None:
    """Fill an empty database with the demonstration's municipalities, people and bookings."""
    from booking.demo.seed import seed as run

    click.echo(asyncio.run(run(Settings.from_env())))


@main.command()
@click.option("--port", default=8000, show_default=True, help="Where the pages are served.")
@click.option("--fresh", is_flag=True, help="Start over: forget everything in the state directory.")
@click.option(
    "--state", type=click.Path(path_type=Path), default=None, help="Where data is kept (default: ./var)."
)
def demo(port: int, fresh: bool, state: Path | None) -> None:
    """Run the whole product with demonstration data on this machine."""
    from booking.demo.supervisor import demo as run

    sys.exit(run(port, fresh=fresh, state=state))


@main.command()
@click.option("--state", type=click.Path(path_type=Path), default=None, help="Check the demo running there.")
@click.option(
    "--examples", type=click.Path(path_type=Path), default=None, help="Write the API's examples there."
)
def check(state: Path | None, examples: Path | None) -> None:
    """Run the whole story against a fresh product; prints one JSON line, exits 0 or 1."""
    from booking.check.main import check as run

    sys.exit(run(state, examples))


@main.command()
@click.argument("file", type=click.File("w", encoding="utf-8", atomic=True), default="-")
def openapi(file: TextIO) -> None:
    """Write the API's OpenAPI document, without its examples; needs no database."""
    from booking.api.openapi import bare
    from booking.app import create_app

    # Nothing connects or seals before the application starts: any address and key will do.
    file.write(bare(create_app(Settings(database_url="postgresql:///none", secret_key=bytes(32)))))


@main.command("invoice-run")
@click.option("--month", required=True, help="YYYY-MM")
@click.option("--municipality", "codes", multiple=True, help="Four digits; default: every municipality.")
def invoice_run(month: str, codes: tuple[str, ...]) -> None:
    """Invoice a month: what the calendar does by itself, by hand. Running it again issues nothing twice."""
    from booking.operate import invoice_run as run

    for line in asyncio.run(run(Settings.from_env(), month, codes)):
        click.echo(line)


@main.command()
def invariants() -> None:
    """Check books, rules and calendar: balanced ledger, gapless series, what is derived. Exits 1 if something is broken."""
    from booking.operate import invariants as run

    broken = asyncio.run(run(Settings.from_env()))
    for line in broken:
        click.echo(line, err=True)
    click.echo("books, rules and calendar are in order" if not broken else f"{len(broken)} broken")
    sys.exit(1 if broken else 0)


@main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.pass_context
def controller(context: click.Context) -> None:
    """Run a door controller (see `booking controller --help` of the device program)."""
    from booking.controller.main import main as run

    sys.argv = ["booking controller", *context.args]
    sys.exit(run())


@main.command()
@click.option("--broker", default=None, help="mqtt://lk-server:PASSWORD@HOST:PORT, the server's own account.")
@click.option("--controller", default=None, help="The controller's id.")
@click.option("--key", type=click.Path(path_type=Path, exists=True), default=None, help="Its enrolment file.")
@click.option("--simulated", is_flag=True, help="Test our own simulated controller on a broker of our own.")
@click.option(
    "--test-port", default=None, help="exec:COMMAND or tcp:HOST:PORT (docs/lock-protocol/test-port.md)."
)
@click.option("--door", "doors", multiple=True, help="A door to use; default: those the controller reports.")
@click.option("--only", multiple=True, help="Only this check, e.g. C04; may be repeated.")
@click.option("--events", default=5_000, show_default=True, help="How many events C20 makes.")
@click.option(
    "--ca", type=click.Path(path_type=Path, exists=True), default=None, help="The broker's CA (PEM)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def conformance(simulated: bool, **options: object) -> None:
    """Play the server against a controller: every numbered check of the lock protocol. Replaces its codes."""
    from booking.conformance.main import Unusable, Wanted, conformance_of_ours
    from booking.conformance.main import conformance as run
    from booking.conformance.wire import NoBroker

    if not simulated and None in (options["broker"], options["controller"], options["key"]):
        raise click.UsageError("give --broker, --controller and --key, or --simulated to see it run")
    try:
        wanted = Wanted(**{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]
        sys.exit(conformance_of_ours(wanted) if simulated else run(wanted))
    except (Unusable, NoBroker, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.pass_context
def bridge(context: click.Context) -> None:
    """Run a bridge to third-party locks (see docs/how-to/bridge.md)."""
    from booking.bridge.main import main as run

    sys.argv = ["booking bridge", *context.args]
    sys.exit(run())
