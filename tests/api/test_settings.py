"""Staff write rules and hours over HTTP; what follows from them is in force at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

from booking import db, places
from tests.api.conftest import Enter, Person, resource_named


async def hall(who: Person) -> dict[str, Any]:
    return await resource_named(who, "2401", "norrskenshallen hela")


async def test_rules_of_a_facility__are_inherited_by_its_parts_and_taken_back(person: Enter) -> None:
    stina = await person("stina@demo.test")
    whole = await hall(stina)
    facility = f"/api/settings/facilities/{whole['facility']['id']}/rules"
    own = f"/api/settings/resources/{whole['id']}/rules"
    assert (await stina.get(own))["in_force"]["notice_min"] == 0

    answer = await stina.send("PUT", facility, json={"valid_from": "2026-01-01", "notice_min": 240})

    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert (page["scope"], page["in_force"]["notice_min"], page["inherited"]["notice_min"]) == (
        "facilities",
        240,
        0,
    )
    assert [one["name"] for one in page["path"]] == ["Nordmaling"]
    assert "Hela hallen" in [one["name"] for one in page["children"]]
    inherited = await stina.get(own)
    assert inherited["in_force"]["notice_min"] == inherited["inherited"]["notice_min"] == 240
    assert [one["scope"] for one in inherited["path"]] == ["municipalities", "facilities"]
    assert await places.stale("2401", datetime.now(UTC)) == []

    gone = await stina.send("DELETE", facility + "/2026-01-01")
    assert (gone.status_code, gone.json()["in_force"]["notice_min"]) == (200, 0)
    again = await stina.send("DELETE", facility + "/2026-01-01")
    assert (again.status_code, again.json()["code"]) == (404, "unknown_rules")
    actions = await db.column(str, "SELECT action FROM journal WHERE action LIKE 'rules.%' ORDER BY id")
    assert actions == ["rules.written", "rules.deleted"]


async def test_rules_that_nobody_could_keep__are_refused(person: Enter) -> None:
    stina = await person("stina@demo.test")
    path = f"/api/settings/resources/{(await hall(stina))['id']}/rules"
    for body, code in [
        ({"min_min": 120, "max_min": 60}, "rules_contradict"),
        ({"terms": "2099"}, "unknown_terms"),
        ({"opens_on": "0001-01-01"}, "bad_time"),
    ]:
        answer = await stina.send("PUT", path, json={"valid_from": "2027-01-01", **body})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await stina.get(path))["changes"] == []


async def test_hours_of_a_hall__become_its_own_calendar_and_leave_bookings_outside(
    person: Enter, later: Any
) -> None:
    stina, ali = await person("stina@demo.test"), await person("ali@demo.test")
    whole = await hall(stina)
    body = {"resource_id": whole["id"], "start": later(9, 17), "end": later(9, 18), "purpose": "training"}
    held = await ali.post("/api/holds", body)
    order = {"hold_id": held["id"], "method": "invoice", "expected_price_ore": held["price"]["total_ore"], "terms_accepted": True}  # fmt: skip
    party = next(one for one in (await ali.get("/api/me"))["identities"] if one["kind"] == "association")
    await ali.send("PATCH", f"/api/holds/{held['id']}", json={"party_id": party["party_id"]})
    order["expected_price_ore"] = (await ali.get(f"/api/holds/{held['id']}"))["price"]["total_ore"]
    booked = await ali.post("/api/reservations", order)

    path = f"/api/settings/resources/{whole['id']}/hours"
    week = [{"weekday": day, "opens": "08:00", "closes": "12:00"} for day in range(7)]
    made = await stina.send(
        "PUT", path + "/schedules/new", json={"name": "Dagtid", "valid_from": "2026-01-01", "week": week}
    )

    assert made.status_code == 200, made.text
    assert [(one["id"], one["party_name"]) for one in made.json()["outside"]] == [
        (booked["id"], party["name"])
    ]
    assert made.json()["outside_total"] == 1
    assert made.json()["preview"][3]["spans"] == [{"opens": "08:00", "closes": "12:00"}]
    refused = await ali.send("POST", "/api/holds", json=body | {"start": later(10, 17), "end": later(10, 18)})
    assert refused.json()["code"] == "outside_hours"
    assert await places.stale("2401", datetime.now(UTC)) == []

    schedule = made.json()["schedules"][0]["id"]
    twin = await stina.send(
        "PUT", path + "/schedules/new", json={"name": "Igen", "valid_from": "2026-01-01", "week": []}
    )
    assert (twin.status_code, twin.json()["code"]) == (409, "schedule_exists")
    gone = await stina.send("DELETE", path + f"/schedules/{schedule}")
    assert (gone.status_code, gone.json()["outside_total"]) == (200, 0)
    assert await places.stale("2401", datetime.now(UTC)) == []


async def test_an_exception__closes_the_days_and_says_why(person: Enter) -> None:
    stina = await person("stina@demo.test")
    path = f"/api/settings/facilities/{(await hall(stina))['facility']['id']}/hours"
    days = [f"{datetime.now(UTC) + timedelta(days=number):%Y-%m-%d}" for number in (3, 5)]
    body = {"from_day": days[0], "to_day": days[1], "reason": "Golvslipning"}

    made = await stina.post(path + "/exceptions", body)

    shown = {one["date"]: one for one in made["preview"]}
    assert (shown[days[0]]["spans"], shown[days[0]]["reason"]) == ([], "Golvslipning")
    assert await places.stale("2401", datetime.now(UTC)) == []
    twin = await stina.send("POST", path + "/exceptions", json=body | {"opens": "10:00", "closes": "12:00"})
    assert (twin.status_code, twin.json()["code"]) == (409, "exception_exists")
    gone = await stina.send("DELETE", f"{path}/exceptions/{made['exceptions'][0]['id']}")
    assert {one["reason"] for one in gone.json()["preview"]} != {"Golvslipning"}
    assert await places.stale("2401", datetime.now(UTC)) == []
