"""A simulated rig for our own controller: the test port of `booking conformance`, on standard input and output.

`python -m booking.controller.rig --state DIR --broker URL`. It starts and kills a real controller process,
types at its simulated keypad, pulls its simulated network cable and lets its time pass.
"""

import argparse
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

import msgspec

from booking.controller.main import KEY_FILE, KeyFile, MasterKey
from booking.simulated.keypad import socket_path
from booking.simulated.wire import SimulatedCable

STATIC_PIN = "1357924680"
START_WITHIN_S = 20
CAN = ["press", "card", "power", "clock", "network", "pass", "bolt", "logs", "erase", "enrol"]


class Device(Protocol):
    """One simulated device on the rig."""

    def start(self, *, clock: bool, shift_s: int) -> None:
        """Powered and running."""

    def kill(self) -> None:
        """Power lost, nothing said goodbye."""

    def do(self, line: dict[str, object]) -> dict[str, object]:
        """What the simulated hardware answers to one line (see keypad.py)."""

    def logs(self) -> str:
        """Everything printed so far."""


class ControllerProcess:
    """`booking controller` as a process of its own."""

    def __init__(self, state: Path, broker: str, more: list[str]) -> None:
        self._state, self._broker, self._more = state, broker, more
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *, clock: bool, shift_s: int) -> None:
        """Powered and running. Raises TimeoutError."""
        argv = [sys.executable, "-m", "booking.controller", "--state", str(self._state), "--simulated"]
        argv += ["--broker", self._broker, "--static-pin", STATIC_PIN, "--shift-s", str(shift_s), *self._more]
        with (self._state / "log").open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603
                argv if clock else [*argv, "--no-clock"], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            with contextlib.suppress(OSError):
                self.do({})
                return
            if time.monotonic() > deadline or self._child.poll() is not None:
                raise TimeoutError(f"the controller did not start; see {self._state / 'log'}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        socket_path(self._state).unlink(missing_ok=True)
        self._child = None

    def do(self, line: dict[str, object]) -> dict[str, object]:
        """Ask over the simulated hardware's socket. Raises OSError without power."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(10)
            wire.connect(str(socket_path(self._state)))
            wire.sendall(json.dumps(line).encode() + b"\n")
            with wire.makefile("rb") as lines:
                answer: dict[str, object] = json.loads(lines.readline())
        return answer

    def logs(self) -> str:
        """Return its output."""
        return (self._state / "log").read_text()


class Rig:
    """What the runner may ask for, done to a simulated device."""

    def __init__(self, state: Path, device: Device, cable: SimulatedCable) -> None:
        self._state, self._device, self._cable = state, device, cable
        self._shift_s, self._clock, self._is_on = 0, True, False
        self._acts: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
            "hello": lambda _: {"can": CAN, "static": [STATIC_PIN]},
            "press": self._press,
            "card": lambda said: {"opened": self._granted({"door": said["door"], "card": said["card"]})},
            "power": self._power,
            "network": self._network,
            "pass": self._pass,
            "bolt": lambda said: {"locked": not self._is_unlocked(str(said["door"]))},
            "logs": lambda _: {"text": self._device.logs()},
            "erase": self._erase,
            "enrol": self._enrol,
        }

    def serve(self, lines: IO[str], out: IO[str]) -> None:
        """Everything asked for is done and answered, until nobody asks any more."""
        self.start()
        for line in lines:
            try:
                reply = self.answer(json.loads(line))
            except ValueError:
                reply = {"ok": False, "why": "send one JSON object a line"}
            out.write(json.dumps(reply) + "\n")
            out.flush()
        self.stop()

    def answer(self, said: dict[str, object]) -> dict[str, object]:
        """Return the reply to one request; what could not be done is told, not raised."""
        try:
            return {"ok": True, **self._acts[str(said["do"])](said)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            return {"ok": False, "why": f"{type(error).__name__}: {error}"}

    def stop(self) -> None:
        """Power and cable are gone."""
        self._device.kill()
        self._cable.close()

    def start(self) -> None:
        """The device is powered."""
        self._device.start(clock=self._clock, shift_s=self._shift_s)
        self._is_on = True

    def _granted(self, line: dict[str, object]) -> bool:
        return self._device.do(line).get("granted") is True

    def _press(self, said: dict[str, object]) -> dict[str, object]:
        pins = said["pins"]
        if not isinstance(pins, list):
            raise TypeError("pins")
        return {"opened": [self._granted({"door": said["door"], "pin": pin}) for pin in pins]}

    def _power(self, said: dict[str, object]) -> dict[str, object]:
        if self._is_on:
            self._device.kill()
            self._is_on = False
        if said["on"] is True:
            self._clock = said.get("clock") is not False
            self.start()
        return {}

    def _network(self, said: dict[str, object]) -> dict[str, object]:
        self._cable.plug(said["up"] is True)
        return {}

    def _pass(self, said: dict[str, object]) -> dict[str, object]:
        seconds = int(str(said["seconds"]))
        self._shift_s += seconds
        if self._is_on:
            self._device.do({"pass_s": seconds})
        return {}

    def _is_unlocked(self, door: str) -> bool:
        """Without power the bolt of a fail-secure lock is home."""
        return self._is_on and self._device.do({"door": door, "bolt": True}).get("unlocked") is True

    def _erase(self, _said: dict[str, object]) -> dict[str, object]:
        for file in self._state.glob("controller.db*"):
            file.unlink()
        return {}

    def _enrol(self, said: dict[str, object]) -> dict[str, object]:
        path = self._state / KEY_FILE
        old = msgspec.json.decode(path.read_bytes(), type=KeyFile)
        new = MasterKey(int(str(said["gen"])), str(said["key"]))
        path.write_bytes(msgspec.json.encode(KeyFile(old.controller, old.password, [*old.keys, new])))
        return self._power({"on": True, "clock": self._clock})


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--broker", required=True, help="mqtt://host:port")
    said, more = parser.parse_known_args()
    parts = urlsplit(said.broker)
    cable = SimulatedCable(parts.hostname or "127.0.0.1", parts.port or 1883)
    device = ControllerProcess(said.state, f"mqtt://127.0.0.1:{cable.port}", more)
    Rig(said.state, device, cable).serve(sys.stdin, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
