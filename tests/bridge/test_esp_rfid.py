"""The esp-rfid driver against simulated_esp_rfid: acknowledgements prove nothing, lists do."""

import pytest

from booking.bridge.drivers.esp_rfid import EspRfid
from tests.bridge.parts import HOUR, T0, LockBench, code
from tests.bridge.simulated_esp_rfid import HOST, TOPIC, SimulatedEspRfid


@pytest.fixture
def board() -> SimulatedEspRfid:
    return SimulatedEspRfid()


@pytest.fixture
def bench(board: SimulatedEspRfid) -> LockBench:
    return LockBench(EspRfid(TOPIC, HOST, "192.168.1.40"), board)


def test_a_code__is_proved_by_two_lists_with_its_ends(bench: LockBench, board: SimulatedEspRfid) -> None:
    bench.want(code("0042"), seconds=60)
    assert bench.device.proved() == {"grant-001"}
    assert board.users["0042"]["validsince"] == str(T0)
    assert board.users["0042"]["validuntil"] == str(T0 + HOUR)


def test_a_removed_code__is_gone_only_when_lists_lack_it(bench: LockBench, board: SimulatedEspRfid) -> None:
    bench.want(code("0042"), seconds=60)
    board.fault = "forget"
    bench.want(seconds=60)
    assert bench.device.lingering() == {"grant-001"}
    board.fault = None
    bench.wait(600)
    assert (bench.device.lingering(), board.users) == (set(), {})


@pytest.mark.parametrize("fault", ["silent", "forget"])
def test_an_acknowledgement_or_silence__is_not_believed(
    bench: LockBench, board: SimulatedEspRfid, fault: str
) -> None:
    board.fault = fault
    bench.want(code("0042"), seconds=120)
    assert bench.device.proved() == set()


def test_lists_that_lose_messages__prove_no_removal(bench: LockBench, board: SimulatedEspRfid) -> None:
    others = [code(f"77712{number}", grants=[f"grant-10{number}"]) for number in range(3)]
    bench.want(code("0042"), *others, seconds=120)
    assert len(bench.device.proved()) == 4
    board.fault = "lossy"
    bench.want(*others, seconds=30)
    assert "0042" not in board.users  # it is gone, but nobody can tell
    assert bench.device.lingering() == {"grant-001"}
    board.fault = None
    bench.wait(600)
    assert bench.device.lingering() == set()


def test_a_new_address__is_learnt_from_the_heartbeat(bench: LockBench, board: SimulatedEspRfid) -> None:
    board.ip = "192.168.1.99"
    bench.want(code("0042"), seconds=60)
    assert bench.device.proved() == set()
    bench.tell(board.heartbeat(T0))
    bench.wait(600)
    assert bench.device.proved() == {"grant-001"}


def test_a_board_without_time__gets_no_codes(bench: LockBench, board: SimulatedEspRfid) -> None:
    bench.tell(board.heartbeat(0))
    bench.want(code("0042"), seconds=60)
    assert board.users == {}
    assert any("no time" in text for text in bench.said)


def test_codes_of_people__are_left_alone_and_forgotten_ones_cleared(board: SimulatedEspRfid) -> None:
    board.users["1111"] = {"uid": "1111", "user": "Vaktmästare", "acctype": 99}
    board.users["2222"] = {"uid": "2222", "user": "lk-009", "acctype": 1, "validsince": 1, "validuntil": 2}
    bench = LockBench(EspRfid(TOPIC, HOST, "192.168.1.40"), board)
    bench.want(code("0042"), seconds=60)
    assert set(board.users) == {"1111", "0042"}


def test_who_opened__is_told_by_slot_and_strangers_are_denied(
    bench: LockBench, board: SimulatedEspRfid
) -> None:
    bench.want(code("0042"), seconds=60)
    bench.tell(board.access("0042"))
    bench.tell(board.access("9999", "Denied"))
    assert [(each.what, each.slot) for each in bench.seen] == [("granted", 0), ("denied", None)]
