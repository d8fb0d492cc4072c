"""`booking bridge`: wires one bridge to its state directory, the server's broker and the broker next to the locks."""

import argparse
import fcntl
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from booking.bridge import config
from booking.bridge.contract import Message
from booking.bridge.core import FIRMWARE, Bridge
from booking.bridge.drivers.home_assistant import HomeAssistant
from booking.bridge.local import LocalBroker, NotLocal, refuse_far_away
from booking.controller import hostclock
from booking.controller.link import Link
from booking.controller.main import KEY_FILE, KeyFile
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.controller.voice import Out
from booking.lockwire.messages import DoorReport

STORE_FILE = "bridge.db"


class Showing:
    """What Home Assistant has been told; told again when it changes, and when Home Assistant starts."""

    def __init__(
        self, shown: HomeAssistant, bridge: Bridge, local: LocalBroker, say: Callable[[str], None]
    ) -> None:
        self._shown, self._bridge, self._local, self._say = shown, bridge, local, say
        self._told: dict[str, DoorReport] | None = None

    def hear(self, message: Message) -> None:
        """A birth is answered with everything; a command is refused or opens once."""
        if self._shown.is_birth(message):
            self.start_over()
        command = self._shown.command(message)
        if command is not None and command[1] == "open" and self._bridge.open_once(command[0]):
            self._say(f"door {command[0]}: opened once for Home Assistant")
        elif command is not None:
            self._say(f"door {command[0]}: a command of Home Assistant was refused")

    def start_over(self) -> None:
        """Everything is said again."""
        for message in (*self._shown.configs(FIRMWARE), self._shown.available(True)):
            self._local.send(message)
        self._told = None

    def tick(self) -> None:
        """What has changed is said."""
        doors = self._bridge.doors_now()
        if doors != self._told:
            self._told = doors
            for message in self._shown.states(doors):
                self._local.send(message)


class Program:
    """One bridge and its two connections."""

    def __init__(
        self, state: Path, set_up: config.Config, key_file: KeyFile, broker: str, ca: Path | None
    ) -> None:
        self._name = key_file.controller
        self._power_on = time.monotonic_ns() // 1_000_000
        self._store = Store(state / STORE_FILE)
        self._local: LocalBroker | None = None
        self._bridge = Bridge(
            self._name,
            key_file.derived(),
            self._store,
            set_up.drivers(),
            self._read,
            self._send,
            self._hand,
            self.say,
        )
        self._link = Link(broker, key_file.password, self._bridge, self.say, ca)
        shown = set_up.shown(self._name)
        topics = {topic for device in self._bridge.devices.values() for topic in device.driver.topics}
        more, will = ((), None) if shown is None else (shown.topics(), shown.available(False))
        self._local = local = LocalBroker(
            set_up.local, [*sorted(topics), *more], will, self._hear, self._connected
        )
        self._showing = None if shown is None else Showing(shown, self._bridge, local, self.say)

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        for door, device in self._bridge.devices.items():
            self.say(f"door {door}: {device.driver.declared.driver}; {device.driver.declared.note}")
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told.set())
        self._link.start()
        if self._local is not None:
            self._local.start()
        self.say("ready")
        while not told.wait(self._bridge.idle_s()):
            self._bridge.tick()
            if self._showing is not None:
                self._showing.tick()
        if self._local is not None:
            self._local.stop()
        self._link.stop()
        self._store.close()
        self.say("stopped; the locks keep what they hold")

    def say(self, text: str) -> None:
        """The line is out. Never a PIN: nothing here has one to say."""
        print(f"[{self._name}] {text}", flush=True)

    def _read(self) -> Moment:
        # This machine's clocks, UTC only while the kernel vouches for it; decisions take the Moment as an argument.
        return Moment(time.monotonic_ns() // 1_000_000 - self._power_on, hostclock.utc_ms())

    def _send(self, out: Out) -> None:
        self._link.send(out)

    def _hand(self, message: Message) -> None:
        if self._local is not None:  # while this is being built nothing can be said
            self._local.send(message)

    def _hear(self, message: Message) -> None:
        self._bridge.hear(message)
        if self._showing is not None:
            self._showing.hear(message)

    def _connected(self, is_online: bool) -> None:
        self.say(
            "the locks' broker is there"
            if is_online
            else "the locks' broker is gone; the locks go on working"
        )
        self._bridge.local_connected(is_online)
        if self._showing is not None and is_online:
            self._showing.start_over()


def run(state: Path, broker: str, ca: Path | None) -> int:
    """Run one bridge until it is told to stop; returns the exit code."""
    try:
        set_up = config.read(state)
        refuse_far_away(set_up.local, broker)
        key_file = msgspec.json.decode((state / KEY_FILE).read_bytes(), type=KeyFile)
    except (config.BadConfig, NotLocal) as error:
        return _fail(str(error))
    except (OSError, ValueError) as error:
        return _fail(f"{state / KEY_FILE} can't be used ({type(error).__name__}); enrol the bridge first")
    with (state / KEY_FILE).open("rb") as only_one:
        try:
            fcntl.flock(only_one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _fail(f"another bridge already runs on {state}")
        Program(state, set_up, key_file, broker, ca).run()
    return 0


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="booking bridge", description="Bridge to third-party locks.")
    parser.add_argument(
        "--state", type=Path, required=True, help="directory with controller.json and bridge.json"
    )
    parser.add_argument("--broker", required=True, help="the server's broker: mqtts://host:port")
    parser.add_argument(
        "--ca", type=Path, default=None, help="believe only this authority (PEM) of the broker"
    )
    said = parser.parse_args()
    return run(said.state, said.broker, said.ca)
