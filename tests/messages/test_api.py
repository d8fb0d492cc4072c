"""Messages and webhooks over HTTP: one's own choices, what staff and administrators see and do."""

from typing import Any

from booking import db, messages
from booking.clock import utc_now
from booking.messages import composing
from booking.messages.configured import configured
from booking.messages.templates import CHANNELS, TEMPLATES
from tests.api.conftest import Enter, Person


async def _code(email: str) -> str:
    row = await db.row(
        composing.Message,
        composing._MESSAGE.replace("WHERE m.id = $1", "WHERE m.template = 'phone_code' AND a.email = $1")
        + " ORDER BY m.created_at DESC",
        email,
    )
    assert row
    assert row.account
    assert row.asked_at
    return composing.phone_code(configured().key, row.account, row.phone, row.asked_at)


def _wanted(settings: dict[str, Any], template: str, channel: str) -> bool:
    (found,) = [c for c in settings["choices"] if (c["template"], c["channel"]) == (template, channel)]
    return bool(found["wanted"])


async def test_what_one_wants__is_kept_and_the_rest_stays(person: Enter) -> None:
    eva = await person("eva@demo.test")
    before = await eva.get("/api/me/message-settings")
    assert len(before["choices"]) == len(TEMPLATES) * len(CHANNELS)
    assert _wanted(before, "booking_confirmed", "email")

    choice = {"template": "booking_confirmed", "channel": "email", "wanted": False}
    after = (await eva.send("PUT", "/api/me/message-settings", json={"choices": [choice]})).json()

    assert not _wanted(after, "booking_confirmed", "email")
    assert _wanted(after, "booking_cancelled", "email")
    assert await eva.get("/api/me/message-settings") == after


async def test_what_is_always_sent__can_not_be_turned_off(person: Enter) -> None:
    eva = await person("eva@demo.test")
    choice = {"template": "code_changed", "channel": "email", "wanted": False}

    answer = await eva.send("PUT", "/api/me/message-settings", json={"choices": [choice]})

    assert (answer.status_code, answer.json()["code"]) == (422, "choice_fixed")


async def test_a_number__gets_nothing_until_its_code_came_back(person: Enter) -> None:
    eva = await person("eva@demo.test")

    asked = (await eva.send("PUT", "/api/me/phone", json={"phone": "+46701234567"})).json()
    assert (asked["phone"], asked["phone_confirmed"]) == ("+46701234567", False)
    again = await eva.send("PUT", "/api/me/phone", json={"phone": "+46701234568"})
    assert (again.status_code, again.json()["code"]) == (429, "too_many_attempts")
    code = await _code("eva@demo.test")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refused = await eva.send("POST", "/api/me/phone/confirm", json={"code": wrong})
    assert (refused.status_code, refused.json()["code"]) == (422, "phone_code_wrong")
    taken = await eva.send("POST", "/api/me/phone/confirm", json={"code": code})
    assert taken.json()["phone_confirmed"] is True
    assert (await eva.send("DELETE", "/api/me/phone")).status_code == 204
    assert (await eva.get("/api/me/message-settings"))["phone"] is None


async def test_guessing_the_code__ends_after_five(person: Enter) -> None:
    eva = await person("eva@demo.test")
    await eva.send("PUT", "/api/me/phone", json={"phone": "+46701234567"})
    code = await _code("eva@demo.test")
    for step in range(1, 6):
        guess = f"{(int(code) + step) % 1_000_000:06d}"
        assert (await eva.send("POST", "/api/me/phone/confirm", json={"code": guess})).status_code == 422

    late = await eva.send("POST", "/api/me/phone/confirm", json={"code": code})

    assert late.status_code == 429
    assert (await eva.get("/api/me/message-settings"))["phone_confirmed"] is False


async def test_staff__see_what_was_sent_at_home_and_nobody_else_does(person: Enter) -> None:
    stina, olle, filip = [await person(f"{name}@demo.test") for name in ("stina", "olle", "filip")]
    async with db.transaction():
        await messages.owe_staff(
            "staff_alert", municipality="2401", data={"what": "Larm vid dörren"}, now=utc_now()
        )
    await _address()

    (card,) = (await stina.get("/api/messages", municipality="2401"))["messages"]
    page = await stina.get(f"/api/messages/{card['id']}")
    assert (card["state"], card["receiver"], page["to"]) == ("owed", "Stina Berg", "stina@demo.test")
    assert page["subject"] == "Att åtgärda: Larm vid dörren"
    not_dead = await stina.send("POST", f"/api/messages/{card['id']}/resend")
    assert (not_dead.status_code, not_dead.json()["code"]) == (409, "not_dead")
    for other in (olle, filip):
        assert (await other.http.get("/api/messages", params={"municipality": "2401"})).status_code == 404
        assert (await other.http.get(f"/api/messages/{card['id']}")).status_code == 404
        assert (await other.send("POST", f"/api/messages/{card['id']}/resend")).status_code == 404


async def _address() -> None:
    from booking import outbox
    from booking.messages.owing import OWE

    def fail(_debt: outbox.Debt, error: Exception) -> None:
        raise error

    await outbox.drain({OWE: messages.HANDLERS[OWE]}, utc_now, fail)


HOOK = {
    "municipality": "2401",
    "url": "https://hooks.example.org/in",
    "events": ["reservation.*", "invoice.issued"],
}


async def _hook(admin: Person, **other: object) -> dict[str, Any]:
    return dict(await admin.post("/api/webhook-endpoints", {**HOOK, **other}))


async def test_an_administrator__subscribes_changes_rotates_tries_and_deletes(person: Enter) -> None:
    admin = await person("admin@demo.test")
    made = await _hook(admin, description="Ekonomi")
    address = f"/api/webhook-endpoints/{made['id']}"

    shown = await admin.get("/api/webhook-endpoints", municipality="2401")
    assert shown["endpoints"] == [made]
    assert {"reservation.*", "reservation.confirmed", "invoice.issued"} <= set(shown["event_types"])
    off = (await admin.send("PATCH", address, json={"state": "off", "events": ["door.*"]})).json()
    assert (off["state"], off["events"], off["url"]) == ("off", ["door.*"], HOOK["url"])
    assert (await admin.send("POST", f"{address}/test")).json()["code"] == "endpoint_off"
    await admin.send("PATCH", address, json={"state": "on"})
    (secret,) = (await admin.get(f"{address}/secrets"))["secrets"]
    assert (await admin.send("POST", f"{address}/rotate")).json()["old_secret_until"]
    assert (await admin.get(f"{address}/secrets"))["secrets"][1] == secret
    tried = (await admin.send("POST", f"{address}/test")).json()
    assert (tried["event"], tried["state"]) == ("webhook.test", "owed")
    owed = await admin.get(
        "/api/webhook-deliveries", municipality="2401", state="owed", endpoint_id=made["id"]
    )
    assert owed == {"deliveries": [tried], "total": 1}
    assert (await admin.send("POST", f"/api/webhook-deliveries/{tried['id']}/resend")).status_code == 409
    assert (await admin.send("DELETE", address)).status_code == 204
    assert (await admin.get("/api/webhook-deliveries", municipality="2401"))["total"] == 0


async def test_an_endpoint_that_can_not_be__is_refused_with_its_reason(person: Enter) -> None:
    admin = await person("admin@demo.test")

    for change, status, code in (
        ({"url": "http://hooks.example.org/"}, 422, "url_not_https"),
        ({"url": "https://169.254.169.254/"}, 422, "url_not_public"),
        ({"url": "https://hooks.example.org/ x"}, 400, "invalid_request"),
        ({"url": "https://höks.example.org/"}, 400, "invalid_request"),
        ({"events": ["reservation.eaten"]}, 422, "unknown_event"),
        ({"events": []}, 400, "invalid_request"),
        ({"events": ["x' OR 1=1"]}, 400, "invalid_request"),
        ({"municipality": "2284"}, 404, "not_found"),
        ({"description": "a\nb"}, 400, "invalid_request"),
        ({"surprise": 1}, 400, "invalid_request"),
    ):
        answer = await admin.send("POST", "/api/webhook-endpoints", json={**HOOK, **change})
        assert (answer.status_code, answer.json()["code"]) == (status, code), change
    assert (await admin.get("/api/webhook-endpoints", municipality="2401"))["total"] == 0


async def test_bad_input__is_refused_and_never_a_500(person: Enter) -> None:
    eva = await person("eva@demo.test")

    for method, path, body in (
        ("PUT", "/api/me/phone", {"phone": "0701234567"}),
        ("PUT", "/api/me/phone", {"phone": "+46 70"}),
        ("POST", "/api/me/phone/confirm", {"code": "12345a"}),
        ("PUT", "/api/me/message-settings", {"choices": []}),
        ("PUT", "/api/me/message-settings", {"choices": [{"template": "spam", "channel": "email", "wanted": True}]}),
        ("PUT", "/api/me/message-settings", {"choices": [{"template": "code_ready", "channel": "fax", "wanted": True}]}),
        ("POST", "/api/feeds", {"kind": "everything"}),
        ("POST", "/api/feeds", {"kind": "resource", "resource_id": "hall"}),
    ):  # fmt: skip
        answer = await eva.send(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), (path, body)
