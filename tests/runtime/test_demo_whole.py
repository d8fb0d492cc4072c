"""The whole demo, started, hurt and stopped as its user would. Needs every part, the built web UI included."""

import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from booking import postgres
from booking.demo import running
from booking.demo import state as states
from booking.demo.children import birth


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "demo"
    place.mkdir()
    yield place
    states.wipe(place)


def until(happened: Callable[[], bool], seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def status(demo: running.Running, path: str) -> int:
    with urllib.request.urlopen(demo.url + path, timeout=10) as reply:
        return int(reply.status)


def alive(pids: dict[str, int]) -> list[str]:
    return [name for name, pid in pids.items() if birth(pid) is not None]


@pytest.mark.timeout(300)
def test_whole_demo__serves_and_restarts_what_dies_and_leaves_nothing(state: Path) -> None:
    log = state.with_suffix(".log")
    with log.open("w") as out, running.started(state, out=out) as demo:
        assert status(demo, "/health/ready") == 200
        assert status(demo, "/api/municipalities") == 200
        first = demo.pids()
        assert {"supervisor", "broker", "stripe", "web", "worker"} <= first.keys()
        assert any(name.startswith("door-") for name in first)
        os.kill(first["worker"], signal.SIGKILL)
        until(lambda: demo.pids()["worker"] != first["worker"], 10, log)
        last = demo.pids()
    assert alive(first) == []
    assert alive(last) == []
    assert not (state / "demo.json").exists()
    server = postgres.start(state)
    assert int(server.sql("SELECT count(*) FROM reservation", postgres.DATABASE)) > 0
    server.stop()


@pytest.mark.timeout(300)
def test_killed_supervisor__next_start_clears_up_and_goes_on(state: Path) -> None:
    log = state.with_suffix(".log")
    with log.open("w") as out:
        with running.started(state, out=out) as demo:
            first = demo.pids()
            os.kill(first["supervisor"], signal.SIGKILL)
        assert "web" in alive(first)
        with running.started(state, out=out) as demo:
            assert alive(first) == []
            assert status(demo, "/health/ready") == 200
    assert "that a killed start had left behind" in log.read_text()
