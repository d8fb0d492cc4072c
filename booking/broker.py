"""Our own MQTT broker for the demo, the tests and a single machine: mosquitto, else the iotcore wheel.

It listens on loopback only. Whoever starts `Broker.argv` owns the process; its pid is kept in the state
directory, so that `add_accounts` can tell it to read the accounts again. Settings: lock protocol §15.4, §15.5.
"""

import base64
import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

SERVER = "lk-server"
_ACCOUNTS, _PID, _ROUNDS = "accounts.json", "broker.pid", 101

_ACL = f"""\
user {SERVER}
topic write lk/v1/+/dn/#
topic read lk/v1/+/up/#

pattern read lk/v1/%u/dn/#
pattern write lk/v1/%u/up/#
"""

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {state}/passwords
acl_file {state}/acl
use_username_as_clientid true
set_tcp_nodelay true
persistence true
persistence_location {state}/data/
autosave_interval 1
autosave_on_changes true
max_packet_size 131072
max_keepalive 1200
log_dest stdout
log_type error
log_type warning
log_type notice
{user}"""

_IOTCORE = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 131072
max_inflight_count = 100
dynamic_filters = true

[v5.1.connections.auth]
{accounts}
"""


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
    program = None if only == "iotcore" else _mosquitto()
    if program is None and (only == "mosquitto" or importlib.util.find_spec("iotcore") is None):
        raise BrokerMissing("no MQTT broker found: apt install mosquitto, or pip install iotcore")
    accounts = _read(state)
    accounts.setdefault(SERVER, secrets.token_urlsafe(24))
    kind = "mosquitto" if program else "iotcore"
    _private(state / "kind.json", json.dumps({"kind": kind, "program": program, "port": port}))
    _write(state, accounts)
    address = f"127.0.0.1:{port}"
    return Broker(
        argv=(sys.executable, "-m", "booking.broker", str(state)),
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        sentence=f"{_sentence(program)}, listening on {address} only",
        kind=kind,
        url=f"mqtt://{address}",
        server_url=f"mqtt://{SERVER}:{quote(accounts[SERVER], safe='')}@{address}",
    )


def prepare_dynamic(state: Path, port: int) -> Broker:
    """Return a mosquitto whose accounts live in its dynamic-security plugin, changed while it runs (`MQTT_ACCOUNTS=dynsec`).

    The server's account may change them; nobody else has any right beyond his own role. Raises BrokerMissing.
    """
    program, plugin = _mosquitto(), _plugin()
    if program is None or plugin is None:
        raise BrokerMissing("no mosquitto with the dynamic-security plugin found: apt install mosquitto")
    (state / "data").mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    password = secrets.token_urlsafe(24)
    _private(state / "kind.json", json.dumps({"kind": "mosquitto", "program": program, "port": port}))
    accounts = state.resolve() / "dynamic-security.json"
    if accounts.exists():
        password = _read(state)[SERVER]
    else:
        _private(state / _ACCOUNTS, json.dumps({SERVER: password}))
        _private(accounts, json.dumps(dynamic_security(password), indent=1))
    user = "user root\n" if os.geteuid() == 0 else ""
    text = _MOSQUITTO.format(port=port, state=state.resolve(), user=user)
    for line in (f"password_file {state.resolve()}/passwords\n", f"acl_file {state.resolve()}/acl\n"):
        text = text.replace(line, "")
    _private(state / "mosquitto.conf", f"{text}plugin {plugin}\nplugin_opt_config_file {accounts}\n")
    address = f"127.0.0.1:{port}"
    return Broker(
        argv=(sys.executable, "-m", "booking.broker", str(state)),
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        sentence=f"{_sentence(program)} and dynamic accounts, listening on {address} only",
        kind="mosquitto",
        url=f"mqtt://{address}",
        server_url=f"mqtt://{SERVER}:{quote(password, safe='')}@{address}",
    )


def dynamic_security(password: str) -> dict[str, object]:
    """Return the plugin's first file: the server alone, with the topics of lock protocol §15.4 and the plugin's own."""
    control = "$CONTROL/dynamic-security/#"
    rights = (
        ("publishClientSend", "lk/v1/+/dn/#"),
        ("publishClientReceive", "lk/v1/+/up/#"),
        ("subscribePattern", "lk/v1/+/up/#"),
        ("publishClientSend", control),
        ("publishClientReceive", control),
        ("subscribePattern", control),
    )
    acls = [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in rights]
    salt = secrets.token_bytes(12)
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [
            {
                "username": SERVER,
                "clientid": SERVER,
                "password": base64.b64encode(derived).decode(),
                "salt": base64.b64encode(salt).decode(),
                "iterations": _ROUNDS,
                "roles": [{"rolename": "server", "priority": 0}],
            }
        ],
        "groups": [],
        "roles": [{"rolename": "server", "acls": acls}],
    }


def _plugin() -> Path | None:
    """Return where the plugin lies, wherever the distribution has put it."""
    folders = [Path("/usr/lib"), Path("/usr/local/lib"), *Path("/usr/lib").glob("*-linux-gnu*")]
    found = (folder / "mosquitto_dynamic_security.so" for folder in folders)
    return next((path for path in found if path.exists()), None)


def add_accounts(state: Path, passwords: Mapping[str, str]) -> bool:
    """These accounts may connect from now on, others are untouched. True if a running broker was told."""
    _write(state, {**_read(state), **passwords})
    return _tell(state)


def remove_account(state: Path, name: str) -> bool:
    """The account may not connect any more. True if a running broker was told."""
    _write(state, {known: password for known, password in _read(state).items() if known != name})
    return _tell(state)


def password_of(state: Path, name: str) -> str | None:
    """Return the password of an account of our own broker."""
    return _read(state).get(name)


def _tell(state: Path) -> bool:
    """Ask the broker to read its accounts again, if the pid is still that of our broker."""
    try:
        pid = int((state / _PID).read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if os.fsencode(state.resolve()) not in command:
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _sentence(program: str | None) -> str:
    if program is None:
        return "iotcore from a wheel (no access lists, no persistence; mosquitto is not installed)"
    command = [program, "-h"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    version = (said.stdout or said.stderr).split("\n", 1)[0].removeprefix("mosquitto version ")
    return f"mosquitto {version.strip()} with our own configuration"


def _read(state: Path) -> dict[str, str]:
    try:
        accounts: dict[str, str] = json.loads((state / _ACCOUNTS).read_text())
    except FileNotFoundError:
        return {}
    return accounts


def _write(state: Path, accounts: Mapping[str, str]) -> None:
    """Write accounts and everything the broker reads."""
    _private(state / _ACCOUNTS, json.dumps(accounts, indent=1))
    facts = json.loads((state / "kind.json").read_text())
    if facts["kind"] == "iotcore":
        lines = "\n".join(f"{json.dumps(name)} = {json.dumps(word)}" for name, word in accounts.items())
        _private(state / "iotcore.toml", _IOTCORE.format(port=facts["port"], accounts=lines))
        return
    user = (
        "user root\n" if os.geteuid() == 0 else ""
    )  # otherwise mosquitto drops to an account that can't read
    _private(state / "acl", _ACL)
    _private(state / "passwords", "".join(f"{name}:{_hash(word)}\n" for name, word in accounts.items()))
    _private(
        state / "mosquitto.conf", _MOSQUITTO.format(port=facts["port"], state=state.resolve(), user=user)
    )


def _hash(password: str) -> str:
    """Return mosquitto's own form: $7$, PBKDF2-HMAC-SHA512, 12 bytes of salt."""
    salt = secrets.token_bytes(12)
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def _private(path: Path, text: str) -> None:
    """The file has this content, readable by its owner only, and never half of it."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text(text)
    draft.replace(path)


def serve(state: Path) -> int:
    """Become the broker; returns only where iotcore has to be watched."""
    facts = json.loads((state / "kind.json").read_text())
    (state / _PID).write_text(str(os.getpid()))
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


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1])))
