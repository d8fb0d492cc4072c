"""Run the story against a demo of our own, or a running one; one JSON line on stdout, progress on stderr."""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from booking import billing, db
from booking.check.client import StepFailed, until
from booking.check.examples import capture
from booking.check.story import Story
from booking.people import Actor

START_S, STOP_S = 300, 90


def check(state: Path | None, examples: Path | None = None) -> int:
    """Return 0 if every step of the story holds, 1 otherwise; says which on stdout as one JSON line.

    `state` names a running demo; without it a fresh one is started in a directory of its own and stopped.
    """
    begun = time.monotonic()
    done: list[dict[str, Any]] = []
    name = "start"
    try:
        with _running(state) as facts:
            done.append({"step": name, "seconds": _since(begun)})
            story = Story(facts["url"])
            for name, step in [*story.steps(), ("ledger_balances", lambda: _ledger_balances(facts))]:
                started = time.monotonic()
                step()
                done.append({"step": name, "seconds": _since(started)})
                print(f"  ok  {name}  {_since(started)} s", file=sys.stderr, flush=True)
            if examples is not None:
                print(f"{capture(story, examples)} operations have examples", file=sys.stderr)
    except (StepFailed, OSError, KeyError, subprocess.SubprocessError) as error:
        _say({"ok": False, "failed": name, "why": str(error), "steps": done, "seconds": _since(begun)})
        return 1
    _say({"ok": True, "steps": done, "seconds": _since(begun)})
    return 0


@contextlib.contextmanager
def _running(state: Path | None) -> Iterator[dict[str, Any]]:
    if state is not None:
        yield _facts(state) or _no_demo(state)
        return
    folder = Path(tempfile.mkdtemp(prefix="booking-check-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
    demo = subprocess.Popen(  # noqa: S603 our own program
        [
            sys.executable,
            "-m",
            "booking",
            "demo",
            "--port",
            str(_free_port()),
            "--state",
            str(folder / "var"),
        ],
        stdout=sys.stderr,
        stderr=sys.stderr,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield until("the demo is up", lambda: _facts(folder / "var") if _alive(demo) else None, START_S)
    finally:
        demo.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            demo.wait(STOP_S)
        shutil.rmtree(folder, ignore_errors=True)


def _alive(demo: subprocess.Popen[bytes]) -> bool:
    if demo.poll() is not None:
        raise StepFailed(f"the demo ended with status {demo.returncode}; its output is above")
    return True


def _facts(state: Path) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads((state / "demo.json").read_text())
        return found
    return None


def _no_demo(state: Path) -> dict[str, Any]:
    raise StepFailed(f"no demo is running in {state}; start one with ./run")


def _ledger_balances(facts: dict[str, Any]) -> None:
    async def look() -> list[str]:
        await db.open_pool(facts["environment"]["DATABASE_URL"], 1)
        try:
            return [str(one) for one in await billing.invariants(by=Actor.system())]
        finally:
            await db.close_pool()

    broken = asyncio.run(look())
    if broken:
        raise StepFailed("; ".join(broken))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 2)


def _say(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False), flush=True)
