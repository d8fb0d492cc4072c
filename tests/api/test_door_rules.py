"""Administrators set doors up over HTTP: rules, policy, doors of a live controller."""

from typing import Any

from booking import db
from tests.api.conftest import Enter, Person, resource_named


async def problem(who: Person, method: str, path: str, **request: Any) -> tuple[int, str]:
    answer = await who.send(method, path, **request)
    return answer.status_code, answer.json()["code"]


async def test_rules_of_a_resource__are_written_listed_and_taken_back(person: Enter) -> None:
    admin, stina = await person("admin@demo.test"), await person("stina@demo.test")
    hall = (await resource_named(admin, "2401", "norrskenshallen hela"))["id"]
    before = await stina.get("/api/access-rules", resource_id=hall)
    door = before["own"][0]["door_id"]
    new = {"resource_id": hall, "door_id": door, "before_min": 60, "after_min": 45, "purpose": "match"}

    assert (await problem(stina, "PUT", "/api/access-rules", json=new))[0] == 404
    answer = await admin.send("PUT", "/api/access-rules", json=new)
    assert answer.status_code == 200, answer.text
    (rule,) = [one for one in answer.json()["rules"]["own"] if one["purpose"] == "match"]
    assert (rule["door_id"], rule["before_min"], rule["after_min"]) == (door, 60, 45)
    assert isinstance(answer.json()["bookings_ahead"], int)

    gone = await admin.send("DELETE", f"/api/access-rules/{rule['id']}")
    assert (gone.status_code, gone.json()["rules"]) == (200, before)
    actions = await db.column(str, "SELECT action FROM journal WHERE action LIKE 'access_rule.%' ORDER BY id")
    assert actions == ["access_rule.written", "access_rule.deleted"]


async def test_rules_that_can_t_be__are_refused(person: Enter) -> None:
    admin = await person("admin@demo.test")
    hall = (await resource_named(admin, "2401", "norrskenshallen hela"))["id"]
    door = (await admin.get("/api/access-rules", resource_id=hall))["own"][0]["door_id"]
    foreign = await db.value(
        str,
        "SELECT d.id FROM door d JOIN controller c ON c.id = d.controller JOIN facility f ON f.id = c.facility"
        " WHERE f.municipality = '2284' LIMIT 1",
    )
    good = {"resource_id": hall, "door_id": door, "before_min": 0, "after_min": 0}
    rules = await db.value(int, "SELECT count(*) FROM access_rule")
    for wrong, status in [
        ({"purpose": "traning"}, 400),
        ({"before_min": -1}, 400),
        ({"after_min": 1441}, 400),
        ({"door_id": foreign}, 422),
        ({"door_id": "no-such-d1"}, 422),
        ({"resource_id": "00000000-0000-7000-8000-000000000000"}, 404),
    ]:
        assert (await problem(admin, "PUT", "/api/access-rules", json=good | wrong))[0] == status, wrong
    assert await db.value(int, "SELECT count(*) FROM access_rule") == rules


async def test_the_policy__is_the_municipality_s_own(person: Enter) -> None:
    admin, stina = await person("admin@demo.test"), await person("stina@demo.test")
    given = {"municipality": "2401", "events_kept_days": 30, "reserve_per_day": 2, "alarm_lead_min": 120}
    assert (await stina.get("/api/door-policy", municipality="2401"))["events_kept_days"] == 90

    assert (await problem(stina, "PUT", "/api/door-policy", json=given))[0] == 404
    assert (await problem(admin, "PUT", "/api/door-policy", json=given | {"events_kept_days": 1}))[0] == 400
    assert (await admin.send("PUT", "/api/door-policy", json=given)).json() == given
    assert await stina.get("/api/door-policy", municipality="2401") == given


async def test_doors_of_a_live_controller__are_added_and_taken_away(person: Enter) -> None:
    admin = await person("admin@demo.test")
    one = (await admin.get("/api/controllers", municipality="2401"))["controllers"][0]
    doors = f"/api/controllers/{one['id']}/doors"
    grown = await admin.post(doors, {"wire_id": "d9", "name": "Förråd", "kind": "compartment"})
    assert [door["name"] for door in grown["doors"] if door["kind"] == "compartment"] == ["Förråd"]
    assert await problem(admin, "POST", doors, json={"wire_id": "d9", "name": "x"}) == (409, "door_taken")

    page = await admin.get(f"/api/doors/{one['id']}-d9")
    assert (page["unlock_s"], page["held_s"]) == (5, 300)
    gone = await admin.post(f"/api/doors/{one['id']}-d9/remove", {}, 200)
    assert gone == {"bookings": 0}
    assert await problem(admin, "GET", f"/api/doors/{one['id']}-d9") == (404, "not_found")


async def test_names_that_are_taken__are_refused_whoever_has_them(person: Enter) -> None:
    admin = await person("admin@demo.test")
    mine = (await admin.get("/api/controllers", municipality="2401"))["controllers"][0]
    new = {"facility_id": mine["facility"]["id"], "doors": [{"wire_id": "d1", "name": "x"}]}
    enrol = "/api/controllers"
    assert await problem(admin, "POST", enrol, json=new | {"name": mine["id"]}) == (
        409,
        "controller_name_taken",
    )
    theirs = await db.value(
        str,
        "SELECT c.id FROM controller c JOIN facility f ON f.id = c.facility WHERE f.municipality = '2284' LIMIT 1",
    )
    head, _, tail = (theirs or "").partition("-")
    takeover = {"wire_id": f"{tail}-d1"[:16], "name": "Kapad", "kind": "compartment"}
    if len(f"{tail}-d1") <= 16:
        answer = await problem(admin, "POST", enrol, json=new | {"name": head, "doors": [takeover]})
        assert answer == (409, "door_taken")
    assert await db.value(int, "SELECT count(*) FROM door WHERE name = 'Kapad'") == 0


async def test_a_new_facility__gets_its_hall_its_halves_and_its_door_as_the_how_to_says(
    person: Enter,
) -> None:
    admin = await person("admin@demo.test")
    facility = "01a20000-0000-7000-8000-000000000001"
    await db.run(
        "INSERT INTO facility (id, municipality, slug, name, address, lat, lon)"
        " VALUES ($1, '2401', 'nya-hallen', 'Nya hallen', 'Skolgatan 1', 63.57, 19.5)",
        facility,
    )
    things = f"/api/settings/facilities/{facility}/resources"
    new = {"kind": "hall", "tariff_class": "norrskenshallen.half", "own_leaf": True}
    hall = await admin.post(things, {**new, "name": "Hela hallen"})
    half = await admin.post(things, {**new, "kind": "hall_part", "name": "Halva 1", "parent_id": hall["id"]})
    door = {"wire_id": "d1", "name": "Entré"}
    await admin.post("/api/controllers", {"name": "nya-hallen", "facility_id": facility, "doors": [door]})
    rule = {"resource_id": hall["id"], "door_id": "nya-hallen-d1", "before_min": 15, "after_min": 15}
    assert (await admin.send("PUT", "/api/access-rules", json=rule)).status_code == 200

    (inherited,) = (await admin.get("/api/access-rules", resource_id=half["id"]))["inherited"]
    assert (inherited["door_id"], inherited["resource_name"]) == ("nya-hallen-d1", "Hela hallen")
