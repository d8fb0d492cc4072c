"""Every page, in both colour schemes: accessible, without errors, no wider than the screen."""

import pytest

from tests.browser.conftest import NewPage
from tests.browser.steps import log_in, settle, sideways, violations

OPEN = [
    "/",
    "/sok",
    "/sok?municipality=2401&q=hall",
    "/sok?q=finnsinte",
    "/h/hammarhallen",
    "/logga-in",
    "/mina",
    "/hjalp",
    "/tillganglighet",
    "/simulering",
    "/finns/inte",
    "/_gallery",
]
STAFF = ["/p", "/p/tidslinje?view=list", "/p/tidslinje?view=grid", "/p/dorrar", "/p/faktura"]


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1440, False), (1440, True)])
def test_open_pages__accessible_in_light_and_dark(new_page: NewPage, width: int, dark: bool) -> None:
    page = new_page(width, dark=dark)
    for path in OPEN:
        page.goto(path)
        settle(page) if path != "/_gallery" else page.wait_for_selector("h1")
        assert violations(page) == []
        assert sideways(page) <= 0, path


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1440, True)])
def test_staff_pages__accessible(new_page: NewPage, width: int, dark: bool) -> None:
    page = new_page(width, dark=dark)
    log_in(page, "admin@demo.test")
    for path in STAFF:
        page.goto(path)
        settle(page)
        assert violations(page) == []
        assert sideways(page) <= 0, path


def test_english__whole_page_changes_language(new_page: NewPage) -> None:
    page = new_page(390)
    page.goto("/sok")
    settle(page)
    page.get_by_role("button", name="In English").click()
    page.get_by_role("heading", name="Find a room, hall or vehicle").wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
    assert violations(page) == []
