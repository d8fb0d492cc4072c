"""How long the reference controller takes to start and how much memory it needs, full: 450 grants, 5,000 events.

`./run bench controller_size [--events 5000]`. A real process on a real broker; prints one JSON line. Limits: 60 MB
and 2 s on an idle machine.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from booking import broker
from booking.controller.store import Store
from booking.lockwire import snapshot
from booking.lockwire.messages import Event, Report
from booking.lockwire.snapshot import DAY, DEFAULT_POLICY, Door, Grant, Snapshot, Window
from tests.controller.parts import HandServer, Process, key_file, running_broker, running_controller

NAME = "bench-1"


def _full(now: int) -> Snapshot:
    """As many grants as a document of 49,152 octets holds."""
    window = Window(d=["d1"], nb=now, na=now + 3_600)
    grants = [
        Grant(id=f"grant-{number:03}", k="pin", pin=f"{number:06}", role="leader", w=[window])
        for number in range(440)
    ]
    door = Door(unlock_s=5, held_s=300, mode="normal", mode_n=0, mode_until=None)
    return Snapshot(
        iat=now,
        hz=(now, now + 14 * DAY),
        tz="Europe/Stockholm",
        doors={"d1": door},
        policy=DEFAULT_POLICY,
        grants=grants,
        reserve=[],
    )


def _fill(state: Path, events: int) -> None:
    store = Store(state / "controller.db")
    with store.change():
        for seq in range(1, events + 1):
            store.add_event(Event(boot=1, seq=seq, t=None, mono=seq, clk="none", d="d1", e="denied", k="pin"))
    store.close()


def _status(process: Process, field: str) -> float:
    assert process.child is not None
    lines = Path(f"/proc/{process.child.pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1_024, 1)


def _measure(events: int, folder: Path) -> dict[str, object]:
    with running_broker(folder / "broker") as mqtt:
        state = folder / NAME
        key_file(state, NAME, "bench-password")
        broker.add_accounts(mqtt.state, {NAME: "bench-password"})
        _fill(state, events)
        server = HandServer(mqtt.broker.server_url, NAME)
        octets = snapshot.encode(_full(int(time.time())))
        with running_controller(state, mqtt.broker.url):
            server.publish("desired", octets, retain=True)
            server.wait_for("reported", Report, lambda report, _: report.dig == snapshot.digest(octets))
        begin = time.monotonic()
        with running_controller(state, mqtt.broker.url) as process:
            started = time.monotonic() - begin
            server.wait_for("reported", Report, lambda report, _: report.dig is not None)
            reported = time.monotonic() - begin
            sizes = {"rss_mb": _status(process, "VmRSS"), "peak_mb": _status(process, "VmHWM")}
        server.stop()
    return {
        "grants": len(msgspec.json.decode(octets, type=Snapshot).grants),
        "events": events,
        "start_s": round(started, 2),
        "first_report_s": round(reported, 2),
        **sizes,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(_measure(said.events, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
