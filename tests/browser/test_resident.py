"""The main job, on a phone: find a time in the neighbouring municipality, pay, get the code, open the door, cancel."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.steps import settle, sideways, violations


def look(page: Page) -> None:
    """The page as it stands is accessible and no wider than the phone."""
    settle(page)
    assert violations(page) == []
    assert sideways(page) <= 0


def hold_a_time(page: Page) -> None:
    """A time at the neighbour's hall in two days is held, and nobody is logged in."""
    page.goto("/sok?municipality=2284&kind=hall")
    expect(page.locator(".result").first).to_be_visible()
    page.locator(".strip button").nth(2).click()
    page.wait_for_url("**date=**")
    settle(page)
    page.locator(".result:not(.none) h2 a").first.click()
    page.locator(".slots button").last.click()
    look(page)
    page.get_by_role("button", name="Fortsätt").click()
    page.wait_for_url("**/boka/**")
    look(page)


def pay(page: Page) -> None:
    """The held time is booked as Eva and paid by card at the simulated payment page."""
    page.get_by_role("button", name=re.compile("Eva Lind")).click()
    expect(page.locator("#terms")).to_be_visible()
    page.get_by_text("Varför detta pris?").first.click()
    look(page)
    page.get_by_role("button", name=re.compile("^Boka och betala")).click()
    expect(page.get_by_role("alert")).to_contain_text("Kryssa i")
    page.check("#terms")
    page.get_by_role("button", name=re.compile("^Boka och betala")).click()
    page.get_by_role("button", name=re.compile("Betala med kort")).click()
    page.wait_for_url("**/b/**")


def test_resident_books_the_neighbours_hall__code_confirmed_in_the_door(new_page: NewPage) -> None:
    page = new_page(390, zone="America/New_York")
    hold_a_time(page)
    pay(page)
    expect(page.locator(".state.ok")).to_contain_text("Bekräftad i dörren")
    assert re.fullmatch(r"\d{6}", page.locator(".digits span").first.inner_text())
    expect(page.get_by_role("link", name=re.compile("Ring jouren"))).to_be_visible()
    look(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Lägg i kalendern").click()
    assert download.value.suggested_filename.endswith(".ics")

    page.goto("/mina")
    look(page)
    page.go_back()
    page.get_by_role("button", name="Avboka").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Det kostar ingenting att avboka nu")
    look(page)
    dialog.get_by_role("button", name="Avboka").click()
    expect(page.locator("main h1")).to_have_text("Bokningen är avbokad")
    look(page)


def test_wrong_code_at_the_simulated_keypad__denied_with_a_reason(new_page: NewPage) -> None:
    page = new_page(390)
    page.goto("/simulering")
    settle(page)
    for digit in "000001":
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.locator(".lamp")).to_contain_text("Nekad")
    look(page)
