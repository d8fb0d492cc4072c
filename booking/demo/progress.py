"""One line per step of a start, with its seconds; a spinner on a terminal, plain lines in a log."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

console = Console(highlight=False, soft_wrap=True)
LOG_EVERY_SECONDS = 10.0  # a log shall show that a long step is alive, not every word of it
Note = Callable[[str], None]


@contextlib.contextmanager
def step(title: str) -> Iterator[Note]:
    """Show that a step runs, then its last note and its seconds; an exception shows it as failed and goes on up."""
    begun = time.monotonic()
    notes: list[str] = []
    if console.is_terminal:
        with console.status(f"{title} …") as status:

            def note(text: str) -> None:
                notes.append(text)
                status.update(Text(f"{title}: {text}"))

            yield from _closing(title, begun, notes, note)
    else:
        console.print(f"  {title} …")
        printed = begun

        def note_in_log(text: str) -> None:
            nonlocal printed
            notes.append(text)
            if time.monotonic() - printed > LOG_EVERY_SECONDS:
                printed = time.monotonic()
                console.print(Text(f"  {title}: {text}"))

        yield from _closing(title, begun, notes, note_in_log)


def _closing(title: str, begun: float, notes: list[str], note: Note) -> Iterator[Note]:
    try:
        yield note
    except BaseException:
        _line("✗", "red", title, begun, notes)
        raise
    _line("✓", "green", title, begun, notes)


def _line(mark: str, colour: str, title: str, begun: float, notes: list[str]) -> None:
    seconds = f"{time.monotonic() - begun:5.1f} s"
    console.print(
        Text.assemble((mark, colour), f" {title:<16} ", (seconds, "dim"), f"  {notes[-1] if notes else ''}")
    )


def say(text: str) -> None:
    """Print one line as it is."""
    console.print(Text(text))
