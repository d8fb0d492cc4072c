"""Simulated hardware: a unix socket in the state directory, one JSON line in, one out.

`{"door": "d1", "pin": "004216", "at": 1795010460}` → `{"granted": true, "event": "granted", "why": null,
"unlock_s": 5}`; likewise with `card`. `at` is optional and exists only here: a real keypad cannot choose its
time. For tests: `{"door": "d1", "sense": "opened"}` moves a contact, `{"door": "d1", "bolt": true}` →
`{"unlocked": false}`, `{"pass_s": 60}` lets a minute pass at once.
"""

import contextlib
import json
import socket
import socketserver
import threading
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from booking.controller.doors import Sensed
from booking.controller.hardware import Outcome, Present
from booking.lockwire.decide import Presented
from booking.lockwire.snapshot import DoorId
from booking.simulated.keypad import socket_path


class Press(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody does at a door, or to the simulated world."""

    door: DoorId = "d1"
    pin: str | None = None
    card: str | None = None
    at: int | None = None
    sense: Sensed | None = None
    bolt: bool = False
    pass_s: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] | None = None

    def __repr__(self) -> str:
        return f"Press(door={self.door!r}, at={self.at})"


class World(Protocol):
    """What else a simulated building can be told and asked."""

    def sense(self, door: str, what: Sensed) -> None:
        """A contact has changed."""

    def is_unlocked(self, door: str) -> bool:
        """True while the simulated bolt is free."""

    def let_pass(self, seconds: int) -> None:
        """So much time has passed."""


class KeypadTrouble(Exception):
    """The simulated keypad cannot be reached; the text says what to start."""


def press(state: Path, door: str, pin: str, at: int | None = None, timeout: float = 5.0) -> Outcome:
    """Return what the door does when this PIN is typed. Raises KeypadTrouble."""
    line = json.dumps({"door": door, "pin": pin, "at": at}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(str(socket_path(state)))
            client.sendall(line)
            answer = client.makefile("rb").readline(4_096)
    except OSError as error:
        raise KeypadTrouble(
            "the simulated controller is not running; start it with `booking controller`"
        ) from error
    try:
        return msgspec.json.decode(answer, type=Outcome)
    except msgspec.DecodeError as error:
        raise KeypadTrouble("the simulated keypad did not understand: check door and PIN") from error


class SimulatedKeypad:
    """Listens until stopped. Only its owner may connect."""

    def __init__(self, state: Path, world: World | None = None) -> None:
        self._path, self._world = socket_path(state), world
        self._server: socketserver.ThreadingUnixStreamServer | None = None

    def start(self, present: Present) -> None:
        """Presses are handed to the controller from now on."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = _Server(self._path, present, self._world)
        self._path.chmod(0o600)
        threading.Thread(target=self._server.serve_forever, name="keypad", daemon=True).start()

    def stop(self) -> None:
        """Nobody is listened to any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, present: Present, world: World | None) -> None:
        self.present, self.world = present, world
        super().__init__(str(path), _Line)


class _Line(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 10

    def handle(self) -> None:
        """Answer each line until the other side hangs up."""
        with contextlib.suppress(OSError):
            while line := self.rfile.readline(4_096):
                self.wfile.write(self._answer(line) + b"\n")

    def _answer(self, line: bytes) -> bytes:
        try:
            said = msgspec.json.decode(line, type=Press)
        except msgspec.DecodeError:
            return b'{"error":"send {\\"door\\": \\"d1\\", \\"pin\\": \\"1234\\"}"}'
        if said.pin is not None or said.card is not None:
            presented = Presented(pin=said.pin, card=said.card)
            return msgspec.json.encode(self.server.present(said.door, presented, said.at))
        return b"{}" if self.server.world is None else _change(self.server.world, said)


def _change(world: World, said: Press) -> bytes:
    if said.pass_s is not None:
        world.let_pass(said.pass_s)
    if said.sense is not None:
        world.sense(said.door, said.sense)
    return msgspec.json.encode({"unlocked": world.is_unlocked(said.door)} if said.bolt else {})
