"""What a demo keeps between starts: its secrets, its ports, and who is running it."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from booking import postgres

ROOT = Path(__file__).resolve().parents[2]
MUNICIPALITIES = ("2401", "2284", "2460", "2480")
# Only what we made ourselves is ever deleted: --state may point anywhere.
_OURS = ("broker", "controllers", "stripe", "log", "kept.json", "demo.json", "children.json")


class AlreadyRunning(Exception):
    """Another supervisor works on this state; the message is its address, if it got that far."""


def default() -> Path:
    """Return var/ of this clone; an installed wheel keeps its demo under the current directory."""
    return ROOT / "var" if (ROOT / "run").exists() else Path.cwd() / "var"


@contextlib.contextmanager
def claimed(state: Path) -> Iterator[None]:
    """This process alone works on the state; the kernel frees it however we end. Raises AlreadyRunning."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "demo.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(str(read(state).get("url", "an address it is still working on"))) from error
        yield


def is_claimed(state: Path) -> bool:
    """Say whether a supervisor works on this state."""
    try:
        with (state / "demo.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def wipe(state: Path) -> None:
    """Nothing of an earlier demo is left: no data, no secrets, no logs."""
    postgres.remove(state)
    for name in _OURS:
        path = state / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def kept(state: Path) -> dict[str, str]:
    """Return the secrets and ports drawn at the first start; a port someone else has taken is drawn again."""
    file = state / "kept.json"
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else _drawn()
    for name in ("mqtt_port", "stripe_port"):
        if name not in known or not is_free(int(known[name])):
            known[name] = str(free_port())
    _write_private(file, known)
    return known


def publish(state: Path, facts: dict[str, object]) -> None:
    """Other commands find the running product in demo.json; it holds secrets and is ours alone to read."""
    _write_private(state / "demo.json", facts)


def read(state: Path) -> dict[str, object]:
    """Return what the last start published, or nothing."""
    try:
        found = json.loads((state / "demo.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_free(port: int) -> bool:
    """Say whether we could listen on this port of the loopback interface now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    """Say whether someone listens on this port of the loopback interface."""
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex(("127.0.0.1", port)) == 0


def _drawn() -> dict[str, str]:
    stripe = {
        f"stripe_key_{code}": f"sk_test_simulated_{code}_{secrets.token_hex(8)}" for code in MUNICIPALITIES
    }
    hooks = {f"stripe_hook_{code}": f"whsec_simulated_{secrets.token_hex(16)}" for code in MUNICIPALITIES}
    return {"secret_key": secrets.token_hex(32), **stripe, **hooks}


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _write_private(file: Path, content: object) -> None:
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out, indent=1)
    draft.replace(file)
