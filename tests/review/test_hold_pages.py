"""A hold's page and the list of bookings, attacked over HTTP."""

from typing import Any
from uuid import UUID

from booking import db
from tests.api.conftest import Enter, Person, resource_named

HOLD = {"start": "2027-01-04T18:00:00Z", "end": "2027-01-04T19:00:00Z"}


async def held(who: Person, **more: Any) -> dict[str, Any]:
    hall = await resource_named(who, "2401", "hammarhallen hela")
    return dict(await who.post("/api/holds", {"resource_id": hall["id"], **HOLD, **more}))


async def test_choosing_for_whom__keeps_what_it_is_for(person: Enter) -> None:
    ali = await person("ali@demo.test")
    club = next(one for one in (await ali.get("/api/me"))["identities"] if one["kind"] == "association")
    hold = await held(ali, purpose="training")

    answer = await ali.send("PATCH", f"/api/holds/{hold['id']}", json={"party_id": club["party_id"]})

    assert answer.json()["purpose"] == "training"
    right = await ali.get(
        "/api/price",
        resource_id=hold["resource"]["id"],
        purpose="training",
        party_id=club["party_id"],
        **HOLD,
    )
    assert answer.json()["price"] == right


async def test_changing_what_it_is_for__keeps_for_whom(person: Enter) -> None:
    ali = await person("ali@demo.test")
    club = next(one for one in (await ali.get("/api/me"))["identities"] if one["kind"] == "association")
    hold = await held(ali, purpose="training", party_id=club["party_id"])

    answer = await ali.send("PATCH", f"/api/holds/{hold['id']}", json={"purpose": "match"})

    assert (answer.json()["purpose"], answer.json()["party_id"]) == ("match", club["party_id"])


async def test_a_visitor_from_elsewhere__keeps_their_home_when_the_purpose_changes(person: Enter) -> None:
    visitor = await person(None)
    hold = await held(visitor, home="2480")

    answer = await visitor.send("PATCH", f"/api/holds/{hold['id']}", json={"purpose": "meeting"})

    assert answer.json()["price"]["category"] == hold["price"]["category"] != "resident"


async def test_a_resource_taken_out_of_use__leaves_its_bookings_readable(person: Enter) -> None:
    ali = await person("ali@demo.test")
    hold = await held(
        ali, purpose="training", party_id=(await ali.get("/api/me"))["identities"][1]["party_id"]
    )
    body = {
        "hold_id": hold["id"],
        "method": "invoice",
        "expected_price_ore": hold["price"]["total_ore"],
        "terms_accepted": True,
    }
    made = await ali.post("/api/reservations", body)
    await db.run("UPDATE resource SET is_bookable = false WHERE id = $1", UUID(hold["resource"]["id"]))

    listed = await ali.get("/api/reservations")
    page = await ali.get(f"/api/reservations/{made['id']}")
    ended = await ali.send("POST", f"/api/reservations/{made['id']}/cancel", json={})

    assert [one["id"] for one in listed["reservations"]] == [made["id"]]
    assert page["resource"]["id"] == hold["resource"]["id"]
    assert (ended.status_code, ended.json()["state"]) == (200, "cancelled")
    refused = await ali.send("POST", "/api/holds", json={"resource_id": hold["resource"]["id"], **HOLD})
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_resource")


async def test_logging_in_as_somebody_else__takes_no_holds_along_and_ends_the_old_session(
    person: Enter,
) -> None:
    eva = await person("eva@demo.test")
    hold = await held(eva)
    old = dict(eva.http.cookies)

    from booking.simulated.people import PASSWORD

    answer = await eva.send("POST", "/api/session", json={"email": "ali@demo.test", "password": PASSWORD})
    eva.csrf = answer.json()["csrf"]

    assert (await eva.http.get(f"/api/holds/{hold['id']}")).status_code == 404
    eva.http.cookies.clear()
    eva.http.cookies.update(old)
    assert (await eva.get("/api/me"))["account"] is None
