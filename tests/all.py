"""`./run test`: see that every real part is here, then run every test. A missing part fails, nothing is skipped.

./run test                    all of it
./run test tests/billing -x   a part of the Python tests, with pytest's own arguments
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from booking.demo.progress import say, step
from booking.web import build

ROOT = Path(__file__).resolve().parents[1]
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Sync Playwright leaves an event loop behind that async tests of the same process trip over; without that plugin
# its settings in pyproject.toml are unknown words, which our warnings-are-errors would take for a mistake.
# Files of few but long tests come first, so that no worker is left alone with one of them at the end.
LONG = [f"tests/{name}" for name in ("flows", "machine", "runtime", "conformance", "bridge", "review")]
IN_ORDER = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
BROWSER = ["-p", "no:asyncio", "-W", "ignore:Unknown config option:pytest.PytestConfigWarning"]


class Missing(Exception):
    """A part the tests need is not here; says what to type."""


def main(arguments: list[str]) -> int:
    """Return 0 when every test passed."""
    begun = time.monotonic()
    os.environ["PATH"] = SYSTEM_PATH
    try:
        parts = provide()
    except (Missing, build.BuildError) as error:
        say(f"{error}\n\nno test was run: a missing part is a failure")
        return 1
    for name, version in parts.items():
        say(f"  {name:<12} {version}")
    results = run_suites(arguments)
    say("")
    for title, status, seconds in results:
        say(f"{'passed' if status == 0 else 'FAILED':<7} {title} ({seconds:.0f} s)")
    say(f"total {time.monotonic() - begun:.0f} s")
    return 0 if all(status == 0 for _, status, _ in results) else 1


# --- parts ------------------------------------------------------------------------------------------------


def provide() -> dict[str, str]:
    """Install or build what is missing and return the version of each part. Raises Missing or BuildError."""
    absent = [
        name
        for name, found in (("mosquitto", which("mosquitto")), ("chromium", which(*BROWSERS)))
        if not found
    ]
    if absent:
        install(absent)
    with step("web UI") as note:
        build.build(ROOT, note)
    with step("the real Zigbee and Z-Wave drivers"):
        lock_drivers()
    return {
        "Python": sys.version.split()[0],
        "PostgreSQL": postgres_version(),
        "Mosquitto": said(which("mosquitto"), "-h"),
        "Chromium": said(which(*BROWSERS), "--version"),
        "Node": said(str(build.find_node()), "--version"),
    }


def lock_drivers() -> Path:
    """zigbee-herdsman-converters and zwave-js are installed; returns where. Raises BuildError."""
    place = ROOT / "tests" / "bridge" / "node"
    with (place / "package.json").open("rb") as only_one:
        fcntl.flock(only_one, fcntl.LOCK_EX)
        build.install(place, lambda _: None)
    return place


def install(packages: list[str]) -> None:
    """Install Debian packages where we may. Raises Missing with the line to type where we may not."""
    typed = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise Missing(
            f"the tests need {' and '.join(packages)}: install them with your system's package manager"
        )
    if os.geteuid() != 0:
        raise Missing(f"the tests need {' and '.join(packages)}. Type:  sudo {typed}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get update", typed):
        with step(command) as note:
            done = subprocess.run(
                command.split(), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )  # fmt: skip
            if done.returncode != 0:
                raise Missing(f"`{command}` failed:\n{done.stdout[-2000:]}")
            note("done")


def which(*names: str) -> str | None:
    """Return the first of these programs that is installed."""
    return next(filter(None, (shutil.which(name, path=SYSTEM_PATH) for name in names)), None)


def said(program: str | None, *arguments: str) -> str:
    """Return the version a program gives of itself. Raises Missing where it does not run."""
    if program is None:
        raise Missing("a part was installed but can't be found on PATH")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    version = re.search(r"\d+\.[\d.]+", done.stdout + done.stderr)
    if version is None:
        raise Missing(f"{program} does not run here:\n{(done.stdout + done.stderr)[-1000:]}")
    return f"{version[0]}  {program}"


def postgres_version() -> str:
    """Return the version of a server that really runs."""
    from booking import postgres

    with step("PostgreSQL"), postgres.temporary() as server:
        return f"{server.version}  {server.programs}"


# --- suites -----------------------------------------------------------------------------------------------


def run_suites(arguments: list[str]) -> list[tuple[str, int, float]]:
    """Run what was asked for, or everything, and return title, status and seconds of each suite."""
    pytest = [sys.executable, "-m", "pytest"]
    if arguments:
        wanted = [
            part for part, before in zip(arguments, ["", *arguments], strict=False) if before != "--ignore"
        ]
        browser = BROWSER if any(part.startswith("tests/browser") for part in wanted) else []
        return [suite("pytest", [*pytest, *browser, *arguments])]
    with beside("browser", [*pytest, "tests/browser", *BROWSER]) as browsers:
        results = [
            suite("Python", [*pytest, *LONG, "tests", "--ignore", "tests/browser", *IN_ORDER]),
            suite("web UI", [sys.executable, str(ROOT / "booking" / "web" / "build.py"), "test"]),
        ]
        return [*results, browsers()]


def suite(title: str, command: list[str]) -> tuple[str, int, float]:
    """Run one suite with its output shown."""
    say(f"\n— {title}")
    begun = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    return title, status, time.monotonic() - begun


@contextlib.contextmanager
def beside(title: str, command: list[str]) -> Iterator[Callable[[], tuple[str, int, float]]]:
    """A suite runs while others do, for it mostly waits; the call ends it and shows what it said."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said) as run,
    ):

        def end() -> tuple[str, int, float]:
            status = run.wait()
            say(f"\n— {title}")
            said.seek(0)
            say(said.read())
            return title, status, time.monotonic() - begun

        try:
            yield end
        finally:
            if run.poll() is None:
                run.send_signal(signal.SIGINT)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
