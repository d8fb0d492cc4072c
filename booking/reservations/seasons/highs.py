"""HiGHS, a program of its own: text in, numbers out, killed when its time is up. Decision 0017.

The only place that knows the solver. One thread, fixed seed: the same program gives the same answer.
"""

import os
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from booking.errors import Unavailable
from booking.reservations.seasons.model import Goal, Model, as_lp


@dataclass(frozen=True, slots=True)
class Answer:
    """The chosen candidates, the value of the goal, and whether nothing better exists."""

    chosen: frozenset[int]
    value: float
    proven: bool


class Solve(Protocol):
    """Find the best choice within so many seconds, beginning with a known one; None if nothing came of it."""

    def __call__(self, model: Model, goal: Goal, *, seconds: float, start: Collection[int]) -> Answer | None:
        """Return the best choice found."""


def solve(model: Model, goal: Goal, *, seconds: float, start: Collection[int]) -> Answer | None:
    """Return HiGHS' answer. Raises Unavailable (`no_solver`) where the program isn't installed."""
    program, libraries = _program()
    with tempfile.TemporaryDirectory(prefix="season-") as name:
        folder = Path(name)
        (folder / "model.lp").write_text(as_lp(model, goal))
        (folder / "start.txt").write_text(_start(model, goal, start))
        (folder / "options.txt").write_text(_options(seconds, goal.gap))
        command = [str(program), "model.lp", "--options_file", "options.txt"]
        command += ["--solution_file", "answer.txt", "--read_solution_file", "start.txt"]
        path = os.pathsep.join([str(libraries), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
        try:
            subprocess.run(  # noqa: S603 our own arguments
                command,
                cwd=folder,
                env={"LD_LIBRARY_PATH": path, "DYLD_LIBRARY_PATH": path, "OMP_NUM_THREADS": "1"},
                capture_output=True,
                timeout=seconds + 5,
                check=True,
            )
            return _read((folder / "answer.txt").read_text())
        except (subprocess.SubprocessError, OSError):
            return None


def _program() -> tuple[Path, Path]:
    try:
        import highsbox
    except ImportError as error:
        raise Unavailable(
            "the season solver is not installed: run ./run once more", code="no_solver"
        ) from error
    return Path(highsbox.highs_bin_path()), Path(highsbox.highs_lib_dir())


def _options(seconds: float, gap: float) -> str:
    return (
        f"time_limit = {max(0.1, seconds):.2f}\nthreads = 1\nparallel = off\nrandom_seed = 0\n"
        f"mip_rel_gap = 0\nmip_abs_gap = {gap}\nlog_to_console = false\n"
    )


def _start(model: Model, goal: Goal, chosen: Collection[int]) -> str:
    """Return a choice as HiGHS reads it back."""
    picked = frozenset(chosen)
    columns = [f"x{n} {int(n in picked)}" for n in range(len(model.candidates))]
    columns += [f"{name} {one.value(picked)}" for name, one in {**model.extra, **goal.extra}.items()]
    head = "Model status\nUnknown\n\n# Primal solution values\nFeasible\nObjective 0\n"
    return f"{head}# Columns {len(columns)}\n" + "\n".join(columns) + "\n"


def _read(text: str) -> Answer | None:
    """Return the answer in HiGHS' raw solution file, or None if it found no choice."""
    lines = text.splitlines()
    if "# Primal solution values" not in lines:
        return None
    at = lines.index("# Primal solution values")
    if lines[at + 1] != "Feasible":
        return None
    chosen = set()
    for line in lines[at + 4 :]:
        if line.startswith("#"):
            break
        name, _, value = line.partition(" ")
        if name.startswith("x") and float(value) > 0.5:
            chosen.add(int(name[1:]))
    return Answer(frozenset(chosen), float(lines[at + 2].split()[1]), lines[1] == "Optimal")
