import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from booking import postgres
from booking.demo.children import birth
from booking.postgres.process import wait

START_AND_DIE = """
import os, sys
from pathlib import Path
from booking import postgres
server = postgres.start(Path(sys.argv[1]), for_tests=sys.argv[2] == "tests")
print(server.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    postgres.remove(tmp_path)


def start_and_die(state: Path, kind: str) -> int:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", START_AND_DIE, str(state), kind]
    return int(subprocess.run(command, cwd=root, capture_output=True, check=False).stdout)


def test_server_of_a_killed_parent__is_adopted(state: Path) -> None:
    pid = start_and_die(state, "demo")
    server = postgres.start(state)
    assert server.pid == pid
    assert server.sql("SHOW data_directory") == str(server.home / "data")


def test_test_server_of_a_killed_parent__ends_by_itself(state: Path) -> None:
    pid = start_and_die(state, "tests")
    assert wait(lambda: birth(pid) is None, 20)


def test_data__survives_stop_and_kill_of_the_server(state: Path) -> None:
    server = postgres.start(state)
    server.sql("CREATE TABLE kept AS SELECT 1 AS one", postgres.DATABASE)
    server.stop()
    server = postgres.start(state)
    os.kill(server.pid, signal.SIGKILL)
    assert wait(lambda: not server.is_up(), 10)
    again = postgres.start(state)
    assert again.url() == server.url()
    assert again.sql("SELECT one FROM kept", postgres.DATABASE) == "1"


def test_app_role__is_no_superuser_and_makes_no_tables(state: Path) -> None:
    server = postgres.start(state, for_tests=True)
    assert server.sql("SELECT rolname FROM pg_roles WHERE rolsuper") == postgres.SUPERUSER
    assert server.sql(f"SELECT has_schema_privilege('{postgres.APP}', 'public', 'CREATE')", "booking") == "f"
    assert (
        server.sql(f"SELECT has_schema_privilege('{postgres.OWNER}', 'public', 'CREATE')", "booking") == "t"
    )


def test_wrong_password__is_refused(state: Path) -> None:
    server = postgres.start(state, for_tests=True)
    with pytest.raises(postgres.PostgresTrouble, match="password authentication failed"):
        postgres.Server(
            server.home, server.programs, server.pid, server.port, "", {postgres.SUPERUSER: "guess"}
        ).sql("SELECT 1")


def test_data_of_another_major_version__is_refused_with_the_way_out(state: Path) -> None:
    server = postgres.start(state)
    server.stop()
    (server.home / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(postgres.PostgresTrouble, match=r"written by PostgreSQL 16.*pg_dump 16"):
        postgres.start(state)


def test_stale_pid_file_naming_a_stranger__does_not_keep_the_server_from_starting(state: Path) -> None:
    server = postgres.start(state)
    pid_file = server.home / "data" / "postmaster.pid"
    left = pid_file.read_text()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *left.split("\n")[1:]]))
    assert postgres.start(state).sql("SELECT 1") == "1"


def test_two_starts_at_once__share_one_server(state: Path) -> None:
    script = START_AND_DIE.replace("os.kill(os.getpid(), 9)", "")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script, str(state), "demo"]
    both = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert len({process.communicate(timeout=60)[0] for process in both}) == 1


def test_temporary_server__leaves_nothing() -> None:
    with postgres.temporary() as server:
        home = server.home
        assert server.sql("SHOW fsync") == "off"
    assert not home.parent.exists()


def test_what_a_killed_run_left__is_gone_an_hour_later(tmp_path: Path) -> None:
    old, young = tmp_path / "booking-tests-old", tmp_path / "booking-tests-young"
    for one in (old, young):
        (one / "postgres" / "data").mkdir(parents=True)
    os.utime(old, (0, 0))
    with postgres.temporary(tmp_path):
        assert (old.exists(), young.exists()) == (False, True)
