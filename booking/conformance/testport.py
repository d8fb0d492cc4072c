"""The device's hands: a rig that types, cuts power and turns clocks, or an operator who is asked to.

A rig speaks one JSON line per request and reply, over its standard streams (`exec:COMMAND`) or a socket
(`tcp:HOST:PORT`); the requests are in docs/lock-protocol/test-port.md.
"""

import json
import shlex
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Protocol

from booking.conformance.verdicts import NotRun


class Hands(Protocol):
    """Who does what has to be done at the device."""

    @property
    def can(self) -> frozenset[str]:
        """What it can do."""

    @property
    def static_pins(self) -> Sequence[str]:
        """Codes the device keeps for itself."""

    def ask(self, do: str, **more: object) -> dict[str, object]:
        """Return the reply when it is done. Raises NotRun if it cannot be done."""

    def close(self) -> None:
        """The rig is let go."""


class Rig:
    """A program that does it."""

    def __init__(self, address: str) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._wire: socket.socket | None = None
        self._in, self._out = self._open(address)
        try:
            hello = self.ask("hello")
        except NotRun:
            with suppress(OSError, subprocess.TimeoutExpired):
                self.close()
            raise
        self.can = frozenset(str(each) for each in _strings(hello.get("can")))
        self.static_pins: Sequence[str] = _strings(hello.get("static"))

    def _open(self, address: str) -> tuple[IO[str], IO[str]]:
        kind, _, rest = address.partition(":")
        if kind == "exec":
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(shlex.split(rest), stdin=pipe, stdout=pipe, text=True)  # noqa: S603
            assert self._child.stdin is not None
            assert self._child.stdout is not None
            return self._child.stdin, self._child.stdout
        if kind == "tcp":
            host, _, port = rest.rpartition(":")
            self._wire = socket.create_connection((host, int(port)), timeout=600)
            return self._wire.makefile("w"), self._wire.makefile("r")
        raise ValueError("--test-port is exec:COMMAND or tcp:HOST:PORT")

    def ask(self, do: str, **more: object) -> dict[str, object]:
        """Return the rig's reply. Raises NotRun if it says it cannot."""
        try:
            self._in.write(json.dumps({"do": do, **more}) + "\n")
            self._in.flush()
            line = self._out.readline()
            reply: object = json.loads(line) if line else None
        except (OSError, ValueError) as error:
            raise NotRun(f"the test port broke down on {do}: {error}") from error
        if not isinstance(reply, dict) or reply.get("ok") is not True:
            why = reply.get("why") if isinstance(reply, dict) else "it hung up"
            raise NotRun(f"the test port could not {do}: {why}")
        return reply

    def close(self) -> None:
        """The rig ends when nobody speaks to it any more."""
        with suppress(BrokenPipeError):  # it is gone already
            self._in.close()
        if self._child is not None:
            self._child.wait(30)
        self._out.close()
        if self._wire is not None:
            self._wire.close()


class Operator:
    """A person at the device who does what the terminal says."""

    can = frozenset(("press", "card", "power", "clock", "network", "erase"))
    static_pins: Sequence[str] = ()

    def __init__(self, ask: Callable[[str], str]) -> None:
        self._ask = ask

    def ask(self, do: str, **more: object) -> dict[str, object]:
        """Return what the person saw. Raises NotRun if it is too much to ask, or the person says skip."""
        if do == "press":
            return {"opened": [self._saw(f"type {pin}", more) for pin in _few(_strings(more.get("pins")))]}
        if do == "card":
            return {"opened": [self._saw(f"present card {more.get('card')}", more)]}
        if do == "power":
            clock = " with its clock battery taken out" if more.get("clock") is False else ""
            self._done(f"switch the device's power {'on' if more.get('on') else 'OFF'}{clock}")
        elif do == "network":
            self._done(f"{'plug in' if more.get('up') else 'PULL'} the device's network cable")
        elif do == "erase":
            self._done("reset the device to factory state, its enrolment (id, password, key) kept")
        else:
            raise NotRun(f"needs a test port that can {do}")
        return {}

    def _saw(self, what: str, more: dict[str, object]) -> bool:
        answer = self._ask(f"At door {more.get('door')}: {what}. Did it open? [y/n/skip] ").strip().lower()
        if answer not in ("y", "n"):
            raise NotRun("skipped by the operator")
        return answer == "y"

    def _done(self, what: str) -> None:
        if self._ask(f"Please {what}, then press Enter [or: skip] ").strip():
            raise NotRun("skipped by the operator")

    def close(self) -> None:
        """Nothing to let go."""


class Nobody:
    """Neither rig nor operator: only what shows on the wire can be checked."""

    can: frozenset[str] = frozenset()
    static_pins: Sequence[str] = ()

    def ask(self, do: str, **_: object) -> dict[str, object]:
        """Raises NotRun."""
        raise NotRun(f"what shows on the wire is right; the rest needs --test-port (to {do}) or a terminal")

    def close(self) -> None:
        """Nothing to let go."""


def _few(pins: Sequence[str]) -> Sequence[str]:
    if len(pins) > 12:
        raise NotRun(f"needs a test port: {len(pins)} entries are too many to type by hand")
    return pins


def _strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
