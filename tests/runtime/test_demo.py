import socket
import subprocess
import sys
from pathlib import Path

import pytest

from booking.demo import state as states

ROOT = Path(__file__).parents[2]

DEMO = """
import sys
from pathlib import Path
from booking.demo.supervisor import demo
sys.exit(demo(int(sys.argv[2]), state=Path(sys.argv[1])))
"""


def demo(state: Path, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", DEMO, str(state), str(port)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_port_that_is_taken__is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = demo(tmp_path, port)
    assert done.returncode == 2
    assert f"port {port} is taken by another program; choose one: ./run --port" in done.stdout
    assert not (tmp_path / "postgres").exists()


def test_second_start_on_the_same_state__says_where_the_first_is(tmp_path: Path) -> None:
    with states.claimed(tmp_path):
        states.publish(tmp_path, {"url": "http://localhost:8123"})
        done = demo(tmp_path, 8124)
    assert done.returncode == 2
    assert "already running at http://localhost:8123" in done.stdout


def test_wipe__leaves_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    states.kept(tmp_path)
    states.wipe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_secrets__are_drawn_once_and_private(tmp_path: Path) -> None:
    first = states.kept(tmp_path)
    assert states.kept(tmp_path) == first
    assert (tmp_path / "kept.json").stat().st_mode & 0o777 == 0o600


def test_kept_port_that_someone_took__is_drawn_again(tmp_path: Path) -> None:
    port = states.kept(tmp_path)["mqtt_port"]
    with socket.create_server(("127.0.0.1", int(port))):
        assert states.kept(tmp_path)["mqtt_port"] != port


def test_state_that_cannot_be_written__is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = demo(tmp_path / "file", 8124)
    assert done.returncode == 2
    assert "can't be used" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"url": 5}'])
def test_broken_demo_json__reads_as_something_harmless(tmp_path: Path, content: str) -> None:
    (tmp_path / "demo.json").write_text(content)
    assert isinstance(states.read(tmp_path), dict)
