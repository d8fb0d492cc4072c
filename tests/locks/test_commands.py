"""Orders: a reason, a second confirmation, one sending, one answer."""

from datetime import datetime, timedelta

import msgspec
import pytest

from booking import db, locks, outbox
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.locks import commands, incoming, orders, snapshots
from booking.locks.packets import Incoming, Packet
from booking.lockwire import ids
from booking.lockwire.envelope import seal, unseal
from booking.lockwire.messages import Command
from tests.locks.conftest import Hall, staff
from tests.locks.parts import Device


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


async def read(packet: Packet) -> Command:
    row = await snapshots.owed("hall-1")
    assert row is not None
    return msgspec.json.decode(unseal(packet.payload, [row.keys()], "dn", packet.topic).plain, type=Command)


async def answer(controller: str, body: dict[str, object], now: datetime) -> None:
    """A sealed result arrives on the controller's topic."""
    row = await snapshots.owed(controller)
    assert row is not None
    topic = ids.up(controller, "res")
    token = seal(msgspec.json.encode(body), row.keys(), "up", topic, 1, 1)
    await incoming.receive(Incoming(topic, token), now)


async def test_an_order__is_asked_confirmed_sent_once_and_answered(
    hall: Hall, device: Device, now: datetime
) -> None:
    clerk = staff()
    asked = await locks.order(hall.entrance, "open", "laget står ute", by=clerk, now=now)
    assert asked.state == "awaiting_confirmation"
    assert await db.value(int, "SELECT count(*) FROM outbox WHERE kind = 'locks.command'") == 0
    sent = await locks.confirm(hall.entrance, asked.id, by=clerk, now=now)
    assert sent.state == "sent"
    with pytest.raises(orders.AlreadyConfirmed):
        await locks.confirm(hall.entrance, asked.id, by=clerk, now=now)
    debt = await outbox.claim([commands.SEND], now)
    assert debt is not None
    assert (debt.key, debt.payload) == (str(asked.id), "{}")
    for _ in range(2):
        await commands.send(asked.id, device.take, now)
    (packet,) = device.packets
    command = await read(packet)

    assert not packet.retain
    assert packet.correlation == asked.id.hex.encode()
    assert packet.response == ids.up(hall.controller, "res")
    assert (command.op, command.d, command.id) == ("open", "d1", asked.id.hex)
    assert 0 < command.exp - int(now.timestamp()) <= 30
    later = now + timedelta(seconds=1)
    await answer(hall.controller, {"id": command.id, "n": command.n, "ok": True, "why": None}, later)
    await answer(hall.controller, {"id": command.id, "n": command.n, "ok": False, "why": "door"}, later)
    done = await locks.command_of(hall.entrance, asked.id, by=clerk, now=later)
    assert (done.state, done.answered_at) == ("done", later)
    told = "SELECT action FROM journal WHERE about = $1 AND action <> 'door.command' ORDER BY id"
    assert await db.column(str, told, asked.id) == [
        "door.command_asked",
        "door.command_confirmed",
        "door.command_answered",
    ]


async def test_no_answer_within_ten_seconds__is_unknown_and_never_sent_again(
    hall: Hall, device: Device, now: datetime
) -> None:
    clerk = staff()
    asked = await locks.order(hall.entrance, "open", "x", by=clerk, now=now)
    await locks.confirm(hall.entrance, asked.id, by=clerk, now=now)
    await commands.send(asked.id, device.take, now)
    await commands.send(asked.id, device.take, now + timedelta(seconds=12))
    view = await locks.command_of(hall.entrance, asked.id, by=clerk, now=now + timedelta(seconds=12))

    assert (view.state, len(device.packets)) == ("unknown", 1)


async def test_too_late_for_the_broker__is_not_sent_at_all(hall: Hall, device: Device, now: datetime) -> None:
    clerk = staff()
    asked = await locks.order(hall.entrance, "open", "x", by=clerk, now=now)
    await locks.confirm(hall.entrance, asked.id, by=clerk, now=now)
    await commands.send(asked.id, device.take, now + timedelta(seconds=20))
    view = await locks.command_of(hall.entrance, asked.id, by=clerk, now=now + timedelta(seconds=20))

    assert (view.state, view.why, device.packets) == ("refused", "expired", [])


async def test_confirmed_after_two_minutes__is_refused(hall: Hall, now: datetime) -> None:
    clerk = staff()
    asked = await locks.order(hall.entrance, "lockdown", "x", by=clerk, now=now)
    with pytest.raises(orders.ConfirmationExpired):
        await locks.confirm(hall.entrance, asked.id, by=clerk, now=now + timedelta(minutes=2))
    assert await db.value(str, "SELECT mode FROM door WHERE id = $1", hall.entrance) == "normal"


async def test_a_lockdown__also_stands_in_the_next_snapshot_with_its_number(
    hall: Hall, device: Device, now: datetime
) -> None:
    clerk = staff()
    await device.publish(now)
    asked = await locks.order(hall.entrance, "lockdown", "brand", by=clerk, now=now)
    await locks.confirm(hall.entrance, asked.id, by=clerk, now=now)
    await commands.send(asked.id, device.take, now)
    command = await read(device.packets[-1])
    await device.publish(now)
    door = (await device.snapshot()).doors["d1"]
    assert (door.mode, door.mode_n) == ("lockdown", command.n)

    until = now + timedelta(hours=2)
    asked = await locks.order(hall.entrance, "unlock", "öppet hus", until=until, by=clerk, now=now)
    await locks.confirm(hall.entrance, asked.id, by=clerk, now=now)
    await device.publish(now)
    door = (await device.snapshot()).doors["d1"]
    assert (door.mode, door.mode_until) == ("unlocked", int(until.timestamp()))
    assert door.mode_n > command.n


async def test_strangers_and_nonsense__are_refused(hall: Hall, now: datetime) -> None:
    with pytest.raises(NotFound):
        await locks.order(hall.entrance, "open", "x", by=staff("2480"), now=now)
    with pytest.raises(NotFound):
        await locks.order("nowhere", "open", "x", by=staff(), now=now)
    with pytest.raises(Rejected):
        await locks.order(hall.entrance, "unlock", "x", by=staff(), now=now)
    with pytest.raises(Rejected):
        await locks.order(hall.entrance, "unlock", "x", until=now + timedelta(days=3), by=staff(), now=now)
    asked = await locks.order(hall.entrance, "open", "x", by=staff(), now=now)
    for door, actor in ((hall.entrance, staff("2480")), (hall.changing, staff())):
        with pytest.raises(NotFound):
            await locks.confirm(door, asked.id, by=actor, now=now)
    await answer(hall.controller, {"id": new_id().hex, "n": 4, "ok": True, "why": None}, now)
