"""A requested series in the staff's queue: one card, its times behind it, one decision; by keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.browser.steps import Accessible, Open, in_days, log_in, press
from tests.browser.test_staff_work import _call, _resource


def _fits(page: Page) -> None:
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"scrolls sideways by {overflow} px"


def _ask_for_series(page: Page, resource: str, times: int) -> list[dict[str, str]]:
    """Ask, for the page's association, for so many weeks from five weeks ahead; return its bookings."""
    me = _call(page, "GET", "/api/me")
    party = next(one["party_id"] for one in me["identities"] if one["name"] == "Nordmalings IBK")
    first = {"date": in_days(35), "from": "10:00", "to": "11:00"}
    wish = {
        "resource_id": resource, "party_id": party, "title": "Innebandy P12", "purpose": "meeting",
        "first": first, "rrule": f"FREQ=WEEKLY;COUNT={times}",
    }  # fmt: skip
    shown = _call(page, "POST", "/api/series/preview", wish)
    occurrences = [{"start": one["start"], "end": one["end"]} for one in shown["occurrences"]]
    order = {"wish": wish, "method": "invoice", "occurrences": occurrences, "terms_version": None}
    made = _call(page, "POST", "/api/series", {**order, "expected_total_ore": shown["total_ore"]})
    return list(made["occurrences"])


def test_requested_series__opened_answered_as_a_whole_and_what_somebody_has_is_named(
    open_page: Open, accessible: Accessible
) -> None:
    page, club = open_page(1440, 900), open_page(390, 844, scheme="dark")
    log_in(page, "Stina Berg")
    log_in(club, "Ali Nouri")
    room = _resource(page, "Samlingssalen")
    rules = {"valid_from": in_days(0), "approval": "required", "pending_holds": False}
    _call(page, "PUT", f"/api/settings/resources/{room}/rules", rules)
    first, *_ = _ask_for_series(club, room, 1)  # one Tuesday that is granted before the others are
    series = _ask_for_series(club, room, 4)
    _call(page, "POST", f"/api/requests/{first['id']}/approve", {})

    page.goto("/p/ansokningar")
    seeded = page.get_by_role("article").filter(has_text="Läxhjälp P12")  # the demo's own
    expect(seeded).to_contain_text("Varje tisdag 18.00–20.00")
    card = page.get_by_role("article").filter(has_text="Innebandy P12")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("4 tider")
    expect(card).to_contain_text("1 av tiderna har någon annan")
    card.locator("summary").press("Enter")
    times = card.get_by_role("listitem")
    expect(times).to_have_count(4)
    expect(times.first).to_contain_text("Nordmalings IBK")
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    accessible(page)
    _fits(page)

    press(times.last.get_by_role("button", name=re.compile("^Avslå")))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Varför?").focus()
    page.keyboard.type("Valborg firas där.")
    press(dialog.get_by_role("button", name="Avslå"))
    expect(times).to_have_count(3)

    press(card.get_by_role("button", name=re.compile("^Godkänn alla")))
    expect(dialog.get_by_text("1 tid har någon annan")).to_be_visible()
    accessible(page)
    press(dialog.get_by_role("button", name="Godkänn alla"))
    expect(dialog.get_by_text("1 tid gick inte att godkänna")).to_be_visible()
    accessible(page)
    press(dialog.get_by_role("button", name="Klart"))
    expect(card).to_contain_text("bokad")  # the one that is left is a request by itself
    club.goto(f"/b/{series[1]['id']}")
    expect(club.get_by_text("Bekräftad").first).to_be_visible()

    press(seeded.get_by_role("button", name=re.compile("^Avslå alla")))
    press(dialog.get_by_role("button", name="Avslå alla"))
    expect(dialog.get_by_label("Varför?")).to_be_focused()
    page.keyboard.type("Stugan är uthyrd.")
    press(dialog.get_by_role("button", name="Avslå alla"))
    expect(seeded).to_have_count(0)
    page.get_by_role("link", name="Beslutade").press("Enter")
    expect(page.get_by_role("article").filter(has_text="Läxhjälp P12")).to_contain_text("12 avslagna")
    accessible(page)
