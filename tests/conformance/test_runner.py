"""The runner between checks: one that breaks off takes no other with it, and no leftover misleads it."""

from pathlib import Path

import pytest

from booking.conformance.checks import CHECKS, Check
from booking.conformance.player import Player
from booking.conformance.run import meet, run
from booking.conformance.verdicts import NotRun, Verdict
from booking.controller.core import Controller
from booking.lockwire import snapshot
from tests.conformance.conftest import player
from tests.controller.parts import RunningBroker


def outcomes(played: Player, checks: list[Check]) -> dict[str, str]:
    def tell(verdict: Verdict) -> None:
        pass

    return {each.number: each.outcome for each in run(played, checks, tell)}


def test_no_power_to_cut__spends_the_version_it_published(mqtt: RunningBroker, tmp_path: Path) -> None:
    with player(mqtt, tmp_path, Controller) as played:

        def refused(on: bool, *, clock: bool = True) -> None:
            raise NotRun("skipped by the operator")

        played.power = refused  # type: ignore[method-assign]
        found = outcomes(played, [CHECKS["C07"], CHECKS["C24"]])

    assert found == {"C07": "not run", "C24": "pass"}


def breaks_off(p: Player) -> None:
    p.hold(p.grant())
    p.answers = p.acknowledges = False
    p.network(False)
    p.power(False)
    p.ver -= 1
    raise ValueError("an answer of the test port that nobody foresaw")


def test_a_check_that_breaks_off__takes_no_other_with_it(mqtt: RunningBroker, tmp_path: Path) -> None:
    with player(mqtt, tmp_path, Controller) as played:
        found = outcomes(played, [Check("C99", "", 0, breaks_off), CHECKS["C15"], CHECKS["C04"]])

    assert found == {"C99": "not run", "C15": "pass", "C04": "pass"}


@pytest.mark.parametrize("has_power", [True, False])
def test_an_older_run_left_its_snapshot__the_runner_begins_above_it(
    mqtt: RunningBroker, tmp_path: Path, has_power: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with player(mqtt, tmp_path, Controller) as played:
        played.power(False)
        played.port.ask("erase")
        octets = snapshot.encode(played.snapshot(played.grant()))
        played.publish("desired", played.sealed("desired", octets, (4, 36)), retain=True)
        played.answers = False
        mark = played.wire.mark()
        played.power(True)
        played.connected(mark)
        played.wire.heard.clear()
        played.epoch, played.ver, played.answers = 0, 0, True
        if not has_power:
            monkeypatch.setattr(played, "power", lambda *_, **__: (_ for _ in ()).throw(NotRun("no rig")))
        played.order("resync")
        meet(played)
        report = played.hold(played.grant())

    assert report.bad is None
