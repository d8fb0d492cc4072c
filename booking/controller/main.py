"""`booking controller`: wires one controller to its state directory, its broker and its (simulated) door."""

import argparse
import fcntl
import signal
import sys
import threading
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from booking.controller.core import CAPACITY, Controller
from booking.controller.keypad import SimulatedKeypad
from booking.controller.link import Link
from booking.controller.simulated import SimulatedWorld
from booking.controller.store import Store
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


@dataclass(frozen=True, slots=True)
class Options:
    """How this controller is run; what stands after `simulated` is for simulated hardware."""

    state: Path
    broker: str
    ca: Path | None
    simulated: bool
    skew_s: int = 0
    has_clock: bool = True
    shift_s: int = 0
    grants: int = CAPACITY.grants
    static_pins: frozenset[str] = frozenset()


def run(options: Options) -> int:
    """Run one controller until SIGTERM or SIGINT; returns the exit code."""
    if not options.simulated:
        return _fail("no door hardware is wired to this machine; start with --simulated")
    path = options.state / KEY_FILE
    try:
        key_file = msgspec.json.decode(path.read_bytes(), type=KeyFile)
        keys = key_file.derived()
    except (OSError, ValueError) as error:
        return _fail(f"{path} cannot be used ({type(error).__name__}); enrol the controller first")
    if not keys:
        return _fail(f"{path} holds no key; enrol the controller first")
    if _lock(options.state) is None:
        return _fail(f"another controller already runs on {options.state}")
    return _serve(options, key_file, keys)


def _serve(options: Options, key_file: KeyFile, keys: list[Keys]) -> int:
    def say(text: str) -> None:
        print(f"[{key_file.controller}] {text}", flush=True)

    def send(out: Out) -> None:
        links[0].send(out)

    links: list[Link] = []
    say("SIMULATED HARDWARE: no real door moves")
    world = SimulatedWorld(say, skew_s=options.skew_s, has_clock=options.has_clock, shift_s=options.shift_s)
    store = Store(options.state / "controller.db")
    controller = Controller(
        key_file.controller,
        keys,
        store,
        world.bolts,
        world.read,
        send,
        capacity=msgspec.structs.replace(CAPACITY, grants=options.grants),
        static_pins=options.static_pins,
        pos="closed",
    )
    world.controller = controller
    links.append(Link(options.broker, key_file.password, controller, say, options.ca))
    keypad = SimulatedKeypad(options.state, world)
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
    parser.add_argument(
        "--ca", type=Path, default=None, help="believe only this authority (PEM) of the broker"
    )
    parser.add_argument("--simulated", action="store_true", help="simulated door and keypad")
    parser.add_argument("--skew-s", type=int, default=0, help="simulated: host clock wrong by this much")
    parser.add_argument("--no-clock", action="store_true", help="simulated: boot without a clock")
    parser.add_argument("--shift-s", type=int, default=0, help="simulated: it is so much later")
    parser.add_argument("--grants", type=int, default=CAPACITY.grants, help="simulated: room for so many")
    parser.add_argument("--static-pin", action="append", default=[], help="simulated: a code of the device")
    said = parser.parse_args()
    return run(
        Options(
            state=said.state,
            broker=said.broker,
            ca=said.ca,
            simulated=said.simulated,
            skew_s=said.skew_s,
            has_clock=not said.no_clock,
            shift_s=said.shift_s,
            grants=said.grants,
            static_pins=frozenset(said.static_pin),
        )
    )
