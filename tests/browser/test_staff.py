"""The staff's day at a desk: timeline by keyboard alone, doors, invoices; and every page in both colour schemes."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from booking.clock import SWEDEN
from tests.browser.steps import Accessible, Open, log_in


def test_staff_timeline__is_one_tab_stop_and_opens_a_booking_by_keyboard(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(1440, 900)
    log_in(page, "Stina Berg")
    day = datetime.now(SWEDEN) + timedelta(days=2)
    page.goto(f"/p/tidslinje?date={day:%Y-%m-%d}")
    grid = page.get_by_role("grid")
    expect(grid).to_be_visible()
    bookings = grid.locator("[role=gridcell] button")
    expect(bookings.first).to_be_visible()
    assert grid.locator("[role=gridcell] button[tabindex='0']").count() == 1
    accessible(page)

    grid.locator("button[tabindex='0']").focus()
    before = page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
    )
    page.keyboard.press("ArrowDown")
    after = page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
    )
    assert before != after
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").or_(page.get_by_role("complementary")).first).to_be_visible()
    accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("who", "path"),
    [
        (None, "/"),
        (None, "/h/norrskenshallen"),
        (None, "/logga-in"),
        (None, "/hjalp"),
        (None, "/tillganglighet"),
        ("Ali Nouri", "/mina"),
        ("Ali Nouri", "/forening"),
        ("Stina Berg", "/p"),
        ("Stina Berg", "/p/dorrar"),
        ("Filip Nyström", "/p/faktura"),
    ],
)
def test_every_page__is_accessible_on_phone_and_desk(
    open_page: Open, accessible: Accessible, who: str | None, path: str, scheme: str
) -> None:
    page = open_page(390, 844, scheme=scheme)
    if who is not None:
        log_in(page, who)
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle") if who is None else page.wait_for_timeout(300)
        accessible(page)
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{path} scrolls sideways by {overflow} px at {width}"


def test_finance__sees_what_the_month_brings_and_an_invoice_with_its_pdf(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(1440, 900)
    log_in(page, "Filip Nyström")
    page.goto("/p/faktura")
    link = page.get_by_role("link", name=re.compile("PDF")).first
    expect(link).to_be_visible()
    href = link.get_attribute("href")
    assert href is not None
    answer = page.request.get(href)
    assert answer.status == 200
    assert answer.body().startswith(b"%PDF")
