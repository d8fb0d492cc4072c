"""Child processes that are watched, restarted with back-off, and never left behind.

Each child leads a session of its own, so that a Ctrl-C in the terminal reaches the supervisor alone and the
order of stopping is ours. What runs is written down with its start time: after a kill -9 of the supervisor the
next start finds the leftovers and ends exactly those, not a stranger that was given the same process number.
"""

# ruff: noqa: S603, S607 -- commands are our own lists of words, never a shell
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 10.0  # for a child to end after SIGTERM
PATIENCE_SECONDS = 60.0  # a child that lived this long starts again without delay
LONGEST_PAUSE_SECONDS = 30.0
LOG_BYTES = 20_000_000  # then the log is moved aside, once

ROOT = Path(__file__).resolve().parents[2]  # where `python -m booking` finds this clone

Say = Callable[[str], None]


class ChildTrouble(Exception):
    """A child did not come up; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; programs of a higher stage are stopped first."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    stage: int


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    begun: float
    failures: int = 0
    due: float | None = None  # when to start again, on the monotonic clock


class Children:
    """The processes of one supervisor."""

    def __init__(self, state: Path, say: Say) -> None:
        self._logs = state / "log"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._record = state / "children.json"
        self._say = say
        self._children: dict[str, _Child] = {}

    def start(self, program: Program) -> None:
        """The program runs; its output goes to log/NAME.log."""
        self._children[program.name] = _Child(program, self._spawn(program), time.monotonic())
        self._write_down()

    def pids(self) -> dict[str, int]:
        """Return the process numbers by name."""
        return {name: child.process.pid for name, child in self._children.items()}

    def await_ready(
        self, name: str, ready: Callable[[], bool], seconds: float, stopping: Callable[[], bool]
    ) -> None:
        """Return when `ready` says so or we are stopping. Raises ChildTrouble when the child ends or is late."""
        deadline = time.monotonic() + seconds
        while not stopping() and not ready():
            if self._children[name].process.poll() is not None:
                raise ChildTrouble(f"{name} ended at once:\n{self.tail(name)}")
            if time.monotonic() > deadline:
                raise ChildTrouble(f"{name} is not ready after {seconds:.0f} s:\n{self.tail(name)}")
            time.sleep(0.05)

    def tend(self) -> bool:
        """Start again what has ended, each time after a longer pause; say so. True when a process is new."""
        started = False
        now = time.monotonic()
        for name, child in self._children.items():
            if child.due is None and child.process.poll() is not None:
                child.failures = 0 if now - child.begun > PATIENCE_SECONDS else child.failures + 1
                pause = (
                    0.0 if child.failures == 0 else min(2.0 ** (child.failures - 1), LONGEST_PAUSE_SECONDS)
                )
                child.due = now + pause
                how = _how_ended(child.process.returncode)
                self._say(f"{name} {how}; starts again in {pause:.0f} s (see {self._log(name)})")
            if child.due is not None and now >= child.due:
                _end_group(child.process.pid, signal.SIGKILL)
                child.process, child.begun, child.due = self._spawn(child.program), now, None
                self._write_down()
                started = True
        return started

    def stop(self) -> None:
        """Every child and grandchild has ended, the highest stage first; none left is a no-op."""
        for stage in sorted({child.program.stage for child in self._children.values()}, reverse=True):
            here = {c.process: name for name, c in self._children.items() if c.program.stage == stage}
            for late in end(list(here)):
                self._say(f"{here[late]} did not end within {GRACE_SECONDS:.0f} s and was killed")
        self._children.clear()
        self._record.unlink(missing_ok=True)

    def end_leftovers(self) -> int:
        """End what a killed supervisor left running and return how many that were."""
        with contextlib.suppress(OSError, ValueError):
            left = [pid for pid, born in json.loads(self._record.read_text()).values() if birth(pid) == born]
            for pid in left:
                _end_group(pid, signal.SIGTERM)
            _until(lambda: all(birth(pid) is None for pid in left), GRACE_SECONDS)
            for pid in left:
                _end_group(pid, signal.SIGKILL)
            self._record.unlink()
            return len(left)
        return 0

    def tail(self, name: str, lines: int = 12) -> str:
        """Return the end of a child's log, indented."""
        text = self._log(name).read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in text[-lines:])

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        log = self._log(program.name)
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        return begin(program.command, program.environment, log)

    def _write_down(self) -> None:
        running = {
            name: (child.process.pid, birth(child.process.pid)) for name, child in self._children.items()
        }
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(running))
        draft.replace(self._record)


def begin(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """A command with an end runs in a session of its own; see it to its end or `end` it."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def see_to_end(process: subprocess.Popen[bytes], log: Path, stopping: Callable[[], bool], say: Say) -> int:
    """Return the status of a command that was begun; stopping ends it early.

    `say` hears the last line of its output now and then.
    """
    begun = time.monotonic()
    while process.poll() is None:
        if stopping():
            end([process])
        if time.monotonic() - begun > 1:  # what is quick need not speak
            say(last_line(log))
        time.sleep(0.05)
    return process.returncode


def last_line(log: Path) -> str:
    """Return the last line of a log that has one; the log may be long, so only its end is read."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def birth(pid: int) -> str | None:
    """Return what tells this process from a later one with its number; None for one that has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        ask = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return ask.stdout.strip() or None
    return None if stat[0] == "Z" else stat[19]


def end(processes: Sequence[subprocess.Popen[bytes]]) -> list[subprocess.Popen[bytes]]:
    """These and their descendants have ended; return those that had to be killed because they would not."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    _until(lambda: all(process.poll() is not None for process in processes), GRACE_SECONDS)
    late = [process for process in processes if process.poll() is None]
    for process in processes:
        _end_group(process.pid, signal.SIGKILL)  # a child too slow, and whatever it has left behind
        process.wait()
    return late


def _end_group(leader: int, ask: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, ask)


def _until(happened: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.02)


def _how_ended(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
