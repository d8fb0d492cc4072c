"""The server's process: launched, found again, awaited."""

# ruff: noqa: S603 -- commands are lists of words, never a shell

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from booking.postgres.place import Account
from booking.postgres.trouble import PostgresTrouble, Say

START_SECONDS = 180  # crash recovery replays up to max_wal_size before the server answers

_ALWAYS = {
    "listen_addresses": "127.0.0.1",  # the wheel has no TLS: loopback only
    "unix_socket_directories": "",  # a socket path has a limit of 107 bytes, a clone may lie deep
    "shared_buffers": "128MB",
    "max_connections": "50",
    "max_wal_size": "1GB",
    "timezone": "UTC",
}
_TESTS_ONLY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
}


def launch(programs: Path, home: Path, who: Account, for_tests: bool) -> int:
    """Start `postgres` in a session of its own: a Ctrl-C in the terminal must not reach it before us."""
    settings = _ALWAYS | (_TESTS_ONLY if for_tests else {}) | {"port": str(_port(home))}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = home / "server.log"
    if log.exists() and log.stat().st_size > 10_000_000:
        log.rename(log.with_suffix(".log.1"))
    with log.open("ab") as out:
        process = subprocess.Popen(
            [programs / "postgres", "-D", home / "data", *options],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            user=who.uid,
            group=who.gid,
            extra_groups=who.groups,
            preexec_fn=_ending_with_parent() if for_tests else None,
        )
    process.returncode = 0  # whoever stops it waits for it; the object shall not warn that it still runs
    return process.pid


def _ending_with_parent() -> Callable[[], object] | None:
    """Return what asks Linux for a SIGINT when our thread ends; loaded here, since the child may not read us."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, int(signal.SIGINT))  # 1 is PR_SET_PDEATHSIG


def _port(home: Path) -> int:
    """Return the port of last time where it is free, so that who is connected finds a restarted server again."""
    last = home / "port"
    wished = int(last.read_text()) if last.exists() else 0
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wished))
        except OSError:
            listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    last.write_text(str(port))
    return port


def postmaster(data: Path) -> int | None:
    """Return the process that serves this data directory, or None.

    A pid file outlives a crash, and its number may by now be a stranger's, or a zombie's where nobody reaps; a
    postmaster works in its data directory, which tells them apart. PostgreSQL itself only asks whether a process
    of that number and user exists, and would refuse to start: for that reason the stale file is removed.
    """
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n")[0])
        if ended(pid) or not _works_in(pid, data):
            file.unlink()
            return None
    except (OSError, ValueError):
        return None
    return pid


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == folder.resolve()
    except PermissionError:
        return False  # somebody else's process; ours we may look at
    except FileNotFoundError:
        return not Path(
            "/proc/self/cwd"
        ).exists()  # a zombie; or a system without /proc, where we believe the file


def await_ready(home: Path, pid: int, say: Say) -> int:
    """Return the port once the server takes connections; its own pid file says so."""
    deadline = time.monotonic() + START_SECONDS
    while not wait(lambda: ready_port(home, pid) is not None or ended(pid), 5):
        say("PostgreSQL is still recovering from a crash; this may take minutes")
        if time.monotonic() > deadline:
            raise PostgresTrouble(
                f"PostgreSQL is not ready after {START_SECONDS} s; see {home / 'server.log'}"
            )
    port = ready_port(home, pid)
    if port is None:
        tail = (home / "server.log").read_text(errors="replace").splitlines()[-5:]
        raise PostgresTrouble("PostgreSQL ended at once:\n  " + "\n  ".join(tail))
    return port


def ready_port(home: Path, pid: int) -> int | None:
    """Read the pid file, unless it is still the one a killed server left behind."""
    with contextlib.suppress(OSError, IndexError):
        lines = (home / "data" / "postmaster.pid").read_text().split("\n")
        if lines[0] == str(pid) and lines[7].strip() == "ready":
            return int(lines[3])
    return None


def ended(pid: int) -> bool:
    """Say whether a process, our child or not, has ended."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def wait(happened: Callable[[], bool], seconds: float) -> bool:
    """Return whether it happened in time, looked at every 20 ms."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
