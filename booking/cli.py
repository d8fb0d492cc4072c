"""The command line: `booking demo` and operator commands. Each operator command calls one action."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TextIO, TypeVar

import click

from booking.settings import Settings, SettingsError

T = TypeVar("T")


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
    from booking.operate import derive

    settings = _settings()
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

    settings = _settings()
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

    sys.exit(run(_settings()))


@main.command()
def seed() -> None:
    """Fill an empty database with the demonstration's municipalities, people and bookings."""
    from booking.demo.seed import seed as run

    click.echo(asyncio.run(run(_settings())))


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

    for line in asyncio.run(run(_settings(), month, codes)):
        click.echo(line)


@main.command()
def invariants() -> None:
    """Check books, rules and calendar: balanced ledger, gapless series, what is derived. Exits 1 if something is broken."""
    from booking.operate import invariants as run

    broken = asyncio.run(run(_settings()))
    for line in broken:
        click.echo(line, err=True)
    click.echo("books, rules and calendar are in order" if not broken else f"{len(broken)} broken")
    sys.exit(1 if broken else 0)


@main.group()
def door() -> None:
    """Doors."""


@door.command("try")
@click.argument("door_id")
@click.argument("pin")
@click.option("--at", "at", default=None, help="Type it at another time (ISO 8601), simulated keypads only.")
@click.option(
    "--state", type=click.Path(path_type=Path), default=None, help="The demo's state (default: ./var)."
)
def door_try(door_id: str, pin: str, at: str | None, state: Path | None) -> None:
    """Type a PIN at a simulated keypad of the running demo and say what the door did."""
    from booking.operate import OperateError, try_door

    try:
        granted, sentence = asyncio.run(try_door(door_id, pin, at, state))
    except OperateError as error:
        raise click.ClickException(str(error)) from error
    click.echo(sentence)
    sys.exit(0 if granted else 1)


_QR = click.option("--qr", type=click.Path(path_type=Path), default=None, help="Write it as a picture, too.")


@door.command("enrol")
@click.argument("name")
@click.option("--facility", required=True, help="Slug of the facility.")
@click.option("--door", "doors", multiple=True, required=True, help="WIRE-ID=NAME, once per door.")
@click.option("--driver", default="native", show_default=True, help="Whose lock it is.")
@_QR
def door_enrol(name: str, facility: str, doors: tuple[str, ...], driver: str, qr: Path | None) -> None:
    """Make a controller known; prints its controller.json, to be carried to it."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.enrol(_settings(), name, facility, doors, driver, qr)))


@door.command("replace")
@click.argument("name")
@_QR
def door_replace(name: str, qr: Path | None) -> None:
    """Give new hardware a controller's place; prints its controller.json. The old device is dead at once."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.replace(_settings(), name, qr)))


@door.command("key")
@click.argument("name")
@_QR
def door_key(name: str, qr: Path | None) -> None:
    """Make a controller's next key; prints what is to be added to its controller.json."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.stage_key(_settings(), name, qr)))


@door.command("activate-key")
@click.argument("name")
def door_activate_key(name: str) -> None:
    """Put a controller's next key in force."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.activate_key(_settings(), name)))


@door.command("retire")
@click.argument("name")
@click.option("--force", is_flag=True, help="Also while bookings to come open by it.")
def door_retire(name: str, force: bool) -> None:
    """Empty a controller of its codes and take its account away."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.retire(_settings(), name, force)))


@door.command("quarantine")
@click.argument("name")
@click.option("--confirm", is_flag=True, help="Replace what it holds by what this database knows.")
def door_quarantine(name: str, confirm: bool) -> None:
    """Show what a controller holds that a restored database knows nothing of."""
    from booking import operate_doors

    click.echo("\n".join(_operated(operate_doors.quarantine(_settings(), name, confirm))))


@door.command("ignored")
@click.option("--hours", type=click.IntRange(1, 8760), default=24, show_default=True, help="How far back.")
def door_ignored(hours: int) -> None:
    """Count messages from controllers that had no effect: replayed, damaged, too big, not theirs."""
    from booking import operate_doors

    click.echo("\n".join(_operated(operate_doors.ignored(_settings(), hours))))


@door.command("allow")
@click.argument("resource")
@click.argument("door_id")
@click.option(
    "--before", "before", type=click.IntRange(0, 1440), default=15, show_default=True, help="Minutes."
)
@click.option(
    "--after", "after", type=click.IntRange(0, 1440), default=15, show_default=True, help="Minutes."
)
@click.option("--purpose", default=None, help="Only for this kind of booking.")
def door_allow(resource: str, door_id: str, before: int, after: int, purpose: str | None) -> None:
    """Let those who book a resource (slug) open a door."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.allow(_settings(), resource, door_id, before, after, purpose)))


def _operated(work: Coroutine[None, None, T]) -> T:
    """Return what the command did, or end with its refusal in one sentence."""
    from booking.errors import Refusal
    from booking.operate import OperateError

    try:
        return asyncio.run(work)
    except (OperateError, Refusal) as error:
        raise click.ClickException(str(error)) from error


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
