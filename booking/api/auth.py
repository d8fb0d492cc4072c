"""Session cookie → Actor; the caller's address; idempotent creation."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar, cast
from uuid import UUID

import msgspec
from litestar import Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from booking import db, idempotency
from booking.api.gate import SESSION_COOKIE
from booking.api.shapes import HTTPRequest
from booking.clock import utc_now
from booking.errors import Rejected
from booking.people import Actor, actor_of_session
from booking.people.passwords import token_hash
from booking.settings import Settings

T = TypeVar("T")
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{8,80}$",
        required=False,
        description="One per intent; the same key and body are answered alike and act once.",
    ),
]


class KeyMissing(Rejected):
    """A creating request needs an Idempotency-Key, so that it can be sent again safely."""

    code = "idempotency_key_required"


def provide_now() -> datetime:
    """Return the current instant."""
    return utc_now()


async def provide_actor(request: HTTPRequest, now: NamedDependency[datetime]) -> Actor:
    """Return who asks; a visitor without a live session is an empty Actor."""
    token = request.cookies.get(SESSION_COOKIE)
    if not token or len(token) > 100:
        return Actor()
    return await actor_of_session(token, now) or Actor()


def session_cookie(token: str, settings: Settings) -> Cookie:
    """Return the cookie that carries a session: out of reach for scripts and other sites."""
    return Cookie(
        SESSION_COOKIE,
        value=token,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
        path="/",
        max_age=14 * 24 * 3600,
    )


def fresh_token() -> str:
    """Return a session token for a visitor."""
    return secrets.token_urlsafe(32)


def address_of(request: HTTPRequest, settings: Settings) -> str:
    """Return the caller's address; X-Forwarded-For counts only from a trusted proxy."""
    peer = request.client.host if request.client else "unknown"
    forwarded = request.headers.get("x-forwarded-for", "")
    if peer in settings.trusted_proxies and forwarded:
        return forwarded.split(",")[-1].strip()[:60]
    return peer


async def once(
    request: HTTPRequest,
    key: str | None,
    now: datetime,
    act: Callable[[], Awaitable[T]],
    status: int = 201,
) -> Response[T]:
    """Act and answer; the same caller, key and body later get the first answer and nothing happens again.

    The answer is kept in the transaction of what it tells of; a refusal keeps nothing.
    """
    if key is None:
        raise KeyMissing("send an Idempotency-Key header, so that the request can be repeated safely")
    caller = token_hash(request.cookies.get(SESSION_COOKIE, "")).hex()[:32]
    settings: Settings = request.app.state.settings
    operation = f"{request.method} {request.url.path}"
    print_ = idempotency.fingerprint(settings.secret_key, operation, await request.body())

    async def act_once() -> Response[bytes]:
        async with db.transaction():
            earlier = await idempotency.begin(caller, key, print_, now)
            if earlier is not None:
                return _json(earlier.body.encode(), earlier.status)
            body = msgspec.json.encode(await act())
            await idempotency.finish(caller, key, status, body)
        return _json(body, status)

    return cast(Response[T], await db.retried(act_once))


async def once_if_keyed(
    request: HTTPRequest, key: str | None, now: datetime, act: Callable[[], Awaitable[T]]
) -> Response[T]:
    """Act and answer 200; with a key a repetition gets the first answer, so that a lost one does no harm."""
    if key is not None:
        return await once(request, key, now, act, status=200)
    return cast(Response[T], _json(msgspec.json.encode(await act()), 200))


def _json(body: bytes, status: int) -> Response[bytes]:
    return Response(body, status_code=status, media_type="application/json")


def one_of(ids: frozenset[UUID], party: UUID | None) -> UUID | None:
    """Return the party if the actor acts for it, else None (a foreign party looks like no party)."""
    return party if party in ids else None
