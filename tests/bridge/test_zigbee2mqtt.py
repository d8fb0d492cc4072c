"""The Zigbee driver against zigbee2mqtt's real converters and ZCL encoder, run by Node; only the lock is simulated."""

import json
from collections.abc import Iterator

import pytest

from booking.bridge.contract import Held, Message
from booking.bridge.drivers.zigbee2mqtt import Zigbee2Mqtt
from tests.bridge.parts import HOUR, LockBench, NodeParts, code

TOPIC = "zigbee2mqtt/entrance"


@pytest.fixture
def gateway() -> Iterator[NodeParts]:
    parts = NodeParts("zigbee.cjs", is_done=lambda answer: "done" in answer)
    yield parts
    parts.stop()


@pytest.fixture
def bench(gateway: NodeParts) -> LockBench:
    return LockBench(Zigbee2Mqtt("entrance", slots=4), gateway)


def test_a_code_with_leading_zeros__becomes_the_right_frame_and_is_read_back(
    bench: LockBench, gateway: NodeParts
) -> None:
    bench.want(code("0042"))
    # set PIN: user 1, enabled (1), unrestricted (0), four octets "0042"
    assert any(frame[6:] == "0100" + "01" + "00" + "0430303432" for frame in gateway.frames)
    assert (bench.device.proved(), gateway.errors) == ({"grant-001"}, [])


def test_every_payload_of_the_driver__is_accepted_by_the_converters(
    bench: LockBench, gateway: NodeParts
) -> None:
    bench.want(code("0042"), code("771234", grants=["grant-002"]))
    bench.want(code("771234", grants=["grant-002"]))
    for message in (*bench.driver.release(True), *bench.driver.release(False)):
        for answer in gateway.take(message):
            bench.tell(answer)
    assert gateway.errors == []
    assert {message.topic for message in bench.sent} == {f"{TOPIC}/set", f"{TOPIC}/get"}
    assert [each.what for each in bench.seen if each.what.endswith("locked")] == ["unlocked", "locked"]


def test_a_removed_code__is_gone_only_when_the_slot_reads_free(bench: LockBench, gateway: NodeParts) -> None:
    bench.want(code("0042"))
    gateway.say({"fault": "forget"})
    bench.want(seconds=60)
    assert bench.device.lingering() == {"grant-001"}
    gateway.say({"fault": None})
    bench.wait(600)
    assert bench.device.lingering() == set()
    assert any("clear failed" in text for text in bench.said)


@pytest.mark.parametrize("fault", ["refuse", "silent", "forget"])
def test_a_lock_that_refuses_or_is_silent__is_failure_not_success(
    bench: LockBench, gateway: NodeParts, fault: str
) -> None:
    gateway.say({"fault": fault})
    bench.want(code("0042"), seconds=60)
    assert bench.device.proved() == set()
    gateway.say({"fault": None})
    bench.wait(600)
    assert bench.device.proved() == {"grant-001"}


def test_a_code_the_lock_already_holds_elsewhere__is_not_believed(
    bench: LockBench, gateway: NodeParts
) -> None:
    gateway.say({"holds": [99, "0042"]})
    bench.want(code("0042"), seconds=60)
    assert bench.device.proved() == set()


def test_a_cached_state_published_for_other_reasons__proves_nothing(bench: LockBench) -> None:
    bench.is_cut = True
    bench.want(code("0042"))
    stale = {"users": {"1": {"status": "available"}}, "last_successful_pincode_save": 1, "battery": 80}
    bench.tell(Message(TOPIC, json.dumps(stale).encode()))
    bench.wait(40)
    assert bench.device.proved() == set()


def test_a_code_changed_at_the_keypad__is_read_anew_and_put_back(
    bench: LockBench, gateway: NodeParts
) -> None:
    bench.want(code("0042"))
    gateway.say({"topic": f"{TOPIC}/set", "payload": '{"pin_code":{"user":1,"pin_code":null}}'})
    event = {"programeventsrc": 0, "programeventcode": 3, "userid": 1, "pin": [48], "usertype": 0, "userstatus": 0,
             "zigbeelocaltime": 0, "data": [0]}  # fmt: skip
    for message in gateway.told(
        gateway.say({"event": {"command": "programmingEventNotification", "data": event}})
    ):
        bench.tell(message)
    bench.pump()
    assert any("has lost a code" in text for text in bench.said)
    assert bench.device.proved() == {"grant-001"}


def test_a_code_disabled_at_the_lock__is_found_and_put_back(bench: LockBench, gateway: NodeParts) -> None:
    bench.want(code("0042"))
    gateway.say({"disables": 1})
    sets = [frame[4:6] for frame in gateway.frames].count("05")
    bench.wait(6 * HOUR + 60)
    assert any("has lost a code" in text for text in bench.said)
    assert [frame[4:6] for frame in gateway.frames].count("05") == sets + 1
    assert bench.device.proved() == {"grant-001"}


@pytest.mark.parametrize(("pin", "is_ours"), [("0042", True), (None, True), ("771234", False)])
def test_a_lock_that_shows_its_pins__is_surveyed_by_them(pin: str | None, is_ours: bool) -> None:
    held = Held(slot=0, pin="0042", windows=(), grants=("grant-001",), state="in")
    asking = Zigbee2Mqtt("entrance", slots=1).survey([held])
    next(asking)
    user = {"status": "enabled", "pin_code": pin}
    with pytest.raises(StopIteration) as found:
        asking.send(Message(TOPIC, json.dumps({"users": {"1": user}}).encode()))
    assert found.value.value.slots == ({0} if is_ours else set())


def test_who_opened__is_told_by_slot(bench: LockBench, gateway: NodeParts) -> None:
    bench.want(code("0042"))
    data = {
        "opereventsrc": 0,
        "opereventcode": 2,
        "userid": 1,
        "pin": [48],
        "zigbeelocaltime": 0,
        "data": [0],
    }
    for message in gateway.told(
        gateway.say({"event": {"command": "operationEventNotification", "data": data}})
    ):
        bench.tell(message)
    assert [(each.what, each.slot) for each in bench.seen] == [("granted", 0)]


def test_slots_people_use__are_cleared_only_in_our_range(gateway: NodeParts) -> None:
    gateway.say({"holds": [0, "999999"]})
    gateway.say({"holds": [3, "888888"]})
    bench = LockBench(Zigbee2Mqtt("entrance", slots=4), gateway)
    bench.want(code("0042"))
    assert any("nobody wanted" in text for text in bench.said)
    assert [f for f in gateway.frames if f[4:6] == "07"] == [f for f in gateway.frames if f[4:10] == "070300"]


def test_a_slot_beyond_the_lock__is_refused_by_the_converter_and_never_proved(gateway: NodeParts) -> None:
    bench = LockBench(Zigbee2Mqtt("entrance", first=gateway.hello["slots"], slots=1), gateway)
    bench.want(code("0042"), seconds=60)
    assert gateway.errors
    assert bench.device.proved() == set()


def test_a_lock_with_stamps_only__is_believed_on_a_new_stamp() -> None:
    stamps = NodeParts("zigbee.cjs", "easyCodeTouch_v1", is_done=lambda answer: "done" in answer)
    try:
        bench = LockBench(Zigbee2Mqtt("entrance", slots=4, reads_back=False), stamps)
        bench.want(code("0042"))
        assert bench.device.proved() == {"grant-001"}
        stamps.say({"fault": "refuse"})
        bench.want(code("0042"), code("771234", grants=["grant-002"]), seconds=60)
        assert bench.device.proved() == {"grant-001"}
    finally:
        stamps.stop()
