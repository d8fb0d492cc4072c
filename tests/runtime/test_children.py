import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from booking.demo.children import Children, ChildTrouble, Program, begin, birth, see_to_end

FOR_EVER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
PARENT = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print(p.pid, flush=True); p.wait()"
TELLS_WHEN = "import signal, sys, time\ndef end(*a):\n print(time.monotonic(), flush=True); sys.exit()\nsignal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(600)"


def python(name: str, source: str, stage: int = 1) -> Program:
    return Program(name, [sys.executable, "-c", source], dict(os.environ), stage)


def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def tend_until(children: Children, happened: Callable[[], bool]) -> None:
    def tended() -> bool:
        children.tend()
        return happened()

    until(tended, 20)


def log(state: Path, name: str) -> list[str]:
    return (state / "log" / f"{name}.log").read_text().split()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def children(tmp_path: Path, said: list[str]) -> Iterator[Children]:
    family = Children(tmp_path, said.append)
    yield family
    family.stop()


def test_child_that_dies__is_started_again_and_said(
    children: Children, said: list[str], tmp_path: Path
) -> None:
    children.start(python("web", FOR_EVER))
    first = children.pids()["web"]
    until(lambda: log(tmp_path, "web") == ["up"])
    os.kill(first, signal.SIGKILL)
    tend_until(children, lambda: children.pids()["web"] != first)
    assert said[0].startswith("web was killed by SIGKILL; starts again in 1 s")
    until(lambda: log(tmp_path, "web") == ["up", "up"])


def test_child_that_dies_again_and_again__waits_longer_each_time(children: Children, said: list[str]) -> None:
    children.start(python("worker", "raise SystemExit(3)"))
    tend_until(children, lambda: len(said) == 3)
    assert [text.split(";")[1].split("(")[0].strip() for text in said] == [
        "starts again in 1 s",
        "starts again in 2 s",
        "starts again in 4 s",
    ]


def test_stop__ends_the_highest_stage_first(children: Children, tmp_path: Path) -> None:
    for name, stage in (("broker", 1), ("web", 3), ("worker", 2)):
        children.start(python(name, TELLS_WHEN, stage))
    until(lambda: all(log(tmp_path, name) == ["up"] for name in ("broker", "web", "worker")))
    children.stop()
    ended = {name: float(log(tmp_path, name)[1]) for name in ("broker", "web", "worker")}
    assert ended["web"] < ended["worker"] < ended["broker"]


def test_stop__leaves_no_grandchild(children: Children, tmp_path: Path) -> None:
    children.start(python("parent", PARENT))
    until(lambda: len(log(tmp_path, "parent")) == 1)
    grandchild = int(log(tmp_path, "parent")[0])
    children.stop()
    until(lambda: birth(grandchild) is None)


def test_child_deaf_to_sigterm__is_killed(
    children: Children, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("booking.demo.children.GRACE_SECONDS", 0.3)
    children.start(python("stubborn", STUBBORN))
    until(lambda: log(tmp_path, "stubborn") == ["up"])
    pid = children.pids()["stubborn"]
    children.stop()
    assert birth(pid) is None
    assert said == ["stubborn did not end within 0 s and was killed"]


def test_killed_supervisor__next_one_ends_its_children(children: Children, tmp_path: Path) -> None:
    children.start(python("web", FOR_EVER))
    heir = Children(tmp_path, lambda text: None)
    assert heir.end_leftovers() == 1
    until(lambda: birth(children.pids()["web"]) is None)
    assert heir.end_leftovers() == 0


def test_record_of_a_number_now_used_by_a_stranger__stranger_lives(
    children: Children, tmp_path: Path
) -> None:
    children.start(python("stranger", FOR_EVER))
    pid = children.pids()["stranger"]
    (tmp_path / "children.json").write_text(f'{{"web": [{pid}, "1"]}}')
    assert Children(tmp_path, lambda text: None).end_leftovers() == 0
    assert birth(pid) is not None


def test_child_that_ends_at_once__trouble_shows_its_last_words(children: Children) -> None:
    children.start(python("web", "raise SystemExit('no module named taxa')"))
    with pytest.raises(ChildTrouble, match="no module named taxa"):
        children.await_ready("web", lambda: False, 10, lambda: False)


def test_stopping_while_a_command_runs__ends_it(tmp_path: Path) -> None:
    output = tmp_path / "out"
    process = begin([sys.executable, "-c", FOR_EVER], os.environ, output)
    assert (
        see_to_end(process, output, lambda: "up" in output.read_text(), lambda text: None) == -signal.SIGTERM
    )


def test_long_command__is_heard_while_it_runs(tmp_path: Path) -> None:
    heard: list[str] = []
    process = begin([sys.executable, "-c", FOR_EVER], os.environ, tmp_path / "out")
    see_to_end(process, tmp_path / "out", lambda: "up" in heard, heard.append)
    assert heard[-1] == "up"
