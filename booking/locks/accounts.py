"""A controller's account at the broker: made at enrolment, taken away at retirement, by the worker with the link.

`MQTT_ACCOUNTS` says how: `dynsec` (mosquitto's dynamic-security plugin), the state directory of our own broker, or
unset – then the operator adds the account by hand (docs/how-to/doors-enrol.md).
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from booking import broker, db
from booking.locks import vault
from booking.locks.packets import Packet
from booking.locks.snapshots import Publish
from booking.lockwire import ids
from booking.outbox import Postpone

SET: Final = "locks.account"  # the debt "the broker is to know, or forget, the account of controller `key`"
CONTROL: Final = "$CONTROL/dynamic-security/v1"
GIVEN_UP: Final = timedelta(days=1)  # a retired controller that never empties itself loses its account anyway


class _Row(db.Record):
    id: str
    account_secret: bytes | None
    retired_at: datetime | None
    is_empty: bool


async def settle(controller: str, mode: str | None, send: Publish, now: datetime) -> None:
    """The broker knows the controller's newest password, or nothing of a retired one.

    A retired controller keeps its account until it has proved that it holds no code any more, a day at most.
    """
    row = await db.row(
        _Row,
        "SELECT id, account_secret, retired_at, (rep_boot = 0 OR (rep_epoch, rep_ver) = (epoch, want_ver))"
        " AS is_empty FROM controller WHERE id = $1",
        controller,
    )
    if row is None:
        return
    if row.retired_at is not None:
        if not row.is_empty and now < row.retired_at + GIVEN_UP:
            raise Postpone(timedelta(seconds=30), "the retired controller has not emptied itself yet")
        await _remove(row.id, mode, send)
        await send(Packet(ids.down(row.id, "desired"), b"", retain=True))
    elif row.account_secret is not None:
        password = vault.unseal(row.account_secret, f"account:{row.id}").decode()
        await _add(row.id, password, mode, send)
    # A controller enrolled once more meanwhile has another secret, and a debt of its own.
    await db.run(
        "UPDATE controller SET account_secret = NULL WHERE id = $1 AND account_secret IS NOT DISTINCT FROM $2",
        row.id,
        row.account_secret,
    )


async def _add(name: str, password: str, mode: str | None, send: Publish) -> None:
    if mode == "dynsec":
        await send(Packet(CONTROL, msgspec.json.encode({"commands": adding(name, password)})))
    elif mode is not None:
        broker.add_accounts(Path(mode), {name: password})


async def _remove(name: str, mode: str | None, send: Publish) -> None:
    if mode == "dynsec":
        await send(Packet(CONTROL, msgspec.json.encode({"commands": removing(name)})))
    elif mode is not None:
        broker.remove_account(Path(mode), name)


def adding(name: str, password: str) -> list[dict[str, object]]:
    """Return the plugin's commands: the account exists with this password, bound to its client id and topics (§15.4)."""
    down, up = f"lk/v1/{name}/dn/#", f"lk/v1/{name}/up/#"
    role = f"controller-{name}"
    acls = [
        {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
        for kind, topic in (
            ("subscribePattern", down),
            ("publishClientReceive", down),
            ("unsubscribePattern", down),
            ("publishClientSend", up),
        )
    ]
    roles = [{"rolename": role, "priority": 0}]
    return [
        *removing(name),
        {"command": "createRole", "rolename": role, "acls": acls},
        {"command": "createClient", "username": name, "clientid": name, "password": password, "roles": roles},
    ]


def removing(name: str) -> list[dict[str, object]]:
    """Return the plugin's commands: the account is gone and its connection closed. Absent is no fault."""
    return [
        {"command": "deleteClient", "username": name},
        {"command": "deleteRole", "rolename": f"controller-{name}"},
    ]
