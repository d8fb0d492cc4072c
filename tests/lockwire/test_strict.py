"""What JSON may not hold, and what of it one event may not take with it (lock protocol §4.4, §7)."""

import json

import pytest

from booking.conformance.vectors import EVENT, REPORT
from booking.lockwire.messages import Event, Report, Unreadable, events_of
from booking.lockwire.strict import StrictError, parse

GOOD = {**EVENT, "boot": 1, "e": "opened"}
TEXTS = (
    "fw",
    "cap.feat.0",
    "clk.src",
    "pw.src",
    "doors.d1.pos",
    "doors.d1.lock",
    "doors.d1.mode",
    "doors.d1.fail",
    "rej.0.why",
    "bad.why",
    "sid",
    "unheard_of",
)
BASE = {**REPORT, "rej": [{"id": "grant-001", "why": "dup"}], "bad": {"epoch": 1, "ver": 1, "why": "size"}}


def spoilt(path: str, text: str) -> bytes:
    body = json.loads(json.dumps(BASE))
    target = body
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        target = target[step]
    target[last] = text
    return json.dumps(body).encode()


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("char", ["\x00", "\n", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_control_character_in_any_text__is_refused(path: str, char: str) -> None:
    parse(spoilt("fw", "acme 2.4 – Åre"), Report)
    with pytest.raises(StrictError):
        parse(spoilt(path, f"a{char}b"), Report)


@pytest.mark.parametrize("char", ["\x7f", "\x85"])
def test_a_control_character_as_it_is__is_refused_like_an_escaped_one(char: str) -> None:
    raw = json.dumps({**BASE, "fw": f"a{char}b"}, ensure_ascii=False).encode()
    with pytest.raises(StrictError):
        parse(raw, Report)


def test_a_deep_and_a_quoted_text__are_read() -> None:
    deep: object = "x"
    for _ in range(300):
        deep = [deep]
    raw = json.dumps({**BASE, "fw": 'a"\\b', "later": deep}).encode()

    assert parse(raw, Report).fw == 'a"\\b'


POISON = (
    {"e": "x\x00"},
    {"why": "\n"},
    {"k": "a" * 40},
    {"d": "NO DOOR"},
    {"dur_s": -1},
    {"t": 5},
    {"e": 7},
    {"\ud800": 1},
)


@pytest.mark.parametrize("poison", POISON)
def test_one_event_that_breaks_the_rules__leaves_its_position_and_the_others(
    poison: dict[str, object],
) -> None:
    batch = [{**GOOD, "seq": 1}, {**GOOD, "seq": 2} | poison, {**GOOD, "seq": 3}]
    first, second, third = events_of(json.dumps({"ev": batch}).encode())

    assert isinstance(first, Event)
    assert second == Unreadable(1, 2)
    assert isinstance(third, Event)


@pytest.mark.parametrize(
    "batch", [[], [{}], [GOOD] * 51, [{**GOOD, "seq": "\x00"}], [1], [{**GOOD, "seq": 0}]]
)
def test_a_batch_without_positions__is_refused_whole(batch: list[object]) -> None:
    with pytest.raises(StrictError):
        events_of(json.dumps({"ev": batch}).encode())
