"""Run the story against a demo of our own, or a running one; one JSON line on stdout, progress on stderr."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from booking import billing, db
from booking.check.client import StepFailed
from booking.check.examples import capture
from booking.check.story import Story
from booking.demo import running
from booking.people import Actor


def check(state: Path | None, examples: Path | None = None) -> int:
    """Return 0 if every step of the story holds, 1 otherwise; says which on stdout as one JSON line.

    `state` names a running demo; without it a fresh one is started in a directory of its own and stopped.
    """
    begun = time.monotonic()
    done: list[dict[str, Any]] = []
    name = "start"
    try:
        with _demo(state) as demo:
            done.append({"step": name, "seconds": _since(begun)})
            story = Story(demo.url)
            for name, step in [*story.steps(), ("ledger_balances", lambda: _ledger_balances(demo))]:
                started = time.monotonic()
                step()
                done.append({"step": name, "seconds": _since(started)})
                print(f"  ok  {name}  {_since(started)} s", file=sys.stderr, flush=True)
            if examples is not None:
                print(f"{capture(story, examples)} operations have examples", file=sys.stderr)
    except Exception as error:  # whatever a step meets, it fails under its name
        why = str(error) if isinstance(error, StepFailed) else f"{type(error).__name__}: {error}"
        _say({"ok": False, "failed": name, "why": why, "steps": done, "seconds": _since(begun)})
        return 1
    _say({"ok": True, "steps": done, "seconds": _since(begun)})
    return 0


@contextlib.contextmanager
def _demo(state: Path | None) -> Iterator[running.Running]:
    if state is None:
        with running.temporary(out=sys.stderr) as fresh:
            yield fresh
        return
    here = running.find(state)
    if here is None:
        raise StepFailed(f"no demo is running in {state}; start one with ./run")
    yield here


def _ledger_balances(demo: running.Running) -> None:
    async def look() -> list[str]:
        await db.open_pool(demo.environment["DATABASE_URL"], 1)
        try:
            return await billing.invariants(by=Actor.system())
        finally:
            await db.close_pool()

    broken = asyncio.run(look())
    if broken:
        raise StepFailed("; ".join(broken))


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 2)


def _say(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False), flush=True)
