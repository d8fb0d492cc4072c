"""What measurements share: progress on stderr, one JSON line on stdout, percentiles, a database of their own."""

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from booking import postgres

Numbers = dict[str, float | int | str]
err = Console(stderr=True)


def options(about: str | None) -> argparse.ArgumentParser:
    """Return a parser that every measurement's options are added to."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON line on stdout, nothing else there")
    parser.add_argument("--keep", type=Path, help="keep the database in this folder and use it again")
    return parser


def say(text: str) -> None:
    """A line for who watches."""
    err.print(text, highlight=False)


@contextlib.contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; call what you are given with how much more is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=total)
        begun = time.monotonic()
        yield lambda more: bar.advance(task, more)
    say(f"{title}: {time.monotonic() - begun:.1f} s")


@contextlib.contextmanager
def server(keep: Path | None) -> Iterator[postgres.Server]:
    """A PostgreSQL of this measurement alone; with a folder it stays for the next time."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="booking-bench-") as folder:
            Path(folder).chmod(0o711)
            running = postgres.start(Path(folder))
            try:
                yield running
            finally:
                running.stop()
                postgres.remove(Path(folder))
        return
    keep.mkdir(parents=True, exist_ok=True)
    keep.chmod(0o711)
    running = postgres.start(keep)
    try:
        yield running
    finally:
        running.stop()


async def timed(
    title: str, rounds: int, do: Callable[[int], Awaitable[object]], *, warm: int = 3
) -> list[float]:
    """Return how long each round took, in milliseconds, after some that don't count."""
    for number in range(warm):
        await do(-1 - number)
    took = []
    with progress(title, rounds) as more:
        for number in range(rounds):
            begun = time.perf_counter()
            await do(number)
            took.append((time.perf_counter() - begun) * 1000)
            more(1)
    return took


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of them do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-int(share * 100) * len(ranked) // 100) - 1))]


def p50(values: list[float]) -> float:
    """Return the median, two decimals."""
    return round(percentile(values, 0.5), 2)


def p95(values: list[float]) -> float:
    """Return the 95th percentile, two decimals."""
    return round(percentile(values, 0.95), 2)


def machine() -> Numbers:
    """Return what the numbers were measured on, and how busy it was."""
    return {
        "cores": os.cpu_count() or 0,
        "load_1m": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def report(numbers: Numbers, *, as_json: bool) -> None:
    """Print one JSON line, or a table for people."""
    if as_json:
        print(json.dumps(numbers))
        return
    width = max(len(name) for name in numbers)
    for name, value in numbers.items():
        print(f"{name:<{width}}  {value}", file=sys.stdout)


__all__ = [
    "AsyncIterator",
    "Numbers",
    "machine",
    "options",
    "p50",
    "p95",
    "percentile",
    "progress",
    "report",
    "say",
    "server",
    "timed",
]
