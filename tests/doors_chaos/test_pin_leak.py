"""No code stands in clear anywhere but in its door; the search can see. The whole product: `./run bench pin-leak`.

Here, in the size that CI bears: a real worker, broker and controller, every code ten digits long, the doors' own
story without the web pages.
"""

import asyncio
import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from bench.pin_leak import LENGTH, found_in
from booking import broker, db, locks, postgres
from booking.clock import utc_now
from booking.controller.main import KEY_FILE
from booking.locks import codes, pin_rules
from booking.people import Actor
from tests.controller.parts import Process, RunningBroker, running_broker, running_controller
from tests.doors_chaos.eve import Eve, Heard, operate
from tests.locks.conftest import SECRET, TOWN, Hall, holder, hours
from tests.locks.test_end_to_end import pin_of, reaches, typed, until

PIN = b"2718281828"
STORED_PLAIN = {"controller.db", "controller.db-wal", "controller.db-shm"}  # a door must compare codes


@pytest.mark.parametrize(
    "form",
    [
        PIN,
        PIN[::-1],
        b"99" + PIN + b"1",
        PIN.decode().encode("utf-16-le"),
        PIN.decode().encode("utf-16-be"),
        PIN.hex().encode(),
        *(base64.b64encode(b"x" * shift + b'{"pin": "' + PIN + b'"}') for shift in range(3)),
        base64.urlsafe_b64encode(b"?>?" + PIN),
    ],
)
def test_a_code_in_any_form__is_found(form: bytes) -> None:
    assert found_in(b"\x01 log:" + form + b"; more", {PIN}) == {PIN}


def test_other_digits__are_not_taken_for_a_code() -> None:
    assert found_in(b"1795010460 27182 81828 2718281829", {PIN}) == set()


@pytest.fixture
def mqtt(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def worker(pool: str, mqtt: RunningBroker, tmp_path: Path) -> Iterator[Process]:
    env = {"DATABASE_URL": pool, "BOOKING_SECRET_KEY": SECRET.hex(), "MQTT_URL": mqtt.broker.server_url}
    env["PYTHONPATH"] = str(Path(__file__).parents[2])
    process = Process([sys.executable, "-m", "booking", "worker"], tmp_path / "worker.log", env)
    process.start()
    yield process
    process.kill()


@pytest.mark.timeout(180)
async def test_the_doors_story__leaves_no_code_in_clear_anywhere(
    hall: Hall,
    mqtt: RunningBroker,
    worker: Process,
    server: postgres.Server,
    pool: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin_rules, "PREFERRED", LENGTH)
    await db.run("UPDATE controller SET account_secret = NULL")
    await db.run("DELETE FROM outbox WHERE kind = 'locks.account'")
    broker.add_accounts(mqtt.state, {hall.controller: hall.password})
    spy = await asyncio.to_thread(operate, mqtt)
    door = tmp_path / "hall-1"
    door.mkdir()
    (door / KEY_FILE).write_bytes(hall.key_file)
    with running_controller(door, mqtt.broker.url):
        planted = await _story(hall, door)
        heard = await _all_heard(spy, mqtt)
    planted |= {pin for pin in await _in_the_vault() if len(pin) == LENGTH}
    assert len(planted) >= 5
    assert any(found_in((door / name).read_bytes(), planted) for name in STORED_PLAIN)  # they were there
    dump = await asyncio.to_thread(_dump, server, pool)
    places = {"messages": b"\n".join(t.encode() + b" " + p for t, p, _ in heard), "pg_dump": dump}
    places |= await asyncio.to_thread(_files, tmp_path)
    assert any("mosquitto.db" in place for place in places)
    assert b"COPY public.door_event" in dump
    assert b"granted" in dump
    assert {place: found for place in places if (found := found_in(places[place], planted))} == {}


async def _story(hall: Hall, door: Path) -> set[bytes]:
    """Book, move, cancel, share, type right and wrong codes, give staff a code; returns the codes that were seen."""
    now = utc_now()
    first, second = await hall.book(hours(now, 0, 2), now), await hall.book(hours(now, 3, 4), now)
    for one in (first, second):
        await reaches(one, "applied", "active", seconds=60)
    seen = {await pin_of(first), await pin_of(second)}
    made = await locks.share(first, "P12", by=holder(first), now=now)
    seen.add(made.pin)
    wish = locks.Wish(municipality=TOWN, role="staff", label="Vaktmästare", valid_from=now)
    seen.add((await locks.create_credential(wish, by=Actor.system(), now=now)).pin or "")
    assert await typed(door, await pin_of(first)) == "granted"
    assert await typed(door, await pin_of(second)) == "early"
    assert await typed(door, PIN.decode()) == "unknown"
    await locks.move(
        reservation=second,
        holder=second,
        resources=[hall.resource],
        span=hours(now, 5, 6),
        purpose="training",
        now=utc_now(),
    )
    await reaches(second, "applied", seconds=60)
    await locks.revoke(second, now=utc_now())
    await reaches(second, "removed_confirmed", seconds=60)
    granted = "SELECT count(*) FROM door_event WHERE kind IN ('granted', 'denied')"

    async def told() -> bool:
        return (await db.value(int, granted) or 0) >= 3

    await until(told, seconds=60, what="the events")
    return {pin.encode() for pin in seen if pin} | {PIN}


async def _all_heard(spy: Eve, mqtt: RunningBroker) -> list[Heard]:
    """Return every message there was; the broker's file has been written since."""
    await asyncio.to_thread(spy.say, "operator/done", b"the end", retain=True)

    async def written() -> bool:
        return b"the end" in (mqtt.state / "data" / "mosquitto.db").read_bytes()

    await until(written, what="the broker's file")
    heard = spy.all_heard()
    await asyncio.to_thread(spy.stop)
    kinds = {topic.rsplit("/", 1)[1] for topic, _, _ in heard}
    assert {"desired", "reported", "evt", "evack", "time"} <= kinds
    return heard


class _Code(db.Record):
    id: UUID
    pin: bytes


async def _in_the_vault() -> set[bytes]:
    rows = await db.rows(_Code, "SELECT id, pin FROM access_grant WHERE pin IS NOT NULL")
    return {codes.read_pin(row.id, row.pin).encode() for row in rows}


def _files(folder: Path) -> dict[str, bytes]:
    found = (file for file in folder.rglob("*") if file.is_file() and file.name not in STORED_PLAIN)
    return {str(file): file.read_bytes() for file in found}


def _dump(server: postgres.Server, address: str) -> bytes:
    name = urlsplit(address).path.removeprefix("/")
    command = [server.programs / "pg_dump", "--dbname", server.url(postgres.SUPERUSER, name)]
    return subprocess.run(command, capture_output=True, check=True, cwd="/").stdout
