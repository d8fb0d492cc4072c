"""The whole story on real parts, by the command that an operator types."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from booking.check.story import Story

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(420)
def test_check__tells_every_step_and_exits_zero() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "booking", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    told = done.stdout.strip().splitlines()
    assert done.returncode == 0, f"{told}\n{done.stderr[-3000:]}"
    assert len(told) == 1, "one JSON line and nothing else"
    result = json.loads(told[0])
    assert result["ok"] is True
    names = [name for name, _ in Story("http://nowhere").steps()]
    assert [step["step"] for step in result["steps"]] == ["start", *names, "ledger_balances"]
    assert all(step["seconds"] >= 0 for step in result["steps"])
    print(f"\nstory: {result['seconds']} s, of which the start {result['steps'][0]['seconds']} s")


def test_check_of_a_state_without_a_demo__names_the_step_that_failed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "booking", "check", "--state", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert (result["ok"], result["failed"]) == (False, "start")
    assert "./run" in result["why"]
