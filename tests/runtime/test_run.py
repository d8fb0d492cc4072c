"""`run` itself: what it says and does before any package is there. Installing is tried by .ci/run in a clean clone."""

import ast
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, working on an empty clone."""
    loader = importlib.machinery.SourceFileLoader("run", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("run", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    for kind in ("demo", "dev"):
        (tmp_path / kind).write_text(f"{kind}==1")
    monkeypatch.setattr(module, "LOCKS", {kind: tmp_path / kind for kind in ("demo", "dev")})
    monkeypatch.setattr(module, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", venv / "stamp.json")
    return module


def stamp(run: ModuleType, *kinds: str) -> None:
    import json

    run.STAMP.write_text(json.dumps({**{kind: run.digest(kind) for kind in kinds}, "of": run.identity()}))


def test_environment_of_the_developers_lock__serves_the_demo(run: ModuleType) -> None:
    stamp(run, "demo", "dev")
    assert run.is_ready("demo")
    assert run.is_ready("dev")


def test_environment_of_the_demo__is_not_enough_for_developers(run: ModuleType) -> None:
    stamp(run, "demo")
    assert run.is_ready("demo")
    assert not run.is_ready("dev")


def test_changed_lock__makes_the_environment_stale(run: ModuleType) -> None:
    stamp(run, "demo", "dev")
    run.LOCKS["demo"].write_text("demo==2")
    assert not run.is_ready("demo")
    assert run.is_ready("dev")


def test_interpreter_that_is_gone__makes_the_environment_stale(run: ModuleType) -> None:
    stamp(run, "demo", "dev")
    run.PYTHON.unlink()
    assert not run.is_ready("demo")


def test_failing_step__shows_what_the_command_said(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    said = run.step("packages", [sys.executable, "-c", "import sys; sys.exit('no such index')"])
    assert said == "no such index"
    assert "packages … failed after" in capsys.readouterr().out


def test_script__is_readable_for_python_3_7() -> None:
    ast.parse((ROOT / "run").read_text(), feature_version=(3, 7))


def test_help__needs_no_packages(tmp_path: Path) -> None:
    (tmp_path / "run").write_text((ROOT / "run").read_text())
    done = subprocess.run(
        [sys.executable, "run", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 0
    assert "./run test" in done.stdout
    assert not (tmp_path / ".venv").exists()
