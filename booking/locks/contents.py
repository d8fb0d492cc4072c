"""What belongs into a controller's snapshot, and what it has room for (lock protocol §5, §12.1)."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from booking import db
from booking.errors import Rejected
from booking.locks import codes, vault, weekly
from booking.locks.sweeps import TOLD_LATE
from booking.locks.versions import HORIZON
from booking.lockwire import snapshot
from booking.lockwire.messages import Report
from booking.lockwire.snapshot import DEFAULT_POLICY, Snapshot
from booking.span import Span

WINDOW: Final = timedelta(days=399)  # one window is no longer (§5.3)
# Where memory is short, weekly windows are cut to so much; the daily snapshot brings those that come then.
WEEK: Final = timedelta(days=7)
NEXT_DAYS: Final = timedelta(days=2)

log = logging.getLogger("booking.locks")


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


class _DoorRow(db.Record):
    wire_id: str
    unlock_s: int
    held_s: int
    mode: str
    mode_n: int
    mode_until: datetime | None


async def doors_of(controller: str) -> dict[str, snapshot.Door]:
    """Return the controller's doors by their names on the wire."""
    rows = await db.rows(
        _DoorRow,
        "SELECT wire_id, unlock_s, held_s, mode, mode_n, mode_until FROM door WHERE controller = $1"
        " AND removed_at IS NULL ORDER BY wire_id",
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
WHERE g.controller = $1 AND g.gone_ver IS NULL AND g.gone_at IS NULL AND (g.pin IS NOT NULL OR c.means = 'card')
  AND g.nb < $2 AND g.na > $3
ORDER BY g.role = 'reserve', g.na <= $4, g.nb, g.id, w.nb, d.wire_id
"""


async def grants_of(controller: str, now: datetime, end: datetime) -> list[snapshot.Grant]:
    """Return the grants of the horizon: staff first, the nearest window before the later ones, then ended ones,
    reserve last. One whose weekly rule can't be read has no windows."""
    rows = await db.rows(_GrantRow, _GRANTS, controller, end, now - TOLD_LATE, now)
    windows: dict[UUID, dict[tuple[int, int], list[str]]] = defaultdict(lambda: defaultdict(list))
    first: dict[UUID, _GrantRow] = {}
    for row in rows:
        first.setdefault(row.id, row)
        try:
            found = _windows(row, now)
        except (Rejected, ValueError, msgspec.MsgspecError):  # one code's fault is not that of all the others
            log.exception("the weekly rule of credential %s can't be read", row.credential)
            windows[row.id] = defaultdict(list)
            continue
        for nb, na in found:
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


def empty(now: datetime, end: datetime, doors: dict[str, snapshot.Door]) -> Snapshot:
    """Return a snapshot without grants."""
    iat = int(now.timestamp())
    return Snapshot(
        iat=iat,
        hz=(iat, int(end.timestamp())),
        tz="Europe/Stockholm",
        doors=doors,
        policy=DEFAULT_POLICY,
        grants=[],
        reserve=[],
    )


def room_of(report: str | None) -> Room:
    """Return what the controller says it can hold."""
    if report is None:
        return Room()
    cap = msgspec.json.decode(report, type=Report).cap
    reserve = cap.reserve if "reserve" in cap.feat else 0
    return Room(cap.max_doc, cap.grants, reserve, frozenset(cap.feat))


def fitted(bare: Snapshot, found: list[snapshot.Grant], room: Room) -> tuple[bytes, list[snapshot.Grant]]:
    """Return octets that fit and the grants in them.

    Ended grants go first, then weekly windows a week ahead, reserve codes, weekly windows of the days after the
    next two, and then the farthest grants.
    """
    usable = [one for one in found if one.w and room.takes(one)]
    plain = [one for one in usable if one.role != "reserve"][: room.grants]
    reserve = [one for one in usable if one.role == "reserve"][: room.reserve]
    while True:
        plain = _with_their_leaders(plain)
        octets = snapshot.encode(msgspec.structs.replace(bare, grants=plain, reserve=reserve))
        kept = [*plain, *reserve]
        if len(octets) <= room.max_doc or not kept:
            return octets, kept
        excess = max(1, (len(octets) - room.max_doc) * len(kept) // len(octets))
        plain, reserve = _smaller(plain, reserve, excess, bare.iat)


def _smaller(
    plain: list[snapshot.Grant], reserve: list[snapshot.Grant], excess: int, now: int
) -> tuple[list[snapshot.Grant], list[snapshot.Grant]]:
    """Leave out what is missed least; `excess` is how many grants of middling size are too many."""
    running = [one for one in plain if not is_over(one, now)]
    week, next_days = _weekly_within(plain, now, WEEK), _weekly_within(plain, now, NEXT_DAYS)
    if len(running) < len(plain):
        return running, reserve
    if week != plain:
        return week, reserve
    if reserve:
        return plain, reserve[: max(0, len(reserve) - excess)]
    return (next_days if next_days != plain else plain[:-excess]), reserve


def is_over(grant: snapshot.Grant, now: int) -> bool:
    """True if it opens nothing any more, at this second or later; one without windows never did."""
    return bool(grant.w) and max(one.na for one in grant.w) <= now


def _weekly_within(grants: list[snapshot.Grant], now: int, ahead: timedelta) -> list[snapshot.Grant]:
    """Staff's and cleaning's windows that begin within this time, at least the next of each."""
    end = now + int(ahead.total_seconds())
    found = []
    for one in grants:
        coming = [each for each in one.w if each.na > now]
        near = [each for each in coming if each.nb < end] or coming[:1] or one.w
        found.append(msgspec.structs.replace(one, w=near) if one.role in ("staff", "clean") else one)
    return found


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
            " AND g.gone_ver IS NULL AND g.gone_at IS NULL AND g.first_ver IS NULL AND g.nb < $2 AND g.na > $3 LIMIT 1",
            controller,
            now + HORIZON,
            now,
        )
    )
