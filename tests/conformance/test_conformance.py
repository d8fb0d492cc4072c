"""The runner passes our controller and names what is wrong with each broken one."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from booking.cli import main
from booking.conformance.checks import CHECKS
from booking.conformance.local import local
from booking.conformance.main import Wanted, _conclude
from booking.conformance.player import Player
from booking.conformance.run import FILES, meet
from booking.conformance.testport import Nobody, Operator
from booking.conformance.verdicts import Failed, NotRun, Verdict
from booking.conformance.wire import Wire
from booking.controller.core import Controller
from booking.lockwire.keys import derive
from tests.conformance.broken.controllers import ALSO, BROKEN
from tests.conformance.conftest import Judge

assert FILES  # the checks are registered


def test_our_controller__passes_every_check(judge: Judge) -> None:
    verdicts = judge(room=20)  # so few that C23 can exceed them

    assert [each for each in verdicts if each.outcome != "pass"] == []
    assert [each.number for each in verdicts] == [f"C{number:02}" for number in range(1, 26)]


def test_every_check__has_a_controller_that_fails_it() -> None:
    assert sorted(BROKEN) == sorted(CHECKS)


def test_the_command_line__tests_our_controller_as_a_process() -> None:
    done = CliRunner().invoke(
        main, ["conformance", "--simulated", "--json", "--only", "C07", "--only", "c05"]
    )
    found = json.loads(done.stdout)

    assert [(each["number"], each["outcome"]) for each in found["checks"]] == [
        ("C05", "pass"),
        ("C07", "pass"),
    ]
    assert (found["pass"], found["fail"], found["not run"]) == (2, 0, 0)
    assert done.exit_code == 0
    assert (found["conforms"], found["only"]) == (False, ["C07", "c05"])
    assert found["fw"]
    assert found["cap"]["max_doc"] >= 8_192
    assert "only a run without --only" in done.stderr


@pytest.mark.parametrize(
    ("count", "events", "conforms"), [(25, 5_000, True), (25, 300, False), (24, 5_000, False)]
)
def test_all_passed__conforms_only_if_all_was_run(
    capsys: pytest.CaptureFixture[str], count: int, events: int, conforms: bool
) -> None:
    verdicts = [Verdict(number, "", "pass") for number in sorted(CHECKS)[:count]]

    assert _conclude(verdicts, {}, Wanted(events=events, as_json=True), Console(stderr=True)) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["conforms"] is conforms
    assert (": conforms" in said.err) is conforms


def test_a_test_port_that_says_nothing_or_a_key_of_another_controller__is_said_in_one_line(
    tmp_path: Path,
) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"controller": "c1", "keys": [{"gen": 1, "key": "A" * 43}]}))
    options = ["conformance", "--broker", "mqtt://127.0.0.1:1", "--key", str(key), "--controller"]
    mute = CliRunner().invoke(main, [*options, "c1", "--test-port", "exec:/bin/false"])
    other = CliRunner().invoke(main, [*options, "c2"])

    assert "Error: the test port cannot be used" in mute.output
    assert f"{key} is the file of c1, not of c2" in other.output
    assert (mute.exit_code, other.exit_code) == (1, 1)


def test_without_rig_and_operator__what_shows_on_the_wire_is_checked_and_the_rest_said(
    tmp_path: Path,
) -> None:
    with local(tmp_path) as found:
        rig = subprocess.Popen(shlex.split(found.test_port.removeprefix("exec:")), stdin=subprocess.PIPE)
        options = ["--broker", found.server_url, "--controller", found.controller, "--key", str(found.key)]
        try:
            only = ["--only", "C05", "--only", "C06", "--only", "C12", "--json"]
            done = CliRunner().invoke(main, ["conformance", *options, *only])
        finally:
            rig.communicate()
    checks = {each["number"]: each for each in json.loads(done.stdout)["checks"]}

    assert {number: each["outcome"] for number, each in checks.items()} == {
        "C05": "not run",
        "C06": "pass",
        "C12": "not run",
    }
    assert "--test-port" in checks["C12"]["seen"]
    assert done.exit_code == 1


def test_a_wrong_key__is_named_as_the_likely_cause(tmp_path: Path) -> None:
    with local(tmp_path) as found:
        rig = subprocess.Popen(shlex.split(found.test_port.removeprefix("exec:")), stdin=subprocess.PIPE)
        keys = [derive(bytes(32), found.controller, 1)]
        wire = Wire(found.server_url, found.controller, keys)
        try:
            with pytest.raises(Failed, match="wrong --key"):
                meet(Player(wire, Nobody(), keys, []), seconds=5)
        finally:
            wire.close()
            rig.communicate()


def test_an_unknown_check_or_a_missing_option__says_what_to_give() -> None:
    unknown = CliRunner().invoke(main, ["conformance", "--simulated", "--only", "C99"])
    missing = CliRunner().invoke(main, ["conformance", "--broker", "mqtt://nowhere"])

    assert "no such check: C99" in unknown.output
    assert "--simulated" in missing.output
    assert (unknown.exit_code, missing.exit_code) == (1, 2)


def test_an_operator__is_asked_in_plain_words_and_may_skip() -> None:
    asked: list[str] = []
    answers = iter(["y", "n", "", "skip"])
    hands = Operator(lambda text: asked.append(text) or next(answers))  # type: ignore[func-returns-value]

    assert hands.ask("press", door="d1", pins=["004216", "4216"]) == {"opened": [True, False]}
    assert hands.ask("power", on=False) == {}
    with pytest.raises(NotRun):
        hands.ask("network", up=False)
    with pytest.raises(NotRun, match="test port"):
        hands.ask("press", door="d1", pins=["1"] * 1_000)
    assert "type 004216" in asked[0]
    assert "power OFF" in asked[2]


@pytest.mark.parametrize(("number", "broken"), ALSO)
def test_another_way_to_be_broken__fails_the_check_too(
    judge: Judge, number: str, broken: type[Controller]
) -> None:
    (verdict,) = judge(broken, number)

    assert verdict.outcome == "fail", f"{broken.__name__} passed {number}"


@pytest.mark.parametrize("number", sorted(BROKEN))
def test_a_broken_controller__fails_the_check_by_name(judge: Judge, number: str) -> None:
    (verdict,) = judge(BROKEN[number], number)

    assert verdict.outcome == "fail", f"{BROKEN[number].__name__} passed {number}"
    assert verdict.expected
    assert verdict.seen
    assert issubclass(BROKEN[number], Controller)
