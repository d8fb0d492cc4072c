"""Operator commands: each opens the database, calls one action and says in a line what happened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from booking import billing, db, locks, people, places, reservations
from booking.api.simulation import type_at_keypad
from booking.clock import SWEDEN, utc_now
from booking.demo import running
from booking.errors import Refusal
from booking.people import Actor
from booking.settings import Settings


class OperateError(Exception):
    """The command can't be carried out; says why and what to do."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[None]:
    """The database is open and the packages know their settings."""
    billing.configure(settings)
    locks.configure(settings)
    await db.open_pool(settings.database_url, 4)
    try:
        yield
    finally:
        await db.close_pool()


async def invoice_run(settings: Settings, month: str, codes: tuple[str, ...]) -> list[str]:
    """The month is invoiced in each municipality; returns a line per municipality."""
    async with opened(settings):
        lines = []
        for code in codes or tuple(one.code for one in await people.municipalities()):
            done = await billing.run_invoices(code, month, by=Actor.system(), now=utc_now())
            kronor = f"{done.total_ore / 100:,.2f}".replace(",", " ").replace(".", ",")
            lines.append(f"{code} {month}: {done.issued} issued, {done.already} there already, {kronor} kr")
        return lines


async def invariants(settings: Settings) -> list[str]:
    """Return what is broken in the books, the derived rules and hours, and the calendar; nothing, if all is well."""
    async with opened(settings):
        now = utc_now()
        broken = [str(one) for one in await billing.invariants(by=Actor.system())]
        for town in await people.municipalities():
            broken += await places.stale(town.code, now)
        return broken + await reservations.wrong_leaves(now)


async def derive(settings: Settings) -> list[str]:
    """No resource is without rules in force and open days; returns the municipalities that had some."""
    await db.open_pool(settings.database_url, 2)
    try:
        return await places.derive_missing(utc_now())
    finally:
        await db.close_pool()


async def try_door(door_id: str, pin: str, at: str | None, state: Path | None) -> tuple[bool, str]:
    """Type a PIN at a simulated keypad of a running demo. Returns whether it opened, and a sentence."""
    demo = running.find(state)
    if demo is None:
        raise OperateError("no demo is running here; start one with ./run")
    settings = Settings.from_env(demo.environment)
    moment = None if at is None else datetime.fromisoformat(at)
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=SWEDEN)
    async with opened(settings):
        known = {one.id: one for one in await locks.door_places()}
    if door_id not in known or settings.keypad_dir is None:
        raise OperateError(f"there is no door {door_id}; the doors are: {', '.join(sorted(known))}")
    found = known[door_id]
    try:
        answer = await type_at_keypad(settings.keypad_dir / found.controller, found.wire_id, pin, moment)
    except Refusal as error:
        raise OperateError(error.detail) from error
    if answer.granted:
        return True, f"granted: {found.name} unlocks for {answer.unlock_s} s (simulated keypad)"
    return False, f"denied ({answer.why}): {found.name} stays locked (simulated keypad)"
