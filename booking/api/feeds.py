"""Calendar feeds on the wire: JSON for their owner, text/calendar for the calendar program."""

import hashlib
import logging
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter

from booking import feeds
from booking.api.auth import IdempotencyKey, once, once_if_keyed
from booking.api.errors import responses
from booking.api.shapes import HTTPRequest
from booking.people import Actor, Language
from booking.settings import Settings

CalendarName = Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9_-]{64}\.ics$")]
_SECRET = "/api/feeds/ics/"  # noqa: S105 the address before the secret


class NewFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose calendar: one's own and all one acts for, one party's, or a resource's."""

    kind: feeds.Kind
    party_id: UUID | None = None
    resource_id: UUID | None = None


class FeedList(msgspec.Struct, frozen=True):
    """The caller's feeds."""

    feeds: list[feeds.FeedView]
    total: int


class FeedController(Controller):
    """Addresses for calendar programs."""

    tags = ("Calendar feeds",)

    @get("/feeds", operation_id="ListFeeds", responses=responses(401))
    async def index(
        self, actor: NamedDependency[Actor], settings: NamedDependency[Settings]
    ) -> Response[FeedList]:
        """Return the caller's own feeds with their secret addresses."""
        found = await feeds.feeds(actor, site_of(settings))
        return _private(FeedList(found, len(found)))

    @post("/feeds", operation_id="CreateFeed", responses=responses(401, 403, 404, 409, 422))
    async def create(
        self,
        request: HTTPRequest,
        data: JSONBody[NewFeed],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[feeds.FeedView]:
        """Make a secret address. Who has it can read the calendar, so give it to nobody else."""
        actor.must_be_known()

        async def act() -> feeds.FeedView:
            return await feeds.create(
                data.kind, data.party_id, data.resource_id, by=actor, site=site_of(settings), now=now
            )

        return await once(request, idempotency_key, now, act)

    @post(
        "/feeds/{feed_id:uuid}/renew",
        operation_id="RenewFeed",
        status_code=200,
        responses=responses(401, 403, 404),
    )
    async def renew(
        self,
        request: HTTPRequest,
        feed_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[feeds.FeedView]:
        """Give the feed another address; the old one stops at once."""

        async def act() -> feeds.FeedView:
            return await feeds.renew(feed_id, by=actor, site=site_of(settings), now=now)

        return await once_if_keyed(request, idempotency_key, now, act)

    @delete("/feeds/{feed_id:uuid}", operation_id="RevokeFeed", responses=responses(401, 403, 404))
    async def revoke(
        self, feed_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> None:
        """Take the address back; programs that still ask are told 410."""
        await feeds.revoke(feed_id, by=actor, now=now)

    @get(
        "/feeds/ics/{name:str}",
        operation_id="ReadFeed",
        responses=responses(404, 410),
        media_type="text/calendar",
    )
    async def read(
        self,
        request: HTTPRequest,
        name: CalendarName,
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
    ) -> Response[bytes]:
        """Return the calendar behind a secret address (RFC 5545), or 304 where it is unchanged."""
        return _calendar(
            request, await feeds.read(name.removesuffix(".ics"), site_of(settings), now), "private"
        )

    @get(
        "/resources/{resource_id:uuid}/calendar.ics",
        operation_id="ReadResourceCalendar",
        responses=responses(404),
        media_type="text/calendar",
    )
    async def of_resource(
        self,
        request: HTTPRequest,
        resource_id: FromPath[UUID],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
        language: FromQuery[Language] = "sv",
    ) -> Response[bytes]:
        """Return when a resource is taken, without saying by whom; anybody may subscribe."""
        found = await feeds.of_resource(resource_id, language, site_of(settings), now)
        return _calendar(request, found, "public")


def site_of(settings: Settings) -> feeds.Site:
    """Return what feeds need to know of this installation."""
    return feeds.Site(settings.secret_key, settings.public_url)


def hide_secret(record: logging.LogRecord) -> bool:
    """Keep the line in the access log, and the secret address out of it."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            _SECRET + "…" if isinstance(one, str) and one.startswith(_SECRET) else one for one in record.args
        )
    return True


def _private(body: FeedList) -> Response[FeedList]:
    return Response(body, headers={"Cache-Control": "no-store"})


def _calendar(request: HTTPRequest, body: bytes, whose: str) -> Response[bytes]:
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'  # weak: compression changes the octets
    headers = {"ETag": tag, "Cache-Control": f"{whose}, no-cache", "X-Robots-Tag": "noindex"}
    asked = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in asked:
        return Response(b"", status_code=304, headers=headers, media_type="text/calendar")
    headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    return Response(body, headers=headers, media_type="text/calendar")
