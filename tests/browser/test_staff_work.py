"""Staff decide, set up and close: by keyboard alone, accessible on phone and desk."""

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import Accessible, Open, in_days, log_in, press

TOWN = "2401"


def _call(page: Page, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the API as the one who is logged in on the page."""
    csrf = page.request.get("/api/me").json()["csrf"]
    headers = {"X-CSRF-Token": csrf, "Idempotency-Key": str(uuid4())}
    answer = page.request.fetch(path, method=method, data=body, headers=headers)
    assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
    return answer.json()


def _resource(page: Page, name: str) -> str:
    tree = _call(page, "GET", f"/api/settings/tree?municipality={TOWN}")
    ids = [one["id"] for each in tree["facilities"] for one in each["resources"] if one["name"] == name]
    return str(ids[0])


def _ask_for(page: Page, resource: str, day: str, start: str, end: str) -> None:
    wish = {"resource_id": resource, "start": f"{day}T{start}:00Z", "end": f"{day}T{end}:00Z"}
    held = _call(page, "POST", "/api/holds", {**wish, "purpose": "meeting"})
    order = {"hold_id": held["id"], "method": held["pay_methods"][0], "terms_accepted": True}
    made = _call(
        page, "POST", "/api/reservations", {**order, "expected_price_ore": held["price"]["total_ore"]}
    )
    assert made["state"] == "requested"


def _free_day(page: Page, resource: str, start: str, end: str) -> str:
    """Return a day, from the tenth on, when the resource is free all this time: the demo books by the calendar."""
    minutes = (int(end[:2]) - int(start[:2])) * 60
    path = f"/api/resources/{resource}/availability?date={in_days(9)}&days=21&duration_min={minutes}"
    for each in _call(page, "GET", path)["days"]:
        wanted = f"{each['date']}T{start}:00Z"
        if any(one["free"] and one["start"] == wanted for one in each["starts"]):
            return str(each["date"])
    raise AssertionError(f"never free {start}-{end} within three weeks")


def _booked_day(page: Page, name: str) -> str:
    """Return the next day, from the day after tomorrow on, with a booking at this resource."""
    path = f"/api/resources/{_resource(page, name)}/availability?date={in_days(2)}&days=14&duration_min=60"
    days = _call(page, "GET", path)["days"]
    return next(
        str(each["date"]) for each in days if any(one["reason"] == "booked" for one in each["starts"])
    )


def test_request_queue__rivals_side_by_side_one_granted_and_the_other_told_by_keyboard(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(1440, 900)
    log_in(page, "Stina Berg")
    room = _resource(page, "Mötesrum Levar")
    rules = {"valid_from": in_days(0), "approval": "required", "pending_holds": False}
    _call(page, "PUT", f"/api/settings/resources/{room}/rules", rules)
    page.goto("/p/ansokningar")
    cards = page.get_by_role("article").filter(has_text="Mötesrum Levar")
    expect(page.get_by_role("article").first).to_be_visible()  # the demo's own requests
    accessible(page)
    day = _free_day(page, room, "15:00", "18:00")
    for who, start, end in (("Ali Nouri", "15:00", "17:00"), ("Eva Lind", "16:00", "18:00")):
        other = open_page(390, 844)
        log_in(other, who)
        _ask_for(other, room, day, start, end)

    expect(cards).to_have_count(2)  # shown by the event stream
    expect(cards.first.get_by_text("har också sökt")).to_be_visible()
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    accessible(page)

    eva = cards.filter(has=page.get_by_role("heading", name="Eva Lind"))
    press(eva.get_by_role("button", name=re.compile("^Godkänn")))
    dialog = page.get_by_role("dialog")
    accessible(page)
    press(dialog.get_by_label(re.compile("Avslå och meddela")), " ")
    press(dialog.get_by_role("button", name="Godkänn"))

    expect(cards).to_have_count(0)
    page.get_by_role("link", name="Beslutade").press("Enter")
    expect(page.get_by_text("Tiden gick till någon annan")).to_be_visible()
    accessible(page)


def test_rejection_without_a_reason__is_asked_for_one(open_page: Open, accessible: Accessible) -> None:
    page, other = open_page(390, 844, scheme="dark"), open_page(390, 844)
    log_in(page, "Stina Berg")
    room = _resource(page, "Cafeterian")
    _call(
        page,
        "PUT",
        f"/api/settings/resources/{room}/rules",
        {"valid_from": in_days(0), "approval": "required"},
    )
    log_in(other, "Eva Lind")
    _ask_for(other, room, _free_day(page, room, "11:00", "13:00"), "11:00", "13:00")
    page.goto("/p/ansokningar")

    card = page.get_by_role("article").filter(has_text="Cafeterian")
    press(card.get_by_role("button", name=re.compile("^Avslå")))
    dialog = page.get_by_role("dialog")
    press(dialog.get_by_role("button", name="Avslå"))
    expect(dialog.get_by_label("Varför?")).to_be_focused()
    accessible(page)
    page.keyboard.type("Kaféet är uthyrt.")
    press(dialog.get_by_role("button", name="Avslå"))

    expect(card).to_have_count(0)


def test_settings__a_rule_and_a_closed_day_by_keyboard(open_page: Open, accessible: Accessible) -> None:
    page = open_page(1440, 900)
    log_in(page, "Stina Berg")
    page.goto("/p/installningar")
    press(page.get_by_role("link", name="Klubbstugan"))
    expect(page.get_by_role("heading", level=1, name="Klubbstugan")).to_be_visible()
    shortest = page.get_by_label("Kortaste bokning", exact=True)
    shortest.focus()
    page.keyboard.type("90")
    expect(page.get_by_text(re.compile("^1 ändring från"))).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Kortaste bokning")).to_contain_text("1 tim 30 min")
    accessible(page)
    press(page.get_by_role("button", name="Spara reglerna"))
    expect(page.get_by_text(re.compile("^Gäller nu, sedan"))).to_be_visible()

    press(page.get_by_role("link", name="Öppettider"))
    page.get_by_label("Från och med").fill(in_days(12))
    page.get_by_label("Anledning").focus()
    page.keyboard.type("Storstädning")
    page.keyboard.press("Tab")
    press(page.get_by_role("button", name="Lägg till undantag"))
    expect(page.get_by_role("cell", name=re.compile("Stängt, Storstädning"))).to_be_visible()
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    press(page.get_by_role("button", name="Ny vecka eller säsong"))
    accessible(page)


def test_closure__moves_or_cancels_those_in_the_way_and_is_lifted_by_keyboard(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(1440, 900)
    log_in(page, "Stina Berg")
    page.goto(f"/p/tidslinje?lage=stang&date={_booked_day(page, 'Hela hallen')}")
    press(page.get_by_role("button", name="Visa vilka som berörs"))
    expect(page.get_by_text("Välj minst en plats.")).to_be_visible()
    page.locator("summary", has_text="Hammarhallen").press("Enter")
    press(page.get_by_label("Hela anläggningen").first, " ")
    page.get_by_label("Från", exact=True).select_option("08:00")
    page.get_by_label("Till", exact=True).select_option("22:00")
    page.get_by_label("Vad händer?").focus()
    page.keyboard.type("Golvslipning")
    accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("bokning(ar)? berörs"))).to_be_focused()
    accessible(page)

    press(page.get_by_role("button", name=re.compile("^Stäng( och meddela alla)?$")))
    block = page.get_by_role("gridcell").get_by_role("button", name=re.compile("Golvslipning.*stängt")).first
    expect(block).to_be_visible()
    accessible(page)
    page.goto("/p/stangningar")
    ours = page.get_by_role("article").filter(has_text="Golvslipning")
    expect(ours).to_contain_text("fick ge plats")
    page.set_viewport_size({"width": 390, "height": 844})
    accessible(page)
    press(page.get_by_role("button", name="Häv Golvslipning"))
    press(page.get_by_role("dialog").get_by_role("button", name="Häv"))
    expect(page.get_by_role("button", name="Häv Golvslipning")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_staff_pages__are_accessible_and_fit_a_phone(
    open_page: Open, accessible: Accessible, scheme: str
) -> None:
    page = open_page(390, 844, scheme=scheme)
    log_in(page, "Anna Sjö")
    for path in (
        "/p/installningar",
        f"/p/installningar/municipalities/{TOWN}?flik=town",
        "/p/vantelista",
        "/p/fordon",
        "/p/meddelanden",
        "/p/meddelanden?visa=system",
    ):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".loading")).to_have_count(0)
        accessible(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{path} scrolls sideways by {overflow} px"
    page.get_by_role("button", name=re.compile("^Personal:")).press("Enter")
    expect(page.get_by_role("link", name="Väntelista")).to_be_visible()
    accessible(page)
