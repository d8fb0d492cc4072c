"""The running parts of a chaos run, each a process of its own that can be killed, frozen and cut off."""

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from booking.simulated.wire import SimulatedCable
from tests.controller.parts import Process, RunningBroker
from tests.doors_chaos.eve import Eve, Heard

ROOT = Path(__file__).parents[2]


def freeze(pid: int) -> None:
    """The process stands still; its connections stay open."""
    os.kill(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    """It goes on as if nothing had happened."""
    os.kill(pid, signal.SIGCONT)


@dataclass
class Fleet:
    """Many controllers in one process."""

    folder: Path
    url: str
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """All its controllers run."""
        command = [sys.executable, "-m", "tests.doors_chaos.fleet", str(self.folder), self.url]
        with (self.folder / "log").open("ab") as log:
            self.child = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        assert self._answer() == "ready", (self.folder / "log").read_text()[-2_000:]

    def kill(self) -> None:
        """kill -9."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def ask(self, line: str) -> object:
        """Return its answer to one line."""
        assert self.child is not None
        assert self.child.stdin is not None
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()
        return self._answer()

    def _answer(self) -> object:
        assert self.child is not None
        out: IO[bytes] | None = self.child.stdout
        assert out is not None
        line = out.readline()
        assert line, (self.folder / "log").read_text()[-2_000:]
        return json.loads(line)


@dataclass
class Alone:
    """One real `booking controller` process, behind a cable of its own."""

    folder: Path
    process: Process
    cable: SimulatedCable

    @classmethod
    def make(cls, folder: Path, port: int, *more: str) -> "Alone":
        """Not started yet."""
        cable = SimulatedCable("127.0.0.1", port)
        argv = [sys.executable, "-m", "booking.controller", "--state", str(folder), "--simulated", *more]
        argv += ["--broker", f"mqtt://127.0.0.1:{cable.port}"]
        return cls(folder, Process(argv, folder / "log", {"PYTHONPATH": str(ROOT)}), cable)


@dataclass
class Player:
    """Whoever runs the broker: records everything, and plays some of it back late, twice and in any order."""

    mqtt: RunningBroker
    eve: Eve
    chance: random.Random
    recorded: list[Heard] = field(default_factory=list)
    said: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def play(self, a_second: float) -> None:
        """Bytes once recorded come again, until told to stop."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(a_second,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Silence."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, a_second: float) -> None:
        while not self._stop.wait(1 / a_second):
            self._record()
            if not self.recorded or not self.eve.client.is_connected():
                continue
            topic, payload, retain = self.chance.choice(self.recorded[-2_000:])
            if self.chance.random() < 0.1 and len(payload) > 20:  # and some of it damaged
                at = self.chance.randrange(len(payload))
                payload = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
            self.eve.client.publish(topic, payload, 1, retain or self.chance.random() < 0.1)
            self.said += 1

    def _record(self) -> None:
        while True:
            try:
                heard = self.eve.heard.get_nowait()
            except queue.Empty:
                return
            if heard[0].startswith("lk/v1/") and heard[1]:
                self.recorded.append(heard)
                del self.recorded[:-20_000]
