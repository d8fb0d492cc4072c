"""Chaos at the doors: seeded schedules over a real broker, two workers and real controllers, every part failing.

`./run bench door-chaos [--json] [--seed N] [--schedules N] [--at-once N] [--each N] [--steps N]`. What the faults are and what is judged stands in
tests/doors_chaos/chaos.py. lost_revocations, out_of_window, unconverged and duplicate_pins must be 0; the same
seed makes the same sequence of bookings and faults (their exact timing is the machine's).
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import say
from tests.doors_chaos.chaos import AT_ONCE, STEPS, VIOLATIONS, run


def main() -> int:
    """Run, print one JSON line, and fail if anything was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON line; it is printed in any case")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="so many controllers run together")
    parser.add_argument("--each", type=int, default=1, help="schedules at each of them in a round")
    parser.add_argument("--steps", type=int, default=STEPS, help="bookings, moves and cancellations in each")
    said = parser.parse_args()
    begin = time.monotonic()
    found = asyncio.run(
        run(said.seed, said.schedules, say, at_once=said.at_once, each=said.each, steps=said.steps)
    )
    print(json.dumps(found | {"took_s": round(time.monotonic() - begin, 1)}))
    return 1 if any(found[kind] for kind in VIOLATIONS) else 0


if __name__ == "__main__":
    sys.exit(main())
