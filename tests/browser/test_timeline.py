"""The staff's timeline by keyboard alone, at 1440 px."""

from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.browser.steps import log_in, settle


def test_timeline__one_tab_stop_and_arrow_keys(new_page: NewPage) -> None:
    page = new_page(1440)
    log_in(page, "stina@demo.test")
    page.goto("/p/tidslinje")
    settle(page)
    while page.locator("[data-booking]").count() < 2:
        page.get_by_role("button", name="Nästa dag").click()
        settle(page)
    expect(page.locator('[data-booking][tabindex="0"]')).to_have_count(1)
    first = page.locator('[data-booking][tabindex="0"]')
    first.focus()
    before = first.get_attribute("data-booking")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    now = page.evaluate("document.activeElement.dataset.booking")
    assert now != before
    expect(page.locator('[data-booking][tabindex="0"]')).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Dörrkod")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.booking") == now
