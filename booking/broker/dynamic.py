"""A mosquitto whose accounts live in its dynamic-security plugin."""

import json
import secrets
from pathlib import Path

from booking.broker.files import (
    ACCOUNTS,
    ROUNDS,
    SERVER,
    keep_private,
    read_accounts,
    salted,
    write_mosquitto,
)
from booking.broker.preparing import Broker, BrokerMissing, broker_at, mosquitto_program, version_sentence


def prepare_dynamic(state: Path, port: int) -> Broker:
    """Return a mosquitto whose accounts live in its dynamic-security plugin, changed while it runs (`MQTT_ACCOUNTS=dynsec`).

    The server's account may change them; nobody else has any right beyond his own role. Raises BrokerMissing.
    """
    program, plugin = mosquitto_program(), _plugin()
    if program is None or plugin is None:
        raise BrokerMissing("no mosquitto with the dynamic-security plugin found: apt install mosquitto")
    (state / "data").mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    password = secrets.token_urlsafe(24)
    keep_private(state / "kind.json", json.dumps({"kind": "mosquitto", "program": program, "port": port}))
    accounts = state.resolve() / "dynamic-security.json"
    if accounts.exists():
        password = read_accounts(state)[SERVER]
    else:
        keep_private(state / ACCOUNTS, json.dumps({SERVER: password}))
        keep_private(accounts, json.dumps(dynamic_security(password), indent=1))
    write_mosquitto(state, port, f"plugin {plugin}\nplugin_opt_config_file {accounts}\n")
    return broker_at(state, port, "mosquitto", f"{version_sentence(program)} and dynamic accounts", password)


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
    salt, derived = salted(password)
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
                "password": derived,
                "salt": salt,
                "iterations": ROUNDS,
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
