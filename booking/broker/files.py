"""What the broker reads: its configuration and its accounts, readable by their owner only."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

SERVER = "lk-server"
ACCOUNTS, PID, ROUNDS = "accounts.json", "broker.pid", 101


ACL = f"""\
user {SERVER}
topic write lk/v1/+/dn/#
topic read lk/v1/+/up/#

pattern read lk/v1/%u/dn/#
pattern write lk/v1/%u/up/#
"""


MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous false
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
"""


IOTCORE = """\
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


def read_accounts(state: Path) -> dict[str, str]:
    """Return the accounts with their passwords; none before the first are made."""
    try:
        accounts: dict[str, str] = json.loads((state / ACCOUNTS).read_text())
    except FileNotFoundError:
        return {}
    return accounts


def write_accounts(state: Path, accounts: Mapping[str, str]) -> None:
    """Write accounts and everything the broker reads."""
    keep_private(state / ACCOUNTS, json.dumps(accounts, indent=1))
    facts = json.loads((state / "kind.json").read_text())
    if facts["kind"] == "iotcore":
        lines = "\n".join(f"{json.dumps(name)} = {json.dumps(word)}" for name, word in accounts.items())
        keep_private(state / "iotcore.toml", IOTCORE.format(port=facts["port"], accounts=lines))
        return
    lines = "".join(
        f"{name}:$7${ROUNDS}${'$'.join(salted(password))}\n" for name, password in accounts.items()
    )
    keep_private(state / "acl", ACL)
    keep_private(state / "passwords", lines)
    home = state.resolve()
    write_mosquitto(state, facts["port"], f"password_file {home}/passwords\nacl_file {home}/acl\n")


def write_mosquitto(state: Path, port: int, accounts: str) -> None:
    """mosquitto finds its configuration, with these lines that say where accounts come from."""
    lines = MOSQUITTO.format(port=port, state=state.resolve()) + accounts
    if os.geteuid() == 0:  # otherwise it drops to an account that can't read
        lines += "user root\n"
    keep_private(state / "mosquitto.conf", lines)


def salted(password: str) -> tuple[str, str]:
    """Return salt and hash as mosquitto keeps them: base64 of 12 bytes, and of PBKDF2-HMAC-SHA512 in ROUNDS."""
    salt = secrets.token_bytes(12)
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return base64.b64encode(salt).decode(), base64.b64encode(derived).decode()


def keep_private(path: Path, text: str) -> None:
    """The file has this content, readable by its owner only, and never half of it."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text(text)
    draft.replace(path)
