import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from booking.controller.core import Arrived
from booking.lockwire import ids, snapshot
from booking.lockwire.envelope import seal
from booking.lockwire.messages import Bad, EventAck, Refusal, Status
from booking.lockwire.snapshot import DAY, DEFAULT_POLICY, Door
from tests.controller.conftest import DOOR, NAME, PIN, T0, Bench, a_grant, a_snapshot

INSIDE = T0 + 2_000
ALL = a_snapshot(
    a_grant(),
    a_grant("follower", "739150", "member", after="grant-001"),
    a_grant("once-001", "111222", max=1),
    a_grant("staff-01", "424243", "staff"),
)


def test_a_snapshot__is_stored_then_reported_with_its_digest(bench: Bench) -> None:
    report = bench.take(ALL, (4, 812))

    assert report.dig == snapshot.digest(snapshot.encode(ALL))
    assert (bench.controller.stored.epoch, bench.controller.stored.ver) == (4, 812)  # type: ignore[union-attr]
    assert report.bad is None
    assert report.rej == []


def test_the_window__opens_the_door_and_nothing_else_does(bench: Bench) -> None:
    bench.take(ALL)
    tried = {at: bench.press(PIN, at=at) for at in (T0 + 999, T0 + 1_000, T0 + 4_999, T0 + 5_000)}

    assert tried == {T0 + 999: "early", T0 + 1_000: "granted", T0 + 4_999: "granted", T0 + 5_000: "late"}
    assert [bench.press(pin, at=INSIDE) for pin in ("4216", "04216")] == ["unknown", "unknown"]
    assert bench.moved[-2:] == ["unlock d1", "unlock d1"]


def test_a_released_door__locks_again_by_itself(bench: Bench) -> None:
    bench.take(ALL)
    bench.press(PIN, at=INSIDE)
    bench.wait(2)
    assert bench.report().doors["d1"].lock == "unlocked"
    bench.wait(4)
    bench.wait(1)

    assert bench.moved[-1] == "lock d1"
    assert bench.report().doors["d1"].lock == "locked"


def test_power_lost_at_any_time__the_stored_snapshot_goes_on_working(bench: Bench) -> None:
    bench.take(ALL, (2, 7))
    assert bench.press(PIN, at=INSIDE) == "granted"
    bench.press("111222", at=INSIDE)
    bench.boot()

    assert bench.press(PIN, at=INSIDE) == "granted"
    assert bench.press("739150", at=INSIDE) == "granted"  # the leader's opening is remembered
    assert bench.press("111222", at=INSIDE) == "used_up"  # and so is the only opening
    assert bench.report().boot > 1


def test_the_old_snapshot_replayed__changes_nothing_and_is_told(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()), (1, 5))
    old = bench.say("desired", snapshot.encode(a_snapshot(a_grant())), (1, 5))
    bench.take(a_snapshot(), (1, 6))
    bench.controller.receive(Arrived(ids.down(NAME, "desired"), old, retain=True))

    assert bench.press(PIN, at=INSIDE) == "unknown"
    assert "stale" in [event.e for event in bench.events()]


def test_the_stored_version_again__is_only_reported_again(bench: Bench) -> None:
    before = bench.take(ALL, (1, 5))
    again = bench.take(ALL, (1, 5))

    assert (again.dig, again.bad) == (before.dig, None)
    assert again.rs > before.rs


def test_the_stored_version_with_other_content__is_a_conflict(bench: Bench) -> None:
    bench.take(ALL, (1, 5))
    report = bench.take(a_snapshot(), (1, 5))

    assert report.bad == Bad(1, 5, "conflict")
    assert bench.press(PIN, at=INSIDE) == "granted"


def test_a_higher_epoch__wins_over_a_higher_version(bench: Bench) -> None:
    bench.take(ALL, (1, 900))
    bench.take(a_snapshot(), (2, 3))

    assert bench.press(PIN, at=INSIDE) == "unknown"


@pytest.mark.parametrize(
    ("octets", "why"),
    [(b"{}", "schema"), (b"junk", "schema"), (b" " * 49_153, "size")],
    ids=["incomplete", "junk", "too big"],
)
def test_a_broken_snapshot__leaves_the_old_one_in_force(bench: Bench, octets: bytes, why: str) -> None:
    bench.take(ALL, (1, 5))
    bench.say("desired", octets, (1, 6))
    bench.wait(2)

    assert bench.report().bad == Bad(1, 6, why)
    assert bench.press(PIN, at=INSIDE) == "granted"


def test_one_altered_bit__changes_nothing_and_is_reported(bench: Bench) -> None:
    bench.take(ALL, (1, 5))
    token = bench.say("desired", snapshot.encode(ALL), (1, 5))
    topic = ids.down(NAME, "desired")
    for at in (len(token) // 2, len(token) - 4):
        bench.controller.receive(Arrived(topic, token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]))
        bench.wait(2)
        assert bench.report().bad == Bad(1, 5, "decrypt")
    assert bench.press(PIN, at=INSIDE) == "granted"


def test_an_empty_payload__revokes_nothing(bench: Bench) -> None:
    bench.take(ALL)
    bench.controller.receive(Arrived(ids.down(NAME, "desired"), b"", retain=True))

    assert bench.press(PIN, at=INSIDE) == "granted"


def test_a_message_for_another_topic__is_dropped(bench: Bench) -> None:
    bench.take(ALL, (1, 5))
    topic = ids.down("hall-2", "desired")
    token = seal(snapshot.encode(a_snapshot()), bench.keys(), "dn", topic, 1, 6)
    bench.controller.receive(Arrived(ids.down(NAME, "desired"), token))

    assert bench.press(PIN, at=INSIDE) == "granted"


def test_an_empty_device__applies_nothing_before_a_fresh_answer_nor_below_it(bench: Bench) -> None:
    old, new = snapshot.encode(ALL), snapshot.encode(a_snapshot())
    bench.say("desired", old, (1, 4), retain=True)
    assert bench.controller.stored is None
    bench.answer_time((1, 5))
    assert bench.controller.stored is None
    bench.wait(2)
    assert bench.report().bad == Bad(1, 4, "floor")

    bench.say("desired", new, (1, 5), retain=True)
    assert bench.controller.stored is not None


def test_an_answer_that_comes_late_or_with_a_wrong_nonce__does_not_count(bench: Bench) -> None:
    bench.say("desired", snapshot.encode(ALL), (1, 4), retain=True)
    bench.say("time", {"n": "A" * 22, "utc_ms": T0 * 1_000})
    assert bench.controller.stored is None
    bench.elapsed_ms += 5_100
    bench.answer_time()
    assert bench.controller.stored is None
    bench.wait(0)
    bench.answer_time()
    assert bench.controller.stored is not None


def test_a_new_generation__drops_the_old_one_for_good(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(gens=(1, 2))
    bench.take(ALL, (1, 5), gen=1)
    bench.take(a_snapshot(), (2, 6), gen=2)
    bench.say("desired", snapshot.encode(ALL), (3, 7), gen=1)
    assert bench.press(PIN, at=INSIDE) == "unknown"

    bench.boot()
    bench.say("desired", snapshot.encode(ALL), (3, 8), gen=1)
    assert bench.press(PIN, at=INSIDE) == "unknown"


def test_grants_the_device_cannot_hold__are_refused_alone(bench: Bench) -> None:
    report = bench.take(a_snapshot(a_grant(), a_grant("retina-1", "739150", k="retina")))

    assert report.rej == [Refusal("retina-1", "unsupported")]
    assert bench.press(PIN, at=INSIDE) == "granted"


# -- without network, without clock ---------------------------------------------------------------


def test_the_end_of_the_horizon__leaves_only_staff(bench: Bench) -> None:
    long = [snapshot.Window(d=["d1"], nb=T0, na=T0 + 30 * DAY)]
    bench.take(a_snapshot(a_grant(w=long), a_grant("staff-01", "424243", "staff", w=long)))
    bench.controller.disconnected()
    tried = [bench.press(pin, at=T0 + 14 * DAY + off) for off in (-1, 0) for pin in (PIN, "424243")]

    assert tried == ["granted", "granted", "horizon", "granted"]


def test_booted_without_a_clock__only_staff_get_in_and_the_report_says_so(
    new_bench: Callable[..., Bench],
) -> None:
    bench = new_bench()
    bench.take(ALL)
    bench.wait(1_500)
    bench.host_offset_s = None
    bench.boot()

    assert [bench.press(pin) for pin in (PIN, "424243")] == ["clock", "granted"]
    assert bench.report().clk.src == "none"
    bench.answer_time((1, 1))
    bench.wait(2)
    assert bench.report().clk.src == "srv"
    assert bench.press(PIN) == "granted"


def test_a_host_clock_wrong_by_40_s__is_overruled_and_told(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(host_offset_s=40)
    bench.take(ALL)

    assert bench.report().clk.src == "srv"
    assert "clock" in [event.e for event in bench.events()]
    assert abs((bench.report().clk.utc_ms or 0) - (T0 * 1_000 + bench.elapsed_ms)) < 2_500


# -- the keypad ------------------------------------------------------------------------------------


def test_five_wrong_pins__lock_the_keypad_also_across_a_reboot(bench: Bench) -> None:
    bench.take(ALL)
    bench.wait(1_500)
    assert [bench.press(f"91827{i}") for i in range(5)] == ["unknown"] * 5
    assert bench.press(PIN) == "locked_out"
    bench.boot()
    assert bench.press(PIN) == "locked_out"
    bench.wait(61)

    assert bench.press(PIN) == "granted"
    assert "lockout" in [event.e for event in bench.events()]


# -- events ----------------------------------------------------------------------------------------


def test_events__are_numbered_without_gaps_across_reboots_and_acknowledged_once(bench: Bench) -> None:
    bench.take(ALL)
    bench.press(PIN, at=INSIDE)
    bench.boot()
    bench.press(PIN, at=INSIDE)
    last = bench.events()[-1]
    seqs = sorted({event.seq for event in bench.events()})
    assert seqs == list(range(1, last.seq + 1))

    bench.say("evack", EventAck(last.boot, last.seq))
    bench.sent.clear()
    bench.boot()
    assert [event.e for event in bench.events()] == ["boot"]


def test_an_event_nobody_acknowledged__is_sent_again_after_30_s(bench: Bench) -> None:
    bench.take(ALL)
    bench.press(PIN, at=INSIDE)
    bench.sent.clear()
    bench.wait(20)
    assert bench.events() == []
    bench.wait(15)

    assert "granted" in [event.e for event in bench.events()]


def test_events_made_offline_beyond_the_ring__say_how_many_are_lost(bench: Bench) -> None:
    bench.take(ALL)
    (first,) = bench.events()[:1]
    bench.say("evack", EventAck(first.boot, 10**9))
    with bench.controller.store.change():
        for number in range(5_100):
            bench.controller.store.add_event(msgspec.structs.replace(first, seq=100 + number))
    bench.sent.clear()
    bench.boot()
    lost = bench.events()[0].lost
    kept: list[int] = []
    while len(kept) < 5_000:
        news = bench.events()
        kept += [event.seq for event in news]
        bench.sent.clear()
        bench.say("evack", EventAck(news[-1].boot, news[-1].seq))

    assert kept == list(range(201, 5_201))  # the last one is the boot
    assert lost == 101


def test_no_event_and_no_log__holds_a_pin_typed(bench: Bench, tmp_path: Path) -> None:
    bench.take(ALL)
    typed = [f"{number:06}" for number in range(310_000, 310_200)]
    for pin in typed:
        bench.press(pin, at=INSIDE)
        bench.elapsed_ms += 3_700_000
    bodies = b"".join(row[0] for row in sqlite3.connect(tmp_path / "c.db").execute("SELECT body FROM event"))

    assert not [pin for pin in typed if f'"{pin}"'.encode() in bodies]
    assert PIN not in repr(bench.controller.stored) + repr(bench.controller.snapshot)


def test_the_same_wrong_pin_twice__has_the_same_tag_and_another_has_not(bench: Bench) -> None:
    bench.take(ALL)
    for pin in ("918271", "918271", "918272"):
        bench.press(pin, at=INSIDE)
    tags = [event.tag for event in bench.events() if event.e == "denied"]

    assert tags[0] == tags[1] != tags[2]


# -- commands --------------------------------------------------------------------------------------


def test_an_open_command__releases_once_and_answers_the_same_twice(bench: Bench) -> None:
    bench.take(ALL)
    first = bench.order("open", 41, d="d1", id="open-0001")
    second = bench.order("open", 41, d="d1", id="open-0001")

    assert first.ok
    assert second == first
    assert bench.moved.count("unlock d1") == 1


REFUSED = [
    ("retained", "retained", {"retain": True}),
    ("too late", "expired", {"exp": T0 - 5}),
    ("old number", "stale", {"n": 40, "id": "command-late"}),
    ("old epoch", "stale", {"version": (0, 1)}),
    ("unknown door", "door", {"d": "d9"}),
    ("unknown op", "unsupported", {"op": "explode"}),
]


@pytest.mark.parametrize(("why", "more"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_command_that_must_not_act__opens_nothing(bench: Bench, why: str, more: dict[str, object]) -> None:
    bench.take(ALL)
    bench.order("identify", 40)
    moved = list(bench.moved)
    values = {"op": "open", "n": 50, "d": "d1", **more}
    result = bench.order(**values)  # type: ignore[arg-type]

    assert (result.ok, result.why) == (False, why)
    assert bench.moved == moved


def test_lockdown__keeps_everyone_but_staff_out_until_a_newer_snapshot(bench: Bench) -> None:
    bench.take(ALL)
    bench.order("lockdown", 60, d="d1")
    assert [bench.press(pin, at=INSIDE) for pin in (PIN, "424243")] == ["mode", "granted"]
    assert bench.order("open", 61, d="d1").why == "mode"

    bench.take(a_snapshot(a_grant()), (1, 2))
    assert bench.press(PIN, at=INSIDE) == "mode"  # mode_n 0 knows nothing of the command
    freed = Door(unlock_s=5, held_s=300, mode="normal", mode_n=62, mode_until=None)
    bench.take(a_snapshot(a_grant(), doors={"d1": freed}), (1, 3))
    assert bench.press(PIN, at=INSIDE) == "granted"


def test_unlocked__ends_by_itself(bench: Bench) -> None:
    bench.take(ALL)
    until = T0 + bench.elapsed_ms // 1_000 + 60
    assert bench.order("unlock", 70, d="d1", until=until).ok
    assert bench.moved[-1] == "unlock d1"
    bench.wait(61)

    assert bench.moved[-1] == "lock d1"


def test_list__shows_windows_and_never_pins(bench: Bench) -> None:
    bench.take(ALL)
    result = bench.order("list", 80)

    assert [each.id for each in result.grants] == [grant.id for grant in ALL.grants]  # type: ignore[union-attr]
    assert PIN not in msgspec.json.encode(result).decode()


# -- presence --------------------------------------------------------------------------------------


def test_each_connection__has_its_own_id_in_will_status_and_report(bench: Bench) -> None:
    def statuses() -> list[Status]:
        return [
            msgspec.json.decode(out.payload, type=Status)
            for out in bench.sent
            if out.topic.endswith("status")
        ]

    first = bench.report().sid
    will = json.loads(bench.controller.connecting().payload)
    bench.controller.connected()

    assert will["st"] == "offline"
    assert will["sid"] == bench.report().sid == statuses()[-1].sid
    assert will["sid"] != first


def test_defaults__are_those_of_the_protocol() -> None:
    assert (DEFAULT_POLICY.tries, DEFAULT_POLICY.lock_s, DEFAULT_POLICY.max_s) == (5, 60, 3_600)
    assert DOOR.unlock_s == 5
