"""The chaos run in the size that CI bears; `./run bench door-chaos --json` runs longer and with other seeds."""

import asyncio

import pytest

from tests.doors_chaos.chaos import VIOLATIONS, run

SEED, SCHEDULES, CONTROLLERS, EACH, STEPS = 4_711, 1_000, 32, 8, 2


@pytest.mark.timeout(600)
def test_every_part_killed_frozen_and_lied_to__no_revocation_is_lost_and_all_agree_in_the_end() -> None:
    found = asyncio.run(run(SEED, SCHEDULES, print, at_once=CONTROLLERS, each=EACH, steps=STEPS))
    assert {kind: found[kind] for kind in VIOLATIONS} == dict.fromkeys(VIOLATIONS, 0), found
