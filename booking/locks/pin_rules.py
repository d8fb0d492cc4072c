"""Pure: which PINs a device can take (lock protocol §14.1). A code for several doors must please them all."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from booking.errors import Conflict
from booking.lockwire import pins

PREFERRED = pins.DEFAULT_LENGTH


class NoCommonPin(Conflict):
    """No code is possible at all doors of the booking: their devices want different lengths."""

    code = "no_common_pin"


@dataclass(frozen=True, slots=True)
class PinRule:
    """How long a device's PIN is, and what must not stand in it or first in it."""

    shortest: int = 4
    longest: int = 10
    without: str = ""
    not_first: tuple[str, ...] = ()

    def allows(self, pin: str) -> bool:
        """True if the device takes the PIN as it is."""
        fits = self.shortest <= len(pin) <= self.longest
        return fits and not set(pin) & set(self.without) and not pin.startswith(self.not_first)


# locks.md §9; a driver that is not named here has no rule of its own.
RULES: dict[str, PinRule] = {
    "native": PinRule(),
    "zigbee2mqtt": PinRule(4, 8),
    "zwave_js_ui": PinRule(4, 10),
    "nuki_hub": PinRule(6, 6, "0", ("12",)),
    "esp_rfid": PinRule(4, 10),
    "home_assistant": PinRule(4, 10),
    "live_only": PinRule(4, 8),
}


class Device(Protocol):
    """A controller as far as its codes go: its driver, and what it said last (JSON), None before its first report."""

    @property
    def driver(self) -> str:
        """A key of RULES."""

    @property
    def report(self) -> str | None:
        """What it said last."""


class _Lengths(msgspec.Struct, frozen=True):
    pin_min: int
    pin_max: int


class _Said(msgspec.Struct, frozen=True):
    cap: _Lengths


def of(device: Device) -> PinRule:
    """Return the rule of its driver, within the lengths that it says its keypads take (lock protocol §6)."""
    rule = RULES.get(device.driver, RULES["native"])
    if device.report is None:
        return rule
    said = msgspec.json.decode(device.report, type=_Said).cap
    return replace(rule, shortest=max(rule.shortest, said.pin_min), longest=min(rule.longest, said.pin_max))


def common(devices: Iterable[Device]) -> PinRule:
    """Return the rule that pleases every one of the devices. Raises NoCommonPin."""
    rules = [of(each) for each in devices] or [RULES["native"]]
    rule = PinRule(
        max(each.shortest for each in rules),
        min(each.longest for each in rules),
        "".join(sorted({digit for each in rules for digit in each.without})),
        tuple(sorted({start for each in rules for start in each.not_first})),
    )
    if rule.shortest > rule.longest:
        raise NoCommonPin("the doors of this booking take codes of different lengths")
    return rule


def draw(rule: PinRule) -> str:
    """Return a new PIN within the rule, six digits where it allows them, never a trivial one."""
    length = min(max(PREFERRED, rule.shortest), rule.longest)
    while True:
        pin = pins.draw(length)
        if rule.allows(pin):
            return pin
