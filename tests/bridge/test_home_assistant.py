"""Discovery for Home Assistant, held against the documented schema of lock.mqtt and binary_sensor.mqtt."""

import json

import pytest

from booking.bridge.contract import Message
from booking.bridge.drivers.home_assistant import HomeAssistant
from booking.lockwire.messages import DoorReport

# Keys the documentation knows, of those an entity of ours could have (home-assistant.io/integrations/lock.mqtt,
# /binary_sensor.mqtt, /docs mqtt discovery).
COMMON = {"name", "unique_id", "object_id", "state_topic", "availability_topic", "device", "origin", "qos"}
LOCK = COMMON | {"command_topic", "payload_lock", "payload_unlock", "payload_open", "state_locked", "state_unlocked",
                 "optimistic"}  # fmt: skip
CONTACT = COMMON | {"device_class", "payload_on", "payload_off"}
DEVICE = {"identifiers", "name", "manufacturer", "model", "sw_version"}
SHOWN = HomeAssistant("hall-1", {"d1": "Entré", "d2": "Omklädning"})
CLOSED = DoorReport(pos="closed", lock="locked", mode="normal", fail="secure")


@pytest.fixture
def configs() -> dict[str, dict[str, object]]:
    return {message.topic: json.loads(message.payload) for message in SHOWN.configs("1")}


def test_each_door__is_a_lock_and_a_contact_with_documented_keys_only(
    configs: dict[str, dict[str, object]],
) -> None:
    assert set(configs) == {
        f"homeassistant/{kind}/booking-hall-1/{door}/config"
        for kind in ("lock", "binary_sensor")
        for door in SHOWN.doors
    }
    for topic, config in configs.items():
        assert set(config) <= (LOCK if "/lock/" in topic else CONTACT)
        assert {"state_topic", "unique_id", "availability_topic"} <= set(config)
        assert set(config["device"]) == DEVICE  # type: ignore[call-overload]
        assert {"name"} <= set(config["origin"])  # type: ignore[call-overload]
    assert len({str(config["unique_id"]) for config in configs.values()}) == 4
    assert all(message.retain for message in SHOWN.configs("1"))


def test_a_lock__has_the_required_command_topic_and_no_code_format(
    configs: dict[str, dict[str, object]],
) -> None:
    lock = configs["homeassistant/lock/booking-hall-1/d1/config"]
    assert lock["command_topic"] == "booking/hall-1/d1/command"
    assert "code_format" not in lock
    assert "payload_open" not in lock


def test_states__are_the_words_the_configs_named_and_unknown_is_none() -> None:
    report = {"d1": CLOSED, "d2": DoorReport(pos="open", lock="unlocked", mode="normal", fail="secure")}
    said = {message.topic: message.payload for message in SHOWN.states(report)}
    assert said == {
        "booking/hall-1/d1/lock": b"LOCKED", "booking/hall-1/d1/contact": b"OFF",
        "booking/hall-1/d2/lock": b"UNLOCKED", "booking/hall-1/d2/contact": b"ON",
    }  # fmt: skip
    assert {message.payload for message in SHOWN.states({})} == {b"None"}


@pytest.mark.parametrize("payload", ["LOCK", "UNLOCK", "OPEN", "", "\x00"])
def test_a_command__is_refused_as_delivered(payload: str) -> None:
    assert SHOWN.command(Message("booking/hall-1/d1/command", payload.encode())) == ("d1", "refused")


@pytest.mark.parametrize(("payload", "retain", "done"), [
    ("OPEN", False, "open"), ("UNLOCK", False, "open"), ("LOCK", False, "refused"), ("OPEN", True, "refused"),
])  # fmt: skip
def test_a_command__opens_once_only_where_that_is_set_up(payload: str, retain: bool, done: str) -> None:
    shown = HomeAssistant("hall-1", {"d1": "Entré"}, opens_once=True)
    assert shown.command(Message("booking/hall-1/d1/command", payload.encode(), retain)) == ("d1", done)
    assert json.loads(shown.configs("1")[0].payload)["payload_open"] == "OPEN"


@pytest.mark.parametrize(
    "topic", ["booking/hall-2/d1/command", "booking/hall-1/d9/command", "booking/hall-1/d1/lock", "x"]
)
def test_other_topics__are_no_commands(topic: str) -> None:
    assert SHOWN.command(Message(topic, b"OPEN")) is None


def test_availability__is_retained_and_is_the_will() -> None:
    assert (SHOWN.available(False).payload, SHOWN.available(False).retain) == (b"offline", True)
    assert SHOWN.is_birth(Message("homeassistant/status", b"online"))
    assert {message.payload for message in SHOWN.gone()} == {b""}
