"""What is made once: the data directory and the passwords beside it."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from booking.postgres.place import Account, call
from booking.postgres.trouble import APP, OWNER, SUPERUSER, PostgresTrouble


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Two starts at once take turns."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def passwords_of(home: Path) -> dict[str, str]:
    """Return the passwords, drawn once and kept beside the data."""
    file = home / "passwords.json"
    if not file.exists():
        drawn = {role: secrets.token_hex(16) for role in (SUPERUSER, OWNER, APP)}
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(drawn))
        draft.rename(file)
    return dict(json.loads(file.read_text()))


def initialise(programs: Path, home: Path, password: str, version: str, who: Account) -> None:
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
        done = call([*command, "--auth=scram-sha-256", f"--pwfile={secret.name}"], who)
    if done.returncode != 0:
        raise PostgresTrouble(f"initdb failed: {done.stderr.strip()}")
    draft.rename(home / "data")
