"""A demo of the tests' own, as child processes, whose parts can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from booking.demo import running
from booking.demo import state as states
from booking.demo.children import birth

ROOT = Path(__file__).parents[2]
START_S, STOP_S = 240.0, 60.0


def until(what: str, look: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what `look` finds as soon as it is true; fails with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.05)
    return found


@dataclass
class Demo:
    """One state directory and the supervisor that works on it."""

    state: Path
    port: int = field(default_factory=states.free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """The demo is up; on the same state and port as before, if it was before."""
        out: IO[bytes]
        with (self.state / "supervisor.log").open("ab") as out:
            command = [
                sys.executable,
                "-m",
                "booking",
                "demo",
                "--state",
                str(self.state),
                "--port",
                str(self.port),
            ]
            self._process = process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

        def up() -> bool:
            assert process.poll() is None, self.said()
            return self.pid("supervisor") == process.pid

        until("the demo is up", up, START_S)

    def stop(self) -> None:
        """The demo has ended as after Ctrl-C."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(STOP_S)

    def kill_supervisor(self) -> None:
        """The supervisor alone is gone at once; its children go on without it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def kill(self, part: str) -> int:
        """The part's process is gone at once; returns its number. One that is restarting is awaited first."""
        pid = int(until(f"{part} runs", lambda: self._alive(part)))
        os.kill(pid, signal.SIGKILL)
        return pid

    def await_all_up(self) -> None:
        """Every part runs again."""
        for part in self.facts().pids():
            until(f"{part} runs", lambda part=part: self._alive(part))
        until("the web answers", self._ready)

    def _alive(self, part: str) -> int | None:
        pid = self.pid(part)
        return pid if pid is not None and birth(pid) is not None else None

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def facts(self) -> running.Running:
        """What the demo has published."""
        return until("the demo has published", lambda: running.find(self.state))  # type: ignore[no-any-return]

    def pid(self, part: str) -> int | None:
        found = running.find(self.state)
        return None if found is None else found.pids().get(part)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def said(self) -> str:
        """The end of the supervisor's output."""
        return (self.state / "supervisor.log").read_text(errors="replace")[-3000:]

    def at_stripe(self, path: str, municipality: str) -> list[dict[str, Any]]:
        """Return a list that the simulated Stripe holds of a municipality."""
        environment = self.facts().environment
        answer = httpx.get(
            environment["STRIPE_API_BASE"] + path,
            params={"limit": 100},
            headers={"Authorization": f"Bearer {environment[f'STRIPE_KEY_{municipality}']}"},
            timeout=20,
        )
        assert answer.status_code == 200, answer.text
        return list(answer.json()["data"])
