"""After a restored backup: what a controller holds that we don't know, and the operator's word to go on (§12.5)."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from booking import db, journal
from booking.errors import NotFound
from booking.locks.versions import raise_versions
from booking.lockwire.snapshot import Window
from booking.people import Actor, Role


class UnknownGrant(msgspec.Struct, frozen=True):
    """A code in the controller that this database knows nothing of; which one is not told."""

    id: str
    door_ids: list[str]
    opens_at: datetime
    closes_at: datetime


class QuarantineView(msgspec.Struct, frozen=True):
    """Nothing is published while it lasts. `listed` is false until the controller has answered."""

    controller: str
    since: datetime | None
    reported: str
    wanted: str
    listed: bool
    unknown: list[UnknownGrant]


class _Row(db.Record):
    facility: UUID
    municipality: str
    epoch: int
    want_ver: int
    rep_epoch: int
    rep_ver: int
    quarantine: bool
    quarantined_at: datetime | None
    listing: str | None


_ROW = (
    "SELECT c.facility, f.municipality, c.epoch, c.want_ver, c.rep_epoch, c.rep_ver, c.quarantine,"
    " c.quarantined_at, c.listing FROM controller c JOIN facility f ON f.id = c.facility WHERE c.id = $1"
)


async def quarantine_of(controller: str, *, by: Actor) -> QuarantineView:
    """Return what is known of a controller in quarantine. Raises NotFound, also to those who are not admin there."""
    row = await db.row(_Row, _ROW, controller)
    if row is None or not row.quarantine or not by.has(row.municipality, Role.ADMIN):
        raise NotFound("this controller is not in quarantine")
    return QuarantineView(
        controller,
        row.quarantined_at,
        f"{row.rep_epoch}.{row.rep_ver}",
        f"{row.epoch}.{row.want_ver}",
        row.listing is not None,
        await _unknown(controller, row.listing),
    )


def _listed(listing: str | None) -> dict[str, list[Window]]:
    """Return the windows by grant id; one kept from a controller that said nonsense has none."""
    try:
        said = msgspec.json.decode(listing, type=dict[str, object]) if listing else {}
    except msgspec.DecodeError:
        return {}
    return {id: _windows(one) for id, one in said.items()}


def _windows(said: object) -> list[Window]:
    try:
        return msgspec.convert(said, list[Window])
    except msgspec.ValidationError:
        return []


async def _unknown(controller: str, listing: str | None) -> list[UnknownGrant]:
    ours = await db.column(
        UUID, "SELECT id FROM access_grant WHERE controller = $1 AND gone_ver IS NULL", controller
    )
    known = {id.hex for id in ours}
    return [
        UnknownGrant(
            id,
            sorted({f"{controller}-{door}".replace("_", "-") for one in windows for door in one.d}),
            datetime.fromtimestamp(min(one.nb for one in windows), UTC),
            datetime.fromtimestamp(max(one.na for one in windows), UTC),
        )
        for id, windows in sorted(_listed(listing).items())
        if id not in known and windows
    ]


async def end_quarantine(controller: str, *, by: Actor, now: datetime) -> None:
    """The operator takes the server's side: a higher epoch replaces whatever the controller holds (§12.5)."""
    async with db.transaction():
        row = await db.row(_Row, _ROW + " AND c.quarantine FOR NO KEY UPDATE OF c", controller)
        if row is None or not by.has(row.municipality, Role.ADMIN):
            raise NotFound("this controller is not in quarantine")
        unknown = await _unknown(controller, row.listing)
        await db.run(
            "UPDATE controller SET epoch = greatest(epoch, rep_epoch) + 1, quarantine = false,"
            " quarantined_at = NULL, listing = NULL WHERE id = $1",
            controller,
        )
        await raise_versions([controller], now=now)
        # What is to be in the door counts as new: the old epoch proved nothing we know.
        await db.run(
            "UPDATE access_grant g SET first_epoch = c.epoch, first_ver = c.want_ver, applied_at = NULL"
            " FROM controller c WHERE c.id = g.controller AND c.id = $1 AND g.gone_ver IS NULL"
            " AND g.first_ver IS NOT NULL",
            controller,
        )
        # What was to leave leaves with the new epoch, and is watched until that is proved.
        await db.run(
            "UPDATE access_grant g SET gone_epoch = c.epoch, gone_ver = c.want_ver FROM controller c"
            " WHERE c.id = g.controller AND c.id = $1 AND g.gone_ver IS NOT NULL AND g.gone_at IS NULL",
            controller,
        )
        await journal.record(
            "controller.quarantine_ended",
            about=row.facility,
            by=by,
            now=now,
            topics=[f"doors:{row.municipality}"],
            controller=controller,
            unknown=[one.id for one in unknown],
        )
