"""C01-C03, C24: what is not sealed for us, or not whole, changes nothing."""

import json
import secrets
from collections.abc import Callable

import msgspec

from booking.conformance import forge
from booking.conformance.checks import check
from booking.conformance.player import Player
from booking.conformance.verdicts import Failed, require
from booking.conformance.wire import Heard
from booking.lockwire import ids, snapshot
from booking.lockwire.keys import Keys, derive
from booking.lockwire.messages import Result


@check("C01", "An altered bit in header, IV, ciphertext or tag changes nothing and is reported as bad", 40)
def altered_bits(p: Player) -> None:
    """One bit anywhere breaks the seal."""
    good, forged = p.grant(), p.grant()
    held = p.hold(good)
    octets = snapshot.encode(p.snapshot(forged))
    for part in forge.PARTS:
        token = p.sealed("desired", octets, (p.epoch, p.ver + 2))
        p.publish("desired", forge.flipped(token, part))
        report = p.resync()
        require(report.dig == held.dig, f"the old snapshot after a bit of the {part} changed", "another one")
        why = report.bad.why if report.bad else None
        require(why in ("decrypt", "header"), f"bad: decrypt or header for the {part}", f"bad: {why}")
    _still(p, good.pin, forged.pin)


@check("C02", "Wrong tpc, kid, direction, alg, enc, zip or header members: dropped", 41)
def wrong_headers(p: Player) -> None:
    """Each is honestly sealed; only the header rules can refuse it."""
    good, forged = p.grant(), p.grant()
    held = p.hold(good)
    octets, keys, topic = snapshot.encode(p.snapshot(forged)), p.keys[-1], p.topic("desired")
    lies = _lies(p, keys)
    for number, (name, key, changes) in enumerate(lies, 2):
        header = forge.header_of(keys.kid("dn"), topic, (p.epoch, p.ver + number), changes)
        p.publish("desired", forge.sealed(octets, key, header))
        report = p.resync()
        require(report.dig == held.dig, f"a snapshot with {name} to be dropped", "it was applied")
        why = report.bad.why if report.bad else None
        require(why in ("header", "decrypt"), f"bad: header for {name}", f"bad: {why}")
    _commands_too(p, lies)
    _still(p, good.pin, forged.pin)


def _lies(p: Player, keys: Keys) -> list[tuple[str, bytes, dict[str, object]]]:
    other = ids.down(f"{p.wire.controller[:20]}-x", "desired")
    return [
        ("the topic of another controller", keys.dn, {"tpc": other}),
        ("the topic of another message", keys.dn, {"tpc": p.topic("time")}),
        ("an unknown generation", keys.dn, {"kid": f"{p.wire.controller}.{keys.gen + 900}.dn"}),
        ("the key id of the other direction", keys.up, {"kid": keys.kid("up")}),
        ("the key of the other direction", keys.up, {}),
        ("another alg", keys.dn, {"alg": "A256KW"}),
        ("another enc", keys.dn, {"enc": "A128GCM"}),
        ("zip", keys.dn, {"zip": "DEF"}),
        ("crit", keys.dn, {"crit": ["tpc"]}),
        ("an unknown member", keys.dn, {"x": 1}),
        ("a missing member", keys.dn, {"epoch": None}),
        ("its version as text", keys.dn, {"ver": "99"}),
    ]


def _commands_too(p: Player, lies: list[tuple[str, bytes, dict[str, object]]]) -> None:
    mark, sent = p.wire.mark(), {}
    for name, key, changes in lies:
        command = p.command("open", d=p.door)
        sent[command.id] = name
        wrong = {**changes, **({"tpc": p.topic("desired")} if name.startswith("the topic") else {})}
        header = forge.header_of(p.keys[-1].kid("dn"), p.topic("cmd"), p.version, wrong)
        p.publish("cmd", forge.sealed(msgspec.json.encode(command), key, header))
    p.resync()
    answered = p.wire.find(Result, lambda result, _: result.id in sent, mark)
    if answered is not None:
        raise Failed(f"a command with {sent[answered.id]} to be dropped without an answer", str(answered))
    require(
        not p.has_event(lambda event: event.e == "granted" and event.cmd in sent, mark),
        "no forged command to open a door",
        "a `granted` event",
    )


@check("C03", "After a new generation no message sealed under the old one has any effect", 990)
def new_generation(p: Player) -> None:
    """Last, because the device forgets its old key."""
    old, good, forged = p.keys[-1], p.grant(), p.grant()
    p.hold(p.grant())
    new = enrol(p)
    p.epoch, p.ver = p.epoch + 1, 0
    p.hold(good)
    for _ in range(2):  # also after a restart
        token = p.sealed("desired", snapshot.encode(p.snapshot(forged)), (p.epoch, p.ver + 5), old)
        p.publish("desired", token)
        command = p.command("open", d=p.door)
        mark = p.wire.mark()
        p.publish("cmd", p.sealed("cmd", command, None, old))
        report = p.resync()
        require(report.dig == snapshot.digest(p.octets), "the old generation's snapshot ignored", "applied")
        require(
            p.wire.find(Result, _answer_to(command.id), mark) is None,
            "no answer to a command of the old generation",
            "an answer",
        )
        p.publish("desired", p.sealed("desired", p.octets), retain=True)
        p.restart()
    require(p.keys[-1] is new, "the new generation in use", "the old one")
    _still(p, good.pin, forged.pin)


def _answer_to(command: str) -> Callable[[Result, Heard], bool]:
    return lambda result, _: result.id == command


def enrol(p: Player) -> Keys:
    """The device knows a key of the next generation, and so do we."""
    master, gen = secrets.token_bytes(32), p.keys[-1].gen + 1
    new = derive(master, p.wire.controller, gen)
    mark = p.wire.mark()
    p.wire.keys.append(new)
    p.port.ask("enrol", gen=gen, key=forge.b64(master).decode())
    p.connected(mark)
    p.keys.append(new)
    p.masters[gen] = master
    return new


@check("C24", "A zero-length, oversized or schema-breaking snapshot leaves the previous one in force", 42)
def broken_snapshots(p: Player) -> None:
    """Everything is refused whole."""
    good, forged = p.grant(), p.grant()
    held = p.hold(good)
    p.wire.publish(p.topic("desired"), b"", retain=False)
    require(p.resync().dig == held.dig, "a zero-length payload to change nothing", "another snapshot")
    whole = snapshot.encode(p.snapshot(forged))
    size = p.cap.max_doc if p.cap else 49_152
    broken = {"an oversized snapshot": (whole + b" " * (size + 1 - len(whole)), ("size",))}
    broken |= {name: (octets, ("schema",)) for name, octets in _broken(whole).items()}
    for number, (name, (octets, whys)) in enumerate(broken.items(), 2):
        p.publish("desired", p.sealed("desired", octets, (p.epoch, p.ver + number)))
        report = p.resync()
        require(report.dig == held.dig, f"{name} to be refused whole", "it was applied")
        why = report.bad.why if report.bad else None
        require(why in whys, f"bad: {' or '.join(whys)} for {name}", f"bad: {why}")
    _still(p, good.pin, forged.pin)


def _broken(whole: bytes) -> dict[str, bytes]:
    """Return snapshots that each break one rule of §4.4 or §5."""
    first = json.loads(whole)

    def changed(**more: object) -> bytes:
        return json.dumps({**first, **more}, separators=(",", ":")).encode()

    grant, door = first["grants"][0], first["doors"]
    window = grant["w"][0]
    unlocked = {name: {**each, "mode": "unlocked"} for name, each in door.items()}
    return {
        "an empty object": b"{}",
        "no JSON": b"junk",
        "a missing member": json.dumps({name: first[name] for name in first if name != "hz"}).encode(),
        "a member twice": whole.replace(b'{"iat"', b'{"iat":1600000000,"iat"', 1),
        "a float": whole.replace(b'"unlock_s":2', b'"unlock_s":2.0'),
        "a PIN as number": changed(grants=[{**grant, "pin": 123456}]),
        "a time out of bounds": changed(iat=1),
        "a horizon of a minute": changed(hz=[first["hz"][0], first["hz"][0] + 60]),
        "a window that ends before it begins": changed(
            grants=[{**grant, "w": [{**window, "na": window["nb"]}]}]
        ),
        "a grant id twice": changed(grants=[grant, grant]),
        "unlocked without an end": changed(doors=unlocked),
        "an unknown mode": changed(doors={name: {**each, "mode": "ajar"} for name, each in door.items()}),
        "a grant among reserve": changed(grants=[], reserve=[grant]),
    }


def _still(p: Player, good: object, forged: object) -> None:
    """The good PIN opens, the forged one does not."""
    require(not p.press(str(forged)), "the forged snapshot's PIN to open nothing", "the door opened")
    require(p.press(str(good)), "the PIN of the snapshot in force to open", "the door stayed shut")
