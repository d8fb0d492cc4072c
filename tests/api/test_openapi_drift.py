"""The committed OpenAPI document and the UI's types made from it are those of the code as it is now."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "the API changed: run `./run types` and commit what it writes"


def test_the_api_is_rendered_again__the_committed_document_is_the_same(tmp_path: Path) -> None:
    rendered = tmp_path / "openapi.json"
    done = subprocess.run(
        [sys.executable, "-m", "booking", "openapi", str(rendered)],
        cwd=ROOT, env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert rendered.read_text() == (ROOT / "frontend" / "openapi.json").read_text(), REMEDY
