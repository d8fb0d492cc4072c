"""The Z-Wave driver against the real zwave-js over TCP and its own mock lock, run by Node."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from booking.bridge.contract import Message
from booking.bridge.drivers.zwave_js_ui import DISABLED, ZwaveJsUi
from tests.bridge.parts import HOUR, T0, LockBench, NodeParts, code
from tests.bridge.test_core import BridgeBench, a_grant

ZONE = ZoneInfo("Europe/Stockholm")
NODE = 5
CODES = {"nodeId": NODE, "commandClass": 99, "endpoint": 0}


@pytest.fixture(scope="module")
def gateway() -> Iterator[NodeParts]:
    parts = NodeParts("zwave.cjs", is_done=lambda answer: True)
    yield parts
    parts.stop()


@pytest.fixture
def bench(gateway: NodeParts) -> Iterator[LockBench]:
    bench = LockBench(ZwaveJsUi(NODE, ZONE, slots=2, windows=2), gateway)
    gateway.take = faulty(gateway)  # type: ignore[method-assign]
    yield bench
    fault(gateway, None)
    bench.want(seconds=1_000)
    assert bench.device.held == {}, "every test leaves the lock as it found it"


def faulty(gateway: NodeParts) -> Any:
    def take(message: Message) -> list[Message]:
        return gateway.told(gateway.say({"topic": message.topic, "payload": message.payload.decode()}))

    return take


def fault(gateway: NodeParts, name: str | None) -> None:
    gateway.say({"fault": name, "look": 1})


def look(gateway: NodeParts, user: int) -> dict[str, Any]:
    found: dict[str, Any] = gateway.say({"look": user})[0]["look"]
    return found


def call(gateway: NodeParts, name: str, *args: object) -> None:
    """Somebody else on the locks' broker asks the gateway for something."""
    topic = f"zwave/_CLIENTS/ZWAVE_GATEWAY-zwave-js-ui/api/{name}/set"
    gateway.say({"topic": topic, "payload": json.dumps({"args": args, "n": 0})})


def test_a_code__is_enabled_in_the_lock_with_its_window_in_local_minutes(
    bench: LockBench, gateway: NodeParts
) -> None:
    bench.want(code("004216"))
    found = look(gateway, 1)
    start = datetime.fromtimestamp(T0, UTC).astimezone(ZONE)
    assert bench.device.proved() == {"grant-001"}
    assert (found["code"], found["status"]) == ("004216", 1)
    assert found["window"]["startHour"] == start.hour
    assert found["window"]["startMinute"] == start.minute


def test_a_code__is_never_enabled_before_it_has_its_window(bench: LockBench, gateway: NodeParts) -> None:
    bench.want(code("004216"))
    calls = [json.loads(message.payload)["args"] for message in bench.sent]
    sets = [position for position, args in enumerate(calls) if "set" in args]
    schedules = [position for position, args in enumerate(calls) if "yearly" in args]
    assert calls[sets[0]][2][1] == 2, "disabled"
    assert sets[0] < min(schedules) < max(schedules) < sets[-1]
    assert calls[sets[-1]][2][1] == 1, "enabled"


def test_two_windows_then_one__leave_no_surplus_window(bench: LockBench, gateway: NodeParts) -> None:
    bench.want(code("004216", (T0, T0 + HOUR), (T0 + 5 * HOUR, T0 + 6 * HOUR)))
    assert bench.device.proved() == {"grant-001"}
    bench.want(code("004216", (T0 + 5 * HOUR, T0 + 6 * HOUR)))
    assert bench.device.proved() == {"grant-001"}
    deleted = [m for m in bench.sent if json.loads(m.payload)["args"][-1] == {"userId": 1, "slotId": 2}]
    assert deleted


def test_a_removed_code__is_read_back_as_free(bench: LockBench, gateway: NodeParts) -> None:
    bench.want(code("004216"))
    bench.want()
    assert look(gateway, 1)["status"] == 0
    assert bench.device.lingering() == set()


def test_a_code_another_user_has__is_refused_as_a_duplicate(bench: LockBench, gateway: NodeParts) -> None:
    call(gateway, "sendCommand", CODES, "set", [9, 1, "004216"])
    bench.want(code("004216"))
    assert bench.device.refusals() == {"grant-001": "dup"}
    assert bench.device.proved() == set()
    call(gateway, "sendCommand", CODES, "clear", [9])


def test_a_duplicate__is_told_to_the_server_and_holds_up_no_other(tmp_path: Path, gateway: NodeParts) -> None:
    call(gateway, "sendCommand", CODES, "set", [9, 1, "004216"])
    bridge = BridgeBench(tmp_path, {"d1": ZwaveJsUi(NODE, ZONE, slots=2, windows=2)}, [gateway])
    bridge.desire(a_grant("grant-001", "004216"), a_grant("grant-002", "771299"))
    bridge.wait(120)
    report, found = bridge.report(), [look(gateway, user)["code"] for user in (1, 2)]
    bridge.desire()
    bridge.wait(60)
    call(gateway, "sendCommand", CODES, "clear", [9])
    assert {each.id: each.why for each in report.rej} == {"grant-001": "dup"}
    assert (report.pend, "771299" in found) == ([], True)


def test_success_without_effect__is_not_believed(bench: LockBench, gateway: NodeParts) -> None:
    fault(gateway, "forget")
    bench.want(code("004216"), seconds=60)
    assert bench.device.proved() == set()
    assert any("reads back another code" in text for text in bench.said)


def test_silence__is_failure(bench: LockBench) -> None:
    bench.is_cut = True
    bench.want(code("004216"), seconds=120)
    assert bench.device.proved() == set()
    bench.is_cut = False
    bench.wait(600)
    assert bench.device.proved() == {"grant-001"}


def test_a_user_beyond_the_lock__is_refused_for_want_of_room(gateway: NodeParts) -> None:
    bench = LockBench(ZwaveJsUi(NODE, ZONE, first=11, slots=1), gateway)
    bench.want(code("004216"), seconds=2)
    assert bench.device.refusals() == {"grant-001": "full"} or bench.device.proved() == set()


def test_an_answer_to_somebody_else__is_not_ours(bench: LockBench, gateway: NodeParts) -> None:
    bench.is_cut = True
    bench.want(code("004216"))
    other = {"success": True, "result": {"userIdStatus": 0, "userCode": ""}, "origin": {"args": [], "n": 777}}
    bench.tell(
        Message("zwave/_CLIENTS/ZWAVE_GATEWAY-zwave-js-ui/api/sendCommand", json.dumps(other).encode())
    )
    sent = len(bench.sent)
    bench.pump()
    assert len(bench.sent) == sent
    bench.is_cut = False
    bench.wait(600)


@pytest.mark.parametrize(
    "lost", [{"slotId": 1}, {"slotId": 1, "startHour": 0}, {"slotId": 2, "startHour": 0}]
)
def test_a_window_lost_changed_or_added_at_the_lock__is_found_and_put_right(
    bench: LockBench, gateway: NodeParts, lost: dict[str, int]
) -> None:
    """A code without a window opens always, so it is disabled until it has one again."""
    bench.want(code("004216"))
    before, done = look(gateway, 1), len(bench.sent)
    whole = {} if len(lost) == 1 else {**before["window"], **lost}
    call(gateway, "setSchedule", NODE, "yearly", {"userId": 1, **whole, **lost})
    bench.wait(5 * HOUR)
    assert not any("has lost a code" in text for text in bench.said)
    bench.wait(HOUR + 60)
    assert any("has lost a code" in text for text in bench.said)
    assert (look(gateway, 1), bench.device.proved()) == (before, {"grant-001"})
    told = [
        (message.topic.split("/")[-2], json.loads(message.payload)["args"]) for message in bench.sent[done:]
    ]
    names = [name for name, _ in told]
    assert names.index("syncNodeDateAndTime") < names.index("setSchedule"), "its clock may be lost as well"
    if not whole:
        first_set = next(args for _, args in told if "set" in args)
        assert first_set[2] == [1, DISABLED, "004216"]


def test_each_survey__finds_a_whole_code_whole_and_enables_its_schedule_again(
    bench: LockBench, gateway: NodeParts
) -> None:
    bench.want(code("004216"))
    done = len(bench.sent)
    bench.wait(13 * HOUR)
    names = [message.topic.split("/")[-2] for message in bench.sent[done:]]
    assert names.count("setEnabledSchedule") == 2
    assert "setSchedule" not in names


def test_who_opened_at_the_keypad__is_told_by_slot(bench: LockBench) -> None:
    data = [
        {"id": NODE},
        113,
        {"type": 6, "event": 6, "eventLabel": "Keypad unlock", "parameters": {"userId": 1}},
    ]
    topic = "zwave/_EVENTS_/ZWAVE_GATEWAY-zwave-js-ui/node/notification"
    bench.tell(Message(topic, json.dumps({"data": data}).encode()))
    assert [(each.what, each.slot) for each in bench.seen] == [("unlocked", None), ("granted", 0)]


def test_a_gateway_that_quotes_the_pin__is_not_quoted_in_the_log(bench: LockBench) -> None:
    bench.is_cut = True
    bench.want(code("004216"))
    asked = [json.loads(message.payload) for message in bench.sent]
    while "set" not in asked[-1]["args"]:  # answer what comes before the PIN is sent
        result: Any = {"userIdStatus": 0, "userCode": ""} if "get" in asked[-1]["args"] else True
        answer = {"success": True, "result": result, "origin": asked[-1]}
        bench.tell(Message(bench.sent[-1].topic.removesuffix("/set"), json.dumps(answer).encode()))
        bench.pump()
        asked = [json.loads(message.payload) for message in bench.sent]
    refusal = {"success": False, "message": "cannot set 004216", "origin": asked[-1]}
    bench.tell(Message(bench.sent[-1].topic.removesuffix("/set"), json.dumps(refusal).encode()))
    assert any("cannot set [PIN]" in text for text in bench.said)
    bench.is_cut = False
    bench.wait(60)
