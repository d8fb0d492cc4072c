"""What the flows do not pass: empty answers, unknown addresses, the gallery, English, a browser in another zone."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import Accessible, Open


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rare_pages__accessible_in_light_and_dark(
    open_page: Open, accessible: Accessible, scheme: str
) -> None:
    page = open_page(390, 844, scheme=scheme)
    for path, heading in (
        ("/sok?q=finnsinte", "Hitta lokal, hall eller fordon"),
        ("/finns/inte", "Sidan finns inte"),
        ("/_gallery", "Gallery"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        if "finnsinte" in path:
            expect(page.get_by_role("heading", name="Inga träffar")).to_be_visible()
        accessible(page)


def test_english__the_page_changes_language_and_remembers_it(open_page: Open, accessible: Accessible) -> None:
    page = open_page(390, 844)
    page.goto("/sok")
    page.get_by_role("button", name="In English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Find a room, hall or vehicle")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Find a room, hall or vehicle")
    assert page.evaluate("document.documentElement.lang") == "en"
    accessible(page)


def test_browser_in_new_york__times_are_swedish(open_page: Open) -> None:
    at_home, away = open_page(390, 844), open_page(390, 844, zone="America/New_York")
    times = []
    for page in (at_home, away):
        page.goto("/h/norrskenshallen")
        page.locator(".strip button").nth(3).click()
        expect(page.locator(".slots li").first).to_be_visible()
        times.append(page.locator(".slots .clock").all_inner_texts())
    assert times[0]
    assert times[0] == times[1]
