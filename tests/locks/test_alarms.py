"""Alarms: open once while they hold, closed by themselves, told to staff; quarantine; facts; the event log."""

from datetime import datetime, timedelta

import pytest

from booking import db, locks
from booking.errors import NotFound
from booking.ids import new_id
from booking.locks import alarms, commands, event_log, events, facts, snapshots, telling
from booking.locks.event_log import Search
from booking.lockwire.messages import Event
from booking.people import Actor
from tests.locks.conftest import TOWN, Hall, hours, staff
from tests.locks.parts import REPORT, Device
from tests.locks.test_commands import answer, read

SYSTEM = Actor.system()
OPEN = "SELECT kind FROM door_alarm WHERE closed_at IS NULL ORDER BY kind"


GOOD = {"utc_ms": None, "src": "ntp", "err_ms": None}


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


class Voice:
    """A controller's events, numbered."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.seq = hall, 0

    async def says(self, kind: str, at: datetime, **more: object) -> None:
        self.seq += 1
        event = Event(
            boot=1, seq=self.seq, t=int(at.timestamp()), mono=1, clk="ntp", e=kind, **{"d": "d1", **more}
        )  # type: ignore[arg-type]
        row = await snapshots.owed(self.hall.controller)
        assert row is not None
        await events.store(row, [event], at)


@pytest.fixture
def voice(hall: Hall) -> Voice:
    return Voice(hall)


async def test_a_ready_code__is_told_once_however_often_it_is_looked_for(
    hall: Hall, device: Device, now: datetime
) -> None:
    await hall.book(hours(now, 2, 3), now)
    await device.publish(now)
    assert await telling.tell_ready(now) == 0
    await device.report(now, clk=GOOD)
    assert [await telling.tell_ready(now + timedelta(seconds=5 * n)) for n in range(3)] == [1, 0, 0]
    assert await db.value(int, "SELECT count(*) FROM outbox WHERE kind = 'message.owe'") == 1


async def test_a_late_code__alarms_for_each_booking_and_again_when_another_is_late(
    hall: Hall, device: Device, now: datetime
) -> None:
    first = await hall.book(hours(now, 2, 3), now)
    later = now + timedelta(hours=1, minutes=20)
    for _ in range(3):
        await alarms.watch(later)
    found, total = await locks.alarms_of(TOWN, open_only=True, by=staff(), limit=9, offset=0)
    assert total == 2  # two doors
    assert {(one.kind, tuple(one.reservations)) for one in found} == {("not_applied", (first,))}
    seen = await locks.acknowledge(found[0].id, "ringt vaktmästaren", by=staff(), now=later)
    assert (seen.acknowledged_at, seen.note) == (later, "ringt vaktmästaren")

    await hall.book(hours(now, 1.6, 3), later)
    await alarms.watch(later + timedelta(seconds=30))
    again = await db.value(datetime, "SELECT acknowledged_at FROM door_alarm WHERE id = $1", seen.id)
    assert again is None
    await device.publish(later)
    await device.report(later, clk=GOOD)
    await alarms.watch(later)
    assert await db.column(str, OPEN) == []
    _, closed = await locks.alarms_of(TOWN, open_only=False, by=staff(), limit=9, offset=0)
    assert closed == 2


async def test_what_a_report_says__alarms_until_it_says_otherwise(
    hall: Hall, device: Device, now: datetime
) -> None:
    await device.publish(now)
    bad = {"pw": {"src": "battery", "bat": 12}, "bad": {"epoch": 1, "ver": 2, "why": "decrypt"}}
    await device.report(now, **bad, clk=GOOD)
    await alarms.watch(now)
    assert await db.column(str, OPEN) == ["bad_snapshot", "battery"]
    await device.report(now, clk={"utc_ms": None, "src": "none", "err_ms": None})
    await alarms.watch(now)
    assert await db.column(str, OPEN) == ["clock_untrusted"]
    await device.report(now, clk=GOOD)
    await alarms.watch(now + timedelta(hours=1))
    assert await db.column(str, OPEN) == ["offline"]
    await device.report(now + timedelta(hours=1), clk=GOOD)
    await alarms.watch(now + timedelta(hours=1))
    assert await db.column(str, OPEN) == []


async def acknowledge_all(now: datetime) -> None:
    for one in (await locks.alarms_of(TOWN, open_only=True, by=staff(), limit=9, offset=0))[0]:
        await locks.acknowledge(one.id, None, by=staff(), now=now)


MESSAGES = "SELECT count(*) FROM outbox WHERE payload LIKE '%staff_alert%'"


async def test_what_a_door_says__alarms_until_the_door_is_well_and_staff_have_seen_it(
    hall: Hall, voice: Voice, now: datetime
) -> None:
    for kind in ("forced", "opened", "held", "tamper", "lockout"):
        await voice.says(kind, now)
    await alarms.watch(now)
    assert await db.column(str, OPEN) == ["brute_force", "forced", "held", "tamper"]
    await acknowledge_all(now)
    later = now + timedelta(minutes=61)
    await alarms.watch(later)
    assert await db.column(str, OPEN) == ["forced", "held"]
    await voice.says("closed", later, dur_s=400)
    await alarms.watch(later)
    assert await db.column(str, OPEN) == []


@pytest.mark.parametrize("kind", ["forced", "held", "tamper"])
async def test_a_door_that_was_well_before_anybody_looked__alarms_once_until_somebody_has_seen_it(
    hall: Hall, voice: Voice, now: datetime, kind: str
) -> None:
    def at(seconds: int) -> datetime:
        return now + timedelta(seconds=seconds)

    await voice.says(kind, now)
    await voice.says("closed", at(2), dur_s=400)
    await voice.says("granted", at(3), k="pin")
    for seconds in (5, 10, 90_000, 900_000):
        await alarms.watch(at(seconds))
        assert await db.column(str, OPEN) == [kind]
    assert await db.value(int, MESSAGES) == 1
    await acknowledge_all(at(900_001))
    for seconds in (900_002, 900_007):
        await alarms.watch(at(seconds))
    assert await db.column(str, OPEN) == []

    voice.seq = 0  # the controller says all of it again
    for again in (kind, "closed", "granted"):
        await voice.says(again, at(900_010))
    await alarms.watch(at(900_011))
    assert await db.column(str, OPEN) == []
    await voice.says(kind, at(900_020))
    await voice.says("closed", at(900_020))
    await alarms.watch(at(900_021))
    assert await db.column(str, OPEN) == [kind]
    assert await db.value(int, MESSAGES) == 2


async def test_a_break_in_during_an_outage__alarms_when_the_batch_arrives_and_only_then(
    hall: Hall, voice: Voice, now: datetime
) -> None:
    arrived = now + timedelta(days=3)
    row = await snapshots.owed(hall.controller)
    assert row is not None
    t = int(now.timestamp())
    told = [("forced", "d1"), ("closed", "d1"), ("tamper", None), ("held", "d2"), ("closed", "d2")]
    batch = [
        Event(boot=1, seq=n, t=t + n, mono=1, clk="ntp", d=door, e=kind)
        for n, (kind, door) in enumerate(told, 1)
    ]
    await events.store(row, batch, arrived)
    await alarms.watch(arrived)
    assert await db.column(str, OPEN) == ["forced", "held", "tamper"]
    await acknowledge_all(arrived)
    await alarms.watch(arrived)
    await events.store(row, batch, arrived + timedelta(seconds=30))
    await alarms.watch(arrived + timedelta(seconds=31))
    assert await db.column(str, OPEN) == []


async def test_forced_again_after_it_was_acknowledged__must_be_seen_again(
    hall: Hall, voice: Voice, now: datetime
) -> None:
    await voice.says("forced", now)
    await alarms.watch(now)
    await acknowledge_all(now + timedelta(seconds=1))
    await voice.says("forced", now + timedelta(seconds=2))
    await voice.says("closed", now + timedelta(seconds=3))
    for seconds in (5, 10):
        await alarms.watch(now + timedelta(seconds=seconds))
    waits = "SELECT acknowledged_at IS NULL FROM door_alarm WHERE closed_at IS NULL"
    assert await db.column(bool, waits) == [True]
    await acknowledge_all(now + timedelta(seconds=11))
    await alarms.watch(now + timedelta(seconds=12))
    assert await db.column(str, OPEN) == []


async def test_two_servers__alarm_for_ten_minutes_past_the_last_time(hall: Hall, now: datetime) -> None:
    for minute in (0, 4):
        await alarms.note_two_servers(now + timedelta(minutes=minute))
    await alarms.watch(now + timedelta(minutes=13))
    assert await db.column(str, OPEN) == ["two_servers"]
    (found,), _ = await locks.alarms_of(TOWN, open_only=True, by=staff(), limit=9, offset=0)
    assert found.controller is None
    await alarms.watch(now + timedelta(minutes=15))
    assert await db.column(str, OPEN) == []


async def test_a_foreign_clerk__sees_and_acknowledges_nothing(hall: Hall, now: datetime) -> None:
    await hall.book(hours(now, 0.1, 1), now - timedelta(minutes=1))
    await alarms.watch(now)
    id = await db.value(type(new_id()), "SELECT id FROM door_alarm LIMIT 1")
    assert id is not None
    with pytest.raises(NotFound):
        await locks.alarms_of(TOWN, open_only=True, by=staff("2480"), limit=9, offset=0)
    with pytest.raises(NotFound):
        await locks.acknowledge(id, None, by=staff("2480"), now=now)


async def test_an_older_database__asks_what_the_door_holds_and_shows_what_is_unknown(
    hall: Hall, device: Device, now: datetime
) -> None:
    known = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now, version=(1, 900))
    ask = await db.value(type(known), "SELECT id FROM door_command WHERE op = 'list'")
    assert ask is not None
    await commands.send(ask, device.take, now)
    command = await read(device.packets[-1])
    assert command.op == "list"
    ours = (await device.snapshot()).grants[0].id
    start = int(now.timestamp())
    lost = new_id().hex
    listed = [
        {"id": ours, "w": [{"d": ["d1"], "nb": start, "na": start + 60}]},
        {"id": lost, "w": [{"d": ["d1", "d2"], "nb": start, "na": start + 3_600}]},
    ]
    body = {"id": command.id, "n": command.n, "ok": True, "why": None, "grants": listed}
    await answer(hall.controller, body, now)
    view = await locks.quarantine_of(hall.controller, by=SYSTEM)

    assert (view.reported, view.listed, view.since) == ("1.900", True, now)
    assert [(one.id, one.door_ids) for one in view.unknown] == [(lost, [hall.entrance, hall.changing])]
    with pytest.raises(NotFound):
        await locks.quarantine_of(hall.controller, by=staff())
    await locks.end_quarantine(hall.controller, by=SYSTEM, now=now)
    row = await snapshots.owed(hall.controller)
    assert row is not None
    assert (row.quarantine, row.epoch) == (False, 2)
    with pytest.raises(NotFound):
        await locks.quarantine_of(hall.controller, by=SYSTEM)


async def settled(hall: Hall, device: Device, voice: Voice, until: datetime) -> None:
    """The controller has said everything up to this instant."""
    await device.report(until, ev={"first": [1, 1], "last": [1, voice.seq] if voice.seq else None})
    await facts.settle_facts(until + timedelta(minutes=20))


async def test_a_booking_that_is_over__has_its_facts_entry_overtime_and_a_door_held_open(
    hall: Hall, device: Device, voice: Voice, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    grant = (await device.snapshot()).grants[0].id
    at = now + timedelta(hours=1)
    await voice.says("granted", at, k="pin", g=grant)
    await voice.says("opened", at)
    await voice.says("closed", at + timedelta(minutes=8), dur_s=480)
    await voice.says("rex", at + timedelta(minutes=72), k="rex")
    await voice.says("closed", at + timedelta(minutes=73))
    await settled(hall, device, voice, now + timedelta(hours=7))
    found = (await locks.facts_of([booking]))[booking]

    assert (found.first_entry_at, found.last_use_at) == (at, at + timedelta(minutes=73))
    assert (found.never_used, found.overtime_s, found.held_s, found.forced) == (False, 13 * 60, 480, 0)
    assert found.is_final


async def test_nobody_came__is_proved_only_by_a_door_that_had_the_code_and_was_heard_afterwards(
    hall: Hall, device: Device, voice: Voice, now: datetime
) -> None:
    proved = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    await facts.settle_facts(now + timedelta(hours=3))
    unheard = (await locks.facts_of([proved]))[proved]
    assert (unheard.never_used, unheard.is_final) == (None, False)
    dark = await hall.book(hours(now, 2, 3), now)  # it never reached the door
    await settled(hall, device, voice, now + timedelta(hours=5))
    found = await locks.facts_of([proved, dark])

    assert (found[proved].never_used, found[proved].is_final) == (True, True)
    assert found[dark].never_used is None
    assert await facts.settle_facts(now + timedelta(hours=6)) == 0


async def test_the_next_bookings_events__are_not_the_first_ones_overtime(
    hall: Hall, device: Device, voice: Voice, now: datetime
) -> None:
    first = await hall.book(hours(now, 1, 2), now)
    second = await hall.book(hours(now, 2.5, 3), now)
    await device.publish(now)
    await device.report(now)
    one, two = [grant.id for grant in (await device.snapshot()).grants]
    await voice.says("granted", now + timedelta(hours=1), k="pin", g=one)
    await voice.says("granted", now + timedelta(hours=2, minutes=20), k="pin", g=two)
    await voice.says("opened", now + timedelta(hours=2, minutes=20))
    await settled(hall, device, voice, now + timedelta(hours=5))
    found = await locks.facts_of([first, second])

    assert (found[first].overtime_s, found[second].never_used) == (0, False)


async def test_the_event_log__is_searched_exported_journalled_and_forgotten_by_rule(
    hall: Hall, voice: Voice, now: datetime
) -> None:
    await voice.says("denied", now, k="pin", why="unknown")
    await voice.says("opened", now + timedelta(minutes=1))
    await voice.says("opened", now + timedelta(days=1), d="d2")
    everything = Search(TOWN)
    found, total = await locks.search(everything, by=staff(), now=now, limit=2, offset=0)
    assert (total, [one.kind for one in found]) == (3, ["opened", "opened"])
    for search, kinds in (
        (Search(TOWN, kind="denied"), ["denied"]),
        (Search(TOWN, door=hall.changing), ["opened"]),
        (Search(TOWN, end=now + timedelta(hours=1)), ["opened", "denied"]),
    ):
        hits, _ = await locks.search(search, by=staff(), now=now, limit=9, offset=0)
        assert [one.kind for one in hits] == kinds
    text = (await locks.export(everything, by=staff(), now=now)).decode("utf-8-sig")
    assert len(text.splitlines()) == 4
    assert text.startswith("id;at;received_at;")
    reads = "SELECT count(*) FROM journal WHERE action = 'door.events_read'"
    assert await db.value(int, reads) == 5
    with pytest.raises(NotFound):
        await locks.search(everything, by=staff("2480"), now=now, limit=9, offset=0)

    assert event_log._cell("=cmd()") == "'=cmd()"
    await db.run("INSERT INTO access_policy (municipality, events_kept_days) VALUES ($1, 30)", TOWN)
    assert await locks.forget_events(now + timedelta(days=30, hours=1)) == 2
    assert REPORT["rs"] == 1
