"""The served OpenAPI 3.1 document: what Litestar leaves out is added here, in one place."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi.plugins import JsonRenderPlugin

from booking.api.errors import PROBLEM
from booking.api.shapes import HTTPRequest

EXAMPLES = Path(__file__).parent / "examples.json"  # real requests and answers, captured from the demo
STREAM = 'id: 1093\nevent: change\ndata: {"topic":"doors:2401","kind":"doors.changed","id":null}\n\n'
REFUSALS = {
    400: ("invalid_request", "the body breaks the schema"),
    401: ("login_required", "log in first"),
    403: ("csrf_failed", "load the page again: the request lacks its CSRF token"),
    404: ("not_found", "there is no such thing here"),
    409: ("slot_taken", "this time is already booked"),
    410: ("hold_expired", "the hold has run out"),
    422: ("outside_hours", "the place is closed at that time"),
    429: ("too_many_attempts", "too many attempts, wait a while"),
    503: ("unavailable", "the system is busy, try again"),
}
METHODS = ("get", "post", "put", "patch", "delete")


class TidyJson(JsonRenderPlugin):
    """Renders the document with strict request bodies and an example per operation."""

    def render(self, request: HTTPRequest, openapi_schema: dict[str, Any]) -> bytes:
        """Return the document as JSON."""
        del request
        examples = msgspec.json.decode(EXAMPLES.read_bytes()) if EXAMPLES.exists() else {}
        return msgspec.json.encode(tidy(openapi_schema, examples))


def bare(app: Litestar) -> str:
    """Return the served document without its examples, keys sorted: what frontend/openapi.json holds."""
    document = tidy(app.openapi_schema.to_schema(), {})
    return json.dumps(document, indent="\t", sort_keys=True, ensure_ascii=False) + "\n"


def tidy(document: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    """Return the document with `additionalProperties: false` on request bodies and with the examples."""
    schemas = document.get("components", {}).get("schemas", {})
    for operation in _operations(document):
        known = examples.get(operation["operationId"], {})
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            name = body["schema"].get("$ref", "").rsplit("/", 1)[-1]
            if name in schemas:
                schemas[name]["additionalProperties"] = False
            if "request" in known:
                body["example"] = known["request"]
        for status, answer in operation.get("responses", {}).items():
            for kind, content in answer.get("content", {}).items():
                if status in known.get("responses", {}):
                    content["example"] = known["responses"][status]
                elif examples and kind == PROBLEM:
                    content["example"] = _problem(int(status))
                elif examples and operation["operationId"] == "StreamEvents":
                    content["example"] = STREAM
    return document


def _problem(status: int) -> dict[str, object]:
    """Return a refusal of this status as the API words it."""
    code, detail = REFUSALS.get(status, ("refused", "the request is refused"))
    title = HTTPStatus(status).phrase
    return {"type": f"/problems/{code}", "title": title, "status": status, "detail": detail, "code": code}


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        item[method] for item in document.get("paths", {}).values() for method in METHODS if method in item
    ]
