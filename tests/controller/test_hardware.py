"""Readers and doors at the level of bits and frames, and joined to a controller on fake pins."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from booking.controller import hostclock, osdp, wiegand
from booking.controller.building import Building
from booking.controller.entry import Entry
from booking.controller.gpio import Input, Output
from booking.controller.osdp import BadFrame
from booking.controller.osdp_bus import Bus
from booking.controller.wiegand import Card, Frames, Key
from booking.controller.wiring import BadWiring, load
from booking.lockwire.decide import Presented
from tests.controller.conftest import PIN, T0, Bench, a_grant, a_snapshot
from tests.controller.parts import eventually


def bits(text: str) -> list[int]:
    return [int(bit) for bit in text.replace(" ", "")]


# -- Wiegand ---------------------------------------------------------------------------------------

# "Nibbles complemented": Rosslare AYC-F/Gx4 manual §4.2.3.3; the same table in HID's PINPad guide 7393760.
EIGHT = {
    "0": "11110000",
    "1": "11100001",
    "2": "11010010",
    "3": "11000011",
    "4": "10110100",
    "5": "10100101",
    "6": "10010110",
    "7": "10000111",
    "8": "01111000",
    "9": "01101001",
    "*": "01011010",
    "#": "01001011",
}


@pytest.mark.parametrize(("name", "frame"), EIGHT.items())
def test_a_key_of_eight_bits__is_checked_by_its_complement(name: str, frame: str) -> None:
    assert wiegand.decode(bits(frame)) == Key(name)
    assert wiegand.decode(bits(frame[4:])) == Key(name)
    for at in range(8):
        spoilt = bits(frame)
        spoilt[at] ^= 1
        assert wiegand.decode(spoilt) is None


def frame_of(value: int, half: int) -> list[int]:
    data = [value >> shift & 1 for shift in range(2 * half - 1, -1, -1)]
    return [sum(data[:half]) % 2, *data, 1 - sum(data[half:]) % 2]


def test_a_card_of_26_bits__is_facility_and_number() -> None:
    # Facility 1, number 1 in HID's 26-bit format: even parity of 000000010000 is 1, odd of 000000000001 is 0.
    assert wiegand.decode(bits("1 00000001 0000000000000001 0")) == Card("00010001")
    assert wiegand.decode(frame_of(0xA2B3C4, 12)) == Card("00A2B3C4")


def test_a_card_of_34_bits__is_its_uid() -> None:
    assert wiegand.decode(frame_of(0x04A2B3C4, 16)) == Card("04A2B3C4")


@pytest.mark.parametrize("half", [12, 16])
def test_one_wrong_bit__is_no_card(half: int) -> None:
    for at in range(2 * half + 2):
        spoilt = frame_of(0x04A2B3, half)
        spoilt[at] ^= 1
        assert wiegand.decode(spoilt) is None


@pytest.mark.parametrize("length", [1, 3, 5, 9, 25, 27, 33, 35, 64])
def test_any_other_length__is_nothing(length: int) -> None:
    assert wiegand.decode([0] * length) is None


def test_pulses__are_joined_until_there_is_silence() -> None:
    frames, now = Frames(), 0
    for bit in bits(EIGHT["7"]):
        now += 2
        assert frames.pulse(bit, now) is None
    assert frames.ended(now + 29) is None
    assert frames.ended(now + 30) == bits(EIGHT["7"])
    assert frames.ended(now + 31) is None
    frames.pulse(1, now + 100)
    assert frames.pulse(0, now + 200) == [1]  # a lost pulse spoils one frame, not the next


# -- keys to PINs ----------------------------------------------------------------------------------


class Door:
    def __init__(self, opens: str = "004216") -> None:
        self.opens, self.seen = opens, list[Presented]()

    def __call__(self, presented: Presented) -> bool:
        self.seen.append(presented)
        return presented.pin == self.opens


def typed(entry: Entry, keys: str, *, every_ms: int = 500) -> list[bool | None]:
    clock = itertools.count(1_000, every_ms)
    return [entry.key(key, next(clock)) for key in keys]


def test_pins_of_one_length__need_no_key_at_the_end() -> None:
    door = Door()
    assert typed(Entry(door, lambda: frozenset({6})), "004216")[-1] is True
    assert door.seen == [Presented(pin="004216")]


def test_pins_of_different_length__must_end_with_a_key() -> None:
    door = Door()
    assert typed(Entry(door, lambda: frozenset({4, 6})), "004216#") == [None] * 6 + [True]


def test_a_cleared_or_forgotten_entry__is_not_presented() -> None:
    door = Door()
    entry = Entry(door, lambda: frozenset({6}))
    typed(entry, "9*")
    typed(entry, "00", every_ms=10_001)
    assert entry.key("#", 1_000_000) is None
    assert door.seen == []


def test_a_card_that_does_not_open_alone__goes_with_the_pin_that_follows() -> None:
    door = Door()
    entry = Entry(door, lambda: frozenset({6}))
    assert entry.card("04A2B3C4", 900) is False
    typed(entry, "004216")
    typed(entry, "004216")
    assert [(each.card, each.pin) for each in door.seen] == [
        ("04A2B3C4", None),
        ("04A2B3C4", "004216"),
        (None, "004216"),
    ]


def test_digits_without_end__are_given_up() -> None:
    door = Door()
    typed(Entry(door, lambda: frozenset({4, 6})), "1" * 11)
    assert len(door.seen) == 1


# -- OSDP ------------------------------------------------------------------------------------------

# Expected packets of libosdp's unit tests (tests/unit-tests, address 0x65), without their mark octet.
LIBOSDP = [
    (0x65, 0, osdp.POLL, b"", "53 65 08 00 04 60 60 90"),
    (0x65, 1, 0x61, b"\0", "53 65 09 00 05 61 00 e9 4d"),
]


@pytest.mark.parametrize(("address", "sequence", "code", "data", "packet"), LIBOSDP)
def test_a_command__is_the_packet_libosdp_expects(
    address: int, sequence: int, code: int, data: bytes, packet: str
) -> None:
    built = osdp.build(address, sequence, code, data)

    assert built == bytes.fromhex(packet)
    assert osdp.parse(built) == osdp.Frame(address, sequence, code, data, False)


@pytest.mark.parametrize("crc", [True, False])
def test_one_wrong_bit_anywhere__is_no_frame(crc: bool) -> None:
    good = osdp.build(0, 1, osdp.KEYPAD, b"\0\x02" + b"12", crc=crc)
    for at in range(8 * len(good)):
        raw = bytearray(good)
        raw[at // 8] ^= 1 << at % 8
        try:
            assert osdp.parse(bytes(raw)) != osdp.parse(good)
            changed = at // 8
        except BadFrame:
            continue
        assert (changed, crc) == (4, False), "only the check bit itself may pass, as another kind of check"


def test_the_checksum__makes_the_sum_zero() -> None:
    built = osdp.build(1, 0, osdp.POLL, crc=False)
    assert sum(built) % 256 == 0
    assert osdp.parse(built).code == osdp.POLL


def reply(sequence: int, code: int, data: bytes, address: int = 0) -> bytes:
    return osdp.build(address | osdp.REPLY, sequence, code, data)


def test_keys_and_cards__are_read_from_replies() -> None:
    keys = osdp.parse(reply(1, osdp.KEYPAD, b"\0\x04" + b"04\x7f\x0d"))
    card = osdp.parse(reply(1, osdp.RAW, b"\0\0" + (26).to_bytes(2, "little") + bytes.fromhex("80800080")))

    assert osdp.keys_of(keys) == ["0", "4", "*", "#"]
    assert len(osdp.bits_of(card)) == 26
    assert osdp.keys_of(osdp.parse(reply(1, osdp.KEYPAD, b"\0\x09" + b"04"))) == []
    assert osdp.bits_of(osdp.parse(reply(1, osdp.RAW, b"\0\0\xff\xff" + b"x"))) == []


class FakeLine:
    """A reader on the line, by hand: answers each command with what the test laid ready."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers, self.sent, self.waiting = list(answers), list[bytes](), b""

    def write(self, data: bytes) -> int:
        self.sent.append(data)
        answer = self.answers.pop(0) if self.answers else None
        self.waiting = answer or b""
        return len(data)

    def read(self, size: int = 1) -> bytes:
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken

    def reset_input_buffer(self) -> None:
        self.waiting = b""

    def close(self) -> None:
        self.answers = []


def test_a_conversation__counts_its_sequence_and_starts_anew_after_silence() -> None:
    ack = [reply(number, osdp.ACK, b"") for number in (0, 1, 2, 3, 1)]
    line = FakeLine(b"\xff" + ack[0], *ack[1:], None, reply(0, osdp.ACK, b""))
    bus = Bus(line, {0: lambda frame: None})
    heard = [bus.poll(0) is not None for _ in range(7)]

    assert heard == [True] * 5 + [False, True]
    assert [osdp.parse(sent).sequence for sent in line.sent] == [0, 1, 2, 3, 1, 2, 0]


def test_a_reply_of_another_reader_or_spoilt__is_not_heard() -> None:
    good = reply(0, osdp.ACK, b"")
    others = [
        reply(0, osdp.ACK, b"", address=5),
        reply(2, osdp.ACK, b""),
        good[:-1] + b"\0",
        b"\x53\0\xff\xff",
    ]
    for wrong in others:
        assert Bus(FakeLine(wrong), {0: lambda frame: None}).poll(0) is None


def test_an_outcome__is_shown_by_light_and_tone_before_the_next_poll() -> None:
    line = FakeLine(*(reply(number, osdp.ACK, b"") for number in range(3)))
    bus = Bus(line, {0: lambda frame: None})
    bus.show(0, False)
    for _ in range(3):
        bus.poll(0)

    assert [osdp.parse(sent).code for sent in line.sent] == [osdp.LED, osdp.BUZZER, osdp.POLL]
    assert [len(osdp.shown(True)), len(osdp.heard(True))] == [14, 5]  # the lengths IEC 60839-11-5 gives
    assert osdp.shown(True) != osdp.shown(False)


# -- wiring and the whole ----------------------------------------------------------------------------

WIRING = {
    "doors": {
        "d1": {"bolt": 17, "contact": 27, "rex": 22, "light": 4, "wiegand": {"d0": 23, "d1": 24}},
        "d2": {"bolt": 18, "fail": "safe", "osdp": 0},
    },
    "osdp": {"port": "/dev/ttyUSB0"},
    "static_pins": ["135792"],
}


def wired(folder: Path, **changes: object) -> Path:
    (folder / "wiring.json").write_text(json.dumps({**WIRING, **changes}))
    return folder


BAD = [
    ("a pin twice", {"doors": {"d1": {"bolt": 17, "contact": 17}}}, "pin 17 is used twice"),
    ("no line", {"osdp": None}, "on which line"),
    ("no doors", {"doors": {}}, "doors"),
    ("a pin that is not there", {"doors": {"d1": {"bolt": 99}}}, "bolt"),
    ("a word misspelt", {"doors": {"d1": {"bolt": 17, "contcat": 3}}}, "contcat"),
    ("an address twice", {"doors": {"a": {"bolt": 1, "osdp": 1}, "b": {"bolt": 2, "osdp": 1}}}, "address"),
]


@pytest.mark.parametrize(("changes", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_wrong_wiring__is_named(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(BadWiring, match=said):
        load(wired(tmp_path, **changes))


def test_no_wiring__says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadWiring, match="--simulated"):
        load(tmp_path)


class FakePin:
    """One pin of a fake board; an input is pulled up: active means connected to ground."""

    def __init__(self) -> None:
        self.is_active = False
        self.when_activated: Callable[[], None] | None = None
        self.when_deactivated: Callable[[], None] | None = None

    def on(self) -> None:
        self.is_active = True

    def off(self) -> None:
        self.is_active = False

    def drive(self, active: bool) -> None:
        self.is_active = active
        told = self.when_activated if active else self.when_deactivated
        if told is not None:
            told()

    def close(self) -> None:
        return


class FakeBoard:
    def __init__(self) -> None:
        self.pins: dict[int, FakePin] = {}

    def output(self, pin: int, *, active_high: bool) -> Output:
        return self.pins.setdefault(pin, FakePin())

    def input(self, pin: int, *, bounce_s: float | None) -> Input:
        return self.pins.setdefault(pin, FakePin())


def test_a_pin_typed_on_real_wires__releases_the_bolt_and_contacts_are_told(
    bench: Bench, tmp_path: Path
) -> None:
    bench.take(a_snapshot(a_grant(), a_grant("card-0001", k="card", card="04A2B3C4")))
    bench.wait(1_500)
    board, line = FakeBoard(), FakeLine(reply(0, osdp.KEYPAD, b"\0\x06" + PIN.encode()))
    board.pins[27] = FakePin()
    board.pins[27].on()  # the door is closed
    building = Building(load(wired(tmp_path)), board, lambda path, baud: line)
    bench.controller._doors._bolts = building.bolts
    building.start(bench.controller)
    try:
        assert bench.controller._doors.report(bench.read())["d1"].pos == "closed"
        for number, key in enumerate(PIN):
            for bit in bits(EIGHT[key]):
                board.pins[24 if bit else 23].drive(True)
            eventually(lambda number=number: len(_frames(building)) == 0, what=f"key {number}")  # type: ignore[misc]
        eventually(lambda: board.pins[17].is_active, seconds=5, what="the bolt of d1")
        board.pins[27].drive(False)
        eventually(lambda: board.pins[18].is_active or len(line.sent) > 1, what="the OSDP reader")
        kinds = [(event.e, event.d) for event in bench.events()]
        assert ("granted", "d1") in kinds
        assert ("opened", "d1") in kinds
        bench.wait(6)
        assert not board.pins[17].is_active
    finally:
        building.stop()
    assert not any(board.pins[pin].is_active for pin in (17, 18))


def _frames(building: Building) -> list[int]:
    return building._readers[0]._frames._bits


def test_the_kernel__says_whether_it_knows_the_time() -> None:
    said = hostclock.utc_ms()
    assert said is None or said > T0 - 10**9
