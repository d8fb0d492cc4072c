"""The bridge between the server's protocol and its locks: reported is only what a lock has confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from booking.bridge.contract import Driver, Message
from booking.bridge.core import Bridge
from booking.bridge.drivers.esp_rfid import EspRfid
from booking.bridge.drivers.nuki_hub import NukiHub
from booking.controller.core import Arrived
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.controller.voice import Out
from booking.lockwire import ids, snapshot
from booking.lockwire.envelope import seal, unseal
from booking.lockwire.keys import derive
from booking.lockwire.messages import Command, Event, Events, Report, TimeAnswer, TimeRequest
from booking.lockwire.snapshot import DAY, DEFAULT_POLICY, Door, Grant, Snapshot, Window
from tests.bridge.parts import Double
from tests.bridge.simulated_esp_rfid import HOST, TOPIC, SimulatedEspRfid
from tests.bridge.simulated_nuki_hub import PATH, SimulatedNukiHub
from tests.bridge.simulated_zigbee import SimulatedZigbee, zigbee

T0, NAME, HOUR = 1_795_000_000, "bridge-1", 3_600
KEYS = derive(bytes(range(32)), NAME, 1)
DOOR = Door(unlock_s=5, held_s=300, mode="normal", mode_n=0, mode_until=None)


def a_grant(id: str, pin: str, start: int = HOUR, *, doors: list[str] | None = None, **more: Any) -> Grant:
    window = Window(d=doors or ["d1"], nb=T0 + start, na=T0 + start + HOUR)
    return Grant(**{"id": id, "k": "pin", "pin": pin, "role": "leader", "w": [window], **more})


@dataclass
class BridgeBench:
    """One bridge, its locks' doubles, and the server's side by hand."""

    state: Path
    drivers: Mapping[str, Driver]
    doubles: list[Double]
    ms: int = 1_000
    ver: int = 0
    has_time: bool = True  # the host's kernel vouches for it, and the server answers
    sent: list[Out] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    doors: dict[str, Door] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.doors = self.doors or dict.fromkeys(self.drivers, DOOR)
        self.boot()

    def boot(self) -> None:
        self.out: list[Message] = []
        store = Store(self.state / "bridge.db")
        self.bridge = Bridge(
            NAME, [KEYS], store, self.drivers, self._read, self.sent.append, self.out.append, self.said.append
        )
        if self.has_time:
            self.bridge.connecting()
            self.bridge.connected()
            self.answer_time()
        self.bridge.local_connected(True)
        self.pump()

    def _read(self) -> Moment:
        return Moment(self.ms, T0 * 1_000 + self.ms if self.has_time else None)

    def answer_time(self) -> None:
        asked = [out for out in self.sent if out.topic == ids.up(NAME, "time")][-1]
        nonce = msgspec.json.decode(self._plain(asked), type=TimeRequest).n
        self.tell("time", TimeAnswer(nonce, T0 * 1_000 + self.ms), (0, 0))

    def tell(self, name: ids.Down, body: object, version: tuple[int, int]) -> None:
        topic = ids.down(NAME, name)
        plain = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self.bridge.receive(Arrived(topic, seal(plain, KEYS, "dn", topic, *version), name == "desired"))

    def desire(self, *grants: Grant, reserve: Sequence[Grant] = (), **doors: Door) -> None:
        """The server publishes a new version; the locks are given no time to answer yet."""
        self.ver += 1
        body = Snapshot(iat=T0, hz=(T0, T0 + 14 * DAY), tz="Europe/Stockholm", doors={**self.doors, **doors},
                        policy=DEFAULT_POLICY, grants=list(grants), reserve=list(reserve))  # fmt: skip
        self.wait(2, pump=False)  # a report may be said at once
        self.tell("desired", snapshot.encode(body), (1, self.ver))

    def pump(self) -> None:
        for _ in range(2_000):
            if not self.out:
                return
            message = self.out.pop(0)
            for double in self.doubles:
                for reply in double.take(message):
                    self.bridge.hear(reply)
        raise AssertionError("the bridge never lets its locks rest")

    def wait(self, seconds: float, *, pump: bool = True) -> None:
        end = self.ms + int(seconds * 1_000)
        while self.ms < end:
            self.ms = min(end, self.ms + 1_000)
            self.bridge.tick()
            if pump:
                self.pump()

    def report(self) -> Report:
        self.wait(2, pump=False)
        found = [out for out in self.sent if out.topic == ids.up(NAME, "reported")][-1]
        return msgspec.json.decode(self._plain(found), type=Report)

    def reports(self) -> list[Report]:
        found = [out for out in self.sent if out.topic == ids.up(NAME, "reported")]
        return [msgspec.json.decode(self._plain(out), type=Report) for out in found]

    def events(self) -> list[Event]:
        found = [out for out in self.sent if out.topic == ids.up(NAME, "evt")]
        return [event for out in found for event in msgspec.json.decode(self._plain(out), type=Events).ev]

    @staticmethod
    def _plain(out: Out) -> bytes:
        return unseal(out.payload, [KEYS], "up", out.topic).plain


@pytest.fixture
def board() -> SimulatedEspRfid:
    return SimulatedEspRfid()


@pytest.fixture
def esp(tmp_path: Path, board: SimulatedEspRfid) -> BridgeBench:
    return BridgeBench(tmp_path, {"d1": EspRfid(TOPIC, HOST, board.ip)}, [board])


@pytest.fixture
def lock() -> SimulatedZigbee:
    return SimulatedZigbee()


@pytest.fixture
def live(tmp_path: Path, lock: SimulatedZigbee) -> BridgeBench:
    return BridgeBench(tmp_path, {"d1": zigbee()}, [lock])


def test_a_new_snapshot__is_pending_until_the_lock_confirms(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    board.fault = "silent"
    esp.desire(a_grant("grant-001", "004216"))
    assert esp.report().pend == ["grant-001"]
    esp.wait(300)
    assert esp.report().pend == ["grant-001"]
    board.fault = None
    esp.wait(400)
    assert (esp.report().pend, esp.report().rej) == ([], [])
    assert "004216" in board.users


def test_no_report_of_a_version__claims_a_grant_before_the_lock_had_it(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    esp.desire(a_grant("grant-001", "004216"))
    esp.wait(60)
    digests = {report.dig for report in esp.reports() if report.dig}
    assert len(digests) == 1
    first, last = next(r for r in esp.reports() if r.dig), esp.report()
    assert (first.pend, last.pend) == (["grant-001"], [])


def test_a_removed_grant__is_pending_until_the_lock_confirms_it_gone(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    esp.desire(a_grant("grant-001", "004216"))
    esp.wait(60)
    board.fault = "silent"
    esp.desire()
    esp.wait(120)
    assert esp.report().pend == ["grant-001"]
    board.fault = None
    esp.wait(400)
    assert (esp.report().pend, board.users) == ([], {})


def test_a_crash_between_telling_and_confirming__forgets_nothing(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    esp.desire(a_grant("grant-001", "004216"))
    while "004216" not in board.users:
        esp.wait(1)
    assert esp.bridge.pending() == ["grant-001"], "the board has it; the bridge dies before the lists are in"
    esp.boot()
    esp.desire()
    esp.wait(60)
    assert (esp.report().pend, board.users) == ([], {})


def test_a_lost_memory__finds_and_clears_what_it_left_in_the_lock(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    esp.desire(a_grant("grant-001", "004216"))
    esp.wait(60)
    for file in esp.state.glob("bridge.db*"):
        file.unlink()
    esp.boot()
    esp.wait(60)
    assert board.users == {}


def test_pins_and_doors_the_locks_cannot_take__are_refused_and_nothing_is_sent(tmp_path: Path) -> None:
    hub = SimulatedNukiHub()
    bench = BridgeBench(tmp_path, {"d1": NukiHub(PATH, ZoneInfo("Europe/Stockholm"))}, [hub])
    bench.doors = {"d1": DOOR, "d2": DOOR}
    bench.desire(
        a_grant("grant-001", "480926"),
        a_grant("grant-002", "129999"),
        a_grant("grant-003", "483926", doors=["d2"]),
        a_grant("grant-004", "583926", role="member", after="grant-001"),
        a_grant("grant-005", "683926"),
    )
    bench.wait(60)
    report = bench.report()
    assert {each.id: each.why for each in report.rej} == {
        "grant-001": "format", "grant-002": "format", "grant-003": "door", "grant-004": "unsupported",
    }  # fmt: skip
    assert [each["code"] for each in hub.entries.values()] == ["683926"]
    assert report.pend == []


def test_a_window_that_has_ended__is_taken_out_though_still_in_the_snapshot(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    esp.desire(a_grant("grant-001", "004216", start=-HOUR + 60))
    esp.wait(30)
    assert esp.report().pend == []
    assert "004216" in board.users
    esp.wait(90)
    assert (esp.report().pend, board.users) == ([], {})


def test_a_live_lock__holds_a_code_in_its_window_only_and_says_so(
    live: BridgeBench, lock: SimulatedZigbee
) -> None:
    live.desire(a_grant("grant-001", "004216", start=600))
    assert "live" in live.report().cap.feat
    live.wait(500)
    assert (live.report().pend, lock.codes) == (["grant-001"], {})
    live.wait(200)
    assert (live.report().pend, lock.codes) == ([], {1: "004216"})
    live.wait(HOUR)
    assert (live.report().pend, lock.codes) == ([], {})


def test_a_live_lock_that_cannot_be_reached_at_the_end__stays_pending(
    live: BridgeBench, lock: SimulatedZigbee
) -> None:
    live.desire(a_grant("grant-001", "004216", start=10))
    live.wait(60)
    assert lock.codes == {1: "004216"}
    lock.is_silent = True
    live.wait(HOUR)
    assert live.report().pend == ["grant-001"]
    lock.is_silent = False
    live.wait(400)
    assert (live.report().pend, lock.codes) == ([], {})


def test_more_codes_at_once_than_slots__the_later_are_refused_as_full(
    live: BridgeBench, lock: SimulatedZigbee
) -> None:
    live.desire(*(a_grant(f"grant-{i:03}", f"7712{i:02}", start=i) for i in range(6)))
    live.wait(120)
    report = live.report()
    assert len(lock.codes) == 4
    assert {each.id: each.why for each in report.rej} == {"grant-004": "full", "grant-005": "full"}


def test_reserve_codes__yield_to_bookings_where_places_are_few(
    live: BridgeBench, lock: SimulatedZigbee
) -> None:
    spare = [a_grant(f"spare-{i:03}", f"9912{i:02}", start=0, role="reserve") for i in range(3)]
    live.desire(*(a_grant(f"grant-{i:03}", f"7712{i:02}", start=30) for i in range(3)), reserve=spare)
    live.wait(25)
    assert sorted(lock.codes.values()) == ["991200", "991201", "991202"]
    live.wait(120)
    assert sorted(lock.codes.values()) == ["771200", "771201", "771202", "991200"]
    assert {each.id: each.why for each in live.report().rej} == {"spare-001": "full", "spare-002": "full"}


def test_lockdown__takes_all_but_staff_out_of_the_lock(esp: BridgeBench, board: SimulatedEspRfid) -> None:
    people = (a_grant("grant-001", "004216"), a_grant("grant-002", "771299", role="staff"))
    esp.desire(*people)
    esp.wait(60)
    esp.desire(*people, d1=msgspec.structs.replace(DOOR, mode="lockdown", mode_n=5))
    esp.wait(60)
    assert set(board.users) == {"771299"}
    esp.desire(*people, d1=msgspec.structs.replace(DOOR, mode="normal", mode_n=6))
    esp.wait(60)
    assert set(board.users) == {"771299", "004216"}


def test_one_pin_of_two_grants__leaves_the_lock_with_the_last(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    both = (a_grant("grant-001", "004216"), a_grant("grant-002", "004216", start=2 * HOUR))
    esp.desire(*both)
    esp.wait(60)
    assert board.users["004216"]["validuntil"] == str(T0 + 3 * HOUR), "windows that touch are one"
    board.fault = "silent"
    esp.desire(both[1])
    esp.wait(60)
    assert esp.report().pend == ["grant-001", "grant-002"]
    board.fault = None
    esp.wait(400)
    assert esp.report().pend == []
    assert board.users["004216"]["validsince"] == str(T0 + 2 * HOUR)


def test_who_opened_and_the_contact__become_events_without_a_pin(
    esp: BridgeBench, board: SimulatedEspRfid
) -> None:
    esp.desire(a_grant("grant-001", "004216"))
    esp.wait(60)
    esp.bridge.hear(board.access("004216"))
    esp.bridge.hear(board.access("999999", "Denied"))
    esp.wait(2)
    told = [(event.e, event.g if isinstance(event.g, str) else None) for event in esp.events()]
    assert told[-2:] == [("granted", "grant-001"), ("denied", None)]
    assert not any("004216" in text for text in esp.said)


def test_an_open_command__releases_the_lock_once(esp: BridgeBench) -> None:
    esp.desire(a_grant("grant-001", "004216"))
    esp.wait(60)
    taken: list[Message] = []
    esp.doubles.append(Listening(taken))
    esp.tell("cmd", Command(id="command-1", n=1, exp=T0 + 80, op="open", d="d1"), (1, esp.ver))
    esp.wait(10)
    assert [m for m in taken if b"opendoor" in m.payload]


def test_a_dashboard__opens_once_but_not_in_lockdown(esp: BridgeBench) -> None:
    assert not esp.bridge.open_once("d1"), "no snapshot, no door"
    esp.desire()
    assert esp.bridge.open_once("d1")
    assert [message for message in esp.out if b"opendoor" in message.payload]
    assert not esp.bridge.open_once("d9")
    esp.desire(d1=msgspec.structs.replace(DOOR, mode="lockdown", mode_n=5))
    assert not esp.bridge.open_once("d1")


def test_a_door_in_unlocked_mode__is_opened_again_when_the_locks_broker_returns(
    tmp_path: Path, lock: SimulatedZigbee
) -> None:
    bench = BridgeBench(tmp_path, {"d1": zigbee()}, [lock])
    bench.desire(d1=msgspec.structs.replace(DOOR, mode="unlocked", mode_n=5, mode_until=T0 + 2 * HOUR))
    bench.wait(5)
    bench.bridge.local_connected(False)
    bench.bridge.local_connected(True)
    assert [message for message in bench.out if b"UNLOCK" in message.payload]


@dataclass
class Listening:
    """A double that only listens."""

    taken: list[Message]

    def take(self, message: Message) -> list[Message]:
        self.taken.append(message)
        return []
