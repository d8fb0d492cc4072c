"""Contacts, modes and keypads of one controller, on a clock the test turns."""

import msgspec
import pytest
from paho.mqtt.client import MQTTMessage

from booking.controller.link import Link
from booking.lockwire.messages import Power
from tests.controller.conftest import PIN, T0, Bench, a_grant, a_snapshot

INSIDE = T0 + 2_000


def told(bench: Bench) -> list[str]:
    """Each event once, in order, however often it was sent."""
    return list({event.seq: event.e for event in bench.events()}.values())


def test_a_door_without_a_contact__is_at_an_unknown_position(bench: Bench) -> None:
    assert bench.take(a_snapshot(a_grant())).doors["d1"].pos == "unknown"


def test_a_door_opened_by_right__is_told_as_opened_and_closed(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.controller.sense("d1", "closed")
    bench.press(PIN, at=INSIDE)
    bench.controller.sense("d1", "opened")
    bench.controller.sense("d1", "opened")  # contacts bounce
    bench.wait(2)
    assert bench.report().doors["d1"].pos == "open"
    bench.controller.sense("d1", "closed")

    assert told(bench)[-3:] == ["granted", "opened", "closed"]


def test_a_door_opened_by_nobody_s_right__is_forced(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.controller.sense("d1", "closed")
    bench.controller.sense("d1", "opened")

    assert told(bench)[-1] == "forced"


def test_a_request_to_exit__makes_the_opening_nobody_s_force(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.controller.sense("d1", "closed")
    moved = list(bench.moved)
    bench.controller.sense("d1", "rex")
    bench.controller.sense("d1", "opened")

    assert told(bench)[-2:] == ["rex", "opened"]
    assert bench.moved == moved  # egress is mechanical


def test_a_door_left_open__is_held_once_and_says_for_how_long(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.controller.sense("d1", "closed")
    bench.press(PIN, at=INSIDE)
    bench.controller.sense("d1", "opened")
    for _ in range(4):
        bench.wait(100)
    bench.controller.sense("d1", "closed")

    assert told(bench).count("held") == 1
    assert bench.events()[-1].dur_s == 400


def test_another_source_of_power__is_an_event_and_a_report(bench: Bench) -> None:
    bench.take(a_snapshot())
    bench.controller.powered(Power(src="battery", bat=81))
    bench.wait(2)

    assert told(bench)[-1] == "power"
    assert bench.report().pw == Power(src="battery", bat=81)


def test_a_lockdown_while_the_bolt_is_free__drops_it_at_once(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.press(PIN, at=INSIDE)
    bench.order("lockdown", 60, d="d1")

    assert bench.moved[-2:] == ["unlock d1", "lock d1"]


def test_wrong_pins_at_one_door__lock_its_keypad_and_no_other(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant(), a_grant("staff-01", "424243", "staff")))
    bench.wait(1_500)
    for number in range(5):
        bench.press(f"91827{number}", door="d2")

    assert bench.press(PIN, door="d2") == "locked_out"
    assert bench.press(PIN, door="d1") == "granted"


def test_a_clock_set_back_by_a_year__does_not_prolong_a_lock_out(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.host_offset_s = 365 * 86_400
    bench.controller.disconnected()
    for number in range(5):
        bench.press(f"91827{number}")
    bench.host_offset_s = 0
    assert bench.press(PIN) == "locked_out"
    bench.wait(3_601)

    assert bench.press(PIN) == "granted"


# -- the clock -------------------------------------------------------------------------------------


def test_a_host_clock_before_the_snapshot_was_built__is_no_clock(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.host_offset_s = -3 * 86_400
    bench.boot()

    assert bench.press(PIN) == "clock"
    assert bench.report().clk.src == "none"


def test_a_host_that_finds_the_time_later__is_believed_without_any_server(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.wait(1_500)
    bench.host_offset_s = None
    bench.boot()
    assert bench.press(PIN) == "clock"
    bench.host_offset_s = 0
    bench.wait(1)

    assert bench.press(PIN) == "granted"


def test_a_clock_slow_by_minutes__runs_on_from_the_instant_a_snapshot_proves(bench: Bench) -> None:
    bench.take(a_snapshot())
    built = T0 + 120
    bench.take(a_snapshot(iat=built), (1, 2))
    first = bench.report().clk.utc_ms or 0
    bench.wait(10)
    bench.controller.act_resync()
    bench.wait(1)

    assert first >= built * 1_000
    assert (bench.report().clk.utc_ms or 0) - first >= 10_000  # it does not stand still


def test_the_host_clock_stepping_by_an_hour__is_an_event(bench: Bench) -> None:
    bench.take(a_snapshot())
    bench.host_offset_s = 3_600
    bench.wait(1)

    assert told(bench)[-1] == "clock"


# -- once and only once ----------------------------------------------------------------------------


def test_a_listing_in_parts_asked_twice__is_answered_alike_twice(bench: Bench) -> None:
    many = [a_grant(f"grant-{number:030}", f"{number:06}") for number in range(250)]
    bench.take(a_snapshot(*many))
    bench.order("list", 80)
    first = [out for out in bench.sent if out.correlation]
    bench.sent.clear()
    bench.order("list", 80)

    assert len(first) > 1
    assert len([out for out in bench.sent if out.correlation]) == len(first)


def test_a_thousand_copies_of_an_old_snapshot__are_one_event(bench: Bench) -> None:
    from booking.controller.core import Arrived
    from booking.lockwire import ids, snapshot
    from tests.controller.conftest import NAME

    bench.take(a_snapshot(), (1, 5))
    old = bench.say("desired", snapshot.encode(a_snapshot()), (1, 4))
    for _ in range(1_000):
        bench.controller.receive(Arrived(ids.down(NAME, "desired"), old))

    assert told(bench).count("stale") == 1


def test_a_replay_of_everything__comes_two_hundred_at_a_time(bench: Bench) -> None:
    bench.take(a_snapshot())
    event = bench.events()[0]
    with bench.controller.store.change():
        for number in range(1_000):
            bench.controller.store.add_event(msgspec.structs.replace(event, seq=100 + number))
    bench.sent.clear()
    bench.order("replay", 90, from_=(event.boot, 100), to=(event.boot, 1_099))
    assert len(bench.events()) == 200
    for _ in range(5):
        bench.wait(0.5)

    assert [each.seq for each in bench.events()] == list(range(100, 1_100))


def test_answers_kept_by_an_older_program__do_not_stop_a_command(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    store = bench.controller.store
    store._db.execute("INSERT INTO result (id, body) VALUES ('command-0041', '{}')")
    store.put("last_n", 41)

    assert bench.order("identify", 41).why == "stale"


def test_a_relay_that_breaks__leaves_the_wire_alive(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    link = Link("mqtt://127.0.0.1:1", "", bench.controller, said.append)

    def broken(_message: object) -> None:
        raise OSError("the relay is gone")

    monkeypatch.setattr(bench.controller, "receive", broken)  # stands for hardware that fails
    message = MQTTMessage(topic=b"lk/v1/hall-1/dn/cmd")
    message.payload = b"x"
    link._on_message(link._client, None, message)

    assert said == ["ALARM: a message could not be carried out: OSError"]
