"""C17-C21: commands act once and never late, events come without gaps, and no PIN is ever told."""

import itertools
import re
import secrets
from collections.abc import Iterable

from booking.conformance.checks import check
from booking.conformance.player import Player
from booking.conformance.verdicts import Failed, NotRun, require
from booking.conformance.wire import Heard
from booking.lockwire.messages import Events, Result

REBOOTS = 20  # events that two reboots may add
# Members that hold numbers which could equal a PIN by chance.
_NUMBERS = re.compile(
    rb'"(?:t|mono|seq|boot|n|utc_ms|err_ms|rs|ver|epoch|nb|na|dur_s)":\d+|"(?:first|last)":\[\d+,\d+\]'
)


@check(
    "C17", "An `open` published with retain = 1 never opens a door, neither live nor on any later connect", 45
)
def retained_open(p: Player) -> None:
    """What the broker keeps is not an order."""
    p.hold(p.grant())
    mark = p.wire.mark()
    command = p.command("open", d=p.door)
    answer = p.give(command, retain=True)
    try:
        require(answer is None or not answer.ok, "a retained open to be refused", answer)
        if "network" in p.port.can:
            since = p.wire.mark()
            p.network(False)
            p.network(True)
            p.connected(since)
        p.resync()
    finally:
        p.wire.publish(p.topic("cmd"), b"", retain=True)
    opened = p.has_event(lambda event: event.e == "granted" and event.cmd == command.id, mark)
    require(not opened, "no door to open by a retained command", "a `granted` event")


@check("C18", "An `open` delivered after `exp` is answered `expired` and opens nothing", 44)
def expired_open(p: Player) -> None:
    """Late is never."""
    p.hold(p.grant())
    mark = p.wire.mark()
    answer = p.order("open", d=p.door, exp=p.now() - 5)
    require((answer.ok, answer.why) == (False, "expired"), "result `expired`", answer)
    p.resync()
    require(not p.has_event(lambda event: event.e == "granted", mark), "nothing to open", "it opened")


@check(
    "C19",
    "A command delivered twice acts once and is answered alike twice; a lower n is `stale`; modes are obeyed",
    46,
)
def once(p: Player) -> None:
    """At least once on the wire, once at the door."""
    p.hold(p.grant())
    command = p.command("open", d=p.door)
    token = p.sealed("cmd", command)
    mark = p.wire.mark()
    first, second = (_deliver(p, token, command.id) for _ in range(2))
    require(first.ok, "the first open to succeed", first)
    require(first == second, f"the same result twice: {first}", second)
    p.event("`granted` by the command", lambda event: event.cmd == command.id, mark)
    p.resync()
    acted = {key for key, event in p.events.items() if event.cmd == command.id and event.e == "granted"}
    require(len(acted) == 1, "one `granted` event", f"{len(acted)}")
    older = p.order("open", d=p.door, n=command.n - 1)
    require((older.ok, older.why) == (False, "stale"), "a lower n to be answered `stale`", older)
    _modes_obeyed(p)


def _modes_obeyed(p: Player) -> None:
    """A lockdown is in force until released: for leaders, for `open`, not for staff (§8.2, §11.3)."""
    leader, staff = p.grant(), p.grant(role="staff")
    p.hold(leader, staff)
    try:
        require((answer := p.order("lockdown", d=p.door)).ok, "lockdown to succeed", answer)
        _mode_is(p, "lockdown")
        refused = p.order("open", d=p.door)
        require((refused.ok, refused.why) == (False, "mode"), "`open` in a lockdown answered `mode`", refused)
        if "press" in p.port.can:
            require(not p.press(str(leader.pin)), "a lockdown to keep a leader out", "the door opened")
            require(p.press(str(staff.pin)), "a lockdown to let staff in", "the door stayed shut")
    finally:
        answer = p.order("release", d=p.door)
    require(answer.ok, "release to succeed", answer)
    _mode_is(p, "normal")
    if "press" in p.port.can:
        require(p.press(str(leader.pin)), "a leader to get in after release", "the door stayed shut")


def _mode_is(p: Player, wanted: str) -> None:
    door = p.resync().doors.get(p.door)
    require(door is not None and door.mode == wanted, f"mode {wanted} reported for {p.door}", door)


def _deliver(p: Player, token: bytes, id: str) -> Result:
    mark = p.wire.mark()
    p.publish("cmd", token)
    found = p.wire.wait(Result, lambda result, _: result.id == id, 6, mark)
    if found is None:
        raise Failed("a result at each delivery, within 6 s", "none")
    return found


@check(
    "C20",
    "Events made offline over two reboots all arrive gapless, unacknowledged ones again until evack",
    80,
)
def events(p: Player) -> None:
    """As many as the device must keep, less what the reboots themselves add."""
    grant = p.grant()
    p.hold(grant)
    p.acknowledges = True
    p.resync()
    last = max(p.events, default=(0, 0))
    p.acknowledges = False
    p.network(False)
    mark = p.wire.mark()
    half = (p.event_count - REBOOTS) // 2
    try:
        for _ in range(2):
            p.press_all([str(grant.pin)] * half)
            p.power(False)
            p.power(True)
        p.network(True)
        _sent_again(p, mark)
    finally:
        p.acknowledges = True
        p.network(True)
    p.let_pass(31)
    _all_arrive(p, last, 2 * half)


def _sent_again(p: Player, mark: int) -> None:
    first = p.wire.wait(Events, lambda *_: True, 90, mark)
    if first is None:
        raise Failed("events after coming back", "none within 90 s")
    position = (first.ev[0].boot, first.ev[0].seq)
    since = p.wire.mark()
    p.let_pass(31)
    again = p.wire.wait(Events, lambda body, _: (body.ev[0].boot, body.ev[0].seq) <= position, 20, since)
    require(again, f"{position} to be sent again after 30 s without evack", "it was not")


def _all_arrive(p: Player, last: tuple[int, int], wanted: int) -> None:
    while True:
        mark = p.wire.mark()
        if p.wire.wait(Events, lambda *_: True, 1 if "pass" in p.port.can else 5, mark) is None:
            break
    news = sorted(key for key in p.events if key > last)
    made = sum(p.events[key].e == "granted" for key in news)
    require(made >= wanted, f"{wanted} openings told", f"{made}")
    for (boot, seq), (next_boot, next_seq) in itertools.pairwise([last, *news] if last != (0, 0) else news):
        fits = next_seq == seq + 1 and next_boot >= boot
        require(fits, f"seq {seq + 1} after {seq}", f"boot {next_boot} seq {next_seq} after boot {boot}")


@check("C21", "None of 1000 random PINs typed occurs in any opened payload, log or diagnostic output", 85)
def no_pin_is_told(p: Player) -> None:
    """Right ones and wrong ones."""
    cap = p.resync().cap
    length = min(8, cap.pin_max)
    right = [p.grant(f"{secrets.randbelow(10**length):0{length}}") for _ in range(10)]
    p.hold(*right)
    wrong = [f"{secrets.randbelow(10**length):0{length}}" for _ in range(p.pin_count - 10)]
    mark = p.wire.mark()
    p.press_all([str(grant.pin) for grant in right])
    p.press_all(wrong)
    require(p.order("list").ok, "list to succeed", "refused")
    p.resync()
    p.wire.wait(Events, lambda body, _: body.ev[-1].e == "never", 1, mark)
    typed = [str(grant.pin) for grant in right] + wrong
    _search(typed, p.wire.heard[mark:])
    if "logs" not in p.port.can:
        raise NotRun("no PIN in any payload; the device's own logs were not searched (test port: logs)")
    text = str(p.port.ask("logs").get("text"))
    leaked = _found(typed, text)
    require(not leaked, "no PIN in the device's output", f"{len(leaked)} of them")


def _found(typed: list[str], text: str) -> set[str]:
    """Return the PINs that stand alone in the text; a stretch of a longer number or of hex is chance."""
    alone = re.compile(rf"(?<![0-9a-fA-F])\d{{{len(typed[0])}}}(?![0-9a-fA-F])")
    return set(typed) & set(alone.findall(text))


def _search(typed: list[str], heard: Iterable[Heard]) -> None:
    for each in heard:
        leaked = _found(typed, _NUMBERS.sub(b"", each.raw).decode())
        require(not leaked, f"no PIN in up/{each.name}", f"{len(leaked)} of those typed")
