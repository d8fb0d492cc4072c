"""The runner between checks: one that breaks off takes no other with it, and no leftover misleads it."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from booking.conformance.checks import CHECKS, Check
from booking.conformance.player import Player
from booking.conformance.run import meet, run
from booking.conformance.verdicts import NotRun, Verdict
from booking.conformance.wire import misfit
from booking.controller.core import Controller
from booking.lockwire import snapshot
from booking.lockwire.messages import Events, Report
from booking.lockwire.strict import StrictError, parse
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


def test_a_snapshot_that_is_not_taken__is_told_with_versions_digests_and_what_was_unreadable(
    mqtt: RunningBroker, tmp_path: Path
) -> None:
    def waits_in_vain(p: Player) -> None:
        p.patience_s = 1
        p.hold(p.grant())
        p.wire.faults.append("up/evt: does not fit the schema")
        p.hold(octets=b"{}")

    with player(mqtt, tmp_path, Controller) as played:
        (found,) = run(played, [Check("C99", "", 0, waits_in_vain)], lambda _: None)

    assert "version 1.2 with digest 44136fa3" in found.expected
    assert "version 1.1 with digest" in found.seen
    assert "bad schema for 1.2" in found.seen
    assert " s ago; unreadable: up/evt: does not fit the schema" in found.seen


def test_a_message_of_the_wrong_form__is_told_with_member_and_value() -> None:
    event = {"boot": 1, "seq": 0, "t": None, "mono": 1, "clk": "ntp", "d": None, "e": "boot"}
    plain = json.dumps({"ev": [event]}).encode()
    with pytest.raises(StrictError) as error:
        parse(plain, Events)

    assert misfit(error.value, plain) == ": Expected `int` >= 1 - at `$.ev[0].seq`, which is 0"


def slow_down_time(played: Player) -> None:
    """A network on which the answer takes 0.15 s."""
    send = played.wire.send

    def later(topic: str, payload: bytes, **more: Any) -> Any:
        if not topic.endswith("/time"):
            return send(topic, payload, **more)
        return threading.Timer(0.15, send, (topic, payload), more).start()

    played.wire.send = later  # type: ignore[method-assign]


def test_an_answer_under_way__arrives_before_time_passes(mqtt: RunningBroker, tmp_path: Path) -> None:
    with player(mqtt, tmp_path, Controller) as played:
        played.hold(played.grant())
        slow_down_time(played)
        for _ in range(2):
            played.power(False)
            mark = played.wire.mark()
            played.power(True, clock=False)
            played.connected(mark)
            played.let_pass(3)
            mark = played.wire.mark()
            played.order("resync")
            report = played.wire.wait(Report, lambda report, _: report.clk.src == "srv", 6, mark)
            assert report is not None
            assert abs((report.clk.utc_ms or 0) - played.now_ms()) < 700


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
