"""bridge.json and the rule that PINs stay next to the locks."""

import json
from pathlib import Path
from typing import Any

import pytest

from booking.bridge import config
from booking.bridge.local import NotLocal, refuse_far_away
from booking.locks import pin_rules
from booking.lockwire.pins import draw

ZIGBEE = {"driver": "zigbee2mqtt", "device": "entrance", "name": "Entré"}
ALL = {
    "d1": ZIGBEE,
    "d2": {"driver": "zwave_js_ui", "node": 5},
    "d3": {"driver": "nuki_hub", "path": "nukihub/lock"},
    "d4": {"driver": "esp_rfid", "topic": "/rfid", "hostname": "board", "ip": "192.168.1.40"},
}


def written(state: Path, **more: Any) -> Path:
    body = {"local": "mqtt://127.0.0.1", "doors": ALL, **more}
    (state / config.CONFIG_FILE).write_text(json.dumps(body))
    return state


def test_every_driver__can_be_named_and_declares_the_contract(tmp_path: Path) -> None:
    drivers = config.read(written(tmp_path)).drivers()
    rows = {driver.declared.driver: driver.declared for driver in drivers.values()}
    assert set(rows) == {"zigbee2mqtt", "zwave_js_ui", "nuki_hub", "esp_rfid"}
    assert {name for name, row in rows.items() if row.is_live} == {"zigbee2mqtt"}
    assert {name for name, row in rows.items() if row.time_base == "local"} == {"zwave_js_ui", "nuki_hub"}
    assert {name for name, row in rows.items() if row.has_ids} == {"zwave_js_ui"}
    assert all(row.slots >= 1 and row.confirmation for row in rows.values())
    assert not any(
        driver.declared.pin.takes(pin) for driver in drivers.values() for pin in ("", "12a4", "1234567890123")
    )


def test_about_half_of_all_six_digit_pins__can_be_used_at_a_nuki_lock(tmp_path: Path) -> None:
    rule = config.read(written(tmp_path)).drivers()["d3"].declared.pin
    usable = sum(rule.takes(draw()) for _ in range(2_000)) / 2_000
    assert 0.45 < usable < 0.6  # (9⁶ − 9⁴) / 10⁶ = 0.525


@pytest.mark.parametrize(("more", "told"), [
    ({"doors": {}}, "doors"),
    ({"doors": {"d1": {"driver": "acme"}}}, "acme"),
    ({"doors": {"d1": {**ZIGBEE, "slot": 3}}}, "slot"),
    ({"doors": {"d1": {**ZIGBEE, "device": "a/#"}}}, "device"),
    ({"doors": {"d1": ZIGBEE, "d2": {**ZIGBEE, "name": "Annan"}}}, "same lock"),
    ({"tz": "Europe/Nordmaling"}, "tz"),
])  # fmt: skip
def test_a_mistake__is_told_with_its_place(tmp_path: Path, more: dict[str, Any], told: str) -> None:
    with pytest.raises(config.BadConfig, match=told):
        config.read(written(tmp_path, **more))


def test_a_missing_file__says_what_to_read(tmp_path: Path) -> None:
    with pytest.raises(config.BadConfig, match=r"bridge\.md"):
        config.read(tmp_path)


@pytest.mark.parametrize("local", ["mqtt://127.0.0.1", "mqtt://u:p@192.168.1.4:1884", "mqtt://[::1]:1883"])
def test_a_broker_on_this_network__is_taken(local: str) -> None:
    refuse_far_away(local, "mqtts://lock.example.se:8883")


@pytest.mark.parametrize("local", [
    "mqtt://8.8.8.8", "mqtt://127.0.0.1:1999", "mqtt://host.invalid", "mqtts://127.0.0.1", "127.0.0.1",
])  # fmt: skip
def test_a_broker_elsewhere_or_the_servers__is_refused(local: str) -> None:
    with pytest.raises(NotLocal):
        refuse_far_away(local, "mqtt://127.0.0.1:1999")


def test_the_server_draws_no_pin_a_driver_would_refuse(tmp_path: Path) -> None:
    for driver in config.read(written(tmp_path)).drivers().values():
        rule = pin_rules.RULES[driver.declared.driver]
        assert all(driver.declared.pin.takes(pin_rules.draw(rule)) for _ in range(300))
