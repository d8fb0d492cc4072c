"""A lock on the bench: its real driver, a double or the vendor's real code behind it, and a clock the test turns."""

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from booking.bridge.contract import Driver, Held, Message, Sighting
from booking.bridge.device import Device
from booking.bridge.wanted import Code
from booking.web import build
from tests.all import lock_drivers

T0 = 1_795_000_000
HOUR = 3_600


def code(pin: str = "483926", *windows: tuple[int, int], grants: Sequence[str] = ("grant-001",)) -> Code:
    return Code(pin, tuple(grants), windows or ((T0, T0 + HOUR),))


class Double(Protocol):
    """Something on the other side of the local broker."""

    def take(self, message: Message) -> list[Message]:
        """Return what is published because of this message."""


@dataclass
class LockBench:
    """One device, its wire to the double cut and mended at will."""

    driver: Driver
    double: Double
    held: list[Held] = field(default_factory=list)
    is_cut: bool = False
    now: int = T0
    mono_ms: int = 1_000
    said: list[str] = field(default_factory=list)
    seen: list[Sighting] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    saved: list[Held] = field(default_factory=list)
    device: Device = field(init=False)

    def __post_init__(self) -> None:
        self.boot(self.held)

    def boot(self, held: Sequence[Held]) -> None:
        """Power on with this memory; nothing was closed properly before."""
        self._out: list[Message] = []
        self.device = Device("d1", self.driver, held, self._save, self.said.append, self._out.append)
        self.device.connected(True, self.mono_ms)

    def _save(self, rows: list[Held]) -> None:
        self.saved = list(rows)

    def want(self, *codes: Code, seconds: float = 0.0) -> None:
        """The lock should hold these; run until it is idle, and then for so long."""
        self.device.want(codes)
        self.pump()
        if seconds:
            self.wait(seconds)

    def pump(self) -> None:
        """Everything that can happen without time passing happens."""
        self.device.tick(self.mono_ms, self.now)
        while self._out:
            message = self._out.pop(0)
            self.sent.append(message)
            for reply in [] if self.is_cut else self.double.take(message):
                self.tell(reply)
            self.device.tick(self.mono_ms, self.now)

    def tell(self, message: Message) -> None:
        """The lock says something."""
        self.seen += self.device.hear(message, self.mono_ms)

    def wait(self, seconds: float) -> None:
        """Time passes, from one deadline to the next."""
        end = self.mono_ms + int(seconds * 1_000)
        while True:
            due = self.device.due_ms(self.mono_ms)
            if due is None or due > end:
                break
            self._turn(max(due, self.mono_ms + 1))
        self._turn(end)

    def _turn(self, mono_ms: int) -> None:
        self.now += (mono_ms - self.mono_ms) // 1_000
        self.mono_ms = mono_ms
        self.pump()


class NodeParts:
    """A script with the vendor's real code: one JSON line in, some out, `settled` says when it is done with a line."""

    def __init__(self, script: str, *arguments: str, is_done: Callable[[dict[str, Any]], bool]) -> None:
        self._is_done = is_done
        self.frames: list[str] = []
        self.errors: list[str] = []
        argv = [str(build.find_node()), str(lock_drivers() / script), *arguments]
        self._child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._complaints: list[str] = []
        self._threads = [
            threading.Thread(target=each, daemon=True) for each in (self._read, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()
        self.hello = self._next(60)

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if line.startswith(b"{"):
                self._lines.put(json.loads(line))

    def _read_errors(self) -> None:
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self._complaints.append(line.decode())

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(
                f"{self._child.args} said nothing: {''.join(self._complaints[-20:])}"
            ) from None

    def say(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what it says until it is done with this."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(body).encode() + b"\n")
        self._child.stdin.flush()
        answers = []
        while True:
            answer = self._next(30)
            answers.append(answer)
            if self._is_done(answer):
                return answers

    def take(self, message: Message) -> list[Message]:
        """Return what is published because of this message."""
        answers = self.say({"topic": message.topic, "payload": message.payload.decode()})
        return self.told(answers)

    def told(self, answers: list[dict[str, Any]]) -> list[Message]:
        self.frames += [answer["frame"] for answer in answers if "frame" in answer]
        self.errors += [answer["error"] for answer in answers if "error" in answer]
        return [
            Message(answer["topic"], json.dumps(answer["payload"]).encode())
            for answer in answers
            if "topic" in answer
        ]

    def stop(self) -> None:
        self._child.kill()
        self._child.wait(10)
        for thread in self._threads:
            thread.join(10)
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
