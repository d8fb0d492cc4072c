"""The bridge believes its host's clock only while the host's kernel does (lock-protocol §9.5)."""

import ctypes
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from booking.bridge import config
from booking.bridge.main import Program
from booking.controller.main import KeyFile
from tests.bridge.simulated_zigbee import SimulatedZigbee, zigbee
from tests.bridge.test_core import HOUR, BridgeBench, a_grant

SYNCHRONISED, TIME_ERROR = 0, 5  # adjtimex(2)


@pytest.mark.parametrize(("state", "knows"), [(SYNCHRONISED, True), (TIME_ERROR, False), (-1, False)])
def test_a_host_without_synchronised_time__gives_the_bridge_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: int, knows: bool
) -> None:
    libc = SimpleNamespace(adjtimex=lambda _: state)  # the kernel's answer; nothing of ours is replaced
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: libc)
    doors = {"d1": {"driver": "zigbee2mqtt", "device": "entrance"}}
    (tmp_path / config.CONFIG_FILE).write_text(json.dumps({"local": "mqtt://127.0.0.1", "doors": doors}))
    program = Program(
        tmp_path, config.read(tmp_path), KeyFile("bridge-1", "password", []), "mqtts://lock.example.se", None
    )
    assert (program._read().host_ms is not None) is knows


def test_a_power_cut_and_no_time_afterwards__leaves_staff_alone_in_a_live_lock(tmp_path: Path) -> None:
    lock = SimulatedZigbee()
    bench = BridgeBench(tmp_path, {"d1": zigbee()}, [lock])
    people = (
        a_grant("grant-001", "004216", start=10),
        a_grant("grant-002", "771299", start=10, role="staff"),
    )
    bench.desire(*people)
    bench.wait(120)
    assert set(lock.codes.values()) == {"004216", "771299"}
    bench.has_time = False  # how long the power was away, nobody knows
    bench.boot()
    bench.wait(300)
    assert set(lock.codes.values()) == {"771299"}
    bench.has_time = True
    bench.ms += 2 * HOUR * 1_000
    bench.wait(60)
    assert lock.codes == {}
