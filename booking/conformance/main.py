"""`booking conformance`: from the command line to verdicts, a table or one JSON document, and an exit code."""

import base64
import json
import secrets
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from booking.conformance.checks import CHECKS, Check
from booking.conformance.local import Local, local
from booking.conformance.player import Player
from booking.conformance.run import chosen, meet, run
from booking.conformance.testport import Hands, Nobody, Operator, Rig
from booking.conformance.verdicts import Failed, NotRun, Verdict
from booking.conformance.wire import Wire
from booking.lockwire.keys import Keys, derive

EVENTS = 5_000  # what C20 makes in a run that can conform
MARKS = {"pass": "[green]✓[/]", "fail": "[red]✗[/]", "not run": "[yellow]–[/]"}


class MasterKey(msgspec.Struct):
    """One generation's key, 32 bytes as base64url."""

    gen: int
    key: str


class KeyFile(msgspec.Struct):
    """The file that enrolment makes: controller id, broker password, keys."""

    controller: str
    keys: list[MasterKey]
    password: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to test and how."""

    broker: str = ""
    controller: str = ""
    key: Path = Path()
    test_port: str | None = None
    doors: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    events: int = EVENTS
    ca: Path | None = None
    as_json: bool = False


class Unusable(Exception):
    """The command line cannot be carried out; the text says what to change."""


def conformance(wanted: Wanted) -> int:
    """Run the checks and print them; 0 only if every one passed."""
    checks = chosen(wanted.only)
    console = Console(stderr=wanted.as_json)
    keys = _keys(wanted)
    port = _port(wanted)
    try:
        wire = Wire(wanted.broker, wanted.controller, keys, wanted.ca)
        player = Player(wire, port, list(keys), list(wanted.doors))
        player.event_count = wanted.events
        try:
            verdicts = _play(player, checks, console)
        finally:
            wire.close()
    finally:
        port.close()
    _remember(wanted, player)
    return _conclude(verdicts, _about(player), wanted, console)


def conformance_of_ours(wanted: Wanted) -> int:
    """Run the checks against our own simulated controller on our own broker."""
    with tempfile.TemporaryDirectory() as folder, local(Path(folder)) as found:
        return conformance(pointed(wanted, found))


def pointed(wanted: Wanted, found: Local) -> Wanted:
    """Return the wish, pointed at what runs on this machine."""
    return replace(
        wanted,
        broker=found.server_url,
        controller=found.controller,
        key=found.key,
        test_port=found.test_port,
        doors=wanted.doors or ("d1", "d2"),
    )


def _keys(wanted: Wanted) -> list[Keys]:
    try:
        file = msgspec.json.decode(wanted.key.read_bytes(), type=KeyFile)
        keys = [
            derive(base64.urlsafe_b64decode(each.key + "=="), wanted.controller, each.gen)
            for each in sorted(file.keys, key=lambda each: each.gen)
        ]
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise Unusable(f"{wanted.key} cannot be used ({error}); it is the file enrolment makes") from error
    if file.controller != wanted.controller:
        raise Unusable(f"{wanted.key} is the file of {file.controller}, not of {wanted.controller}")
    if not keys:
        raise Unusable(f"{wanted.key} holds no key")
    return keys


def _port(wanted: Wanted) -> Hands:
    try:
        if wanted.test_port:
            return Rig(wanted.test_port)
    except (OSError, ValueError, NotRun) as error:
        raise Unusable(f"the test port cannot be used: {error}") from error
    return Operator(input) if sys.stdin.isatty() and not wanted.as_json else Nobody()


def _play(player: Player, checks: list[Check], console: Console) -> list[Verdict]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(f"waiting for {player.wire.controller}", total=len(checks))
        try:
            meet(player)
        except Failed as failed:
            return [Verdict("C00", "The controller answers", "fail", failed.expected, failed.seen)]

        def tell(verdict: Verdict) -> None:
            progress.console.print(_line(verdict), highlight=False, soft_wrap=True)
            progress.advance(task)

        progress.update(task, description="checking")
        return run(player, checks, tell)


def _line(verdict: Verdict) -> str:
    line = f"{MARKS[verdict.outcome]} {verdict.number} {verdict.title} [dim]({verdict.seconds:.1f} s)[/]"
    if verdict.outcome == "fail":
        return f"{line}\n      expected {verdict.expected}\n      saw      {verdict.seen}"
    return f"{line}\n      {verdict.seen}" if verdict.outcome == "not run" else line


def _conclude(verdicts: list[Verdict], about: dict[str, object], wanted: Wanted, console: Console) -> int:
    counts = {kind: sum(each.outcome == kind for each in verdicts) for kind in MARKS}
    passed = counts["pass"] == len(verdicts)
    is_whole = len(verdicts) == len(CHECKS) and wanted.events >= EVENTS
    if wanted.as_json:
        document = {
            "controller": wanted.controller,
            **about,
            "conforms": passed and is_whole,
            "only": list(wanted.only),
            "events": wanted.events,
            **counts,
            "checks": [asdict(each) for each in verdicts],
        }
        print(json.dumps(document, ensure_ascii=False))
    for verdict in verdicts if verdicts[0].number == "C00" else ():
        console.print(_line(verdict), highlight=False, soft_wrap=True)
    text = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    console.print(f"{text}: {_judgement(passed, is_whole)}")
    return 0 if passed else 1


def _judgement(passed: bool, is_whole: bool) -> str:
    if not passed:
        return "does not conform (every check must pass)"
    return (
        "conforms" if is_whole else "what was run passed; only a run without --only and --events can conform"
    )


def _about(player: Player) -> dict[str, object]:
    """Return what was tested, and when."""
    report = player.last_report()
    return {
        "fw": report.fw if report else None,
        "cap": msgspec.to_builtins(report.cap) if report else None,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _remember(wanted: Wanted, player: Player) -> None:
    """The device has dropped its old generation: the key file gets the new one, or nobody could speak to it."""
    if not player.masters:
        return
    file: dict[str, list[dict[str, object]]] = json.loads(wanted.key.read_text())
    known = {each["gen"] for each in file["keys"]}
    for gen, master in player.masters.items():
        if gen not in known:
            key = base64.urlsafe_b64encode(master).decode().rstrip("=")
            file["keys"].append({"gen": gen, "key": key})
    draft = wanted.key.with_name(f"{wanted.key.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(file))
    draft.replace(wanted.key)
