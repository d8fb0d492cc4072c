"""`booking controller`: wires one controller to its state directory, its broker and its doors, real or simulated."""

import argparse
import fcntl
import signal
import sys
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from booking.controller.building import Building, read
from booking.controller.core import CAPACITY, Controller
from booking.controller.gpio import GpioPins
from booking.controller.link import Link
from booking.controller.osdp_bus import open_port
from booking.controller.simulated import SimulatedWorld
from booking.controller.store import Store
from booking.controller.wiring import BadWiring, Wiring, load
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
    if options.simulated:
        return _run_simulated(options, key_file, keys)
    try:
        wiring = load(options.state)
        building = Building(wiring, GpioPins(), open_port)
    except (BadWiring, OSError) as error:
        return _fail(str(error))
    return _run_wired(options, key_file, keys, wiring, building)


def _run_simulated(options: Options, key_file: KeyFile, keys: list[Keys]) -> int:
    say = _sayer(key_file.controller)
    say("SIMULATED HARDWARE: no real door moves")
    world = SimulatedWorld(say, skew_s=options.skew_s, has_clock=options.has_clock, shift_s=options.shift_s)
    links: list[Link] = []
    store = Store(options.state / "controller.db")
    controller = Controller(
        key_file.controller,
        keys,
        store,
        world.bolts,
        world.read,
        lambda out: links[0].send(out),
        capacity=msgspec.structs.replace(CAPACITY, grants=options.grants),
        static_pins=options.static_pins,
        pos="closed",
    )
    links.append(Link(options.broker, key_file.password, controller, say, options.ca))
    world.start(controller, options.state)
    _serve(controller, links[0], say)
    world.stop()
    links[0].stop()
    store.close()
    return 0


def _run_wired(
    options: Options, key_file: KeyFile, keys: list[Keys], wiring: Wiring, building: Building
) -> int:
    say = _sayer(key_file.controller)
    links: list[Link] = []
    store = Store(options.state / "controller.db")
    controller = Controller(
        key_file.controller,
        keys,
        store,
        building.bolts,
        read,
        lambda out: links[0].send(out),
        static_pins=frozenset(wiring.static_pins),
        wired=list(wiring.doors),
        fail={name: door.fail for name, door in wiring.doors.items()},
    )
    links.append(Link(options.broker, key_file.password, controller, say, options.ca))
    try:
        building.start(controller)
    except OSError as error:
        building.stop()
        return _fail(str(error))
    _serve(controller, links[0], say)
    building.stop()  # every bolt is home before anything else
    links[0].stop()
    store.close()
    return 0


def _sayer(name: str) -> Callable[[str], None]:
    return lambda text: print(f"[{name}] {text}", flush=True)


def _serve(controller: Controller, link: Link, say: Callable[[str], None]) -> None:
    link.start()
    held = f"{controller.stored.epoch}.{controller.stored.ver}" if controller.stored else "none"
    say(f"ready, stored version {held}")
    _until_told(controller)
    say("stopped; the stored snapshot stays")


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
