"""`booking door …`: what an operator does with doors and controllers. Each command calls one action."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import click

from booking.settings import Settings

T = TypeVar("T")


@click.group()
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
@click.option(
    "--door",
    "doors",
    multiple=True,
    required=True,
    help="WIRE-ID=NAME, once per door; +WIRE-ID=NAME for a key cabinet's compartment.",
)
@click.option("--driver", default="native", show_default=True, help="Whose lock it is.")
@_QR
def door_enrol(name: str, facility: str, doors: tuple[str, ...], driver: str, qr: Path | None) -> None:
    """Make a controller known; prints its controller.json, to be carried to it."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.enrol(Settings.from_env(), name, facility, doors, driver, qr)))


@door.command("add")
@click.argument("name")
@click.argument("new")
def door_add(name: str, new: str) -> None:
    """Give a live controller one door more: WIRE-ID=NAME, or +WIRE-ID=NAME for a key cabinet's compartment."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.add(Settings.from_env(), name, new)))


@door.command("remove")
@click.argument("door_id")
@click.option(
    "--force", is_flag=True, help="Also while bookings to come open it; those that booked are told."
)
def door_remove(door_id: str, force: bool) -> None:
    """Take a door away from its controller; nothing opens it any more."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.remove(Settings.from_env(), door_id, force)))


@door.command("replace")
@click.argument("name")
@_QR
def door_replace(name: str, qr: Path | None) -> None:
    """Give new hardware a controller's place; prints its controller.json. The old device is dead at once."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.replace(Settings.from_env(), name, qr)))


@door.command("key")
@click.argument("name")
@_QR
def door_key(name: str, qr: Path | None) -> None:
    """Make a controller's next key; prints what is to be added to its controller.json."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.stage_key(Settings.from_env(), name, qr)))


@door.command("activate-key")
@click.argument("name")
def door_activate_key(name: str) -> None:
    """Put a controller's next key in force."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.activate_key(Settings.from_env(), name)))


@door.command("retire")
@click.argument("name")
@click.option("--force", is_flag=True, help="Also while bookings to come open by it.")
def door_retire(name: str, force: bool) -> None:
    """Empty a controller of its codes and take its account away."""
    from booking import operate_doors

    click.echo(_operated(operate_doors.retire(Settings.from_env(), name, force)))


@door.command("quarantine")
@click.argument("name")
@click.option("--confirm", is_flag=True, help="Replace what it holds by what this database knows.")
def door_quarantine(name: str, confirm: bool) -> None:
    """Show what a controller holds that a restored database knows nothing of."""
    from booking import operate_doors

    click.echo("\n".join(_operated(operate_doors.quarantine(Settings.from_env(), name, confirm))))


@door.command("ignored")
@click.option("--hours", type=click.IntRange(1, 8760), default=24, show_default=True, help="How far back.")
def door_ignored(hours: int) -> None:
    """Count messages from controllers that had no effect: replayed, damaged, too big, not theirs."""
    from booking import operate_doors

    click.echo("\n".join(_operated(operate_doors.ignored(Settings.from_env(), hours))))


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

    click.echo(_operated(operate_doors.allow(Settings.from_env(), resource, door_id, before, after, purpose)))


def _operated(work: Coroutine[None, None, T]) -> T:
    """Return what the command did, or end with its refusal in one sentence."""
    from booking.errors import Refusal
    from booking.operate import OperateError

    try:
        return asyncio.run(work)
    except (OperateError, Refusal) as error:
        raise click.ClickException(str(error)) from error
