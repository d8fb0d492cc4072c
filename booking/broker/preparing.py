"""Which broker there is on this machine, and how it is started and reached."""

import importlib.util
import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from booking.broker.files import SERVER, keep_private, read_accounts, write_accounts


class BrokerMissing(Exception):
    """There is no broker program on this machine; the text says how to get one."""


@dataclass(frozen=True, slots=True)
class Broker:
    """How to start the broker, where it is reached, and one sentence that says which one it is."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    sentence: str
    kind: str
    url: str  # without credentials, for controllers
    server_url: str = field(repr=False)  # for the server: MQTT_URL


def prepare(state: Path, port: int, *, only: str | None = None) -> Broker:
    """Return the broker, its configuration written under `state` (mode 0700). Raises BrokerMissing.

    Accounts already there are kept; the server's is made the first time. `only` is `mosquitto` or `iotcore`
    where the choice must not depend on the machine.
    """
    (state / "data").mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    program = None if only == "iotcore" else mosquitto_program()
    if program is None and (only == "mosquitto" or importlib.util.find_spec("iotcore") is None):
        raise BrokerMissing("no MQTT broker found: apt install mosquitto, or pip install iotcore")
    accounts = read_accounts(state)
    accounts.setdefault(SERVER, secrets.token_urlsafe(24))
    kind = "mosquitto" if program else "iotcore"
    keep_private(state / "kind.json", json.dumps({"kind": kind, "program": program, "port": port}))
    write_accounts(state, accounts)
    return broker_at(state, port, kind, version_sentence(program), accounts[SERVER])


def broker_at(state: Path, port: int, kind: str, sentence: str, password: str) -> Broker:
    """Return how the broker of this state directory is started and reached; `password` is the server's."""
    address = f"127.0.0.1:{port}"
    return Broker(
        argv=(sys.executable, "-m", "booking.broker", str(state)),
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        sentence=f"{sentence}, listening on {address} only",
        kind=kind,
        url=f"mqtt://{address}",
        server_url=f"mqtt://{SERVER}:{quote(password, safe='')}@{address}",
    )


def mosquitto_program() -> str | None:
    """Return where mosquitto is, also where the PATH of an ordinary account doesn't look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def version_sentence(program: str | None) -> str:
    """Return which broker it is and what that means, without a full stop."""
    if program is None:
        return "iotcore from a wheel (no access lists, no persistence; mosquitto is not installed)"
    command = [program, "-h"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    version = (said.stdout or said.stderr).split("\n", 1)[0].removeprefix("mosquitto version ")
    return f"mosquitto {version.strip()} with our own configuration"
