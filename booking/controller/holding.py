"""The snapshot a controller holds: compared, validated, stored whole or refused whole (lock protocol §11.1)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from booking.controller.store import Store, Stored, Version
from booking.lockwire import envelope, snapshot
from booking.lockwire.envelope import Dropped, Opened
from booking.lockwire.judge import judge
from booking.lockwire.keys import Keys
from booking.lockwire.messages import Bad, Capacity
from booking.lockwire.snapshot import Policy, Snapshot
from booking.lockwire.strict import StrictError

CAPACITY: Final = Capacity(
    grants=1_000,
    reserve=500,
    max_doc=49_152,
    pin_min=4,
    pin_max=10,
    events=5_000,
    feat=["pin", "card", "pin+card", "after", "max", "reserve"],
)
Taken = Literal["refused", "waiting", "older", "same", "applied"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    retain: bool = False


class Holding:
    """One snapshot and the keys it may come under. Used under the controller's lock."""

    def __init__(
        self,
        keys: Sequence[Keys],
        store: Store,
        cap: Capacity,
        static_pins: frozenset[str],
        wired: Collection[str],
    ) -> None:
        self._store, self._static_pins, self._wired = store, static_pins, wired
        self.cap = cap
        lowest = store.get("gen_floor", int) or 1
        self.keys = [each for each in keys if each.gen >= lowest]
        self.stored = store.get("snapshot", Stored)
        self.snapshot: Snapshot | None = snapshot.decode(self.stored.octets) if self.stored else None
        self.refused = frozenset(each.id for each in self.stored.refused) if self.stored else frozenset()
        self._waiting: Arrived | None = None

    @property
    def version(self) -> Version:
        """What is stored; (0, 0) if nothing is."""
        return (self.stored.epoch, self.stored.ver) if self.stored else (0, 0)

    @property
    def policy(self) -> Policy:
        """The keypad policy in force."""
        return self.snapshot.policy if self.snapshot else snapshot.DEFAULT_POLICY

    def pin_lengths(self) -> frozenset[int]:
        """Return the lengths of the PINs in force."""
        every = [*self.snapshot.grants, *self.snapshot.reserve] if self.snapshot else []
        return frozenset(len(grant.pin) for grant in every if isinstance(grant.pin, str))

    def open(self, message: Arrived) -> Opened:
        """Return what the server says in this message. Raises Dropped."""
        return envelope.unseal(message.payload, self.keys, "dn", message.topic)

    def offer(self, message: Arrived, floor: Version | None) -> Taken:
        """The snapshot is in force, durably, if it is newer and keeps every rule; else nothing has changed.

        `floor` is the version a fresh time answer named: an empty device takes nothing below it (§9.3).
        """
        try:
            opened = self.open(message)
        except Dropped as dropped:
            return self._refuse(*envelope.peek_version(message.payload), dropped.why)
        version = (opened.epoch, opened.ver)
        if self.stored is None and floor is None:
            self._waiting = message
            return "waiting"
        if self.stored is None and floor is not None and version < floor:
            return self._refuse(*version, "floor")
        if self.stored is not None and version < self.version:
            return "older"
        if self.stored is not None and version == self.version:
            same = snapshot.digest(opened.plain) == self.stored.digest
            return "same" if same else self._refuse(*version, "conflict")
        return self._apply(opened)

    def take_waiting(self) -> Arrived | None:
        """Return, once, the snapshot that came before the first time answer."""
        waiting, self._waiting = self._waiting, None
        return waiting

    def _apply(self, opened: Opened) -> Taken:
        """Validate, judge, store atomically, switch (§11.1)."""
        if opened.epoch < 1 or opened.ver < 1:
            return self._refuse(opened.epoch, opened.ver, "header")
        if len(opened.plain) > self.cap.max_doc:
            return self._refuse(opened.epoch, opened.ver, "size")
        try:
            new = snapshot.decode(opened.plain)
        except StrictError:
            return self._refuse(opened.epoch, opened.ver, "schema")
        refused = judge(new, self.cap, self._static_pins, self._wired)
        digest = snapshot.digest(opened.plain)
        stored = Stored(opened.epoch, opened.ver, opened.gen, digest, opened.plain, refused)
        with self._store.change():
            self._store.keep_snapshot(stored, {grant.id for grant in (*new.grants, *new.reserve)})
            self._store.put("gen_floor", opened.gen)
        self.stored, self.snapshot = stored, new
        self.refused = frozenset(each.id for each in refused)
        self.keys = [each for each in self.keys if each.gen >= opened.gen]
        self._waiting = None
        return "applied"

    def _refuse(self, epoch: int, ver: int, why: str) -> Taken:
        bad = Bad(epoch, ver, why)
        if self._store.bad() != bad:  # a flood of the same must not wear the flash out
            with self._store.change():
                self._store.put("bad", bad)
        return "refused"
