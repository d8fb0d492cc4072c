"""Bad input: a 4xx problem document with a stable code, and nothing has changed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from litestar import Litestar

from booking import db, postgres
from booking.app import create_app
from tests.api.conftest import Person, resource_named, running
from tests.conftest import settings_for

HOLD: dict[str, Any] = {"resource_id": "HALL", "start": "S18", "end": "S19"}
TABLES = (
    "reservation",
    "occupancy",
    "party",
    "account",
    "charge",
    "access_grant",
    "outbox",
    "idempotent_request",
    "rule_set",
    "waiting",
    "team",
    "opening_schedule",
    "opening_hours",
    "opening_exception",
    "resource",
    "resource_image",
    "school_break",
    "terms",
)


def hold(**changes: Any) -> dict[str, Any]:
    return {**HOLD, **changes}


WAIT = {
    "kind": "queue",
    "party_id": "ME",
    "resource_id": "HALL",
    "from_at": "S18",
    "to_at": "S20",
    "minutes": 60,
}


def wait(**changes: Any) -> dict[str, Any]:
    return {**WAIT, **changes}


ROWS: list[tuple[str, str, Any, int, str]] = [
    ("waiting: nowhere", "/api/waiting", wait(resource_id=None), 422, "waiting_scope"),
    ("waiting: two places", "/api/waiting", wait(municipality="2401"), 422, "waiting_scope"),
    ("waiting: no such place", "/api/waiting", wait(resource_id=None, municipality="9999"), 404, "unknown_place"),
    ("waiting: longer than its window", "/api/waiting", wait(minutes=180), 422, "waiting_window"),
    ("waiting: a whole summer anywhere", "/api/waiting", wait(resource_id=None, municipality="2401", to_at="2027-02-28T18:00:00Z"), 422, "waiting_window"),
    ("waiting: in the past", "/api/waiting", wait(from_at="2020-01-06T18:00:00Z", to_at="2020-01-06T20:00:00Z"), 422, "past"),
    ("waiting: year 1", "/api/waiting", wait(from_at="0001-01-01T00:00:00+14:00", to_at="0001-01-01T02:00:00+14:00"), 422, "bad_time"),
    ("waiting: backwards", "/api/waiting", wait(from_at="S20", to_at="S18"), 422, "end_before_start"),
    ("waiting: seven minutes", "/api/waiting", wait(minutes=7), 400, "invalid_request"),
    ("waiting: for another club", "/api/waiting", wait(party_id="CLUB"), 403, "may_not_act_for"),
    ("waiting: for a kind of thing that is none", "/api/waiting", wait(resource_kind="moon"), 400, "invalid_request"),
    ("a team of another club", "/api/teams", {"party_id": "CLUB", "name": "P13"}, 403, "may_not_act_for"),
    ("a team without a name", "/api/teams", {"party_id": "ME", "name": ""}, 400, "invalid_request"),
    ("a team with NUL", "/api/teams", {"party_id": "ME", "name": "P\x0013"}, 400, "invalid_request"),
    # what, path, body, status, code
    ("unknown field", "/api/holds", hold(surprise=1), 400, "invalid_request"),
    ("missing field", "/api/holds", {"resource_id": "HALL", "start": "S18"}, 400, "invalid_request"),
    ("number for id", "/api/holds", hold(resource_id=7), 400, "invalid_request"),
    ("no uuid", "/api/holds", hold(resource_id="hall"), 400, "invalid_request"),
    ("unknown resource", "/api/holds", hold(resource_id="00000000-0000-7000-8000-000000000000"), 404, "unknown_resource"),
    ("number for time", "/api/holds", hold(start=1795000000), 400, "invalid_request"),
    ("no time", "/api/holds", hold(start="tomorrow"), 400, "invalid_request"),
    ("naive start", "/api/holds", hold(start="2027-01-04T18:00:00"), 400, "invalid_request"),
    ("30 February", "/api/holds", hold(start="2027-02-30T18:00:00Z"), 400, "invalid_request"),
    ("leap second", "/api/holds", hold(start="2027-02-03T18:00:61Z"), 400, "invalid_request"),
    ("end before start", "/api/holds", hold(start="S19", end="S18"), 422, "end_before_start"),
    ("end equals start", "/api/holds", hold(end="S18"), 422, "end_before_start"),
    ("in the past", "/api/holds", hold(start="2020-01-06T18:00:00Z", end="2020-01-06T19:00:00Z"), 422, "past"),
    ("a hundred years", "/api/holds", hold(end="2126-01-01T00:00:00Z"), 422, "bad_time"),
    ("year 1", "/api/holds", hold(start="0001-01-01T00:00:00+14:00", end="0001-01-01T01:00:00+14:00"), 422, "bad_time"),
    ("year 9999", "/api/holds", hold(start="9999-12-31T22:00:00-14:00", end="9999-12-31T23:59:00-14:00"), 422, "bad_time"),
    ("too far ahead", "/api/holds", hold(start="2031-01-06T18:00:00Z", end="2031-01-06T19:00:00Z"), 422, "not_open_yet"),
    ("too short", "/api/holds", hold(end="S18:15"), 422, "too_short"),
    ("too long", "/api/holds", hold(start="S06", end="S19"), 422, "too_long"),
    ("off the raster", "/api/holds", hold(start="S18:10", end="S19:10"), 422, "off_raster"),
    ("closed", "/api/holds", hold(start="S02", end="S03"), 422, "outside_hours"),
    ("unknown purpose", "/api/holds", hold(purpose="party"), 400, "invalid_request"),
    ("foreign party", "/api/holds", hold(party_id="CLUB"), 403, "may_not_act_for"),
    ("bad municipality", "/api/holds", hold(home="Umeå"), 400, "invalid_request"),
    ("NUL in text", "/api/holds", hold(title="a\u0000b"), 400, "invalid_request"),
    ("line break in title", "/api/holds", hold(title="a\nb"), 400, "invalid_request"),
    ("title too long", "/api/holds", hold(title="x" * 121), 400, "invalid_request"),
    ("list for object", "/api/holds", [HOLD], 400, "invalid_request"),
    ("null body", "/api/holds", None, 400, "invalid_request"),
    ("empty object", "/api/holds", {}, 400, "invalid_request"),
    ("unknown hold", "/api/reservations", {"hold_id": "00000000-0000-7000-8000-000000000000", "method": "card", "expected_price_ore": 1, "terms_accepted": True}, 404, "not_found"),
    ("negative price", "/api/reservations", {"hold_id": "HALL", "method": "card", "expected_price_ore": -1, "terms_accepted": True}, 400, "invalid_request"),
    ("price as text", "/api/reservations", {"hold_id": "HALL", "method": "card", "expected_price_ore": "1", "terms_accepted": True}, 400, "invalid_request"),
    ("price as fraction", "/api/reservations", {"hold_id": "HALL", "method": "card", "expected_price_ore": 1.5, "terms_accepted": True}, 400, "invalid_request"),
    ("price beyond bigint", "/api/reservations", {"hold_id": "HALL", "method": "card", "expected_price_ore": 10**30, "terms_accepted": True}, 400, "invalid_request"),
    ("terms refused", "/api/reservations", {"hold_id": "HALL", "method": "card", "expected_price_ore": 1, "terms_accepted": False}, 400, "invalid_request"),
    ("unknown method", "/api/reservations", {"hold_id": "HALL", "method": "cash", "expected_price_ore": 1, "terms_accepted": True}, 400, "invalid_request"),
    ("wrong password", "/api/session", {"email": "eva@demo.test", "password": "wrong"}, 401, "bad_credentials"),
    ("SQL in address", "/api/session", {"email": "x'--@y.z", "password": "' OR 1=1 --"}, 401, "bad_credentials"),
    ("no address", "/api/session", {"email": "eva", "password": "x"}, 400, "invalid_request"),
    ("short password", "/api/accounts", {"name": "A", "email": "a@b.se", "password": "short", "home_municipality": "2401"}, 400, "invalid_request"),
    ("empty name", "/api/accounts", {"name": "", "email": "a@b.se", "password": "long enough 1", "home_municipality": "2401"}, 400, "invalid_request"),
    ("NUL in name", "/api/accounts", {"name": "A\u0000", "email": "a@b.se", "password": "long enough 1", "home_municipality": "2401"}, 400, "invalid_request"),
    ("unknown home", "/api/accounts", {"name": "A", "email": "a@b.se", "password": "long enough 1", "home_municipality": "9999"}, 422, "unknown_municipality"),
    ("address taken", "/api/accounts", {"name": "A", "email": "EVA@demo.test", "password": "long enough 1", "home_municipality": "2401"}, 409, "email_taken"),
    ("not finance", "/api/invoice-runs", {"municipality": "2401", "month": "2026-11"}, 404, "not_found"),
    ("month 13", "/api/invoice-runs", {"municipality": "2401", "month": "2026-13"}, 400, "invalid_request"),
    ("letters as PIN", "/api/simulation/doors/hammarhallen-1/try", {"pin": "12a4"}, 400, "invalid_request"),
    ("unknown door", "/api/simulation/doors/nowhere-9/try", {"pin": "123456"}, 404, "not_found"),
]  # fmt: skip

RAW: list[tuple[str, bytes, dict[str, str], int, str]] = [
    # what, body, headers, status, code
    ("broken JSON", b'{"resource_id": ', {}, 400, "malformed_json"),
    ("no JSON", b"hello", {}, 400, "malformed_json"),
    ("duplicate member", b'{"resource_id": 1, "resource_id": 2}', {}, 400, "duplicate_member"),
    ("not UTF-8", b'{"title": "\xff\xfe"}', {}, 400, "malformed_json"),
    ("deep nesting", b"[" * 100_000, {}, 400, "malformed_json"),
    ("NaN", b'{"resource_id": NaN}', {}, 400, "malformed_json"),
    ("oversized", b'{"title": "' + b"x" * 300_000 + b'"}', {}, 413, "body_too_large"),
    (
        "form",
        b"resource_id=1",
        {"content-type": "application/x-www-form-urlencoded"},
        415,
        "unsupported_media_type",
    ),
    ("no content type", b"{}", {"content-type": ""}, 415, "unsupported_media_type"),
    ("XML", b"<a/>", {"content-type": "text/xml"}, 415, "unsupported_media_type"),
    ("no CSRF token", b"{}", {"x-csrf-token": ""}, 403, "csrf_failed"),
    ("foreign CSRF token", b"{}", {"x-csrf-token": "0" * 64}, 403, "csrf_failed"),
    ("empty body", b"", {}, 400, "invalid_request"),
]


# Staff's settings: method, address below a level, body, status, code. Asked by Nordmaling's staff.
SETTINGS: list[tuple[str, str, str, Any, int, str]] = [
    ("rules without a day", "PUT", "municipalities/2401/rules", {}, 400, "invalid_request"),
    ("a rule nobody knows", "PUT", "municipalities/2401/rules", {"valid_from": "2027-01-01", "x": 1}, 400, "invalid_request"),
    ("a negative gap", "PUT", "municipalities/2401/rules", {"valid_from": "2027-01-01", "gap_min": -1}, 400, "invalid_request"),
    ("a gap beyond smallint", "PUT", "municipalities/2401/rules", {"valid_from": "2027-01-01", "gap_min": 10**6}, 400, "invalid_request"),
    ("a raster of nothing", "PUT", "municipalities/2401/rules", {"valid_from": "2027-01-01", "step_min": 0}, 400, "invalid_request"),
    ("nobody may book", "PUT", "municipalities/2401/rules", {"valid_from": "2027-01-01", "kinds": []}, 400, "invalid_request"),
    ("an unknown kind", "PUT", "municipalities/2401/rules", {"valid_from": "2027-01-01", "kinds": ["king"]}, 400, "invalid_request"),
    ("shorter than long", "PUT", "resources/HALL/rules", {"valid_from": "2027-01-01", "min_min": 90, "max_min": 60}, 422, "rules_contradict"),
    ("year 1", "PUT", "municipalities/2401/rules", {"valid_from": "0001-01-01"}, 422, "bad_time"),
    ("year 9999", "PUT", "municipalities/2401/rules", {"valid_from": "9999-12-31"}, 422, "bad_time"),
    ("unpublished terms", "PUT", "municipalities/2401/rules", {"valid_from": "2027-01-01", "terms": "7"}, 422, "unknown_terms"),
    ("an unknown level", "PUT", "planets/2401/rules", {"valid_from": "2027-01-01"}, 400, "invalid_request"),
    ("no such place", "PUT", "facilities/00000000-0000-7000-8000-000000000000/rules", {"valid_from": "2027-01-01"}, 404, "not_found"),
    ("a code for a facility", "PUT", "facilities/2401/rules", {"valid_from": "2027-01-01"}, 404, "not_found"),
    ("another town", "PUT", "municipalities/2284/rules", {"valid_from": "2027-01-01"}, 404, "not_found"),
    ("no rules that day", "DELETE", "municipalities/2401/rules/2027-01-01", None, 404, "unknown_rules"),
    ("no day", "DELETE", "municipalities/2401/rules/tomorrow", None, 404, "unknown_address"),
    ("25 o'clock", "PUT", "municipalities/2401/hours/schedules/new", {"name": "A", "valid_from": "2027-01-01", "week": [{"weekday": 0, "opens": "25:00", "closes": "26:00"}]}, 400, "invalid_request"),
    ("weekday 8", "PUT", "municipalities/2401/hours/schedules/new", {"name": "A", "valid_from": "2027-01-01", "week": [{"weekday": 8, "opens": "08:00", "closes": "09:00"}]}, 400, "invalid_request"),
    ("closes first", "PUT", "municipalities/2401/hours/schedules/new", {"name": "A", "valid_from": "2027-01-01", "week": [{"weekday": 0, "opens": "09:00", "closes": "08:00"}]}, 422, "end_before_start"),
    ("overlapping hours", "PUT", "municipalities/2401/hours/schedules/new", {"name": "A", "valid_from": "2027-01-01", "week": [{"weekday": 0, "opens": "08:00", "closes": "10:00"}, {"weekday": 0, "opens": "09:00", "closes": "11:00"}]}, 422, "hours_overlap"),
    ("ends before it begins", "PUT", "municipalities/2401/hours/schedules/new", {"name": "A", "valid_from": "2027-01-02", "valid_to": "2027-01-01", "week": []}, 422, "end_before_start"),
    ("no such schedule", "PUT", "municipalities/2401/hours/schedules/00000000-0000-7000-8000-000000000000", {"name": "A", "valid_from": "2027-01-01", "week": []}, 404, "unknown_hours"),
    ("a schedule that is none", "PUT", "municipalities/2401/hours/schedules/------------------------------------", {"name": "A", "valid_from": "2027-01-01", "week": []}, 404, "unknown_hours"),
    ("half an exception", "POST", "municipalities/2401/hours/exceptions", {"from_day": "2027-01-01", "to_day": "2027-01-01", "reason": "A", "opens": "08:00"}, 422, "half_an_exception"),
    ("exception backwards", "POST", "municipalities/2401/hours/exceptions", {"from_day": "2027-01-02", "to_day": "2027-01-01", "reason": "A"}, 422, "end_before_start"),
    ("no reason", "POST", "municipalities/2401/hours/exceptions", {"from_day": "2027-01-01", "to_day": "2027-01-01", "reason": ""}, 400, "invalid_request"),
    ("no such resource", "PATCH", "resources/00000000-0000-7000-8000-000000000000", {"name": "A"}, 404, "not_found"),
    ("no name", "PATCH", "resources/HALL", {"name": ""}, 400, "invalid_request"),
    ("null for a name", "PATCH", "resources/HALL", {"name": None}, 400, "invalid_request"),
    ("a line break in the name", "PATCH", "resources/HALL", {"name": "a\nb"}, 400, "invalid_request"),
    ("NUL in words", "PATCH", "resources/HALL", {"description": "a\u0000b"}, 400, "invalid_request"),
    ("a taken name", "PATCH", "resources/HALL", {"name": "badmintonbana 1"}, 409, "name_taken"),
    ("a feature in words", "PATCH", "resources/HALL", {"features": ["Stor läktare"]}, 400, "invalid_request"),
    ("people beyond counting", "PATCH", "resources/HALL", {"capacity": 10**12}, 400, "invalid_request"),
    ("less than nobody", "PATCH", "resources/HALL", {"capacity": -1}, 400, "invalid_request"),
    ("rules are elsewhere", "PATCH", "resources/HALL", {"gap_min": 5}, 400, "invalid_request"),
    ("a facility for a resource", "PATCH", "facilities/HALL", {"name": "A"}, 400, "invalid_request"),
    ("a floor of nothing", "POST", "facilities/HOUSE/resources", {"name": "Ny", "kind": "hall_part", "tariff_class": "hammarhallen.half", "parent_id": "HALL"}, 422, "unclear_floor"),
    ("another house's floor", "POST", "facilities/HOUSE/resources", {"name": "Ny", "kind": "hall_part", "tariff_class": "hammarhallen.half", "parent_id": "00000000-0000-7000-8000-000000000000", "own_leaf": True}, 404, "unknown_resource"),
    ("no such price", "POST", "facilities/HOUSE/resources", {"name": "Ny", "kind": "hall", "tariff_class": "palace", "own_leaf": True}, 422, "unknown_tariff_class"),
    ("an empty pool", "POST", "facilities/HOUSE/resources", {"name": "Ny", "kind": "equipment", "tariff_class": "x", "picks_unit": True}, 422, "bad_units"),
    ("a thousand units", "POST", "facilities/HOUSE/resources", {"name": "Ny", "kind": "equipment", "tariff_class": "x", "picks_unit": True, "units": 1000}, 400, "invalid_request"),
    ("a kind nobody knows", "POST", "facilities/HOUSE/resources", {"name": "Ny", "kind": "castle", "tariff_class": "x", "own_leaf": True}, 400, "invalid_request"),
    ("no picture", "POST", "resources/HALL/images", {"media_type": "image/png", "alt": "A", "content": "aGVsbG8="}, 422, "not_an_image"),
    ("another kind of picture", "POST", "resources/HALL/images", {"media_type": "image/gif", "alt": "A", "content": ""}, 400, "invalid_request"),
    ("no base64", "POST", "resources/HALL/images", {"media_type": "image/png", "alt": "A", "content": "å"}, 400, "invalid_request"),
    ("too large a picture", "POST", "resources/HALL/images", {"media_type": "image/png", "alt": "A", "content": "AAAA" * 200_001}, 422, "image_too_large"),
    ("far too large a picture", "POST", "resources/HALL/images", {"media_type": "image/png", "alt": "A", "content": "AAAA" * 260_000}, 413, "body_too_large"),
    ("no such picture", "DELETE", "images/00000000-0000-7000-8000-000000000000", None, 404, "unknown_image"),
    ("a break backwards", "POST", "municipalities/2401/school-breaks", {"name": "A", "from_day": "2027-01-02", "to_day": "2027-01-01"}, 422, "end_before_start"),
    ("a break in year 1", "POST", "municipalities/2401/school-breaks", {"name": "A", "from_day": "0001-01-01", "to_day": "2027-01-01"}, 422, "bad_time"),
    ("no such break", "DELETE", "municipalities/2401/school-breaks/00000000-0000-7000-8000-000000000000", None, 404, "unknown_break"),
    ("terms without text", "POST", "municipalities/2401/terms", {"version": "1", "text_sv": "", "text_en": "b"}, 400, "invalid_request"),
    ("terms named in words", "POST", "municipalities/2401/terms", {"version": "första utgåvan", "text_sv": "a", "text_en": "b"}, 400, "invalid_request"),
    ("no such exception", "DELETE", "municipalities/2401/hours/exceptions/00000000-0000-7000-8000-000000000000", None, 404, "unknown_hours"),
]  # fmt: skip


async def _counts() -> dict[str, int | None]:
    return {table: await db.value(int, f"SELECT count(*) FROM {table}") for table in TABLES}


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, names) for one in value]
    if isinstance(value, str) and value[:1] == "S" and value[1:3].isdigit():
        clock = value[1:] if ":" in value else f"{value[1:]}:00"
        return f"2027-01-04T{clock}:00Z"
    return names.get(value, value) if isinstance(value, str) else value


pytestmark = pytest.mark.asyncio(loop_scope="module")  # refusals change nothing, so one world serves them all


@pytest.fixture(scope="module")
def module_world(server: postgres.Server, peopled: str) -> Iterator[str]:
    server.clone(peopled, "refusals")
    yield server.url(postgres.APP, "refusals")
    server.drop("refusals")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(module_world: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Litestar]:
    app = create_app(settings_for(module_world, tmp_path_factory.mktemp("keypads")))
    async with running(app):
        yield app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def eva(app: Litestar) -> AsyncIterator[Person]:
    one = Person(app)
    await one.log_in("eva@demo.test")
    yield one
    await one.http.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stina(app: Litestar) -> AsyncIterator[Person]:
    one = Person(app)
    await one.log_in("stina@demo.test")
    yield one
    await one.http.aclose()


@pytest.mark.parametrize(("what", "path", "body", "status", "code"), ROWS, ids=[row[0] for row in ROWS])
async def test_bad_bodies__are_refused_by_name_and_change_nothing(
    eva: Person, what: str, path: str, body: Any, status: int, code: str
) -> None:
    hall = await resource_named(eva, "2401", "hammarhallen hela")
    club = await db.value(str, "SELECT id::text FROM party WHERE name = 'Umeå Judoklubb'")
    me = await db.value(str, "SELECT party::text FROM account WHERE email = 'eva@demo.test'")
    before = await _counts()

    names = {"HALL": hall["id"], "CLUB": str(club), "ME": str(me)}
    answer = await eva.send("POST", path, json=_filled(body, names))

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json().keys() >= {"type", "title", "status", "detail", "code"}
    after = await _counts()
    assert after == before


@pytest.mark.parametrize(
    ("what", "method", "path", "body", "status", "code"), SETTINGS, ids=[row[0] for row in SETTINGS]
)
async def test_bad_settings__are_refused_by_name_and_change_nothing(
    stina: Person, what: str, method: str, path: str, body: Any, status: int, code: str
) -> None:
    hall = await resource_named(stina, "2401", "hammarhallen hela")
    names = {"HALL": hall["id"], "HOUSE": hall["facility"]["id"]}
    for name, known in names.items():
        path = path.replace(name, known)
    before = await _counts()

    asked = {} if body is None else {"json": _filled(body, names)}
    answer = await stina.send(method, f"/api/settings/{path}", **asked)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert await _counts() == before


@pytest.mark.parametrize(("what", "body", "headers", "status", "code"), RAW, ids=[row[0] for row in RAW])
async def test_bad_bytes__are_refused_by_name_and_change_nothing(
    eva: Person, what: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    before = await _counts()

    answer = await eva.send(
        "POST", "/api/holds", content=body, headers={"content-type": "application/json", **headers}
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await _counts() == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/search?date=2027-13-01", 400),
        ("/api/search?duration_min=-5", 400),
        ("/api/search?duration_min=1e9", 400),
        ("/api/search?from=25:00", 400),
        ("/api/search?lat=9999&lon=1", 400),
        ("/api/search?municipality=Ume%C3%A5", 400),
        ("/api/search?kind=castle", 400),
        ("/api/search?q=%00", 400),
        ("/api/search?limit=100000", 400),
        ("/api/search?sort=colour", 400),
        ("/api/search?q=%F0%9F%8F%90", 200),
        ("/api/search?q='%20OR%201=1--", 200),
        ("/api/search?q=%3Cscript%3E", 200),
        ("/api/search?date=0001-01-01", 200),
        ("/api/search?date=9999-12-31", 200),
        ("/api/resources/00000000-0000-7000-8000-000000000000/availability", 404),
        ("/api/resources/x/availability", 404),
        ("/api/facilities/nowhere", 404),
        ("/api/facilities/..%2F..%2Fetc", 404),
        ("/api/nothing", 404),
        ("/api/resources/00000000-0000-7000-8000-000000000000", 404),
        ("/api/images/00000000-0000-7000-8000-000000000000", 404),
        ("/api/images/x", 404),
        ("/api/terms/2401/7", 404),
        ("/api/terms/2401/%00", 404),
        ("/api/settings/tree?municipality=9999", 404),
        ("/api/settings/tree", 400),
        ("/api/theme?municipality=9999", 404),
        ("/api/events?topics=", 422),
        ("/api/events?topics=weather:1", 422),
        ("/api/events?topics=reservation:x", 404),
        ("/api/reservations/00000000-0000-7000-8000-000000000000", 404),
        ("/_app/missing.js", 404),
        ("/%2e%2e/%2e%2e/etc/passwd.txt", 404),
    ],
)
async def test_bad_addresses__are_never_our_fault(eva: Person, path: str, status: int) -> None:
    answer = await eva.http.get(path)

    assert answer.status_code == status, answer.text


async def test_text_that_looks_dangerous__is_only_text(eva: Person) -> None:
    hall = await resource_named(eva, "2401", "hammarhallen hela")
    title = "<script>alert('x')</script>'; DROP TABLE party; -- 🏐"
    body = _filled(hold(title=title), {"HALL": hall["id"]})

    held = await eva.post("/api/holds", body)

    assert await db.value(str, "SELECT title FROM reservation WHERE id = $1", UUID(held["id"])) == title
    await eva.send("DELETE", f"/api/holds/{held['id']}")


async def test_the_same_key_twice__acts_once(eva: Person) -> None:
    hall = await resource_named(eva, "2401", "hammarhallen hela")
    body = _filled(HOLD, {"HALL": hall["id"]})
    key = {"Idempotency-Key": "the-same-key-1"}

    answers = await asyncio.gather(
        *(eva.send("POST", "/api/holds", json=body, headers=key) for _ in range(5))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await db.value(int, "SELECT count(*) FROM occupancy") == 4  # the hall's leaves, once


async def test_the_same_key_for_another_body__is_refused(eva: Person) -> None:
    hall = await resource_named(eva, "2401", "hammarhallen hela")
    key = {"Idempotency-Key": "the-same-key-2"}
    first = _filled(hold(start="S10", end="S11"), {"HALL": hall["id"]})
    await eva.send("POST", "/api/holds", json=first, headers=key)

    other = _filled(hold(start="S12", end="S13"), {"HALL": hall["id"]})
    answer = await eva.send("POST", "/api/holds", json=other, headers=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_creating_request_without_a_key__is_refused(eva: Person) -> None:
    answer = await eva.http.post("/api/holds", json=HOLD, headers={"X-CSRF-Token": eva.csrf})

    assert answer.status_code == 400
