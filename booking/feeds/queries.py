"""Reads for calendars: what a feed's owner may see today, and what anybody may see of a resource."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import db, derived, people, places
from booking.errors import NotFound
from booking.feeds import ical
from booking.feeds.ical import Event, Status
from booking.feeds.words import word
from booking.people import Actor, Language, Role

Kind = Literal["account", "party", "resource"]
PURPOSE = "feed"  # of the derived secret
PAST = timedelta(days=90)
CANCELLED_FOR = timedelta(days=30)  # long enough for every calendar program to hear of it
READ_NOTED = timedelta(hours=1)
MOST = 5000

_STATUS: dict[str, Status] = {
    "requested": "TENTATIVE",
    "awaiting_payment": "TENTATIVE",
    "confirmed": "CONFIRMED",
    "completed": "CONFIRMED",
    "cancelled": "CANCELLED",
    "rejected": "CANCELLED",
    "expired": "CANCELLED",  # never paid, or never answered
}


class FeedGone(NotFound):
    """The address was given out once and has been taken back."""

    code = "feed_revoked"


class FeedRow(db.Record):
    """A feed as stored, with its owner's language."""

    id: UUID
    account: UUID
    kind: Kind
    party: UUID | None
    resource: UUID | None
    generation: int
    created_at: datetime
    revoked_at: datetime | None
    read_at: datetime | None
    language: Language


@dataclass(frozen=True, slots=True)
class Site:
    """What this installation signs with and where its pages are."""

    key: bytes
    url: str


class _Booked(db.Record):
    id: UUID
    number: int
    state: str
    starts_at: datetime
    ends_at: datetime
    purpose: str
    title: str | None
    version: int
    changed_at: datetime
    resource: str
    facility: str
    address: str
    lat: float
    lon: float
    party: str | None
    takes_time: bool


_ROWS = (
    "SELECT f.id, f.account, f.kind, f.party, f.resource, f.generation, f.created_at, f.revoked_at, f.read_at,"
    " a.language FROM feed f JOIN account a ON a.id = f.account"
)
_BOOKED = """
SELECT r.id, r.number, r.state, r.starts_at, r.ends_at, r.purpose, coalesce(r.title, b.title) AS title,
  r.version, EXISTS (SELECT FROM occupancy o WHERE o.reservation = r.id) AS takes_time,
  coalesce((SELECT max(j.at) FROM journal j WHERE j.about = r.id), r.created_at) AS changed_at,
  s.name AS resource, f.name AS facility, f.address, f.lat, f.lon, p.name AS party
FROM reservation r JOIN resource s ON s.id = r.resource JOIN facility f ON f.id = s.facility
  LEFT JOIN party p ON p.id = r.party LEFT JOIN staff_block b ON b.id = r.block
WHERE r.ends_at > $1 AND r.state = ANY($2) AND (r.state <> 'expired' OR r.method IS NOT NULL)
  AND (r.state NOT IN ('cancelled', 'rejected', 'expired')
       OR coalesce(r.cancelled_at, r.decided_at, r.hold_until, r.created_at) > $3)
"""
_ORDER = f" ORDER BY r.starts_at, r.id LIMIT {MOST}"
# A hall is also taken by whoever has a part of it, and the other way round.
_SHARING = """ AND r.id IN (
  WITH sharing AS (SELECT b.resource FROM resource_leaf a JOIN resource_leaf b USING (leaf) WHERE a.resource = $4)
  SELECT id FROM reservation WHERE resource IN (SELECT resource FROM sharing) AND ends_at > $1
  UNION SELECT reservation FROM reservation_extra WHERE resource IN (SELECT resource FROM sharing)
)"""


async def own_rows(by: Actor) -> list[FeedRow]:
    """Return the actor's own feeds that still work, oldest first."""
    return await db.rows(
        FeedRow,
        _ROWS + " WHERE f.account = $1 AND f.revoked_at IS NULL ORDER BY f.id",
        by.must_be_known(),
    )


async def own_row(feed: UUID, by: Actor) -> FeedRow:
    """Return one of the actor's own feeds. Raises NotFound, also for one taken back."""
    found = await db.row(FeedRow, _ROWS + " WHERE f.id = $1 AND f.revoked_at IS NULL", feed)
    if found is None or found.account != by.must_be_known():
        raise NotFound("there is no such feed")
    return found


async def read(token: str, site: Site, now: datetime) -> bytes:
    """Return the calendar behind a secret address, with what its owner may see today.

    Who leaves an association, or the staff, loses what only that gave. Raises NotFound, FeedGone.
    """
    row = await _believed(token, site)
    owner = await people.actor_of_account(row.account, now)
    if owner is None:
        raise NotFound("there is no such feed")
    if row.read_at is None or row.read_at < now - READ_NOTED:
        await db.run("UPDATE feed SET read_at = $2 WHERE id = $1", row.id, now)
    return await _calendar(row, owner, site, now)


async def of_resource(resource: UUID, language: Language, site: Site, now: datetime) -> bytes:
    """Return when the resource is taken, as anybody may know it. Raises NotFound."""
    found = await places.resource(resource, in_use=False)
    taken = await _bookings(_SHARING, resource, now=now)
    events = [_anonymous(one, site, language) for one in taken if one.takes_time]
    return ical.calendar(f"{found.facility.name}, {found.name}", events)


async def _believed(token: str, site: Site) -> FeedRow:
    named = derived.named_in(token)
    row = None if named is None else await db.row(FeedRow, _ROWS + " WHERE f.id = $1", named)
    if row is None or named is None or not derived.fits(site.key, PURPOSE, row.id, row.generation, token):
        raise NotFound("there is no such feed")
    if row.revoked_at is not None:
        raise FeedGone("this address has been taken back")
    return row


async def _calendar(row: FeedRow, owner: Actor, site: Site, now: datetime) -> bytes:
    if row.kind == "resource" and row.resource is not None:
        found = await places.resource(row.resource, in_use=False)
        if not owner.has(found.facility.municipality.code, Role.STAFF):
            return await of_resource(row.resource, row.language, site, now)
        taken = await _bookings(_SHARING, row.resource, now=now)
        name = f"{found.facility.name}, {found.name}"
        return ical.calendar(name, [_named(one, site, row.language, with_party=True) for one in taken])
    parties = owner.acts_for if row.kind == "account" else owner.acts_for & {row.party}
    taken = await _bookings(" AND r.party = ANY($4)", sorted(one for one in parties if one), now=now)
    name = await party_name(row.party) or word("mine", row.language)
    several = row.kind == "account"
    return ical.calendar(name, [_named(one, site, row.language, with_party=several) for one in taken])


async def party_name(party: UUID | None) -> str | None:
    """Return the name of the party that a feed is about."""
    return await db.value(str, "SELECT name FROM party WHERE id = $1", party)


async def _bookings(where: str, what: object, *, now: datetime) -> list[_Booked]:
    return await db.rows(
        _Booked, _BOOKED + where + _ORDER, now - PAST, list(_STATUS), now - CANCELLED_FOR, what
    )


def _named(one: _Booked, site: Site, language: Language, *, with_party: bool) -> Event:
    lines = [f"{word('number', language)} B-{one.number:06d}", word(one.purpose, language)]
    if with_party and one.party:
        lines.append(f"{word('party', language)}: {one.party}")
    if one.state in ("requested", "awaiting_payment", "cancelled", "rejected"):
        lines.append(word(one.state, language))
    what = one.title or (one.party if with_party and one.party else word(one.purpose, language))
    return Event(
        uid=f"{one.id}@booking",
        sequence=one.version,
        status=_STATUS[one.state],
        start=one.starts_at,
        end=one.ends_at,
        changed_at=one.changed_at,
        summary=f"{what} – {one.resource}",
        location=f"{one.facility}, {one.address}",
        description="\n".join(lines),
        url=f"{site.url}/b/{one.id}",
        lat=one.lat,
        lon=one.lon,
    )


def _anonymous(one: _Booked, site: Site, language: Language) -> Event:
    """The UID is derived: it stays the same, and leads nobody to the booking."""
    return Event(
        uid=f"{derived.secret(site.key, 'busy', one.id).hex()[:32]}@booking",
        sequence=one.version,
        status="CONFIRMED",
        start=one.starts_at,
        end=one.ends_at,
        changed_at=one.changed_at,
        summary=word("busy", language),
        location=f"{one.facility}, {one.address}",
    )
