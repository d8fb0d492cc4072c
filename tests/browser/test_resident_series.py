"""Recurring bookings by keyboard: every time is shown before it is booked, and one date can be let go afterwards."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import Accessible, Open, in_days, log_in, press


def test_association__books_a_series_by_keyboard_and_lets_one_date_go(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(1440, 900)
    log_in(page, "Ali Nouri")
    page.goto(f"/h/norrskenshallen?date={in_days(10)}")
    press(page.get_by_role("link", name="Boka flera gånger"))
    page.wait_for_url("**/serie/ny?**")
    press(page.get_by_role("radio", name=re.compile("Nordmalings IBK")), "Space")
    page.get_by_label("Från klockan").select_option("13:00")
    page.get_by_label("Till klockan").select_option("14:00")
    press(page.get_by_role("radio", name="Efter ett antal gånger"), "Space")
    count = page.get_by_role("spinbutton", name="Antal gånger")
    count.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("6")
    rows = page.locator("section[aria-labelledby=times] li")
    expect(rows).to_have_count(6)
    accessible(page)

    expect(page.get_by_role("region", name="Det du valt")).to_contain_text("av 6 tider valda")
    press(rows.get_by_role("checkbox").nth(5), "Space")
    press(page.get_by_role("button", name="Granska och boka"))
    dialog = page.get_by_role("dialog")
    press(dialog.get_by_role("button", name=re.compile("^Boka|^Skicka")))
    expect(dialog.get_by_text("Kryssa i att du har läst villkoren.")).to_be_visible()
    press(dialog.get_by_role("checkbox"), "Space")
    accessible(page)
    press(dialog.get_by_role("button", name=re.compile("^Boka|^Skicka")))

    page.wait_for_url(re.compile(r"/serie/[0-9a-f-]{36}"))
    expect(page.get_by_text("Varje tid har en egen sida")).to_be_visible()
    accessible(page)
    _release_one(page, accessible)


def _release_one(page: Page, accessible: Accessible) -> None:
    left = page.get_by_role("button", name=re.compile("^Släpp "))
    before = left.count()
    assert before >= 2
    press(left.last)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 tid släpps")).to_be_visible()
    press(dialog.get_by_role("radio", name="Hela serien som är kvar"), "Space")
    expect(dialog.get_by_text(f"{before} tider släpps")).to_be_visible()
    press(dialog.get_by_role("radio", name=re.compile("^Bara")), "Space")
    expect(dialog.get_by_text("1 tid släpps")).to_be_visible()
    accessible(page)
    press(dialog.get_by_role("button", name=re.compile("^Släpp")))
    expect(left).to_have_count(before - 1)
    expect(page.get_by_text("Avbokad")).to_be_visible()


def test_series_form__names_what_is_missing_and_shows_nothing_stale(open_page: Open) -> None:
    page = open_page(390, 844)
    log_in(page, "Eva Lind")
    page.goto(f"/h/hammarhallen?date={in_days(10)}")
    page.get_by_role("link", name="Boka flera gånger").click()
    expect(page.locator("section[aria-labelledby=times] li").first).to_be_visible()
    page.get_by_role("checkbox", checked=True).first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Välj minst en dag.")).to_be_visible()
    expect(page.get_by_role("button", name="Granska och boka")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_search__says_how_often_each_place_is_free_and_leads_to_the_booking(
    open_page: Open, accessible: Accessible, scheme: str
) -> None:
    page = open_page(390, 844, scheme=scheme)
    page.goto("/sok")
    page.get_by_role("link", name="Samma tid varje vecka").click()
    page.get_by_label("Var?").select_option("2401")
    page.get_by_role("button", name="Sök", exact=True).click()
    book = page.get_by_role("link", name=re.compile("^Boka serien"))
    expect(book.first).to_be_visible()
    expect(page.get_by_text(re.compile(r"Ledig (alla )?\d+")).first).to_be_visible()
    accessible(page)
    assert "/serie/ny?resource=" in (book.first.get_attribute("href") or "")
