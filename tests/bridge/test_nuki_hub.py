"""The Nuki driver against simulated_nuki_hub: what the firmware gets silently wrong is caught."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from booking.bridge.contract import Message
from booking.bridge.drivers.nuki_hub import NukiHub
from tests.bridge.parts import HOUR, T0, LockBench, code
from tests.bridge.simulated_nuki_hub import PATH, SimulatedNukiHub

ZONE = ZoneInfo("Europe/Stockholm")


@pytest.fixture
def hub() -> SimulatedNukiHub:
    return SimulatedNukiHub()


@pytest.fixture
def bench(hub: SimulatedNukiHub) -> LockBench:
    return LockBench(NukiHub(PATH, ZONE), hub)


def only(hub: SimulatedNukiHub) -> dict[str, object]:
    (entry,) = hub.entries.values()
    return entry


@pytest.mark.parametrize("topic", ["keypad/commandResultJson", "configuration/commandResultJson"])
def test_a_code__is_in_the_list_with_local_ends_and_then_proved(topic: str) -> None:
    hub = SimulatedNukiHub(result_topic=topic)
    bench = LockBench(NukiHub(PATH, ZONE), hub)
    bench.want(code("483926"))
    start = datetime.fromtimestamp(T0, UTC).astimezone(ZONE)
    assert bench.device.proved() == {"grant-001"}
    assert only(hub)["allowedFrom"] == f"{start:%Y-%m-%d %H:%M:%S}"
    assert only(hub)["timeLimited"] == 1
    assert bench.saved[0].key == "4001"


def test_a_removed_code__is_gone_only_when_the_list_lacks_it(bench: LockBench, hub: SimulatedNukiHub) -> None:
    bench.want(code("483926"))
    hub.fault = "forget"
    bench.want()
    assert bench.device.lingering() == {"grant-001"}
    hub.fault = None
    bench.wait(600)
    assert (bench.device.lingering(), hub.entries) == (set(), {})


def test_silence__is_failure_and_tried_again(bench: LockBench, hub: SimulatedNukiHub) -> None:
    hub.fault = "silent"
    bench.want(code("483926"), seconds=400)
    assert bench.device.proved() == set()
    assert any("no answer" in text for text in bench.said)
    hub.fault = None
    bench.wait(600)
    assert bench.device.proved() == {"grant-001"}


@pytest.mark.parametrize("fault", ["timeOut", "forget", "unlimited"])
def test_success_that_is_none__is_not_believed(bench: LockBench, hub: SimulatedNukiHub, fault: str) -> None:
    hub.fault = fault
    bench.want(code("483926"), seconds=60)
    assert bench.device.proved() == set()


def test_a_changed_window__is_an_update_that_says_everything(bench: LockBench, hub: SimulatedNukiHub) -> None:
    bench.want(code("483926"))
    bench.want(code("483926", (T0 + HOUR, T0 + 2 * HOUR)))
    assert len(hub.entries) == 1
    assert hub.actions[-1]["action"] == "update"
    assert {"code", "name", "enabled", "timeLimited", "allowedFrom", "allowedUntil"} <= set(hub.actions[-1])
    assert (only(hub)["timeLimited"], bench.device.proved()) == (1, {"grant-001"})


@pytest.mark.parametrize("left", [{"allowedFrom": "", "allowedUntil": "", "timeLimited": 0}, {"timeLimited": 0},
                                  {"enabled": 0}])  # fmt: skip
def test_a_code_toggled_in_the_app__has_lost_its_limit_and_is_mended(
    bench: LockBench, hub: SimulatedNukiHub, left: dict[str, object]
) -> None:
    bench.want(code("483926"))
    before = dict(only(hub))
    only(hub).update(left)
    bench.wait(6 * HOUR + 60)
    assert only(hub) == before
    assert any("lost a code" in text for text in bench.said)


def test_a_list_that_is_full__proves_no_absence(bench: LockBench, hub: SimulatedNukiHub) -> None:
    for number in range(9):
        hub.entries[number] = {"codeId": number, "code": f"99999{number}", "name": "Städ", "enabled": 1}
    bench.want(code("483926"))
    assert bench.device.proved() == {"grant-001"}  # the tenth is listed
    hub.entries[99] = {"codeId": 99, "code": "777777", "name": "Vaktmästare", "enabled": 1}
    bench.want(seconds=60)
    assert bench.device.lingering() == {"grant-001"}
    assert any("raise the limit" in text for text in bench.said)


def test_codes_of_people__are_left_alone_and_forgotten_ones_of_ours_cleared(hub: SimulatedNukiHub) -> None:
    hub.entries[7] = {"codeId": 7, "code": "999999", "name": "Vaktmästare", "enabled": 1, "timeLimited": 0}
    hub.entries[8] = {"codeId": 8, "code": "888888", "name": "lk-004", "enabled": 1, "timeLimited": 1}
    bench = LockBench(NukiHub(PATH, ZONE), hub)
    bench.want(code("483926"))
    assert sorted(each["name"] for each in hub.entries.values()) == ["Vaktmästare", "lk-000"]


def test_a_retained_list__answers_nothing(bench: LockBench, hub: SimulatedNukiHub) -> None:
    bench.is_cut = True
    bench.want(code("483926"))
    bench.tell(hub.list(retain=True))
    bench.wait(30)
    assert bench.device.proved() == set()


@pytest.mark.parametrize("pin", ["480926", "123456", "4839", "48392a", ""])
def test_pins_the_lock_would_alter__are_not_taken(bench: LockBench, pin: str) -> None:
    assert not bench.driver.declared.pin.takes(pin)
    assert bench.driver.declared.pin.takes("483926")


def test_what_the_lock_tells__is_seen(bench: LockBench) -> None:
    for topic, said in (("state", "unlatched"), ("doorSensorState", "doorOpened"), ("battery/level", "71")):
        bench.tell(Message(f"{PATH}/{topic}", said.encode()))
    assert [(each.what, each.value) for each in bench.seen] == [
        ("unlocked", None),
        ("opened", None),
        ("battery", 71),
    ]
    assert [message.payload for message in bench.driver.release(True)] == [b"unlatch"]
    assert json.loads(hub_list()) == []


def hub_list() -> bytes:
    return SimulatedNukiHub().list().payload
