"""Participants' codes: made by the booker for those he lets in, open when his own has opened (§5.3 `after`)."""

from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, journal
from booking.errors import Conflict, NotFound
from booking.ids import new_id
from booking.locks import codes, credential_rows, grants, pin_rules, vault
from booking.locks.codes import Kept
from booking.locks.versions import HORIZON, raise_versions
from booking.people import Actor, Role
from booking.span import Span

MOST = 30


class TooManyShares(Conflict):
    """The booking has thirty shared codes already."""

    code = "too_many_shares"


class NothingToShare(Conflict):
    """The booking opens no door any more, or its doors can't tell leader from participant."""

    code = "no_access_to_share"


class NewShare(msgspec.Struct, frozen=True):
    """A participant's code; its PIN is told this once."""

    id: UUID
    pin: str

    def __repr__(self) -> str:
        return f"NewShare(id={self.id!r})"


class _Leader(db.Record):
    id: UUID
    controller: str
    driver: str
    municipality: str
    holder: UUID
    nb: datetime
    report: str | None


class _Window(db.Record):
    door: str
    nb: datetime
    na: datetime


async def share(reservation: UUID, label: str, *, by: Actor, now: datetime) -> NewShare:
    """The booking has one more code, for somebody who comes after the leader; both end together.

    Raises NotFound for a foreign booking, TooManyShares, NothingToShare.
    """
    async with db.transaction():
        leaders = await _leaders(reservation, by, now)
        if any(one.report is not None and "after" not in codes.features_of(one.report) for one in leaders):
            raise NothingToShare("a door of this booking can't tell participants from the leader")
        count = "SELECT count(*) FROM access_credential WHERE reservation = $1 AND revoked_at IS NULL"
        if (await db.value(int, count, reservation) or 0) >= MOST:
            raise TooManyShares(f"a booking has at most {MOST} shared codes")
        id = new_id()
        await db.run(
            "INSERT INTO access_credential (id, municipality, kind, holder, reservation, label, valid_from,"
            " created_at) VALUES ($1, $2, 'member', $3, $4, $5, $6, $6)",
            id,
            leaders[0].municipality,
            leaders[0].holder,
            reservation,
            label,
            now,
        )
        pin = await _put_in_doors(id, leaders, now)
        topics = [f"reservation:{reservation}"]
        await journal.record("access.shared", about=reservation, by=by, now=now, topics=topics, share=id)
    return NewShare(id, pin)


async def _leaders(reservation: UUID, by: Actor, now: datetime) -> list[_Leader]:
    leaders = await db.rows(
        _Leader,
        "SELECT g.id, g.controller, c.driver, f.municipality, g.holder, g.nb, c.report FROM access_grant g"
        " JOIN controller c ON c.id = g.controller JOIN facility f ON f.id = c.facility"
        " WHERE g.reservation = $1 AND g.role = 'leader' AND g.gone_ver IS NULL AND g.na > $2 ORDER BY g.id",
        reservation,
        now,
    )
    if not leaders:
        if await _is_theirs(reservation, by):
            raise NothingToShare("this booking opens no door any more")
        raise NotFound("there is no such reservation")
    if not (leaders[0].holder in by.acts_for or by.has(leaders[0].municipality, Role.STAFF)):
        raise NotFound("there is no such reservation")
    return leaders


async def _is_theirs(reservation: UUID, by: Actor) -> bool:
    holder = await db.value(
        UUID, "SELECT holder FROM access_grant WHERE reservation = $1 LIMIT 1", reservation
    )
    return holder is not None and holder in by.acts_for


async def _put_in_doors(credential: UUID, leaders: list[_Leader], now: datetime) -> str:
    """A member's grant behind each of the leader's, at the same doors and times; returns its PIN."""
    kept = await _lay_behind([(credential, one) for one in leaders], now)
    pin = await codes.keep_drawn(credential, pin_rules.common(leaders), kept[credential])
    await credential_rows.keep_pin(credential, pin)
    return pin


async def _lay_behind(pairs: list[tuple[UUID, _Leader]], now: datetime) -> dict[UUID, list[Kept]]:
    """Each member's grants stand behind their leader's, still without PIN; returns each one's doors and times."""
    near = sorted({one.controller for _, one in pairs if one.nb - HORIZON <= now})
    versions = await raise_versions(near, now=now)
    kept: dict[UUID, list[Kept]] = {}
    for credential, one in pairs:
        id, version = new_id(), versions.get(one.controller) if one.nb - HORIZON <= now else None
        await db.run(
            "INSERT INTO access_grant (id, controller, reservation, credential, holder, role, after, nb, na,"
            " created_at, starts_at, ends_at, first_epoch, first_ver) SELECT $1, controller, reservation, $3,"
            " holder, 'member', id, nb, na, $4, starts_at, ends_at, $5, $6 FROM access_grant WHERE id = $2",
            id,
            one.id,
            credential,
            now,
            version[0] if version else None,
            version[1] if version else None,
        )
        windows = await db.rows(
            _Window, "SELECT door, nb, na FROM grant_window WHERE access_grant = $1 ORDER BY id", one.id
        )
        kept.setdefault(credential, []).extend(
            Kept(id, each.door, Span(each.nb, each.na)) for each in windows
        )
    return kept


class _Loose(_Leader):
    """A leader's grant that a participant's code does not stand behind yet."""

    credential: UUID
    pin: bytes


_LOOSE = """
SELECT g.id, g.controller, k.driver, f.municipality, g.holder, g.nb, k.report, m.id AS credential, m.pin
FROM access_credential m JOIN access_grant g ON g.reservation = m.reservation AND g.role = 'leader'
    AND g.gone_ver IS NULL AND g.na > $2
  JOIN controller k ON k.id = g.controller JOIN facility f ON f.id = k.facility
WHERE m.kind = 'member' AND m.holder = $1 AND m.revoked_at IS NULL AND m.pin IS NOT NULL
  AND NOT EXISTS (SELECT FROM access_grant b WHERE b.credential = m.id AND b.after = g.id AND b.gone_ver IS NULL)
ORDER BY m.id, g.id
"""
# A leader's grant that is gone lets nobody in; what stands behind it would be refused (§5.3).
_ORPHANS = (
    "role = 'member' AND gone_ver IS NULL AND reservation IN (SELECT reservation FROM access_credential"
    " WHERE kind = 'member' AND holder = $2 AND revoked_at IS NULL) AND NOT EXISTS (SELECT FROM access_grant l"
    " WHERE l.id = access_grant.after AND l.gone_ver IS NULL)"
)


async def follow(holder: UUID, now: datetime) -> None:
    """The participants' codes of the party's bookings stand behind every leader's grant there is, and no other.

    Whichever of the leader's codes is entered first lets them in. Their PINs stay. Within a transaction.
    """
    loose = await db.rows(_Loose, _LOOSE, holder, now)
    pins = {one.credential: vault.unseal(one.pin, f"pin:{one.credential}").decode() for one in loose}
    kept = await _lay_behind([(one.credential, one) for one in loose], now)
    for credential, windows in kept.items():
        if not await codes.keep(
            credential, pins[credential], windows
        ):  # a door it never had, and taken there
            await db.run(
                "DELETE FROM access_grant WHERE id = ANY($1)",
                sorted({one.grant for one in windows if one.grant}),
            )
    await grants.remove(_ORPHANS, holder, now=now)


class _Shared(db.Record):
    holder: UUID
    municipality: str
    revoked_at: datetime | None


async def replace_share(reservation: UUID, share_id: UUID, *, by: Actor, now: datetime) -> NewShare:
    """The participant has another code, told this once; the one he had leaves the doors.

    Raises NotFound for what is gone or foreign, NothingToShare where the booking opens no door any more.
    """
    async with db.transaction():
        row = await _must(reservation, share_id, by)
        if row.revoked_at is not None:
            raise NotFound("there is no such shared code")
        leaders = await _leaders(reservation, by, now)
        await grants.remove("credential = $2 AND gone_ver IS NULL", share_id, now=now)
        pin = await _put_in_doors(share_id, leaders, now)
        topics = [f"reservation:{reservation}"]
        await journal.record(
            "access.share_replaced", about=reservation, by=by, now=now, topics=topics, share=share_id
        )
    return NewShare(share_id, pin)


async def _must(reservation: UUID, share_id: UUID, by: Actor) -> _Shared:
    row = await db.row(
        _Shared,
        "SELECT holder, municipality, revoked_at FROM access_credential WHERE id = $1 AND kind = 'member'"
        " AND reservation = $2 FOR NO KEY UPDATE",
        share_id,
        reservation,
    )
    if row is None or not (row.holder in by.acts_for or by.has(row.municipality, Role.STAFF)):
        raise NotFound("there is no such shared code")
    return row


async def unshare(reservation: UUID, share_id: UUID, *, by: Actor, now: datetime) -> None:
    """The participant's code leaves the doors. Taking back what is gone is a no-op; a foreign one looks absent."""
    async with db.transaction():
        await _must(reservation, share_id, by)
        gone = await db.run(
            "UPDATE access_credential SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", share_id, now
        )
        if gone:
            await grants.remove("credential = $2 AND gone_ver IS NULL", share_id, now=now)
            topics = [f"reservation:{reservation}"]
            await journal.record("access.unshared", about=reservation, by=by, now=now, topics=topics)
