"""Build, log and publish the snapshot a controller is owed (lock protocol §12.1)."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from booking import db
from booking.locks import codes, vault, weekly
from booking.locks.packets import Packet
from booking.locks.sweeps import TOLD_LATE
from booking.locks.versions import HORIZON
from booking.lockwire import envelope, ids, snapshot
from booking.lockwire.keys import Keys, derive
from booking.lockwire.messages import Report
from booking.lockwire.snapshot import DEFAULT_POLICY, Snapshot
from booking.span import Span

WINDOW: Final = timedelta(days=399)  # one window is no longer (§5.3)

SEALED_AT_ONCE: Final = 16_384  # octets; a larger seal takes a millisecond or more and gets a thread

Publish = Callable[[Packet], Awaitable[int]]


@lru_cache(maxsize=2_000)
def _keys(sealed: bytes, controller: str, gen: int) -> Keys:
    """Every message asks for them: unsealed and derived once per generation and process."""
    return derive(vault.unseal(sealed, f"key:{controller}:{gen}"), controller, gen)


class Owed(db.Record):
    """A controller's row as far as publishing needs it."""

    id: str
    gen: int
    master_key: bytes
    epoch: int
    want_ver: int
    logged_epoch: int
    logged_ver: int
    rep_epoch: int
    rep_ver: int
    rep_boot: int
    quarantine: bool
    report: str | None
    old_gen: int | None
    old_key: bytes | None

    def keys(self) -> Keys:
        """Return the working keys of the present generation."""
        return _keys(self.master_key, self.id, self.gen)

    def before(self) -> "Owed | None":
        """Return the row as it was under the key that is being replaced, None if none is."""
        if self.old_gen is None or self.old_key is None:
            return None
        return msgspec.structs.replace(self, gen=self.old_gen, master_key=self.old_key)


_OWED = (
    "SELECT id, gen, master_key, epoch, want_ver, logged_epoch, logged_ver, rep_epoch, rep_ver, rep_boot,"
    " quarantine, report, old_gen, old_key"
    " FROM controller WHERE id = $1"
)


async def owed(controller: str, *, lock: bool = False) -> Owed | None:
    """Return the controller's row, None if it is unknown."""
    return await db.row(Owed, _OWED + (" FOR UPDATE" if lock else ""), controller)


def sealed(row: Owed, name: ids.Down, plain: bytes, *, qos: int = 1) -> Packet:
    """Return a message other than a snapshot, sealed under the version the server wants now.

    In quarantine under the version the controller has told: with a lower epoch it would be stale (§12.5).
    """
    topic = ids.down(row.id, name)
    version = (row.rep_epoch, row.rep_ver) if row.quarantine else (row.epoch, row.want_ver)
    return Packet(topic, envelope.seal(plain, row.keys(), "dn", topic, *version), qos)


class Unheard(Exception):
    """Nothing has been heard of this controller yet: this database may be an old one (§12.4)."""


async def publish(
    controller: str, send: Publish, now: datetime, *, heard: Container[str] | None = None
) -> int | None:
    """The wanted version is logged, then with the broker, retained; returns the PUBACK reason code.

    The same version is always the same octets, only the seal is new. None in restore quarantine or without doors.
    Raises Unheard if the controller has ever reported, but is not among those `heard`.
    """
    async with db.transaction():
        row = await owed(controller, lock=True)
        if row is not None and heard is not None and row.rep_boot > 0 and row.id not in heard:
            raise Unheard("waiting for a report, to be sure this database is not an old one")
        doors = await _doors(controller)
        if row is None or row.quarantine or not doors:
            return None
        octets = await _logged(row) or await _build(row, doors, now)
    version = (row.epoch, row.want_ver)
    topic = ids.down(row.id, "desired")
    if len(octets) > SEALED_AT_ONCE:
        token = await asyncio.to_thread(envelope.seal, octets, row.keys(), "dn", topic, *version)
    else:
        token = envelope.seal(octets, row.keys(), "dn", topic, *version)
    reason = await send(Packet(topic, token, retain=True))
    if reason < 0x80:
        await db.run(
            "UPDATE controller SET broker_epoch = $2, broker_ver = $3, broker_reason = $4 WHERE id = $1"
            f" AND (broker_epoch, broker_ver) <= ($2, $3) AND {db.NOT_WAITED_FOR}",  # at worst it is published again
            controller,
            *version,
            reason,
        )
    return reason


async def _logged(row: Owed) -> bytes | None:
    if (row.logged_epoch, row.logged_ver) < (row.epoch, row.want_ver):
        return None  # `logged` is written with the log, in one transaction
    sealed = await db.value(
        bytes,
        "SELECT octets FROM snapshot_log WHERE controller = $1 AND epoch = $2 AND ver = $3",
        row.id,
        row.epoch,
        row.want_ver,
    )
    return None if sealed is None else vault.unseal(sealed, f"snapshot:{row.id}:{row.epoch}:{row.want_ver}")


@dataclass(frozen=True, slots=True)
class Room:
    """What a controller can take. Before its first report: the least that there may be (§12.1.4)."""

    max_doc: int = 8_192
    grants: int = 100
    reserve: int = 0
    features: frozenset[str] = frozenset({"pin"})

    def takes(self, grant: snapshot.Grant) -> bool:
        """True if it has the features that the grant needs (§16)."""
        return grant.k in self.features and (grant.after is UNSET or "after" in self.features)


async def _build(row: Owed, doors: dict[str, snapshot.Door], now: datetime) -> bytes:
    """Write the log row in the caller's transaction, which holds the controller's row."""
    end = now + HORIZON
    found = await _grants(row.id, now, end)
    room = _room(row)
    octets, kept = _fitted(_snapshot(now, end, doors, []), found, room)
    ids = {UUID(each.id) for each in kept}
    await db.run(
        _LOG,
        row.id,
        row.epoch,
        row.want_ver,
        snapshot.digest(octets),
        vault.seal(octets, f"snapshot:{row.id}:{row.epoch}:{row.want_ver}"),
        end,
        now,
        list(ids),
    )
    # Left out for lack of room: not in this version, whatever it was promised for.
    left = [UUID(each.id) for each in found if UUID(each.id) not in ids]
    if left:
        await db.run(
            "UPDATE access_grant SET first_epoch = NULL, first_ver = NULL, applied_at = NULL WHERE id = ANY($1)",
            left,
        )
    return octets


# One statement, since every booking waits for it.
_LOG = """
WITH logged AS (
  INSERT INTO snapshot_log (controller, epoch, ver, digest, octets, horizon_end, built_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
), noted AS (
  UPDATE controller SET logged_epoch = epoch, logged_ver = want_ver WHERE id = $1
)
UPDATE access_grant SET in_log = true, first_epoch = coalesce(first_epoch, $2), first_ver = coalesce(first_ver, $3)
WHERE id = ANY($8) AND (NOT in_log OR first_ver IS NULL)
"""


class _DoorRow(db.Record):
    wire_id: str
    unlock_s: int
    held_s: int
    mode: str
    mode_n: int
    mode_until: datetime | None


async def _doors(controller: str) -> dict[str, snapshot.Door]:
    rows = await db.rows(
        _DoorRow,
        "SELECT wire_id, unlock_s, held_s, mode, mode_n, mode_until FROM door WHERE controller = $1"
        " ORDER BY wire_id",
        controller,
    )
    values = {
        row.wire_id: {
            "unlock_s": row.unlock_s,
            "held_s": row.held_s,
            "mode": row.mode,
            "mode_n": row.mode_n,
            "mode_until": int(row.mode_until.timestamp()) if row.mode_until else None,
        }
        for row in rows
    }
    return msgspec.convert(values, dict[str, snapshot.Door])


class _GrantRow(db.Record):
    id: UUID
    credential: UUID
    role: str
    after: UUID | None
    pin: bytes | None
    means: str
    card: bytes | None
    weekly: str
    wire_id: str
    nb: datetime
    na: datetime


_GRANTS = """
SELECT g.id, g.credential, g.role, g.after, g.pin, coalesce(c.means, 'pin') AS means, c.card,
  coalesce(c.weekly, '[]') AS weekly, d.wire_id, w.nb, w.na
FROM access_grant g JOIN grant_window w ON w.access_grant = g.id JOIN door d ON d.id = w.door
  LEFT JOIN access_credential c ON c.id = g.credential
WHERE g.controller = $1 AND g.gone_ver IS NULL AND (g.pin IS NOT NULL OR c.means = 'card')
  AND g.nb < $2 AND g.na > $3
ORDER BY g.role = 'reserve', g.nb, g.id, w.nb, d.wire_id
"""


async def _grants(controller: str, now: datetime, end: datetime) -> list[snapshot.Grant]:
    """Return the grants of the horizon: staff first, the nearest window before the later ones, reserve last."""
    rows = await db.rows(_GrantRow, _GRANTS, controller, end, now - TOLD_LATE)
    windows: dict[UUID, dict[tuple[int, int], list[str]]] = defaultdict(lambda: defaultdict(list))
    first: dict[UUID, _GrantRow] = {}
    for row in rows:
        first.setdefault(row.id, row)
        for nb, na in _windows(row, now):
            windows[row.id][(nb, na)].append(row.wire_id)
    return [_grant(first[id], spans) for id, spans in windows.items()]


def _windows(row: _GrantRow, now: datetime) -> list[tuple[int, int]]:
    """Return the row's window; a standing grant of staff by the week, as far ahead as a grant can carry."""
    if row.role not in ("staff", "clean"):
        return [(int(row.nb.timestamp()), int(row.na.timestamp()))]
    start = max(row.nb, now - timedelta(days=1))
    whole = Span(start, min(row.na, start + WINDOW))
    rule = weekly.read(row.weekly)
    spans = weekly.expand(rule, whole) if rule else [whole]
    return [(int(one.start.timestamp()), int(one.end.timestamp())) for one in spans]


def _grant(row: _GrantRow, spans: dict[tuple[int, int], list[str]]) -> snapshot.Grant:
    card = None if row.card is None else vault.unseal(row.card, f"card:{row.credential}").decode()
    return snapshot.Grant(
        id=row.id.hex,
        k=row.means,
        pin=UNSET if row.pin is None else codes.read_pin(row.id, row.pin),
        card=UNSET if card is None else card,
        role=row.role,
        after=UNSET if row.after is None else row.after.hex,
        w=[snapshot.Window(d=doors, nb=nb, na=na) for (nb, na), doors in spans.items()],
    )


def _snapshot(
    now: datetime, end: datetime, doors: dict[str, snapshot.Door], grants: list[snapshot.Grant]
) -> Snapshot:
    iat = int(now.timestamp())
    return Snapshot(
        iat=iat,
        hz=(iat, int(end.timestamp())),
        tz="Europe/Stockholm",
        doors=doors,
        policy=DEFAULT_POLICY,
        grants=grants,
        reserve=[],
    )


def _room(row: Owed) -> Room:
    """Return what the controller says it can hold."""
    if row.report is None:
        return Room()
    cap = msgspec.json.decode(row.report, type=Report).cap
    reserve = cap.reserve if "reserve" in cap.feat else 0
    return Room(cap.max_doc, cap.grants, reserve, frozenset(cap.feat))


def _fitted(empty: Snapshot, found: list[snapshot.Grant], room: Room) -> tuple[bytes, list[snapshot.Grant]]:
    """Return octets that fit and the grants in them; reserve codes go first, then the farthest grants."""
    usable = [one for one in found if room.takes(one)]
    plain = [one for one in usable if one.role != "reserve"][: room.grants]
    reserve = [one for one in usable if one.role == "reserve"][: room.reserve]
    while True:
        plain = _with_their_leaders(plain)
        octets = snapshot.encode(msgspec.structs.replace(empty, grants=plain, reserve=reserve))
        kept = [*plain, *reserve]
        if len(octets) <= room.max_doc or not kept:
            return octets, kept
        excess = max(1, (len(octets) - room.max_doc) * len(kept) // len(octets))
        if reserve:
            reserve = reserve[: max(0, len(reserve) - excess)]
        else:
            plain = plain[:-excess]


def _with_their_leaders(grants: list[snapshot.Grant]) -> list[snapshot.Grant]:
    """A member's grant without its leader's would be refused (§5.3)."""
    ids = {one.id for one in grants}
    return [one for one in grants if one.after is UNSET or one.after in ids]


async def lacks_room(controller: str, now: datetime) -> bool:
    """True if grants of the horizon were left out of the wanted version for lack of room."""
    return bool(
        await db.value(
            bool,
            "SELECT true FROM access_grant g JOIN controller c ON c.id = g.controller WHERE c.id = $1"
            " AND g.gone_ver IS NULL AND g.first_ver IS NULL AND g.nb < $2 AND g.na > $3 LIMIT 1",
            controller,
            now + HORIZON,
            now,
        )
    )
