"""The nights when clocks change, at every driver: what is in the lock opens for the whole window, and says if for more."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.bridge.contract import Held, Message
from booking.bridge.drivers.esp_rfid import EspRfid
from booking.bridge.drivers.nuki_hub import NukiHub
from booking.bridge.drivers.zwave_js_ui import ZwaveJsUi
from booking.lockwire.snapshot import Door
from tests.bridge.parts import LockBench, code
from tests.bridge.simulated_esp_rfid import HOST, TOPIC, SimulatedEspRfid
from tests.bridge.simulated_nuki_hub import PATH, SimulatedNukiHub
from tests.bridge.test_core import DOOR, BridgeBench, a_grant

ZONE = ZoneInfo("Europe/Stockholm")
TURNS = [int(datetime(*day, 1, tzinfo=UTC).timestamp()) for day in
         ((2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31))]  # fmt: skip
PARTS = ("Year", "Month", "Day", "Hour", "Minute")
AUTUMNS = {TURNS[1], TURNS[3]}


def wall(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(ZONE).replace(tzinfo=None)


def at_the_nuki(nb: int, na: int) -> tuple[Any, str | None]:
    hub = SimulatedNukiHub()
    bench = LockBench(NukiHub(PATH, ZONE), hub)
    bench.want(code("483926", (nb, na)))
    (entry,) = hub.entries.values()
    since, until = (datetime.fromisoformat(entry[name]) for name in ("allowedFrom", "allowedUntil"))
    assert bench.device.proved() == {"grant-001"}
    return lambda at: since <= wall(at) < until, next(
        (text for text in bench.said if "WARNING" in text), None
    )


def at_the_zwave_lock(nb: int, na: int) -> tuple[Any, str | None]:
    """The schedule as it is sent (that zwave-js takes it to the lock is shown in test_zwave_js_ui.py)."""
    driver = ZwaveJsUi(5, ZONE)
    held = Held(slot=0, pin="483926", windows=((nb, na),), grants=("grant-001",), state="putting")
    sent: list[dict[str, Any]] = []
    steps = driver.put(held)
    ask = next(steps)
    while True:
        request = msgspec.json.decode(ask.says[0].payload)
        sent.append(request)
        asks_code = request["args"][1] == "get"
        result: Any = {"status": 255}
        if asks_code:
            result = {"userIdStatus": 0 if len(sent) == 1 else 1, "userCode": "483926"}
        if request["args"][1] == "getYearDaySchedule":
            break
        answer = Message(ask.says[0].topic.removesuffix("/set"), msgspec.json.encode(
            {"success": True, "result": result, "origin": request}))  # fmt: skip
        assert ask.hears(answer)
        ask = steps.send(answer)
    schedule = next(each["args"][2] for each in sent if each["args"][1] == "yearly")
    since, until = (
        datetime.strptime(" ".join(str(schedule[end + part]) for part in PARTS), "%y %m %d %H %M")  # noqa: DTZ007
        for end in ("start", "stop")
    )
    return lambda at: since <= wall(at) < until, driver.caveat(held)


@pytest.mark.parametrize("lock", [at_the_nuki, at_the_zwave_lock])
@settings(deadline=None, max_examples=40)
@given(turn=st.sampled_from(TURNS), start=st.integers(-240, 200), length=st.integers(5, 400))
def test_a_local_time_lock__opens_for_the_whole_window_and_warns_of_more(
    lock: Any, turn: int, start: int, length: int
) -> None:
    nb = turn + start * 60
    na = nb + length * 60
    opens, warning = lock(nb, na)
    extra = []
    for at in range(nb - 3 * 3_600, na + 3 * 3_600, 60):
        if nb <= at < na:
            assert opens(at)
        elif opens(at):
            extra.append(at)
    assert bool(extra) == (warning is not None)
    assert not extra or turn in AUTUMNS
    assert all(turn - 3_600 <= at < turn + 3_600 for at in extra)


@pytest.mark.parametrize("turn", TURNS)
def test_an_epoch_lock__knows_no_such_nights(turn: int) -> None:
    board = SimulatedEspRfid()
    bench = LockBench(EspRfid(TOPIC, HOST, board.ip), board)
    bench.want(code("004216", (turn - 1_800, turn + 900)), seconds=60)
    assert board.users["004216"]["validsince"] == str(turn - 1_800)
    assert board.users["004216"]["validuntil"] == str(turn + 900)


def test_a_widened_window__is_cut_at_its_true_end_by_the_bridge(tmp_path: Path) -> None:
    """The bench's night is no change of clocks; what counts is that the end is UTC's, not the lock's."""
    hub = SimulatedNukiHub()
    bench = BridgeBench(tmp_path, {"d1": NukiHub(PATH, ZONE)}, [hub])
    bench.doors = {"d1": Door(**msgspec.structs.asdict(DOOR))}
    bench.desire(a_grant("grant-001", "483926", start=-3_000))
    bench.wait(30)
    (entry,) = hub.entries.values()
    entry["allowedUntil"] = "2099-01-01 00:00:00"  # as a lock that reads its window too wide
    bench.wait(700)
    assert hub.entries == {}
