"""Examples of the API's document, captured from a real run of the story: `booking check --examples FILE`."""

import re
from pathlib import Path
from typing import Any

import msgspec

from booking.check.client import Browser, Heard
from booking.check.story import HOME, Story
from booking.simulated.people import PASSWORD

SECRETS = {"csrf": "f3a1…", "pin": "471908", "password": "a long password", "email": "eva@example.se"}
LONGEST_LIST = 1


def capture(story: Story, file: Path) -> int:
    """The file holds one request and one answer per operation; returns how many operations have one."""
    staff = Browser(story.url)
    _tour(story, staff)
    document = staff.get("/api/openapi.json")
    patterns = [
        (
            method.upper(),
            re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"),
            operation["operationId"],
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    examples: dict[str, dict[str, Any]] = {}
    for heard in [one for browser in (story.eva, story.ali, story.filip, staff) for one in browser.heard]:
        for method, pattern, name in patterns:
            if method == heard.method and pattern.match(heard.path):
                _keep(examples.setdefault(name, {"responses": {}}), heard)
    file.write_bytes(
        msgspec.json.format(msgspec.json.encode(dict(sorted(examples.items()))), indent=1) + b"\n"
    )
    return len(examples)


def _tour(story: Story, staff: Browser) -> None:
    """Open the pages that the story itself doesn't need."""
    staff.log_in("stina@demo.test", PASSWORD)
    hall = staff.get("/api/search", q="hammarhallen")["results"][0]["resource"]
    day = f"{story.day:%Y-%m-%d}"
    for path in (
        "/api/municipalities",
        f"/api/theme?municipality={HOME}",
        f"/api/facilities/{hall['facility']['slug']}",
        f"/api/resources/{hall['id']}/availability?date={day}",
        f"/api/price?resource_id={hall['id']}&start={day}T08:00:00Z&end={day}T10:00:00Z",
        f"/api/timeline?municipality={HOME}&date={day}",
        "/api/simulation/doors",
        "/api/demo/logins",
        "/health/live",
        "/health/ready",
    ):
        staff.get(path)
    doors = staff.get("/api/doors", municipality=HOME)["doors"]
    staff.get(f"/api/doors/{doors[0]['id']}")
    story.filip.get("/api/invoice-runs", municipality=HOME)
    story.filip.get("/api/uninvoiced", municipality=HOME, month=day[:7])
    story.ali.get("/api/reservations")
    held = {"resource_id": hall["id"], "start": f"{day}T07:00:00Z", "end": f"{day}T08:00:00Z"}
    hold = staff.post("/api/holds", held)
    staff.change("PATCH", f"/api/holds/{hold['id']}", {"purpose": "meeting"})
    staff.post(f"/api/holds/{hold['id']}/extend", {}, status=200)
    staff.change("PATCH", "/api/me", {"language": "sv"})
    newcomer = {
        "name": "Eva Lind",
        "email": "new@example.se",
        "password": PASSWORD,
        "home_municipality": HOME,
    }
    staff.post("/api/accounts", newcomer)


def _keep(example: dict[str, Any], heard: Heard) -> None:
    if heard.answer.status_code < 400 and heard.body is not None:
        example["request"] = _short(heard.body)
    if "json" in heard.answer.headers.get("content-type", ""):
        example["responses"][str(heard.answer.status_code)] = _short(heard.answer.json())


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: SECRETS.get(name, _short(one)) if one else one for name, one in value.items()}
    if isinstance(value, list):
        return [_short(one) for one in value[:LONGEST_LIST]]
    return value
