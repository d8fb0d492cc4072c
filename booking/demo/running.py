"""Find the demo that runs here, or start one for a while: for `booking check`, `booking door try` and tests."""

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from booking.demo import state as states

START_SECONDS = 240  # the first start builds the web UI
STOP_SECONDS = 90


class NotStarted(Exception):
    """The demo did not come up; what it said went to the output it was given."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running demo is, and what a program must be told to belong to it."""

    state: Path
    url: str
    owner_url: str = field(repr=False)
    environment: dict[str, str] = field(repr=False)

    def pids(self) -> dict[str, int]:
        """Return the process numbers by name, as they are now."""
        pids = states.read(self.state).get("pids")
        return dict(pids) if isinstance(pids, dict) else {}


def find(state: Path | None = None) -> Running | None:
    """Return the demo that is up on this state, or None."""
    state = (state or states.default()).resolve()
    facts = states.read(state)
    match facts:
        case {"url": str(url), "owner_url": str(owner), "environment": dict(environment)}:
            return Running(state, url, owner, environment) if states.is_claimed(state) else None
    return None


@contextlib.contextmanager
def started(state: Path, port: int | None = None, out: IO[str] | None = None) -> Iterator[Running]:
    """A demo of its own runs on `state` for the length of the with; its progress goes to `out`, or stderr.

    Raises NotStarted.
    """
    chosen = port or states.free_port()
    command = [sys.executable, "-m", "booking", "demo", "--state", str(state), "--port", str(chosen)]
    process = subprocess.Popen(  # noqa: S603 -- our own words
        command, cwd=states.ROOT, stdin=subprocess.DEVNULL, stdout=out or sys.stderr, start_new_session=True
    )
    try:
        yield _await(state, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


@contextlib.contextmanager
def temporary(out: IO[str] | None = None) -> Iterator[Running]:
    """A demo with fresh data, gone afterwards."""
    state = Path(tempfile.mkdtemp(prefix="booking-demo-"))
    state.chmod(0o711)  # root's database runs as nobody, who must get through
    try:
        with started(state, out=out) as running:
            yield running
    finally:
        states.wipe(state)
        shutil.rmtree(state)


def _await(state: Path, process: subprocess.Popen[bytes]) -> Running:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        running = find(state)
        if running is not None and running.pids().get("supervisor") == process.pid:
            return running
        time.sleep(0.1)
    raise NotStarted(
        f"the demo on {state} did not start; its last lines are above, its logs in {state / 'log'}"
    )
