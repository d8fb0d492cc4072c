"""C04-C08, C14, C22, C23: versions, restarts, presence and time."""

import msgspec

from booking.conformance.checks import check
from booking.conformance.player import Player
from booking.conformance.verdicts import Failed, require
from booking.lockwire import snapshot
from booking.lockwire.messages import Report, Status, TimeRequest
from booking.lockwire.snapshot import Grant

CUTS = (0.0, 0.003, 0.01, 0.03, 0.1)  # seconds between publishing and the power cut


@check("C04", "Recorded octets of an older snapshot are not applied and yield event `stale`", 20)
def replayed(p: Player) -> None:
    """Roll-back by replay, live and stored."""
    old, new = p.grant(), p.grant()
    p.hold(old)
    recorded = p.sealed("desired", p.octets)
    held = p.hold(new)
    mark = p.wire.mark()
    p.publish("desired", recorded, retain=True)
    require(p.resync().dig == held.dig, "the newer snapshot to stay", "the older one was applied")
    p.event("`stale`", lambda event: event.e == "stale", mark)
    p.publish("desired", p.sealed("desired", p.octets), retain=True)
    require(not p.press(str(old.pin)), "the older snapshot's PIN to open nothing", "the door opened")
    require(p.press(str(new.pin)), "the newer snapshot's PIN to open", "the door stayed shut")


@check("C05", "The stored version again is only reported again; with other content it is a conflict", 10)
def same_version(p: Player) -> None:
    """The digest is that of the plain text, and one version has one content."""
    good, forged = p.grant(), p.grant()
    first = p.hold(good)
    mark = p.wire.mark()
    p.publish("desired", p.sealed("desired", p.octets))
    p.settle()
    again = p.wire.wait(
        Report, lambda report, _: (report.boot, report.rs) > (first.boot, first.rs), p.patience_s, mark
    )
    if again is None:
        raise Failed("a new report when the stored version comes again", f"none within {p.patience_s} s")
    require((again.dig, again.bad) == (first.dig, None), "the same digest and no `bad`", again)
    p.publish("desired", p.sealed("desired", snapshot.encode(p.snapshot(forged))))
    report = p.resync()
    require(report.bad is not None and report.bad.why == "conflict", "bad: conflict", f"bad: {report.bad}")
    require(report.dig == first.dig, "the first content to stay", "the second was applied")
    require(not p.press(str(forged.pin)), "the second content's PIN to open nothing", "the door opened")
    require(p.press(str(good.pin)), "the first content's PIN to open", "the door stayed shut")


@check("C06", "A snapshot of a higher epoch is applied although its ver is lower", 11)
def higher_epoch(p: Player) -> None:
    """Epoch first, then ver."""
    p.ver += 500
    p.hold(p.grant())
    p.epoch, p.ver = p.epoch + 1, 0
    p.hold(p.grant())
    require(p.reported_version() == p.version, f"version {p.version} in the header", p.reported_version())


@check("C07", "With power cut at any moment of an update, the version reported is the one enforced", 60)
def power_cut(p: Player) -> None:
    """What is reported is what the door does."""
    for delay in CUTS:
        before, after = p.grant(), p.grant()
        old = p.hold(before)
        octets = snapshot.encode(p.snapshot(after))
        p.ver += 1  # spent from here on, whatever becomes of the rest
        token = p.sealed("desired", octets)
        p.wire.publish(p.topic("desired"), b"", retain=True)  # only the device's own memory counts
        p.publish("desired", token)
        p.let_pass(delay)
        report = p.restart()
        digests = {old.dig: (before, after), snapshot.digest(octets): (after, before)}
        require(report.dig in digests, "the old or the new version after the cut", f"digest {report.dig}")
        opens, not_ = digests[report.dig]
        require(not p.press(str(not_.pin)), "the PIN of the other version to open nothing", "it opened")
        require(p.press(str(opens.pin)), "the PIN of the version reported to open", "it did not")


@check("C08", "The will carries the sid of its connection", 61)
def will(p: Player) -> None:
    """Presence names the connection, so that a late will of an older one can be told."""
    report = p.resync()
    first = p.wire.wait(Status, lambda status, _: status.st == "online" and status.sid == report.sid, 5)
    require(first, "status `online` with the report's sid", f"report has {report.sid}")
    mark = p.wire.mark()
    p.network(False)
    gone = p.wire.wait(Status, lambda status, _: status.st == "offline", 100, mark)
    p.network(True)
    if gone is None:
        raise Failed("a will on up/status within 100 s of losing the network", "none")
    again = p.connected(mark)
    require(gone.sid == report.sid, f"the will with sid {report.sid} of its connection", gone.sid)
    require(again.sid != report.sid, "a new sid for the new connection", "the same one")


@check(
    "C14",
    "With empty storage nothing is applied before a fresh time answer, nor below the version it names",
    95,
)
def empty_storage(p: Player) -> None:
    """An empty device cannot be rolled back."""
    p.hold(p.grant())
    p.answers = False
    try:
        p.power(False)
        p.port.ask("erase")
        mark = p.wire.mark()
        p.power(True)
        report = p.connected(mark)
        require(report.dig is None, "an empty device to report dig null", report.dig)
        require(p.resync().dig is None, "nothing applied before a time answer", "a snapshot was applied")
        p.ver += 5  # the floor from here on, whatever becomes of the rest
        _answer_next(p)
        below = p.resync()
        require(below.dig is None, "nothing applied below the version named", "the older one was applied")
        why = below.bad.why if below.bad else None
        require(why == "floor", "bad: floor", f"bad: {why}")
    finally:
        p.answers = True
    p.hold(p.grant())


def _answer_next(p: Player) -> None:
    mark = p.wire.mark()
    p.let_pass(6)
    request = p.wire.wait(TimeRequest, lambda *_: True, 15, mark)
    nonce = request.n if request else p.asked[-1].n if p.asked else None
    if nonce is None:
        raise Failed("a time request from an empty device", "none")
    p.answer(nonce)


@check("C22", "A time answer with a wrong nonce or later than 5 s is ignored", 62)
def time_answers(p: Player) -> None:
    """A device without a clock believes only a fresh answer to its own question."""
    p.hold(p.grant())
    p.answers = False
    try:
        p.power(False)
        mark = p.wire.mark()
        p.power(True, clock=False)
        report = p.connected(mark)
        require(report.clk.src == "none", "clk.src none without a clock", report.clk.src)
        p.answer("A" * 22)
        require(
            p.resync().clk.src == "none", "an answer with a wrong nonce to be ignored", "it set the clock"
        )
        require(p.asked, "a time request after connecting", "none")
        late = p.asked[-1].n
        p.let_pass(6)
        p.answer(late)
        require(p.resync().clk.src == "none", "an answer after 6 s to be ignored", "it set the clock")
    finally:
        p.answers = True
    p.let_pass(6)
    p.settle()
    mark = p.wire.mark()
    found = p.wire.wait(Report, lambda report, _: report.clk.src == "srv", 20, mark) or p.resync()
    require(found.clk.src in ("srv", "ntp", "rtc"), "a fresh answer to set the clock", found.clk.src)
    p.restart()


@check("C23", "Exactly the grants the device cannot hold are in `rej`, all others open, and max_doc fits", 43)
def refusals(p: Player) -> None:
    """A grant is refused alone, with the right reason."""
    cap = p.resync().cap
    good = p.grant()
    bad = {"door": p.grant(w=[p.window(["no-such-door"])]), "unsupported": p.grant(k="retina")}
    bad["after"] = p.grant(role="member", after="no-such-leader")
    if p.port.static_pins:
        bad["dup"] = p.grant(p.port.static_pins[0])
    report = p.hold(good, *bad.values())
    expected = {grant.id: why for why, grant in bad.items()}
    require({each.id: each.why for each in report.rej} == expected, f"rej {expected}", report.rej)
    require(p.press(str(good.pin)), "the other grants to open", "the door stayed shut")
    _too_many(p, cap.grants, cap.max_doc)
    octets = snapshot.encode(p.snapshot(good))
    p.hold(octets=octets + b" " * (cap.max_doc - len(octets)))  # the broker drops silently what does not fit
    p.hold(good)


def _too_many(p: Player, room: int, size: int) -> None:
    """One grant more than there is room for: it alone is `full`. Where that never fits, nothing is to check."""
    window = p.window([p.door])
    many = [
        Grant(id=f"full-{number:06}", k="pin", pin=f"{number:06}", role="leader", w=[window])
        for number in range(room + 1)
    ]
    octets = snapshot.encode(p.snapshot(*many))
    if len(octets) > size:
        return
    report = p.hold(octets=octets)
    found = [(each.id, each.why) for each in report.rej]
    require(found == [(many[-1].id, "full")], f"rej full for {many[-1].id} alone", msgspec.json.encode(found))
