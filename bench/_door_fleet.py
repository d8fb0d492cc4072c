"""Many reference controllers in a process of their own: `python bench/_door_fleet.py FOLDER URL PART`.

The controller's own objects, each with its memory, its thread and its connection; ends when stdin closes.
"""

import os
import sys
import threading
import time
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from booking.controller.core import Controller
from booking.controller.hardware import SimulatedBolts
from booking.controller.link import Link
from booking.controller.main import KeyFile
from booking.controller.store import Store
from booking.controller.timepiece import Moment

PARTS = 4  # processes: paho waits with select(), which knows no file above 1,024


def run_fleet(folder: Path, url: str, part: int) -> int:
    """Serve every fourth key file in the folder until stdin closes."""
    controllers: list[Controller] = []
    for file in sorted(folder.glob("*.json"))[part::PARTS]:
        controllers.append(_controller(file, url))
    print("ready", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), _leave()), daemon=True).start()
    while True:
        time.sleep(0.2)
        for one in controllers:
            one.tick()


def _leave() -> None:
    os._exit(0)


def _controller(file: Path, url: str) -> Controller:
    keys = msgspec.json.decode(file.read_bytes(), type=KeyFile)
    box: list[Link] = []
    start = time.monotonic_ns()

    def read() -> Moment:
        return Moment((time.monotonic_ns() - start) // 1_000_000, time.time_ns() // 1_000_000)

    store = Store(file.with_suffix(".db"))
    bolts = SimulatedBolts(lambda _: None)
    controller = Controller(keys.controller, keys.derived(), store, bolts, read, lambda out: box[0].send(out))
    box.append(Link(url, keys.password, controller, lambda _: None))
    box[0].start()
    return controller


if __name__ == "__main__":
    sys.exit(run_fleet(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
