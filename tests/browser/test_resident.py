"""The resident's flow on a phone: find, hold, log in, pay, see the code confirmed in the door, open it, cancel."""

import re
from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from booking.clock import SWEDEN
from booking.demo.bookings import CUP_IN_DAYS
from tests.browser.steps import Accessible, Open, in_days


def test_resident_of_a_full_municipality__books_the_neighbours_hall_and_gets_in(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(390, 844)
    page.goto(
        f"/sok?municipality=2401&kind=hall&date={in_days(CUP_IN_DAYS)}&from=17:00&to=21:00&duration=120"
    )
    card = page.get_by_role("article").filter(has_text="Grannkommun").filter(has_text="Örnsköldsvik").first
    expect(card).to_be_visible()
    accessible(page)

    card.get_by_role("button", name=re.compile("^Boka ")).first.click()
    page.wait_for_url("**/boka/**")
    expect(page.get_by_text("Tiden är din i")).to_be_visible()
    accessible(page)

    page.get_by_role("button", name="Eva Lind").click()
    pay = page.get_by_role("button", name=re.compile("Boka och betala"))
    expect(pay).to_contain_text("778")
    page.get_by_role("checkbox").check()
    accessible(page)
    pay.click()

    page.wait_for_url("**/c/pay/**")
    accessible(page)
    page.get_by_role("button", name="Betala med kort (simulerat)").click()

    page.wait_for_url("**/b/**")
    expect(page.get_by_text("Bekräftad i dörren")).to_be_visible()
    expect(page.get_by_text("Betald", exact=True)).to_be_visible()
    accessible(page)
    _open_the_door(page, accessible)
    _cancel(page, accessible)


def _open_the_door(page: Page, accessible: Accessible) -> None:
    code = re.search(r"\b\d{6}\b", page.locator("main").inner_text())
    assert code is not None
    booking = page.url
    page.goto("/simulering")
    expect(page.get_by_text("Det här är en simulering")).to_be_visible()
    accessible(page)
    page.get_by_label("Kod").fill(code.group())
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_text(re.compile("Nekad|nekad"))).to_be_visible()  # days before the window
    page.goto(booking)


def _cancel(page: Page, accessible: Accessible) -> None:
    page.get_by_role("button", name="Avboka").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Avboka")).click()
    expect(page.get_by_text(re.compile("Avbokad")).first).to_be_visible()


def test_the_last_free_place_is_lost_to_somebody_else__the_page_offers_others(
    open_page: Open, accessible: Accessible
) -> None:
    day = f"{datetime.now(SWEDEN) + timedelta(days=9):%Y-%m-%d}"
    address = f"/sok?municipality=2460&kind=hall&date={day}&duration=60"
    first = open_page(390, 844)
    second = open_page(390, 844, zone="America/New_York", expected="409 (Conflict)")
    for page in (first, second):
        page.goto(address)
        expect(page.get_by_role("button", name=re.compile("^Boka ")).first).to_be_visible()
    wanted = first.get_by_role("button", name=re.compile("^Boka ")).first.get_attribute("aria-label")
    assert wanted is not None
    first.get_by_role("button", name=wanted).click()
    first.wait_for_url("**/boka/**")

    second.get_by_role("button", name=wanted).click()

    expect(second.get_by_text(re.compile("hann före|upptagen|redan bokad"))).to_be_visible()
    accessible(second)
