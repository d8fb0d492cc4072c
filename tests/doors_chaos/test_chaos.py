"""The chaos run in small; `./run bench door-chaos --json` is the whole of it (1,000 schedules)."""

import asyncio

import pytest

from tests.doors_chaos.chaos import run

SEED, SCHEDULES, AT_ONCE = 4_711, 120, 40


@pytest.mark.timeout(600)
def test_every_part_killed_frozen_and_lied_to__no_revocation_is_lost_and_all_agree_in_the_end() -> None:
    found = asyncio.run(run(SEED, SCHEDULES, print, at_once=AT_ONCE))
    kinds = ("lost_revocations", "out_of_window", "unconverged", "duplicate_pins")
    assert {kind: found[kind] for kind in kinds} == dict.fromkeys(kinds, 0), found
