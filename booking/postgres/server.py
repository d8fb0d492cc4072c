"""A running server, and the ways to get and to end one."""

# ruff: noqa: S603 -- commands are lists of words, never a shell

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from booking.postgres.birth import initialise, locked, passwords_of
from booking.postgres.place import account, elsewhere, home_of, programs_for, refuse_other_major, version_of
from booking.postgres.process import await_ready, launch, postmaster, wait
from booking.postgres.trouble import APP, DATABASE, OWNER, SUPERUSER, PostgresTrouble, Say

STOP_SECONDS = 60
MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30  # noqa: S108 a directory of our own is made in it
_PREFIX = "booking-tests-"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server that we may talk to as its owner."""

    home: Path
    programs: Path
    pid: int
    port: int
    version: str
    passwords: dict[str, str]

    def __repr__(self) -> str:
        return f"Server(PostgreSQL {self.version}, port={self.port}, home={self.home})"

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        """Return the address for one role: `app` for the product, `owner` for migrations."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def sql(self, statements: str, database: str = "postgres") -> str:
        """Run statements as the superuser and return psql's unaligned output."""
        to = ["-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        done = subprocess.run(
            [self.programs / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *to, "-f", "-"],
            check=False,
            input=statements,
            env={"PGPASSWORD": self.passwords[SUPERUSER], "PGCONNECT_TIMEOUT": "10"},
            cwd="/",
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise PostgresTrouble(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def create(self, database: str) -> None:
        """Leave an empty database for the owner; `booking migrate` gives the app its rights."""
        self.sql(f"CREATE DATABASE {database} OWNER {OWNER}")

    def clone(self, template: str, database: str) -> None:
        """Replace a database by a copy of a template nobody is connected to (about 80 ms)."""
        self.sql(
            f"DROP DATABASE IF EXISTS {database} WITH (FORCE);\n"
            f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY OWNER {OWNER};"
        )

    def drop(self, database: str) -> None:
        """Remove a database, throwing out whoever is connected; one that is gone is a no-op."""
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE);")

    def is_up(self) -> bool:
        """Say whether this process still serves."""
        return postmaster(self.home / "data") == self.pid

    def stop(self) -> None:
        """Return when the server has written everything and ended; one that has ended is a no-op."""
        for ask, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10)):
            if not self.is_up():
                break
            os.kill(self.pid, ask)
            if wait(lambda: not self.is_up(), seconds):
                break
        else:
            raise PostgresTrouble(
                f"PostgreSQL (process {self.pid}) does not end; see {self.home / 'server.log'}"
            )
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def start(state: Path, *, for_tests: bool = False, say: Say = lambda text: None) -> Server:
    """Return a running server with its data under `state`, started or adopted.

    A server left by a killed parent is adopted, never doubled. With `for_tests` it forgoes durability and
    ends together with the calling thread. Raises PostgresTrouble with what to do.
    """
    who = account()
    home = home_of(state, who, say)
    with locked(home / "lock"):
        programs = programs_for(home, who)
        version = version_of(programs / "postgres", who)
        passwords = passwords_of(home)
        data = home / "data"
        if not (data / "PG_VERSION").exists():
            initialise(programs, home, passwords[SUPERUSER], version, who)
        refuse_other_major(data, version)
        pid = postmaster(data)
        if pid is None:
            pid = launch(programs, home, who, for_tests)
        port = await_ready(home, pid, say)
        server = Server(home, programs, pid, port, version, passwords)
        if not (home / "roles").exists():
            create_roles(server)
            (home / "roles").touch()
    return server


def remove(state: Path) -> None:
    """Stop the server and delete its data for ever; nothing there is a no-op."""
    for home in (state.resolve() / "postgres", *elsewhere(state)):
        pid = postmaster(home / "data")
        if pid is not None:
            Server(home, home, pid, 0, "", {}).stop()
        shutil.rmtree(home, ignore_errors=True)


def in_memory() -> Path | None:
    """Return a directory whose files are memory, None where there is none or too little of it."""
    with contextlib.suppress(OSError):
        if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH:
            return MEMORY
    return None


@contextlib.contextmanager
def temporary(folder: Path | None = None) -> Iterator[Server]:
    """Give tests an empty fast server, gone afterwards; killed test runs leave none running.

    In memory a database is cloned in 50 ms; on a busy disk it takes up to ten times that.
    """
    place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    _forget_killed(place.parent)
    place.chmod(0o711)
    server = start(place, for_tests=True)
    try:
        yield server
    finally:
        server.stop()
        remove(place)
        shutil.rmtree(place, ignore_errors=True)


def _forget_killed(folder: Path) -> None:
    """What killed test runs left behind is gone: directories an hour old without a server."""
    for one in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if one.stat().st_mtime < time.time() - 3600 and postmaster(one / "postgres" / "data") is None:
                shutil.rmtree(one, ignore_errors=True)


def create_roles(server: Server) -> None:
    """Create owner and app, both without superuser rights (which would pass row security), and the database."""
    for role, rights in ((OWNER, "CREATEDB"), (APP, "")):
        if server.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'") == "":
            server.sql(f"CREATE ROLE {role} LOGIN {rights} PASSWORD '{server.passwords[role]}'")
    if server.sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'") == "":
        server.create(DATABASE)
