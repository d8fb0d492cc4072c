"""The served OpenAPI document says what the application does; anything that fits it, or doesn't, gets no 5xx."""

import asyncio
import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from booking import postgres
from booking.app import create_app
from booking.demo.state import free_port
from booking.simulated.people import PASSWORD
from tests.conftest import settings_for
from tests.flows.demo import until

METHODS = ("get", "post", "put", "patch", "delete")
FEW = settings(
    max_examples=3, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
# The stream never ends by itself, so that a client which reads to the end waits for ever; its refusals are in
# tests/api/test_tenancy.py. Log-out would log the fuzzer out for the rest.
LEFT_OUT = ("StreamEvents", "LogOut")


@pytest.fixture(scope="module")
def served(server: postgres.Server, peopled: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the application over real HTTP, in a thread of its own with a loop of its own."""
    server.clone(peopled, "schema")
    port = free_port()
    app = create_app(settings_for(server.url(postgres.APP, "schema"), tmp_path_factory.mktemp("keypads")))
    web = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(web.serve()))
    thread.start()
    try:
        until("the application serves", lambda: web.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        web.should_exit = True
        thread.join(20)
        server.drop("schema")


@pytest.fixture(scope="module")
def document(served: str) -> dict[str, Any]:
    return dict(httpx.get(served + "/api/openapi.json", timeout=20).json())


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def test_document__is_openapi_3_1_with_unique_operation_ids(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) > 30
    assert len(ids) == len(set(ids))


def test_every_operation__is_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("operationId"), name
        assert operation.get("summary"), name
        assert (operation.get("description") or "").endswith((".", ")")), name


def test_every_operation_with_input__documents_its_refusals_as_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert refusals or not (operation.get("parameters") or operation.get("requestBody")), name
        for status, answer in refusals.items():
            assert list(answer["content"]) == ["application/problem+json"], (name, status)
            reference = answer["content"]["application/problem+json"]["schema"]["$ref"]
            problem = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
            assert {"type", "title", "status", "detail", "code"} <= set(problem["required"])


def test_every_body__is_closed_and_has_an_example(document: dict[str, Any]) -> None:
    bodies = [(name, operation) for name, operation in operations(document) if "requestBody" in operation]
    assert bodies
    for name, operation in bodies:
        content = operation["requestBody"]["content"]
        assert list(content) == ["application/json"], name
        schema = content["application/json"]["schema"]
        body = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        assert body["additionalProperties"] is False, name


def test_every_reference__leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from references(one)
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


@pytest.fixture(scope="module")
def session(served: str) -> dict[str, str]:
    """Headers of somebody who is logged in with every kind of role: cookie and CSRF token."""
    with httpx.Client(base_url=served, timeout=20) as browser:
        csrf = browser.get("/api/me").json()["csrf"]
        body = {"email": "admin@demo.test", "password": PASSWORD}
        me = browser.post("/api/session", json=body, headers={"X-CSRF-Token": csrf}).json()
        cookie = f"booking_session={browser.cookies['booking_session']}"
    return {"Cookie": cookie, "X-CSRF-Token": me["csrf"]}


@pytest.fixture(scope="module")
def known(served: str, session: dict[str, str]) -> dict[str, str]:
    """Ids that exist, by the name under which operations ask for them."""
    with httpx.Client(base_url=served, timeout=20, headers=session) as browser:
        (hall, *_) = browser.get("/api/facilities/norrskenshallen").json()["resources"]
        (door, *_) = browser.get("/api/doors", params={"municipality": "2401"}).json()["doors"]
        start = (datetime.now(UTC) + timedelta(days=3)).replace(hour=16, minute=0, second=0, microsecond=0)
        wish = {
            "resource_id": hall["id"],
            "start": start.isoformat(),
            "end": (start + timedelta(hours=2)).isoformat(),
        }
        hold = browser.post("/api/holds", json=wish, headers={"Idempotency-Key": str(uuid.uuid4())}).json()
        return {
            **wish,
            "hold_id": hold["id"],
            "slug": "norrskenshallen",
            "municipality": "2401",
            "door_id": door["id"],
        }


@pytest.mark.timeout(200)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=[mode.value for mode in GenerationMode])
def test_anything_sent__gets_no_5xx(
    served: str,
    document: dict[str, Any],
    session: dict[str, str],
    known: dict[str, str],
    mode: GenerationMode,
) -> None:
    asked: Counter[int] = Counter()

    def send(case: schemathesis.Case) -> None:
        if asked.total() % 2:  # every other request names things that exist
            for part in (case.path_parameters, case.query, case.body):
                if isinstance(part, dict):
                    part.update({name: known[name] for name in known if name in part})
        answer = case.call(headers={**session, "Idempotency-Key": str(uuid.uuid4())}, timeout=20)
        asked[answer.status_code] += 1
        if b"controller_down" not in answer.content:  # no simulated keypad runs here, as that 503 says
            case.validate_response(answer, checks=[not_a_server_error])

    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=served)
    for result in schema.get_all_operations():
        operation = result.ok()
        raw = operation.definition.raw
        can_be_wrong = "parameters" in raw or "requestBody" in raw
        if raw["operationId"] in LEFT_OUT or (mode is GenerationMode.NEGATIVE and not can_be_wrong):
            continue
        FEW(given(operation.as_strategy(generation_mode=mode))(send))()
    print(f"\nschemathesis: {asked.total()} {mode.value} requests, answers {dict(sorted(asked.items()))}")
    assert len(asked) > 3  # it got past the door


def test_problem_documents__carry_stable_members(served: str) -> None:
    answer = httpx.get(served + "/api/search", params={"duration_min": "x"}, timeout=20)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= set(json.loads(answer.text))
    assert Path(answer.json()["type"]).name == answer.json()["code"]
