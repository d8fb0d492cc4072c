"""Many controllers in one process: the reference controller's own objects, each with its memory, clock and connection.

`python -m tests.doors_chaos.fleet FOLDER mqtt://host:port`; a subfolder with `controller.json` and `nature.json` is
one controller. It obeys lines on stdin: `cut` breaks every connection, `clocks` prints what each believes,
`press NAME DOOR PIN AT` types. Killed and frozen from outside; ends with its stdin.
"""

import json
import os
import random
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from booking.controller.core import CAPACITY, Controller
from booking.controller.hardware import SimulatedBolts
from booking.controller.link import Link
from booking.controller.main import KEY_FILE, KeyFile
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.lockwire.decide import Presented

NATURE = "nature.json"


class Nature(msgspec.Struct, frozen=True):
    """What this one's hardware is like: its host's clock is wrong by so much (None: has none), its room, its own code."""

    skews: list[int | None]
    grants: int = 1_000
    has_reserve: bool = False
    static_pins: list[str] = []


@dataclass
class Member:
    """One running controller."""

    controller: Controller
    link: Link


def start(folder: Path, url: str) -> Member:
    """The controller runs on its memory, under a clock drawn anew at each start."""
    keys = msgspec.json.decode((folder / KEY_FILE).read_bytes(), type=KeyFile)
    nature = msgspec.json.decode((folder / NATURE).read_bytes(), type=Nature)
    skew, begin, box = random.choice(nature.skews), time.monotonic_ns(), list[Link]()

    def read() -> Moment:
        host = None if skew is None else time.time_ns() // 1_000_000 + skew * 1_000
        return Moment((time.monotonic_ns() - begin) // 1_000_000, host)

    features = [one for one in CAPACITY.feat if one != "reserve" or nature.has_reserve]
    controller = Controller(
        keys.controller,
        keys.derived(),
        Store(folder / "controller.db"),
        SimulatedBolts(lambda _: None),
        read,
        lambda out: box[0].send(out),
        capacity=msgspec.structs.replace(CAPACITY, grants=nature.grants, feat=features),
        static_pins=frozenset(nature.static_pins),
    )
    box.append(Link(url, keys.password, controller, lambda _: None))
    box[0].start()
    return Member(controller, box[0])


def obey(members: dict[str, Member], line: str) -> object:
    """Do what the line says and return the answer."""
    word, *rest = line.split()
    if word == "cut":
        for member in members.values():
            with suppress(OSError, AttributeError):
                member.link._client._sock.shutdown(socket.SHUT_RDWR)  # as if the cable were pulled
        return len(members)
    if word == "clocks":
        return {name: _off(member.controller) for name, member in members.items()}
    name, door, pin, at = rest
    return members[name].controller.present(door, Presented(pin=pin), int(at)).granted


def _off(controller: Controller) -> int | None:
    told = controller.now_s(controller._read())
    return None if told is None else told - int(time.time())


def main() -> None:
    """Serve until stdin ends."""
    folder, url = Path(sys.argv[1]), sys.argv[2]
    members = {one.name: start(one, url) for one in sorted(folder.iterdir()) if (one / NATURE).exists()}
    print(json.dumps("ready"), flush=True)

    def listen() -> None:
        for line in sys.stdin:
            print(json.dumps(obey(members, line)), flush=True)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        time.sleep(0.2)
        for member in members.values():
            member.controller.tick()


if __name__ == "__main__":
    main()
