"""Vehicles on the wire: what is wrong is refused by name."""

from datetime import datetime
from typing import Any

from booking import db
from tests.api.conftest import Enter, app, person  # noqa: F401 fixtures

BAD: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("PUT", "/api/drivers", {"municipality": "2401", "account_email": "nobody@demo.test", "valid_to": "2027-01-01"}, 404, "unknown_account"),
    ("PUT", "/api/drivers", {"municipality": "2401", "account_email": "eva@demo.test", "valid_to": "9999-12-31"}, 422, "bad_time"),
    ("PUT", "/api/drivers", {"municipality": "2480", "account_email": "eva@demo.test", "valid_to": "2027-01-01"}, 404, "not_found"),
    ("POST", "/api/resources/{hall}/damage", {"text": "x", "photo": {"media_type": "image/svg+xml", "content": "AAAA"}}, 400, "invalid_request"),
    ("POST", "/api/resources/{hall}/damage", {"text": "x", "photo": {"media_type": "image/png", "content": "AAAA"}}, 422, "not_an_image"),
    ("POST", "/api/resources/{hall}/damage", {"text": "x", "photo": {"media_type": "image/png", "content": "*"}}, 400, "invalid_request"),
    ("POST", "/api/resources/{hall}/damage", {"text": "x\x00"}, 400, "invalid_request"),
    ("POST", "/api/reservations/{hall}/pickup", {"km": 1, "pct": 50}, 404, "not_found"),
    ("POST", "/api/reservations/{hall}/pickup", {"km": -1, "pct": 50}, 400, "invalid_request"),
    ("POST", "/api/reservations/{hall}/return", {"km": 1, "pct": 101}, 400, "invalid_request"),
    ("POST", "/api/damage/{hall}/mended", {}, 404, "not_found"),
    ("PUT", "/api/reservations/{hall}/team-times", {"times": []}, 404, "not_found"),
]  # fmt: skip


async def test_bad_requests__are_refused_by_name(person: Enter, now: datetime) -> None:  # noqa: F811
    stina = await person("stina@demo.test")
    hall = await db.value(str, "SELECT id::text FROM resource WHERE name = 'Hela hallen' LIMIT 1")

    for method, path, body, status, code in BAD:
        answer = await stina.send(method, path.format(hall=hall), json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (path, body, answer.text)
