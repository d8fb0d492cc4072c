"""What `./run test` says when a part is not here."""

import os
from pathlib import Path

import pytest

from tests import all as suites


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing installed, used by an ordinary user."""
    monkeypatch.setattr(suites, "SYSTEM_PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.usefixtures("bare")
def test_missing_parts_and_no_root__is_a_failure_with_the_line_to_type() -> None:
    with pytest.raises(suites.Missing, match="the tests need mosquitto and chromium"):
        suites.provide()


def test_program_that_does_not_run__is_missing() -> None:
    with pytest.raises(suites.Missing, match="does not run here"):
        suites.said("/bin/false")


def test_failed_suite__is_the_result_of_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    title, status, _ = suites.suite("web UI", ["/bin/false"])
    assert (title, status) == ("web UI", 1)
    assert "— web UI" in capsys.readouterr().out
