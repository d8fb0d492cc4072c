"""Give out, renew and take back calendar addresses."""

from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, derived, journal, places
from booking.errors import Rejected
from booking.feeds.queries import PURPOSE, FeedRow, Kind, Site, own_row, own_rows, party_name
from booking.feeds.words import word
from booking.ids import new_id
from booking.people import Actor, Role

MOST = 50


class FeedView(msgspec.Struct, frozen=True):
    """A feed as its owner sees it. The URL is a secret: who has it can read the calendar."""

    id: UUID
    kind: Kind
    party_id: UUID | None
    resource_id: UUID | None
    name: str
    url: str
    shows_names: bool
    created_at: datetime
    read_at: datetime | None

    def __repr__(self) -> str:
        return f"FeedView(id={self.id}, kind={self.kind!r})"


async def feeds(by: Actor, site: Site) -> list[FeedView]:
    """Return the actor's own feeds with their addresses."""
    return [await _view(row, by, site) for row in await own_rows(by)]


async def create(
    kind: Kind, party: UUID | None, resource: UUID | None, *, by: Actor, site: Site, now: datetime
) -> FeedView:
    """The actor has a new secret address for their own, a party's or a resource's calendar.

    Raises NotAllowed for a party they don't act for, NotFound for no such resource, Rejected.
    """
    account = by.must_be_known()
    if (kind == "party") != (party is not None) or (kind == "resource") != (resource is not None):
        raise Rejected("name the party or the resource that the feed is about", code="feed_subject")
    if party is not None:
        by.must_act_for(party)
    if resource is not None:
        await places.resource(resource)
    feed = new_id()
    async with db.transaction():
        await db.take_locks("feeds", [account])
        if len(await own_rows(by)) >= MOST:
            raise Rejected("take back an address that is no longer used first", code="too_many_feeds")
        await db.run(
            "INSERT INTO feed (id, account, kind, party, resource, generation, created_at)"
            " VALUES ($1, $2, $3, $4, $5, 1, $6)",
            feed,
            account,
            kind,
            party,
            resource,
            now,
        )
        await journal.record("feed.created", about=feed, by=by, now=now, kind=kind)
        return await _view(await own_row(feed, by), by, site)


async def renew(feed: UUID, *, by: Actor, site: Site, now: datetime) -> FeedView:
    """The feed has another address; the old one opens nothing any more. Raises NotFound."""
    async with db.transaction():
        await own_row(feed, by)
        await db.run("UPDATE feed SET generation = generation + 1, read_at = NULL WHERE id = $1", feed)
        await journal.record("feed.renewed", about=feed, by=by, now=now)
        return await _view(await own_row(feed, by), by, site)


async def revoke(feed: UUID, *, by: Actor, now: datetime) -> None:
    """The address opens nothing any more. Raises NotFound, also the second time."""
    async with db.transaction():
        await own_row(feed, by)
        await db.run("UPDATE feed SET revoked_at = $2 WHERE id = $1", feed, now)
        await journal.record("feed.revoked", about=feed, by=by, now=now)


async def _view(row: FeedRow, by: Actor, site: Site) -> FeedView:
    name, names = await party_name(row.party) or word("mine", row.language), True
    if row.resource is not None:
        found = await places.resource(row.resource, in_use=False)
        name = f"{found.facility.name}, {found.name}"
        names = by.has(found.facility.municipality.code, Role.STAFF)
    token = derived.token(site.key, PURPOSE, row.id, row.generation)
    return FeedView(
        id=row.id,
        kind=row.kind,
        party_id=row.party,
        resource_id=row.resource,
        name=name,
        url=f"{site.url}/api/feeds/ics/{token}.ics",
        shows_names=names,
        created_at=row.created_at,
        read_at=row.read_at,
    )
