"""`booking controller`: wires one controller to its state directory, its broker and its (simulated) door."""

import argparse
import fcntl
import signal
import sys
import threading
import time
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import IO

import msgspec

from booking.controller.core import Controller
from booking.controller.hardware import SimulatedBolts
from booking.controller.keypad import SimulatedKeypad
from booking.controller.link import Link
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.controller.voice import Out
from booking.lockwire.keys import Keys, derive

KEY_FILE = "controller.json"


class MasterKey(msgspec.Struct, frozen=True):
    """One generation's key, 32 bytes as base64url."""

    gen: int
    key: str

    def __repr__(self) -> str:
        return f"MasterKey(gen={self.gen})"


class KeyFile(msgspec.Struct, frozen=True):
    """What enrolment leaves in the state directory, mode 0600."""

    controller: str
    password: str
    keys: list[MasterKey]

    def __repr__(self) -> str:
        return f"KeyFile(controller={self.controller!r}, keys={self.keys!r})"

    def derived(self) -> list[Keys]:
        """Return the working keys, oldest generation first."""
        return [
            derive(urlsafe_b64decode(each.key + "=="), self.controller, each.gen)
            for each in sorted(self.keys, key=lambda each: each.gen)
        ]


def run(state: Path, broker: str, *, simulated: bool, skew_s: int = 0, trust_host_clock: bool = True) -> int:
    """Run one controller until SIGTERM or SIGINT; returns the exit code. skew_s is for simulated hardware."""
    if not simulated:
        return _fail("no door hardware is wired to this machine; start with --simulated")
    try:
        key_file = msgspec.json.decode((state / KEY_FILE).read_bytes(), type=KeyFile)
        keys = key_file.derived()
    except (OSError, ValueError) as error:
        return _fail(
            f"{state / KEY_FILE} cannot be used ({type(error).__name__}); enrol the controller first"
        )
    only_one = _lock(state)
    if only_one is None:
        return _fail(f"another controller already runs on {state}")
    return _serve(state, broker, key_file, keys, skew_s, trust_host_clock)


def _serve(
    state: Path, broker: str, key_file: KeyFile, keys: list[Keys], skew_s: int, trust_host_clock: bool
) -> int:
    def say(text: str) -> None:
        print(f"[{key_file.controller}] {text}", flush=True)

    def read() -> Moment:
        # The hardware clock of this device; decisions take the Moment as an argument.
        host = time.time_ns() // 1_000_000 + skew_s * 1_000 if trust_host_clock else None
        return Moment(time.monotonic_ns() // 1_000_000 - power_on, host)

    power_on = time.monotonic_ns() // 1_000_000
    links: list[Link] = []

    def send(out: Out) -> None:
        links[0].send(out)

    say("SIMULATED HARDWARE: no real door moves")
    store = Store(state / "controller.db")
    controller = Controller(key_file.controller, keys, store, SimulatedBolts(say), read, send)
    links.append(Link(broker, key_file.password, controller, say))
    keypad = SimulatedKeypad(state)
    keypad.start(controller.present)
    links[0].start()
    held = f"{controller.stored.epoch}.{controller.stored.ver}" if controller.stored else "none"
    say(f"ready, stored version {held}")
    _until_told(controller)
    keypad.stop()
    links[0].stop()
    store.close()
    say("stopped; the stored snapshot stays")
    return 0


def _until_told(controller: Controller) -> None:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    while not told.wait(controller.idle_s()):
        controller.tick()


def _lock(state: Path) -> IO[str] | None:
    handle = (state / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    _held.append(handle)
    return handle


_held: list[IO[str]] = []  # the lock lives as long as the process


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="booking controller", description="Reference door controller.")
    parser.add_argument("--state", type=Path, required=True, help="directory with controller.json")
    parser.add_argument("--broker", required=True, help="mqtt://host:port or mqtts://host:port")
    parser.add_argument("--simulated", action="store_true", help="simulated door and keypad")
    parser.add_argument("--skew-s", type=int, default=0, help="simulated: host clock wrong by this much")
    parser.add_argument("--no-clock", action="store_true", help="simulated: boot without a clock")
    said = parser.parse_args()
    return run(
        said.state,
        said.broker,
        simulated=said.simulated,
        skew_s=said.skew_s,
        trust_host_clock=not said.no_clock,
    )
