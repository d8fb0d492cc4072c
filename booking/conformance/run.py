"""Running the checks in order, one verdict each."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from booking.conformance import checks_door, checks_events, checks_seal, checks_state
from booking.conformance.checks import CHECKS, Check
from booking.conformance.player import Player
from booking.conformance.verdicts import Failed, NotRun, Verdict
from booking.lockwire.messages import Report

FILES = (checks_door, checks_events, checks_seal, checks_state)  # importing them registers the checks
LEFTOVER_S = 3  # for an empty device to take a snapshot it was holding back


def chosen(only: Iterable[str]) -> list[Check]:
    """Return the checks wanted, all if none is named, in the order they run. Raises ValueError."""
    wanted = {each.upper() for each in only}
    if unknown := wanted - set(CHECKS):
        raise ValueError(
            f"no such check: {', '.join(sorted(unknown))}; there are {', '.join(sorted(CHECKS))}"
        )
    every = sorted(CHECKS.values(), key=lambda check: check.order)
    return [check for check in every if not wanted or check.number in wanted]


def meet(player: Player, seconds: float = 90) -> Report:
    """The device is there; whatever it has, ours will be newer. Raises Failed."""
    report = player.wire.wait(Report, lambda *_: True, seconds)
    if report is None:
        raise Failed(
            "a report on up/reported",
            f"none within {seconds:.0f} s"
            + (f"; unreadable: {player.wire.faults[-1]}" if player.wire.faults else ""),
        )
    if not player.doors:
        player.doors = sorted(report.doors) or ["d1"]
    report = _alone(player, report)
    player.epoch = player.reported_version()[0] + 1
    return report


def _alone(player: Player, report: Report) -> Report:
    """No snapshot that an earlier run left on the broker comes to the device any more.

    An empty device may be holding one back already, until its first time answer: it is restarted, which also
    makes it ask for the time again, or given time to take it.
    """
    player.wire.publish(player.topic("desired"), b"", retain=True)
    if report.dig is not None:
        return report
    mark = player.wire.mark()
    with suppress(NotRun):
        return player.restart()
    found = player.wire.wait(Report, lambda report, _: report.dig is not None, LEFTOVER_S, mark)
    return found or report


def run(player: Player, checks: list[Check], tell: Callable[[Verdict], None]) -> list[Verdict]:
    """Return one verdict per check, by number; each was told as soon as it was there."""
    verdicts = []
    for check in checks:
        verdicts.append(_judge(player, check))
        tell(verdicts[-1])
        with suppress(Exception):  # the next check says what is still away
            player.restore()
    return sorted(verdicts, key=lambda verdict: verdict.number)


def _judge(player: Player, check: Check) -> Verdict:
    begin, faults = time.monotonic(), len(player.wire.faults)
    outcome, expected, seen = "pass", "", ""
    try:
        check.run(player)
    except Failed as failed:
        outcome, expected, seen = "fail", failed.expected, failed.seen
    except NotRun as why:
        outcome, seen = "not run", str(why)
    except Exception as error:  # a device may say anything; the other checks are still worth running
        outcome, seen = "not run", f"the runner met {type(error).__name__}: {error}"
    if len(player.wire.faults) > faults:
        said = "; ".join(dict.fromkeys(player.wire.faults[faults:][-3:]))
        expected = expected or "every message sealed and of the form of §6 to §10"
        outcome, seen = "fail", f"{seen}; unreadable: {said}" if outcome == "fail" else said
    took = round(time.monotonic() - begin, 2)
    if outcome == "fail":
        return Verdict(check.number, check.title, "fail", expected, seen, took)
    return Verdict(check.number, check.title, "pass" if outcome == "pass" else "not run", "", seen, took)
