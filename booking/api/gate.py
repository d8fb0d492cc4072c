"""What every unsafe request must pass before its handler: CSRF token, JSON as announced, no duplicate members."""

import hmac
import json
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.exceptions import ValidationException

from booking.api.shapes import HTTPRequest
from booking.errors import NotAllowed, NotFound, Refusal, Rejected
from booking.people.passwords import csrf_token
from booking.settings import Settings

SESSION_COOKIE = "booking_session"
CSRF_HEADER = "x-csrf-token"
SAFE = {"GET", "HEAD", "OPTIONS"}
FREE = ("/api/webhooks/",)  # signed by their sender instead


class CsrfFailed(NotAllowed):
    """The request doesn't come from our page."""

    code = "csrf_failed"


class MalformedJson(Rejected):
    """The body is no JSON."""

    code = "malformed_json"


class DuplicateMember(Rejected):
    """The same member stands twice; which one was meant is anybody's guess."""

    code = "duplicate_member"


class UnsupportedMediaType(Rejected):
    """Bodies are application/json."""

    code = "unsupported_media_type"


async def before_request(request: HTTPRequest) -> None:
    """Refuse an unsafe request that isn't our page's or isn't clean JSON. Raises a Refusal."""
    if "\0" in request.url.path:  # no file system and no database can name it
        raise NotFound("there is no such address", code="unknown_address")
    if request.method in SAFE or request.url.path.startswith(FREE):
        return
    settings: Settings = request.app.state.settings
    must_carry_csrf(request, settings.secret_key)
    body = await request.body()
    if body:
        check_json(request.headers.get("content-type", ""), body)
        check_types(request, body)


def must_carry_csrf(connection: ASGIConnection[Any, Any, Any, Any], secret_key: bytes) -> None:
    """Raise CsrfFailed unless the header carries the token of the session cookie."""
    cookie = connection.cookies.get(SESSION_COOKIE, "")
    given = connection.headers.get(CSRF_HEADER, "")
    if not cookie or not hmac.compare_digest(given.encode(), csrf_token(secret_key, cookie).encode()):
        raise CsrfFailed("load the page again: the request lacks its CSRF token")


def check_json(content_type: str, body: bytes) -> None:
    """Raise a Refusal unless the body is JSON without duplicate members."""
    if content_type.split(";", maxsplit=1)[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("send application/json")
    try:
        json.loads(body, object_pairs_hook=_once)
    except Refusal:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedJson("the body is not valid JSON") from error


def check_types(request: HTTPRequest, body: bytes) -> None:
    """Raise ValidationException unless the body fits its Struct strictly: Litestar itself takes "1" for 1."""
    field = request.route_handler.parsed_data_field
    if field is None:
        return
    try:
        msgspec.json.decode(body, type=field.annotation)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        extra = [{"key": path.strip("`").removeprefix("$").removeprefix("."), "message": message}]
        raise ValidationException("the body breaks the schema", extra=extra) from error
    except msgspec.DecodeError as error:
        raise MalformedJson("the body is not valid JSON") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateMember("a member stands twice in the body")
    return members
