"""Build, log and publish the snapshot a controller is owed (lock protocol §12.1)."""

import asyncio
from collections.abc import Awaitable, Callable, Container
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from booking import db
from booking.locks import contents, vault
from booking.locks.packets import Packet
from booking.locks.versions import HORIZON
from booking.lockwire import envelope, ids, snapshot
from booking.lockwire.keys import Keys, derive

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
    return await db.row(Owed, _OWED + (" FOR NO KEY UPDATE" if lock else ""), controller)


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
        doors = await contents.doors_of(controller)
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


async def _build(row: Owed, doors: dict[str, snapshot.Door], now: datetime) -> bytes:
    """Write the log row in the caller's transaction, which holds the controller's row."""
    end = now + HORIZON
    found = await contents.grants_of(row.id, now, end)
    octets, kept = contents.fitted(contents.empty(now, end, doors), found, contents.room_of(row.report))
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
        row.logged_epoch,
        row.logged_ver,
    )
    over = int(now.timestamp())
    out = [one for one in found if UUID(one.id) not in ids and not contents.is_over(one, over)]
    await _leave_out(out, row.report)
    return octets


async def _leave_out(grants: list[snapshot.Grant], report: str | None) -> None:
    """They are not in this version, whatever it was promised for: for lack of room, or the device can't tell them."""
    if not grants:
        return
    room = contents.room_of(report)
    strange = [UUID(one.id) for one in grants if report is not None and not room.takes(one)]
    await db.run(
        "UPDATE access_grant SET first_epoch = NULL, first_ver = NULL, applied_at = NULL,"
        " rejected = CASE WHEN id = ANY($2) THEN 'feature' END WHERE id = ANY($1)",
        [UUID(one.id) for one in grants],
        strange,
    )


# One statement, since every booking waits for it. What the version before ($9, $10) did not reach is new in this one,
# even if that one was to show that the door has let an old window go.
_LOG = """
WITH logged AS (
  INSERT INTO snapshot_log (controller, epoch, ver, digest, octets, horizon_end, built_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
), noted AS (
  UPDATE controller SET logged_epoch = epoch, logged_ver = want_ver WHERE id = $1
), before AS (
  SELECT max(horizon_end) AS horizon FROM snapshot_log WHERE controller = $1 AND epoch = $9 AND ver = $10
)
UPDATE access_grant SET in_log = true,
  first_epoch = CASE WHEN first_ver IS NULL OR nb >= before.horizon THEN $2 ELSE first_epoch END,
  first_ver = CASE WHEN first_ver IS NULL OR nb >= before.horizon THEN $3 ELSE first_ver END
FROM before WHERE id = ANY($8) AND (NOT in_log OR first_ver IS NULL OR nb >= before.horizon)
"""
