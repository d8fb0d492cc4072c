import re

from booking.lockwire import lockout, pins
from booking.lockwire.lockout import Lockout
from booking.lockwire.snapshot import DEFAULT_POLICY as POLICY


def lock_again(state: Lockout, now: int) -> Lockout:
    for _ in range(POLICY.tries):
        assert not state.is_locked(now)
        state = lockout.denied(state, "unknown", POLICY, now)
    return state


def test_an_attacker_who_never_rests__waits_twice_as_long_each_round_up_to_an_hour() -> None:
    state, now, waits = Lockout(), 1_000, []
    for _ in range(9):
        state = lock_again(state, now)
        waits.append(state.until - now)
        now = state.until

    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_granted_pin__clears_the_count_but_not_the_level() -> None:
    state = lock_again(Lockout(), 0)
    almost = Lockout(misses=4, level=state.level, last=100)
    assert lockout.granted(almost) == Lockout(misses=0, level=1, last=100)


def test_four_misses_then_a_hit__never_locks() -> None:
    state = Lockout()
    for round_ in range(20):
        for _ in range(4):
            state = lockout.denied(state, "unknown", POLICY, round_)
        state = lockout.granted(state)
    assert not state.is_locked(20)


def test_denials_that_are_nobody_s_fault__do_not_count() -> None:
    state = Lockout(misses=4)
    for why in ("leader_first", "clock", "locked_out"):
        assert lockout.denied(state, why, POLICY, 0) == state


def test_an_hour_without_a_denial__takes_one_level_off() -> None:
    state = Lockout(level=3, until=0, last=0)
    assert [lockout.relaxed(state, POLICY, at).level for at in (3_599, 3_600, 7_200, 99_999)] == [3, 2, 1, 0]


def test_the_trivial_pins__are_exactly_4260() -> None:
    assert sum(pins.is_trivial(f"{number:06d}") for number in range(10**6)) == 4_260


def test_known_trivial_pins__are_rejected() -> None:
    for pin in ("123456", "987654", "890123", "123123", "565656", "123321", "111111", "112211", "1212"):
        assert pins.is_trivial(pin), pin
    for pin in ("004216", "739150", "4216"):
        assert not pins.is_trivial(pin), pin


def test_a_drawn_pin__is_a_string_of_its_length_and_not_trivial() -> None:
    for length in (4, 6, 8):
        for _ in range(50):
            pin = pins.draw(length)
            assert re.fullmatch(rf"[0-9]{{{length}}}", pin)
            assert not pins.is_trivial(pin)
