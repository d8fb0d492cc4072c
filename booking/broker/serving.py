"""The process that becomes the broker."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from booking.broker.files import PID


def serve(state: Path) -> int:
    """Become the broker; returns only where iotcore has to be watched."""
    facts = json.loads((state / "kind.json").read_text())
    (state / PID).write_text(str(os.getpid()))
    if facts["kind"] == "mosquitto":
        config = str((state / "mosquitto.conf").resolve())
        os.execv(facts["program"], [facts["program"], "-c", config])  # noqa: S606
    return _serve_iotcore(state.resolve() / "iotcore.toml")


def _serve_iotcore(config: Path) -> int:
    """Keep iotcore running; it cannot read accounts again, so SIGHUP restarts it."""
    again = True

    def restart(*_: object) -> None:
        child.terminate()

    def stop(*_: object) -> None:
        nonlocal again
        again = False
        child.terminate()

    program = "import sys; from iotcore._serve import main; main()"
    while again:
        options = json.dumps({"config_path": str(config)})
        command = [sys.executable, "-c", program, options]
        child = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603
        signal.signal(signal.SIGHUP, restart)
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        code = child.wait()
        if again and code > 0:
            return code
    return 0
