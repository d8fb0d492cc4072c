"""A request whose answer was lost is sent again with its key: it acts once and is answered alike."""

import asyncio
import uuid
from typing import Any

import httpx

from booking import db
from tests.api.conftest import Enter, Person, resource_named


async def twice(
    who: Person, path: str, body: dict[str, Any], *, at_once: bool = False
) -> list[httpx.Response]:
    """Send the same request with the same key two times, or at the same time."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    sends = [lambda: who.send("POST", path, json=body, headers=headers)] * 2
    if at_once:
        return list(await asyncio.gather(*(send() for send in sends)))
    return [await send() for send in sends]


async def wish(who: Person, later: Any) -> dict[str, Any]:
    hall = await resource_named(who, "2401", "norrskenshallen hela")
    me = await who.get("/api/me")
    party = next(one["party_id"] for one in me["identities"] if one["name"] == "Levar IF")
    return {
        "resource_id": hall["id"],
        "start": later(4, 16),
        "end": later(4, 18),
        "party_id": party,
        "purpose": "training",
    }


async def test_every_step_sent_twice__acts_once(person: Enter, later: Any) -> None:
    ali = await person("ali@demo.test")
    first, again = await twice(ali, "/api/holds", await wish(ali, later))
    assert (first.status_code, first.text) == (again.status_code, again.text)
    hold = first.json()
    assert first.status_code == 201

    first, again = await twice(ali, f"/api/holds/{hold['id']}/extend", {})
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert first.text == again.text

    order = {"hold_id": hold["id"], "method": "invoice", "expected_price_ore": hold["price"]["total_ore"], "terms_accepted": True}  # fmt: skip
    first, again = await twice(ali, "/api/reservations", order, at_once=True)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert first.text == again.text
    assert await db.value(int, "SELECT count(*) FROM charge") == 1

    path = f"/api/reservations/{first.json()['id']}/cancel"
    first, again = await twice(ali, path, {"reason": "inställt"}, at_once=True)
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert first.text == again.text
    assert first.json()["state"] == "cancelled"
    assert (await ali.send("POST", path, json={})).json()["code"] == "not_cancellable"  # another intent


async def test_a_person_registers_twice_with_one_key__one_account(person: Enter) -> None:
    guest = await person(None)
    body = {"name": "Bo", "email": "bo@demo.test", "password": "long enough 1", "home_municipality": "2401"}
    before, key = guest.http.cookies["booking_session"], {"Idempotency-Key": str(uuid.uuid4())}
    assert (await guest.send("POST", "/api/accounts", json=body, headers=key)).status_code == 201
    guest.http.cookies.clear()
    guest.http.cookies.set("booking_session", before)  # the answer with the new cookie was lost
    again = await guest.send("POST", "/api/accounts", json=body, headers=key)
    assert again.status_code == 201, again.text
    assert again.json()["account"]["email"] == "bo@demo.test"
    assert await db.value(int, "SELECT count(*) FROM account WHERE email = 'bo@demo.test'") == 1


async def test_the_same_key_for_another_wish__is_refused(person: Enter, later: Any) -> None:
    ali = await person("ali@demo.test")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = await wish(ali, later)
    assert (await ali.send("POST", "/api/holds", json=body, headers=key)).status_code == 201
    answer = await ali.send(
        "POST", "/api/holds", json=body | {"start": later(5, 16), "end": later(5, 18)}, headers=key
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_change_of_one_thing__leaves_the_other(person: Enter, later: Any) -> None:
    ali = await person("ali@demo.test")
    hold = await ali.post("/api/holds", await wish(ali, later))
    me = (await ali.get("/api/me"))["identities"][0]["party_id"]
    changed = (await ali.send("PATCH", f"/api/holds/{hold['id']}", json={"party_id": me})).json()
    assert (changed["purpose"], changed["party_id"]) == ("training", me)
    changed = (await ali.send("PATCH", f"/api/holds/{hold['id']}", json={"purpose": "match"})).json()
    assert (changed["purpose"], changed["party_id"]) == ("match", me)


async def test_a_visitor_changes_the_purpose__still_lives_where_they_said(person: Enter, later: Any) -> None:
    guest = await person(None)
    hall = await resource_named(guest, "2401", "norrskenshallen hela")
    body = {"resource_id": hall["id"], "start": later(4, 16), "end": later(4, 18), "home": "2401"}
    hold = await guest.post("/api/holds", body)
    assert hold["price"]["total_ore"] == 2 * 282_00
    changed = (await guest.send("PATCH", f"/api/holds/{hold['id']}", json={"purpose": "match"})).json()
    assert changed["price"]["total_ore"] == 2 * 282_00


async def test_the_price_found_by_a_visitor__is_the_price_held(person: Enter, later: Any) -> None:
    guest = await person(None)
    for town in ("2401", "2284"):
        found = await guest.get(
            "/api/search",
            municipality=town,
            neighbours="true",
            date=later(4, 16)[:10],
            duration_min=60,
            limit=100,
        )
        for hit in [one for one in found["results"] if one["free"]][:4]:
            start = hit["free"][0]
            body = {"resource_id": hit["resource"]["id"], "start": start["start"], "end": start["end"]}
            hold = await guest.post("/api/holds", body | {"home": town})
            assert hold["price"]["total_ore"] == start["price_ore"], hit["resource"]["name"]
            await guest.send("DELETE", f"/api/holds/{hold['id']}")
