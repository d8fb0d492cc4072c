import json
import subprocess
import sys
from pathlib import Path

import pytest

from booking.web import build

LOCK = {"name": "ui", "lockfileVersion": 3, "requires": True, "packages": {"": {"name": "ui"}}}
MAKE = """
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('../booking/web/dist', { recursive: true });
writeFileSync('../booking/web/dist/200.html', process.version);
appendFileSync('../times', 'built\\n');
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with the smallest UI that npm can build."""
    source = tmp_path / "frontend"
    source.mkdir()
    scripts = {"build": "node make.mjs", "check": "node -e 'process.exit(3)'"}
    (source / "package.json").write_text(json.dumps({"name": "ui", "scripts": scripts}))
    (source / "package-lock.json").write_text(json.dumps(LOCK))
    (source / "make.mjs").write_text(MAKE)
    place = tmp_path / "booking" / "web"
    place.mkdir(parents=True)
    (place / "build.py").write_text(Path(build.__file__).read_text())
    return tmp_path


def times(root: Path) -> int:
    return (root / "times").read_text().count("built")


def test_first_build__runs_the_node_of_our_wheel(root: Path) -> None:
    assert build.build(root, lambda text: None)
    version = (root / "booking/web/dist/200.html").read_text()
    assert version.startswith("v24.")


def test_second_build_of_the_same_source__does_nothing(root: Path) -> None:
    build.build(root, lambda text: None)
    assert not build.build(root, lambda text: None)
    assert times(root) == 1


def test_changed_source__is_built_again(root: Path) -> None:
    build.build(root, lambda text: None)
    (root / "frontend" / "page.svelte").write_text("<h1>Hej</h1>")
    assert build.build(root, lambda text: None)


def test_two_builders_at_once__build_once(root: Path) -> None:
    command = [sys.executable, str(root / "booking/web/build.py")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert times(root) == 1


def test_broken_build__fails_with_what_npm_said_and_stays_stale(root: Path) -> None:
    (root / "frontend" / "make.mjs").write_text("throw new Error('\\x1b[31mno such page\\x1b[0m')")
    with pytest.raises(build.BuildError, match=r"(?s)Error: no such page.*`npm run build` in"):
        build.build(root, lambda text: None)
    assert not build.is_fresh(root)


def test_failing_check__is_exit_status_1(root: Path) -> None:
    done = subprocess.run([sys.executable, str(root / "booking/web/build.py"), "check"], check=False)
    assert done.returncode == 1
