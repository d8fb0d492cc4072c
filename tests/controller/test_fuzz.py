"""100,000 hostile payloads at each side's decoding; neither raises, neither opens, both go on working."""

import msgspec
import pytest

from booking.conformance.schemas import BODIES
from booking.conformance.vectors import COMMAND, EVENT, REPORT
from booking.controller.core import Arrived
from booking.lockwire import ids, snapshot
from booking.lockwire.envelope import Dropped, unseal
from booking.lockwire.messages import EventAck, TimeAnswer
from booking.lockwire.strict import StrictError, parse
from tests.controller.conftest import NAME, PIN, T0, Bench, a_grant, a_snapshot
from tests.lockwire.fuzz import Base, payloads

COUNT, SEED = 100_000, 20_261_122
REPLAY = {**COMMAND, "op": "replay", "from": [1, 1], "to": [1, 9]}


def down_bases() -> list[Base]:
    bodies: dict[ids.Down, list[object]] = {
        "desired": [a_snapshot(a_grant(), a_grant("follower", "739150", "member", after="grant-001"))],
        "cmd": [{**COMMAND, "op": "list"}, {**COMMAND, "op": "lockdown"}, REPLAY],
        "evack": [EventAck(1, 5)],
        "time": [TimeAnswer("A" * 22, T0 * 1_000)],
    }
    return [
        Base(ids.down(NAME, name), msgspec.json.encode(body))
        for name, several in bodies.items()
        for body in several
    ]


@pytest.mark.timeout(110)
def test_a_hundred_thousand_fuzzed_payloads__never_open_a_door_and_never_raise(bench: Bench) -> None:
    bench.take(a_snapshot(a_grant()))
    bench.controller.store._db.execute("PRAGMA synchronous = OFF")  # it is not the disk that is tested
    bench.moved.clear()
    for number, (topic, payload) in enumerate(payloads(SEED, COUNT, down_bases(), bench.keys(), "dn")):
        bench.controller.receive(Arrived(topic, payload, retain=number % 7 == 0))
        if number % 1_000 == 0:
            bench.sent.clear()
            bench.wait(1)

    assert not [move for move in bench.moved if move.startswith("unlock")]
    assert bench.controller.dropped > COUNT / 2
    good = snapshot.Door(unlock_s=5, held_s=300, mode="normal", mode_n=2**53 - 1, mode_until=None)
    report = bench.take(a_snapshot(a_grant(), doors={"d1": good}), (2_000_000, 1))
    assert report.bad is None
    assert bench.press(PIN, at=T0 + 2_000) == "granted"


UP = {"reported": "report", "evt": "events", "res": "result", "time": "time-request"}


def up_bases() -> list[Base]:
    bodies: dict[ids.Up, object] = {
        "reported": REPORT,
        "evt": {"ev": [{**EVENT, "e": "granted", "k": "pin", "g": "grant-001"}]},
        "res": {"id": "command-1", "n": 41, "ok": False, "why": "expired"},
        "time": {"n": "A" * 22, "utc_ms": None, "err_ms": None},
    }
    return [Base(ids.up(NAME, name), msgspec.json.encode(body)) for name, body in bodies.items()]


@pytest.mark.timeout(110)
def test_a_hundred_thousand_fuzzed_payloads__leave_the_server_s_decoding_with_two_answers() -> None:
    """Opened and of the right form, or Dropped or StrictError: the only two that incoming.py knows."""
    keys, good = Bench.keys(), 0
    for topic, payload in payloads(SEED + 1, COUNT, up_bases(), keys, "up"):
        name = topic.rsplit("/", 1)[1]
        try:
            parse(unseal(payload, [keys], "up", topic).plain, BODIES[UP[name]])
            good += 1
        except (Dropped, StrictError):
            continue

    assert 0 < good < COUNT / 5
