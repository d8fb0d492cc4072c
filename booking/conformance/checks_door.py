"""C09-C13, C15, C16, C25: what opens, when, and what never does."""

import secrets

from booking.conformance.checks import check
from booking.conformance.player import Player
from booking.conformance.verdicts import require
from booking.lockwire.snapshot import Policy

OPEN, SHUT = "the door to open", "the door to stay shut"


@check(
    "C09", "With network off every valid grant opens until hz[1]; from then on only staff and emergency", 31
)
def horizon(p: Player) -> None:
    """Offline to the horizon, and not beyond."""
    leader, staff, emergency = p.grant(), p.grant(role="staff"), p.grant(role="emergency")
    end = p.now() + 8
    p.hold(leader, staff, emergency, hz=(end - 3_600, end))
    p.network(False)
    try:
        require(p.press(str(leader.pin)), f"{OPEN} offline before hz[1]", "it stayed shut")
        p.until(end + 1)
        require(not p.press(str(leader.pin)), f"{SHUT} for a leader from hz[1] on", "it opened")
        for role, grant in (("staff", staff), ("emergency", emergency)):
            require(p.press(str(grant.pin)), f"{OPEN} for {role} after hz[1]", "it stayed shut")
    finally:
        p.network(True)
    p.hold(p.grant())


@check("C10", "Each door opens from nb inclusive to na exclusive of its own windows (±1 s)", 30)
def windows(p: Player) -> None:
    """A changing-room tail works while the hall is already closed."""
    start = p.now() + 4
    ends = {door: start + 5 + 5 * index for index, door in enumerate(p.doors[:2])}
    tails = [{"d": [door], "nb": start, "na": end} for door, end in ends.items()]
    grant = p.grant(w=tails)
    p.hold(grant)
    last = max(ends.values())
    edges = sorted(
        {start - 2, start + 1, *(end - 2 for end in ends.values()), *(end + 1 for end in ends.values())}
    )
    for instant in edges:
        p.until(instant + 0.2)
        for door, end in ends.items():
            wanted = start <= instant < end
            opened = p.press(str(grant.pin), door)
            where = f"{door} {instant - start:+} s from nb, {instant - end:+} s from na"
            require(opened == wanted, f"{OPEN if wanted else SHUT} ({where})", "the opposite")
    require(p.now() >= last, "the last window over", "clock trouble of the runner")


@check(
    "C11",
    "Booted offline without a clock it denies timed grants, admits staff and emergency, reports src none",
    63,
)
def without_clock(p: Player) -> None:
    """No time, no timed code."""
    leader, staff, emergency = p.grant(), p.grant(role="staff"), p.grant(role="emergency")
    p.hold(leader, staff, emergency)
    p.network(False)
    p.power(False)
    p.answers = False
    try:
        mark = p.wire.mark()
        p.power(True, clock=False)
        require(not p.press(str(leader.pin)), f"{SHUT} for a leader without a clock", "it opened")
        for role, grant in (("staff", staff), ("emergency", emergency)):
            require(p.press(str(grant.pin)), f"{OPEN} for {role} without a clock", "it stayed shut")
        p.network(True)
        report = p.connected(mark)
        require(report.clk.src == "none", "clk.src none", report.clk.src)
        p.event("`denied` with why `clock`", lambda event: event.why == "clock", mark)
    finally:
        p.answers = True
        p.network(True)
    p.restart()


@check("C12", "A grant with `after` waits for its leader, also over a reboot", 50)
def leader_first(p: Player) -> None:
    """The leader opens, then the others may."""
    leader = p.grant()
    member = p.grant(role="member", after=leader.id)
    p.hold(leader, member)
    mark = p.wire.mark()
    require(not p.press(str(member.pin)), f"{SHUT} for a member before the leader", "it opened")
    p.event("`denied` with why `leader_first`", lambda event: event.why == "leader_first", mark)
    require(p.press(str(leader.pin)), f"{OPEN} for the leader", "it stayed shut")
    p.restart()
    require(p.press(str(member.pin)), f"{OPEN} for the member after leader and reboot", "it stayed shut")


@check("C13", "A grant with max 1 opens once, also across a reboot and a new snapshot that still has it", 51)
def used_up(p: Player) -> None:
    """Counted in memory that lasts."""
    once = p.grant(max=1)
    p.hold(once)
    require(p.press(str(once.pin)), f"{OPEN} the first time", "it stayed shut")
    mark = p.wire.mark()
    require(not p.press(str(once.pin)), f"{SHUT} the second time", "it opened")
    p.event("`denied` with why `used_up`", lambda event: event.why == "used_up", mark)
    p.restart()
    require(not p.press(str(once.pin)), f"{SHUT} after a reboot", "it opened")
    p.hold(once, p.grant())
    require(not p.press(str(once.pin)), f"{SHUT} after a new snapshot", "it opened")


@check("C15", "PIN 004216 opens; 4216 and 04216 do not; a reserve code opens", 32)
def zeros_count(p: Player) -> None:
    """A PIN is a string."""
    spare = p.grant(role="reserve")
    has_room = p.resync().cap.reserve > 0
    p.hold(p.grant("004216"), reserve=[spare] if has_room else [])
    for wrong in ("4216", "04216"):
        require(not p.press(wrong), f"{SHUT} for {wrong}", "it opened")
    require(p.press("004216"), f"{OPEN} for 004216", "it stayed shut")
    require(not has_room or p.press(str(spare.pin)), f"{OPEN} for a reserve code", "it stayed shut")


@check("C16", "Wrong PINs lead to lock-outs that double up to max_s, survive reboot and spare cards", 90)
def lockouts(p: Player) -> None:
    """With a rig that lets time pass all seven levels up to an hour; else the first two, 30 s and 60 s."""
    quick = "pass" in p.port.can
    policy = Policy(tries=5, lock_s=60, max_s=3_600) if quick else Policy(tries=5, lock_s=30, max_s=600)
    p.let_pass(2 * policy.max_s if quick else 0)  # what earlier checks mistyped is forgotten
    always = p.window(end=86_400)
    good, card = p.grant(w=[always]), secrets.token_hex(4).upper()
    has_card = "card" in (p.resync().cap.feat) and "card" in p.port.can
    cards = [p.grant(k="card", card=card, w=[always])] if has_card else []
    p.hold(good, *cards, policy=policy)
    for level in range(8 if quick else 2):
        length = min(policy.lock_s * 2**level, policy.max_s)
        mark = p.wire.mark()
        wrong = [f"9{secrets.randbelow(10**7):07}" for _ in range(policy.tries)]
        require(not any(p.press_all(wrong)), "wrong PINs to open nothing", "one opened")
        p.event(f"`lockout` after {policy.tries} wrong PINs", lambda event: event.e == "lockout", mark)
        if level == 1:
            p.restart()
        require(not p.press(str(good.pin)), f"a lock-out of {length} s to begin", "the right PIN opened")
        require(not has_card or p.card(card), "cards to work during a lock-out", "the card was refused")
        p.let_pass(length - 4)
        require(not p.press(str(good.pin)), f"a lock-out of {length} s", f"it was over after {length - 4} s")
        p.let_pass(6)
        require(p.press(str(good.pin)), f"a lock-out of {length} s", f"it was not over after {length + 2} s")


@check("C25", "Killing broker, network, server and clock in any order never unlocks a door", 64)
def never_opens(p: Player) -> None:
    """Fail locked."""
    p.hold(p.grant())
    p.let_pass(5)  # bolts that earlier checks released have dropped
    mark = p.wire.mark()
    p.answers = False
    try:
        for clock in (True, False):
            for first in ("network", "power"):
                p.network(False) if first == "network" else p.power(False)
                _locked(p, f"{first} cut")
                p.power(False) if first == "network" else p.network(False)
                _locked(p, "network and power cut")
                p.power(True, clock=clock or "clock" not in p.port.can)
                _locked(p, "power back, no network")
                since = p.wire.mark()
                p.network(True)
                p.connected(since)
                _locked(p, "everything back, server silent")
    finally:
        p.answers = True
    p.restart()
    opened = p.has_event(lambda event: event.e in ("granted", "opened"), mark)
    require(not opened, "no door to open", "an event says that one did")


def _locked(p: Player, when: str) -> None:
    if "bolt" not in p.port.can:
        return
    for door in p.doors:
        require(p.port.ask("bolt", door=door).get("locked") is True, f"{door} locked ({when})", "unlocked")
