"""Our controller, broken on purpose: one way for each check, so that every check is seen to fail.

Each takes a working Controller and spoils it the way real devices are spoilt: a comparison forgotten, a write
left out, a shortcut taken. What they say still goes over a real broker.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from booking.conformance import forge
from booking.controller import clockwork
from booking.controller.core import Arrived, Controller
from booking.controller.holding import Holding, Taken
from booking.lockwire import ids, snapshot
from booking.lockwire.decide import Memory, Presented, decide
from booking.lockwire.envelope import Opened, seal, unseal
from booking.lockwire.lockout import Lockout
from booking.lockwire.messages import Command
from booking.lockwire.snapshot import Grant, Snapshot

Broken = type[Controller]
BROKEN: dict[str, Broken] = {}
ALSO: list[tuple[str, Broken]] = []


def fails(check: str) -> Callable[[Broken], Broken]:
    """This controller must fail this check."""

    def register(broken: Broken) -> Broken:
        BROKEN[check] = broken
        return broken

    return register


def also_fails(check: str) -> Callable[[Broken], Broken]:
    """This controller must fail this check too, in another way than the first of its kind."""

    def register(broken: Broken) -> Broken:
        ALSO.append((check, broken))
        return broken

    return register


class Spoilt(Controller):
    """A controller whose holding may be replaced by a worse one."""

    holding: type[Holding] = Holding

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._holding.__class__ = self.holding


@fails("C01")
class DecryptsWithoutVerifying(Spoilt):
    class holding(Holding):
        def open(self, message: Arrived) -> Opened:
            parts = message.payload.split(b".")
            header = json.loads(forge.unb64(parts[0]))
            counter = forge.unb64(parts[2]) + (2).to_bytes(4, "big")
            plain = Cipher(algorithms.AES(self.keys[-1].dn), modes.CTR(counter)).decryptor()
            octets = plain.update(forge.unb64(parts[3]))
            return Opened(self.keys[-1].gen, header["epoch"], header["ver"], octets)


@fails("C02")
class BelievesAnyTopic(Spoilt):
    class holding(Holding):
        def open(self, message: Arrived) -> Opened:
            topic = json.loads(forge.unb64(message.payload.split(b".")[0]))["tpc"]
            return unseal(message.payload, self.keys, "dn", topic)


@fails("C03")
class KeepsTheOldKey(Spoilt):
    class holding(Holding):
        def _apply(self, opened: Opened) -> Taken:
            keys = self.keys
            taken = super()._apply(opened)
            self.keys = keys
            return taken


@fails("C04")
class AppliesOlder(Spoilt):
    class holding(Holding):
        def offer(self, message: Arrived, floor: tuple[int, int] | None) -> Taken:
            taken = super().offer(message, floor)
            return self._apply(self.open(message)) if taken == "older" else taken


@fails("C05")
class DigestsTheEnvelope(Spoilt):
    class holding(Holding):
        def offer(self, message: Arrived, floor: tuple[int, int] | None) -> Taken:
            taken = super().offer(message, floor)
            if taken == "applied" and self.stored is not None:
                digest = snapshot.digest(message.payload)
                self.stored = msgspec.structs.replace(self.stored, digest=digest)
            return taken


@fails("C06")
class ComparesVerAlone(Spoilt):
    class holding(Holding):
        def offer(self, message: Arrived, floor: tuple[int, int] | None) -> Taken:
            opened = self.open(message)
            return "older" if opened.ver < self.version[1] else super().offer(message, floor)


@fails("C07")
class SwitchesBeforeStoring(Controller):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.store.keep_snapshot = lambda stored, grants: None  # type: ignore[method-assign]


@fails("C08")
class OneWillForEver(Controller):
    def connecting(self) -> Any:
        out = super().connecting()
        self._voice.sid = "always-the-same-sid"
        body = msgspec.json.encode({**json.loads(out.payload), "sid": self._voice.sid})
        return type(out)(out.topic, body, out.qos, out.retain)


class Deciding(Controller):
    """Decides by a changed snapshot, time or credential."""

    def changed(self, held: Snapshot, now: int | None, presented: Presented) -> tuple[Any, Any, Any]:
        return held, now, presented

    def _decide(self, door: str, presented: Presented, now: int | None, steady: int) -> Any:
        held = self._holding.snapshot
        if held is not None:
            held, now, presented = self.changed(held, now, presented)
        return decide(
            held,
            self._holding.refused,
            presented,
            door,
            mode=self._doors.mode_at(door, now),
            now=now,
            locked_out=self._attempts.is_locked(door, self._holding.policy, steady),
            memory=Memory(*self.store.memory()),
        )


@fails("C09")
class KnowsNoHorizon(Deciding):
    def changed(self, held: Snapshot, now: int | None, presented: Presented) -> tuple[Any, Any, Any]:
        return msgspec.structs.replace(held, hz=(held.hz[0], held.hz[1] + 86_400)), now, presented


def with_windows(held: Snapshot, late_s: int) -> Snapshot:
    def longer(grant: Grant) -> Grant:
        windows = [msgspec.structs.replace(window, na=window.na + late_s) for window in grant.w]
        return msgspec.structs.replace(grant, w=windows)

    return msgspec.structs.replace(held, grants=[longer(grant) for grant in held.grants])


@fails("C10")
class AddsItsOwnGrace(Deciding):
    def changed(self, held: Snapshot, now: int | None, presented: Presented) -> tuple[Any, Any, Any]:
        return with_windows(held, 300), now, presented


@fails("C11")
class GuessesTheTime(Deciding):
    def changed(self, held: Snapshot, now: int | None, presented: Presented) -> tuple[Any, Any, Any]:
        return held, now or held.iat, presented


@fails("C12")
class ForgetsItsLeaders(Controller):
    def __init__(self, name: Any, keys: Any, store: Any, *args: Any, **more: Any) -> None:
        store._db.execute("UPDATE memory SET opened_at = NULL")
        super().__init__(name, keys, store, *args, **more)


@fails("C13")
class CountsAnewWithEachSnapshot(Spoilt):
    class holding(Holding):
        def _apply(self, opened: Opened) -> Taken:
            self._store._db.execute("DELETE FROM memory")
            return super()._apply(opened)


@fails("C14")
class TrustsTheFirstItSees(Spoilt):
    class holding(Holding):
        def offer(self, message: Arrived, floor: tuple[int, int] | None) -> Taken:
            return super().offer(message, (0, 0))


@fails("C15")
class TakesPinsForNumbers(Controller):
    def present(self, door: str, presented: Presented, at: int | None = None) -> Any:
        held = self._holding.snapshot
        for grant in held.grants if held and presented.pin else []:
            if isinstance(grant.pin, str) and int(grant.pin) == int(presented.pin or "0"):
                presented = Presented(pin=grant.pin)
        return super().present(door, presented, at)


@fails("C16")
class NeverDoubles(Controller):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        count = self._attempts._keep
        self._attempts._keep = lambda door, state: count(door, level_0(state))  # type: ignore[method-assign]


def level_0(state: Lockout) -> Lockout:
    return Lockout(state.misses, 0, state.until, state.last)


@fails("C17")
class OverlooksRetain(Controller):
    def receive(self, message: Arrived) -> None:
        super().receive(Arrived(message.topic, message.payload))


class Obeying(Controller):
    """Executes a changed command."""

    def changed(self, command: Command) -> Command:
        return command

    def _take_command(self, message: Arrived, moment: Any) -> None:
        opened = self._holding.open(message)
        command = self.changed(msgspec.json.decode(opened.plain, type=Command))
        token = seal_again(self, command, opened)
        super()._take_command(Arrived(message.topic, token, message.retain), moment)


def seal_again(controller: Controller, command: Command, opened: Opened) -> bytes:
    keys, topic = controller._holding.keys[-1], ids.down(controller.name, "cmd")
    return seal(msgspec.json.encode(command), keys, "dn", topic, opened.epoch, opened.ver)


@fails("C18")
class IsNeverTooLate(Obeying):
    def changed(self, command: Command) -> Command:
        return msgspec.structs.replace(command, exp=command.exp + 3_600)


@fails("C19")
class ActsAtEachDelivery(Controller):
    def _take_command(self, message: Arrived, moment: Any) -> None:
        with self.store.change():
            self.store.put("last_n", 0)
            self.store._db.execute("DELETE FROM result")
        super()._take_command(message, moment)


@fails("C20")
class NumbersAnewAtEachBoot(Controller):
    def __init__(self, name: Any, keys: Any, store: Any, *args: Any, **more: Any) -> None:
        store.put("seq", 0)
        super().__init__(name, keys, store, *args, **more)


@fails("C21")
class TellsWhatWasTyped(Controller):
    def _note_attempt(self, what: Any, door: Any, presented: Any, verdict: Any, *more: Any) -> None:
        self._diary.note(more[0], what, door, k="pin", why=f"unknown {presented.pin}")


@fails("C22")
class BelievesAnyAnswer(Controller):
    def _take_time(self, message: Arrived, moment: Any) -> None:
        answer = msgspec.json.decode(self._holding.open(message).plain)
        asked = clockwork._Asked(answer["n"], moment)
        self._clock._asked = asked
        super()._take_time(message, moment)


@fails("C23")
class RefusesAllForOne(Spoilt):
    class holding(Holding):
        def _apply(self, opened: Opened) -> Taken:
            before = self.stored
            taken = super()._apply(opened)
            if self.stored is not None and self.stored.refused:
                self.stored = before
                return self._refuse(opened.epoch, opened.ver, "schema")
            return taken


@fails("C24")
class ParsesLoosely(Spoilt):
    class holding(Holding):
        def _apply(self, opened: Opened) -> Taken:
            try:
                loose = msgspec.json.encode(json.loads(opened.plain))  # the last of two members wins
            except ValueError:
                return self._refuse(opened.epoch, opened.ver, "schema")
            return super()._apply(Opened(opened.gen, opened.epoch, opened.ver, loose))


@fails("C25")
class OpensWhenTheServerIsGone(Controller):
    def disconnected(self) -> None:
        super().disconnected()
        for door in self._doors.ids():
            self._doors._bolts.unlock(door)


@also_fails("C06")
class SealsWithOneIv(Controller):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        send = self._voice._send
        self._voice._send = lambda out: send(sealed_with_one_iv(self, out))


def sealed_with_one_iv(controller: Controller, out: Any) -> Any:
    if out.topic.endswith("/status"):
        return out
    keys = controller._holding.keys[-1]
    plain = unseal(out.payload, [keys], "up", out.topic).plain
    header = json.loads(forge.unb64(out.payload.split(b".")[0]))
    return type(out)(
        out.topic, forge.sealed(plain, keys.up, header, bytes(12)), out.qos, out.retain, out.correlation
    )


@also_fails("C19")
class IgnoresModes(Controller):
    def act_mode(self, door: str, commanded: Any, moment: Any) -> None:
        pass


@also_fails("C19")
class ShowsModesOnly(Deciding):
    def _decide(self, door: str, presented: Presented, now: int | None, steady: int) -> Any:
        held = self._holding.snapshot
        return decide(
            held,
            self._holding.refused,
            presented,
            door,
            mode="normal",
            now=now,
            locked_out=False,
            memory=Memory(*self.store.memory()),
        )


@also_fails("C15")
class ForgetsTheReserve(Deciding):
    def changed(self, held: Snapshot, now: int | None, presented: Presented) -> tuple[Any, Any, Any]:
        return msgspec.structs.replace(held, reserve=[]), now, presented
