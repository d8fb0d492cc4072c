"""The documents name only what exists: links, modules, words of the code, tests given as evidence."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
IN_A_LINE = {"demo", "postgres", "simulated", "check", "migrations"}  # described by one line for the package


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_of_a_page__leads_somewhere(page: Path) -> None:
    links = [one for one in re.findall(r"\]\(([^)#\s]+)", page.read_text()) if "://" not in one]

    assert [one for one in links if not (page.parent / one).exists()] == []


def test_every_module__has_its_line_in_the_architecture() -> None:
    tree = (ROOT / "docs/architecture.md").read_text()
    modules = [path for path in (ROOT / "booking").rglob("*.py") if not path.name.startswith("__")]

    absent = [
        str(path.relative_to(ROOT))
        for path in modules
        if path.name not in tree and path.relative_to(ROOT / "booking").parts[0] not in IN_A_LINE
    ]
    assert absent == []


def test_every_word_of_the_glossary__is_in_the_code() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text().split("## Reserved")[0]
    sources = subprocess.run(  # every text file of product and pages, once
        ["git", "grep", "-hI", "", "--", "booking", "frontend/src"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    words = set(re.findall(r"`([^`]+)`", glossary))

    assert [word for word in sorted(words) if not re.search(rf"\b{re.escape(word)}\b", sources)] == []


def test_evidence_for_a_feature__exists() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs/features.md").read_text())
    files = {file: ROOT / "tests" / file for file, _ in named}

    assert [file for file, path in files.items() if not path.exists()] == []
    assert [name for file, name in named if name and f"def {name}(" not in files[file].read_text()] == []
