"""What ought to be: every booking's windows and codes, kept apart from the product and judged against it."""

import copy
import itertools
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from booking import db
from booking.controller.store import Stored
from booking.locks import codes
from booking.lockwire import snapshot
from booking.lockwire.decide import Memory, Presented, decide
from booking.lockwire.snapshot import Grant, Snapshot
from booking.span import Span

Window = tuple[str, int, int]  # door on the wire, nb, na


@dataclass
class Hall:
    """One hall, the controller of its doors, and each door's grace before and after in seconds."""

    name: str
    resource: UUID
    doors: dict[str, tuple[int, int]]
    folder: Path
    room: int = 1_000
    live: dict[UUID, Span] = field(default_factory=dict)
    busy: set[UUID] = field(default_factory=set)  # being made, moved or cancelled right now

    def windows(self, span: Span) -> list[Window]:
        """Return what a booking for the span opens."""
        start, end = int(span.start.timestamp()), int(span.end.timestamp())
        return [(door, start - before, end + after) for door, (before, after) in self.doors.items()]


class _Row(db.Record):
    id: UUID
    controller: str
    reservation: UUID | None
    role: str
    pin: bytes | None
    nb: datetime
    na: datetime
    is_live: bool
    is_gone: bool


class _Sealed(db.Record):
    id: UUID
    pin: bytes


@dataclass
class Ledger:
    """The truth, and what was found against it. `found` counts violations; `said` describes the first of each kind."""

    halls: dict[str, Hall] = field(default_factory=dict)
    allowed: dict[UUID, set[Window]] = field(default_factory=lambda: defaultdict(set))  # ever promised
    owner: dict[str, UUID] = field(default_factory=dict)  # grant on the wire → reservation
    pins: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    reserve: dict[str, tuple[int, int]] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def note(self, kind: str, text: str) -> None:
        """One violation more."""
        self.found[kind] += 1
        if self.found[kind] <= 5:
            self.said.append(f"{kind}: {text}")

    def backup(self) -> dict[str, dict[UUID, Span]]:
        """Return what is promised now, to be restored with the database."""
        return {name: copy.copy(hall.live) for name, hall in self.halls.items()}

    def restore(self, kept: dict[str, dict[UUID, Span]]) -> None:
        """What was promised then is promised again, and what came later is not."""
        for name, live in kept.items():
            self.halls[name].live = copy.copy(live)

    def held(self, hall: Hall) -> tuple[tuple[int, int], Snapshot | None, frozenset[str]]:
        """Return what the controller's memory holds, read from its file whether it runs, is frozen or dead."""
        try:
            wire = sqlite3.connect(f"file:{hall.folder / 'controller.db'}?mode=ro", uri=True, timeout=10)
            row = wire.execute("SELECT value FROM fact WHERE name = 'snapshot'").fetchone()
            wire.close()
        except sqlite3.OperationalError:
            row = None  # not created yet
        if row is None:
            return (0, 0), None, frozenset()
        stored = msgspec.msgpack.decode(row[0], type=Stored)
        refused = frozenset(one.id for one in stored.refused)
        return (stored.epoch, stored.ver), snapshot.decode(stored.octets), refused

    async def learn(self, reservation: UUID) -> None:
        """The codes that a booking has right now are kept: a door may have one long after it was changed.

        Looking every two seconds is not enough where several schedules act on one hall.
        """
        sealed = "SELECT id, pin FROM access_grant WHERE reservation = $1 AND pin IS NOT NULL"
        for row in await db.rows(_Sealed, sealed, reservation):
            self.owner[row.id.hex] = reservation
            self.pins[row.id.hex].add(codes.read_pin(row.id, row.pin))

    async def read(self) -> list[_Row]:
        """Return every grant of the database; what is learned of codes and owners is kept."""
        rows = await db.rows(
            _Row,
            "SELECT id, controller, reservation, role, pin, nb, na, gone_ver IS NULL AS is_live,"
            " gone_at IS NOT NULL AS is_gone FROM access_grant",
        )
        for row in rows:
            if row.reservation is not None:
                self.owner[row.id.hex] = row.reservation
            elif row.role == "reserve":
                self.reserve[row.id.hex] = (int(row.nb.timestamp()), int(row.na.timestamp()))
            if row.pin is not None:
                self.pins[row.id.hex].add(codes.read_pin(row.id, row.pin))
        return rows

    # -- judged at any moment -----------------------------------------------------------------

    async def sample(self) -> None:
        """At any moment, whatever is broken: nothing opens that was not promised, or whose removal was confirmed."""
        gone = {row.id.hex for row in await self.read() if row.is_gone}
        held = {name: self.held(hall) for name, hall in self.halls.items()}
        rows = await self.read()
        known = {row.id.hex for row in rows}
        live: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            if row.is_live:
                live[row.controller].append(row)
        for name, (_, snap, refused) in held.items():
            if snap is not None:
                grants = [one for one in (*snap.grants, *snap.reserve) if one.id not in refused]
                self._judge_windows(name, snap, grants, refused)
                for one in grants:
                    if one.id in gone:
                        self.note("lost_revocations", f"{name} holds {one.id}, confirmed gone")
                self._judge_pins(name, grants, live[name], known)

    def _promised(self, id: str, doors: set[str]) -> set[Window]:
        if id in self.reserve:
            nb, na = self.reserve[id]
            return {(door, nb, na) for door in doors}
        return self.allowed.get(self.owner.get(id, UUID(int=0)), set())

    def _judge_windows(self, name: str, snap: Snapshot, grants: list[Grant], refused: frozenset[str]) -> None:
        doors = set(self.halls[name].doors)
        by_pin: dict[str, set[Window]] = defaultdict(set)
        instants: dict[str, set[int]] = defaultdict(set)
        for grant in grants:
            pin, promised = str(grant.pin), self._promised(grant.id, doors)
            by_pin[pin] |= promised
            if pin not in self.pins[grant.id]:
                self.note("out_of_window", f"{name}: {grant.id} with a code that is not its own")
            for window in grant.w:
                instants[pin] |= {
                    window.nb - 1,
                    window.nb,
                    window.na - 1,
                    window.na,
                    window.nb // 2 + window.na // 2,
                }
            for _, nb, na in promised:
                instants[pin] |= {nb - 1, na}
        for pin, windows in by_pin.items():
            for door, at in itertools.product(doors, sorted(instants[pin])):
                opens = opens_at(snap, refused, pin, door, at)
                if opens and not any(d == door and nb <= at < na for d, nb, na in windows):
                    self.note("out_of_window", f"{name} {door} opens at {at} outside {sorted(windows)}")

    def _judge_pins(self, name: str, grants: list[Grant], live: list[_Row], known: set[str]) -> None:
        """What opens now and what has been handed out since: no code twice for one door and time."""
        users: dict[str, list[tuple[UUID | str, Window]]] = defaultdict(list)
        doors = self.halls[name].doors
        for grant in grants:
            if grant.id in known:  # of what a restored database has lost nothing can be known
                for window in grant.w:
                    for door in window.d:
                        users[str(grant.pin)].append(
                            (self.owner.get(grant.id, grant.id), (door, window.nb, window.na))
                        )
        for row in live:
            owner = self.owner.get(row.id.hex, row.id.hex)
            span = self.halls[name].live.get(owner) if isinstance(owner, UUID) else None
            if span is not None and row.pin is not None:
                pin = codes.read_pin(row.id, row.pin)
                users[pin] += [(owner, window) for window in self.halls[name].windows(span)]
        for those in users.values():
            for (a, (d1, nb1, na1)), (b, (d2, nb2, na2)) in itertools.combinations(those, 2):
                if a != b and d1 == d2 and d1 in doors and nb1 < na2 and nb2 < na1:
                    self.note("duplicate_pins", f"{name} {d1}: {a} and {b}")

    # -- judged when all is quiet -------------------------------------------------------------

    async def settled(self) -> None:
        """Everything has converged: each door has exactly what is promised, and the server says so."""
        rows = await self.read()
        stands = {row.id.hex: row for row in rows}
        for name, hall in self.halls.items():
            _, snap, refused = self.held(hall)
            grants = [] if snap is None else [one for one in snap.grants if one.id not in refused]
            has = {
                (self.owner.get(one.id), door, window.nb, window.na)
                for one in grants
                for window in one.w
                for door in window.d
            }
            wanted = {(id, *window) for id, span in hall.live.items() for window in hall.windows(span)}
            for extra in has - wanted:
                kind = "lost_revocations" if extra[0] not in hall.live else "out_of_window"
                self.note(kind, f"{name} still has {extra}")
            short = wanted - has
            if short and len({one[0] for one in has}) < min(hall.room, len(hall.live)):
                self.note("unconverged", f"{name} lacks {sorted(map(str, short))[:3]}")
            for one in grants:
                if not stands[one.id].is_live:
                    self.note("lost_revocations", f"{name} has {one.id}, which the server has removed")
            if snap is not None:
                self._judge_gone(name, hall, snap, refused, rows)

    def _judge_gone(
        self, name: str, hall: Hall, snap: Snapshot, refused: frozenset[str], rows: list[_Row]
    ) -> None:
        """Type every code that ever was one of this door's, in the middle of every window it ever had."""
        mine: dict[str, set[Window]] = defaultdict(set)
        for row in rows:
            if row.controller == name and row.is_live:
                promised = (
                    set(hall.windows(hall.live[row.reservation]))
                    if row.reservation in hall.live
                    else self._promised(row.id.hex, set(hall.doors))
                    if row.role == "reserve"
                    else set()
                )
                for pin in self.pins[row.id.hex]:
                    mine[pin] |= promised
        for row in rows:
            if row.controller != name or row.reservation is None:
                continue
            for pin in self.pins[row.id.hex]:
                for door, nb, na in self.allowed[row.reservation]:
                    at = (nb + na) // 2
                    if opens_at(snap, refused, pin, door, at) and not any(
                        d == door and start <= at < end for d, start, end in mine[pin]
                    ):
                        self.note(
                            "lost_revocations", f"{name} {door} opens at {at} by an old code of {row.id}"
                        )


def opens_at(snap: Snapshot, refused: frozenset[str], pin: str, door: str, at: int) -> bool:
    """Return what the door would do: the controller's own decision, on what it has stored."""
    verdict = decide(
        snap,
        refused,
        Presented(pin=pin),
        door,
        mode="normal",
        now=at,
        locked_out=False,
        memory=Memory(),
    )
    return verdict.granted
