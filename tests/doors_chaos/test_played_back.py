"""Found by the chaos run: an old report, played back over the newest one, hid from a restored database what a door has."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from booking import broker, db
from booking.clock import utc_now
from booking.controller.main import KEY_FILE
from tests.controller.parts import RunningBroker, running_broker, running_controller
from tests.doors_chaos.eve import operate
from tests.locks.conftest import (
    Hall,
    hours,
)
from tests.locks.test_end_to_end import linked, reaches, until


@pytest.fixture
def mqtt(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


@pytest.mark.parametrize("spoilt", [False, True])
async def test_an_old_report_played_back_after_a_restored_backup__the_door_is_found_out_at_once(
    spoilt: bool,
    hall: Hall,
    mqtt: RunningBroker,
    tmp_path: Path,
) -> None:
    broker.add_accounts(mqtt.state, {hall.controller: hall.password})
    operator = await asyncio.to_thread(operate, mqtt)
    door = tmp_path / "hall-1"
    door.mkdir()
    (door / KEY_FILE).write_bytes(hall.key_file)
    now = utc_now()
    with running_controller(door, mqtt.broker.url):
        async with linked(mqtt):
            await reaches(await hall.book(hours(now, 1, 2), now), "applied")
            proved = "SELECT true FROM controller WHERE (rep_epoch, rep_ver) = (epoch, want_ver)"
            await until(lambda: db.value(bool, proved), what="the proof")
        backup = await db.rows(_Kept, "SELECT want_ver, rep_ver, rep_boot, rep_rs FROM controller")
        kept = await db.column(str, "SELECT id::text FROM access_grant")
        old = [one for one in await asyncio.to_thread(operator.all_heard) if one[0].endswith("reported")][-1]
        async with linked(mqtt):
            await reaches(await hall.book(hours(now, 3, 4), now), "applied")
        # The backup is back: one booking and its version are unknown now. And the broker keeps an old report.
        await db.run("DELETE FROM access_grant WHERE id::text <> ALL($1)", kept)
        await db.run("DELETE FROM snapshot_log WHERE ver > $1", backup[0].want_ver)
        await db.run(
            "UPDATE controller SET want_ver = $1, logged_ver = $1, broker_ver = $1, rep_ver = $2, rep_boot = $3,"
            " rep_rs = $4",
            backup[0].want_ver,
            backup[0].rep_ver,
            backup[0].rep_boot,
            backup[0].rep_rs,
        )
        await asyncio.to_thread(operator.say, old[0], b"spoilt" if spoilt else old[1], retain=True)
        async with linked(mqtt):
            await until(lambda: db.value(bool, "SELECT quarantine FROM controller"), what="the quarantine")
    await asyncio.to_thread(operator.stop)


class _Kept(db.Record):
    want_ver: int
    rep_ver: int
    rep_boot: int
    rep_rs: int


async def test_a_silent_controller_that_was_asked__is_published_to_when_it_reports(
    hall: Hall, mqtt: RunningBroker, tmp_path: Path
) -> None:
    """Asked while it was away, it must count as heard when it comes back."""
    broker.add_accounts(mqtt.state, {hall.controller: hall.password})
    door, now = tmp_path / "hall-1", utc_now()
    door.mkdir()
    (door / KEY_FILE).write_bytes(hall.key_file)
    async with linked(mqtt):
        with running_controller(door, mqtt.broker.url):
            await reaches(await hall.book(hours(now, 1, 2), now), "applied")
    await asyncio.to_thread(mqtt.restart_without_storage)  # no retained report any more
    async with linked(mqtt):
        asked = "SELECT last_n > $1 FROM controller"
        before = int(utc_now().timestamp() * 1_000) - 60_000
        await until(lambda: db.value(bool, asked, before), what="the question")
        with running_controller(door, mqtt.broker.url):
            await reaches(await hall.book(hours(now, 3, 4), now), "applied")
