"""Our own broker and our own simulated controller, for `booking conformance --simulated`."""

import base64
import contextlib
import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from booking import broker

NAME = "simulated-1"


@dataclass(frozen=True, slots=True)
class Local:
    """Where everything is."""

    server_url: str = field(repr=False)
    url: str
    controller: str
    key: Path
    test_port: str


@contextlib.contextmanager
def local(folder: Path, rig: str = "booking.controller.rig", *more: str) -> Iterator[Local]:
    """A broker runs while this is open, and an enrolled controller is ready to be started by its rig."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = broker.prepare(folder / "broker", port)
    state, password = folder / NAME, secrets.token_urlsafe(16)
    state.mkdir(mode=0o700)
    broker.add_accounts(folder / "broker", {NAME: password})
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    body = {"controller": NAME, "password": password, "keys": [{"gen": 1, "key": key}]}
    (state / "controller.json").write_text(json.dumps(body))
    command = [sys.executable, "-m", rig, "--state", str(state), "--broker", made.url, *more]
    with (folder / "broker.log").open("wb") as log:
        child = subprocess.Popen(  # noqa: S603
            made.argv, env={**os.environ, **made.env}, stdout=log, stderr=log
        )
    try:
        _wait_for(urlsplit(made.url).port or 0)
        address = f"exec:{shlex.join(command)}"
        yield Local(made.server_url, made.url, NAME, state / "controller.json", address)
    finally:
        child.terminate()
        child.wait(15)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("the broker did not start within 15 s")
