"""Cuts, crashes, refusals, moves and cancellations in any order: nothing is forgotten, nothing claimed, all converges."""

import random
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from booking.bridge.contract import Driver
from booking.bridge.drivers.esp_rfid import EspRfid
from booking.bridge.drivers.nuki_hub import NukiHub
from booking.bridge.wanted import Code
from tests.bridge.parts import HOUR, T0, Double, LockBench, code
from tests.bridge.simulated_esp_rfid import HOST, TOPIC, SimulatedEspRfid
from tests.bridge.simulated_nuki_hub import PATH, SimulatedNukiHub
from tests.bridge.simulated_zigbee import SimulatedZigbee, zigbee

Made = tuple[Driver, Double, Callable[[], set[str]], Callable[[bool], None]]
PINS = ["483926", "583926", "683926", "783926", "883926", "983926"]


def nuki() -> Made:
    hub = SimulatedNukiHub()

    def spoil(is_bad: bool) -> None:
        hub.fault = random_fault(["silent", "timeOut", "forget"]) if is_bad else None

    return (
        NukiHub(PATH, ZoneInfo("Europe/Stockholm")),
        hub,
        lambda: {e["code"] for e in hub.entries.values()},
        spoil,
    )


def esp() -> Made:
    board = SimulatedEspRfid()

    def spoil(is_bad: bool) -> None:
        board.fault = random_fault(["silent", "forget", "lossy"]) if is_bad else None

    return EspRfid(TOPIC, HOST, board.ip), board, lambda: set(board.users), spoil


def live() -> Made:
    lock = SimulatedZigbee()

    def spoil(is_bad: bool) -> None:
        lock.is_silent = is_bad

    return zigbee(), lock, lambda: set(lock.codes.values()), spoil


_DICE = random.Random(0)


def random_fault(faults: list[str]) -> str:
    return _DICE.choice(faults)


@pytest.mark.parametrize("make", [nuki, esp, live])
@pytest.mark.parametrize("seed", range(12))
def test_any_order__forgets_nothing_claims_nothing_and_converges(make: Callable[[], Made], seed: int) -> None:
    dice = random.Random(seed)
    _DICE.seed(seed)
    driver, double, inside, spoil = make()
    bench = LockBench(driver, double)
    wanted: list[Code] = []
    for _ in range(30):
        step = dice.choice(["want", "want", "spoil", "mend", "cut", "wait", "wait", "crash"])
        if step == "want":
            wanted = [
                code(pin, (T0 + dice.randrange(3) * HOUR, T0 + 9 * HOUR), grants=[f"grant-{pin}"])
                for pin in dice.sample(PINS, dice.randrange(4))
            ]
            bench.want(*wanted)
        elif step in ("spoil", "mend"):
            spoil(step == "spoil")
        elif step == "cut":
            bench.is_cut = not bench.is_cut
        elif step == "crash":
            bench.boot(bench.saved)
            bench.want(*wanted)
        bench.wait(dice.choice([1, 10, 60]))
        held = {row.pin for row in bench.device.held.values()}
        assert inside() <= held, "nothing of ours is in the lock that the bridge does not know of"
        proved = bench.device.proved()
        assert {each.pin for each in wanted if set(each.grants) <= proved} <= inside()
    bench.is_cut = False
    spoil(False)
    bench.wait(1_500)
    assert inside() == {each.pin for each in wanted}
    assert bench.device.proved() == {id for each in wanted for id in each.grants}
    assert bench.device.lingering() == set()
