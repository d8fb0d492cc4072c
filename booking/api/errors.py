"""Error family → status. The only place that knows status codes. Answers are RFC 9457 problem documents."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec

from booking.api.shapes import HTTPRequest
from booking.errors import Conflict, NotAllowed, NotFound, Refusal, Rejected, Unavailable

log = logging.getLogger("booking.api")
PROBLEM = "application/problem+json"

_STATUS = {NotFound: 404, NotAllowed: 403, Conflict: 409, Rejected: 422, Unavailable: 503}
_BY_CODE = {
    "login_required": 401,
    "bad_credentials": 401,
    "too_many_attempts": 429,
    "too_many_holds": 429,
    "too_many_waits": 429,
    "hold_expired": 410,
    "feed_revoked": 410,
    "idempotency_key_required": 400,
    "malformed_json": 400,
    "duplicate_member": 400,
    "unsupported_media_type": 415,
}
_HTTP_CODES = {
    400: "invalid_request",
    401: "login_required",
    404: "unknown_address",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    path: str
    code: str
    detail: str


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457. `code` is stable; texts for people are chosen by it."""

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[str, msgspec.Meta(examples=["slot_taken"])]
    errors: list[FieldError] = []


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the documented problem answers of an operation."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=HTTPStatus(status).phrase,
            media_type=PROBLEM,
            generate_examples=False,
        )
        for status in sorted({400, *statuses})
    }


def status_of(error: Refusal) -> int:
    """Return the HTTP status of a refusal."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((status for family, status in _STATUS.items() if isinstance(error, family)), 400)


def problem(
    status: int,
    code: str,
    detail: str,
    extra: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """Return a problem document."""
    body = {
        "type": f"/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **(extra or {}),
    }
    return Response(msgspec.json.encode(body), status_code=status, media_type=PROBLEM, headers=headers or {})


def on_refusal(_request: HTTPRequest, error: Refusal) -> Response[bytes]:
    """An expected refusal is an answer, not an incident."""
    wait = error.extra.get("retry_after_s")
    headers = {"Retry-After": str(wait)} if wait is not None else {}
    log.info("refused %s", error.code)
    return problem(status_of(error), error.code, error.detail, error.extra, headers)


def on_http(_request: HTTPRequest, error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals in our form, naming the first field that is wrong."""
    status = error.status_code
    extra: dict[str, object] = {}
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        extra["errors"] = [
            {"path": str(one.get("key", "")), "code": "invalid", "detail": str(one.get("message", ""))}
            for one in error.extra
            if isinstance(one, dict)
        ]
    code = _HTTP_CODES.get(status, "invalid_request" if status < 500 else "internal")
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    detail = "the request breaks the schema" if extra.get("errors") else str(error.detail)
    return problem(status, code, detail, extra, headers)


_BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,  # cancelled, shutting down, crashed, starting
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,  # refused, reset, no such socket: the database is away
    TimeoutError,
)


def on_anything(request: HTTPRequest, error: Exception) -> Response[bytes]:
    """A busy or missing database is 503 with Retry-After; anything else is our fault, logged with its trace."""
    if isinstance(error, _BUSY):
        log.warning("unavailable %s", type(error).__name__)
        return problem(503, "unavailable", "the system is busy, try again", None, {"Retry-After": "2"})
    log.error("failed %s %s", request.method, request.url.path, exc_info=error)
    return problem(500, "internal", "something went wrong here; it has been logged")


HANDLERS: dict[int | type[Exception], Callable[[HTTPRequest, Any], Response[Any]]] = {
    Refusal: on_refusal,
    HTTPException: on_http,
    Exception: on_anything,
}
