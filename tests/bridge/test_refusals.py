"""A code that a lock will never take: told to the server, asked once, in nobody's way (lock-protocol §6, §12.2.4)."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from booking.bridge.drivers.nuki_hub import NukiHub
from tests.bridge.simulated_nuki_hub import SimulatedNukiHub
from tests.bridge.test_core import HOUR, BridgeBench, a_grant

BAD, GOOD = "483926", "583926"


@pytest.fixture
def hubs() -> list[SimulatedNukiHub]:
    return [SimulatedNukiHub(path=f"nukihub/{door}", refuses=frozenset({BAD})) for door in ("d1", "d2")]


@pytest.fixture
def bench(tmp_path: Path, hubs: list[SimulatedNukiHub]) -> BridgeBench:
    drivers = {hub.path[-2:]: NukiHub(hub.path, ZoneInfo("Europe/Stockholm"), listed=4) for hub in hubs}
    bench = BridgeBench(tmp_path, drivers, [*hubs])
    bench.wait(60)
    return bench


def codes(hub: SimulatedNukiHub) -> set[str]:
    return {entry["code"] for entry in hub.entries.values()}


def tries(hub: SimulatedNukiHub) -> int:
    return sum(said.get("code") == BAD for said in hub.actions)


def refused(bench: BridgeBench) -> dict[str, str]:
    return {each.id: each.why for each in bench.report().rej}


def test_a_refused_code__is_told_tried_once_and_takes_no_place(
    bench: BridgeBench, hubs: list[SimulatedNukiHub]
) -> None:
    later = [a_grant(f"grant-00{i}", f"{i}83926", start=i * HOUR) for i in (5, 6, 7)]
    bench.desire(a_grant("grant-bad", BAD), *later)
    bench.wait(600)
    assert refused(bench) == {"grant-bad": "format"}
    assert bench.report().pend == []
    assert codes(hubs[0]) == {"583926", "683926", "783926"}, "as many as the lock has places"
    assert tries(hubs[0]) == 1


def test_every_report_before_and_after__has_it_as_pending_or_refused(bench: BridgeBench) -> None:
    before = len(bench.reports())
    bench.desire(a_grant("grant-bad", BAD))
    bench.wait(60)
    for report in bench.reports()[before:]:
        assert "grant-bad" in {*report.pend, *(each.id for each in report.rej)}


def test_a_new_version_about_others__does_not_try_it_again(
    bench: BridgeBench, hubs: list[SimulatedNukiHub]
) -> None:
    bench.desire(a_grant("grant-bad", BAD))
    bench.wait(60)
    bench.desire(a_grant("grant-bad", BAD), a_grant("grant-005", GOOD))
    bench.wait(600)
    assert tries(hubs[0]) == 1
    assert (refused(bench), codes(hubs[0])) == ({"grant-bad": "format"}, {GOOD})


def test_another_pin_for_the_grant__is_put(bench: BridgeBench, hubs: list[SimulatedNukiHub]) -> None:
    bench.desire(a_grant("grant-bad", BAD))
    bench.wait(60)
    bench.desire(a_grant("grant-bad", GOOD))
    bench.wait(60)
    assert (refused(bench), bench.report().pend, codes(hubs[0])) == ({}, [], {GOOD})


def test_other_windows__are_tried(bench: BridgeBench, hubs: list[SimulatedNukiHub]) -> None:
    bench.desire(a_grant("grant-bad", BAD))
    bench.wait(60)
    bench.desire(a_grant("grant-bad", BAD, start=2 * HOUR))
    bench.wait(60)
    assert tries(hubs[0]) == 2


def test_a_refusal_that_comes_after_the_new_pin__does_not_count_for_it(
    bench: BridgeBench, hubs: list[SimulatedNukiHub]
) -> None:
    before = len(bench.reports())
    bench.desire(a_grant("grant-bad", BAD))
    while not any(BAD.encode() in message.payload for message in bench.out):
        message = bench.out.pop(0)
        for reply in hubs[0].take(message):
            bench.bridge.hear(reply)
    bench.desire(a_grant("grant-bad", GOOD))
    bench.wait(60)
    assert tries(hubs[0]) == 1
    assert not any(report.rej for report in bench.reports()[before:])
    assert codes(hubs[0]) == {GOOD}


@pytest.mark.parametrize("others", [[], ["d1"], ["d2"]])
def test_two_locks_that_refuse_the_same_code__both_rest(
    bench: BridgeBench, hubs: list[SimulatedNukiHub], others: list[str]
) -> None:
    """Also where the same PIN stands for somebody else at one of them, so that the windows there are not the same."""
    more = [a_grant("grant-more", BAD, start=5 * HOUR, doors=others)] if others else []
    bench.desire(a_grant("grant-bad", BAD, doors=["d1", "d2"]), *more)
    bench.wait(600)
    assert set(refused(bench)) == {"grant-bad", *(grant.id for grant in more)}
    assert bench.report().pend == []
    assert max(tries(hub) for hub in hubs) <= 2
    assert [codes(hub) for hub in hubs] == [set(), set()]


def test_a_refusal_at_one_door__takes_the_code_out_of_the_other(
    bench: BridgeBench, hubs: list[SimulatedNukiHub]
) -> None:
    hubs[1].refuses = frozenset()
    bench.desire(a_grant("grant-bad", BAD, doors=["d1", "d2"]))
    bench.wait(120)
    assert (refused(bench), bench.report().pend) == ({"grant-bad": "format"}, [])
    assert codes(hubs[1]) == set()
