"""An association's own pages: overview, calendar links, message choices; and every new page in both schemes."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import Accessible, Open, log_in, press


def test_calendar_link__is_made_fetched_and_taken_away_by_keyboard(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(390, 844)
    log_in(page, "Ali Nouri")
    page.goto("/mina/kalender")
    page.get_by_label("Vad ska kalendern visa?").select_option(label="Nordmalings IBK")
    press(page.get_by_role("button", name="Skapa länk"))
    link = page.get_by_label("Länk att klistra in i kalendern").first
    expect(link).to_have_value(re.compile(r"^http.*\.ics$"))
    answer = page.request.get(link.input_value())
    assert answer.status == 200
    assert answer.text().startswith("BEGIN:VCALENDAR")
    accessible(page)
    press(page.get_by_role("button", name="Ta bort").first)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("slutar fungera direkt")
    accessible(page)
    press(dialog.get_by_role("button", name="Ta bort"))
    expect(page.get_by_text("Du har inga kalenderlänkar än.")).to_be_visible()


def test_message_choice__is_kept(open_page: Open) -> None:
    page = open_page(390, 844)
    log_in(page, "Sara")
    page.goto("/mina/meddelanden")
    box = page.get_by_role("checkbox", name="Serien är bokad, Mejl")
    expect(box).to_be_checked()
    press(box, "Space")
    expect(page.get_by_text("Sparat.")).to_be_visible()
    page.reload()
    expect(box).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Bokningen är avbokad, Mejl")).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_association_pages__are_accessible_on_phone_and_desk(
    open_page: Open, accessible: Accessible, scheme: str
) -> None:
    page = open_page(390, 844, scheme=scheme)
    log_in(page, "Ali Nouri")
    page.goto("/forening")
    page.get_by_role("button", name="Agera som Nordmalings IBK").click()
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        for path in ("/forening", "/mina", "/mina/kalender", "/mina/meddelanden", "/sok/serie"):
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_timeout(500)
            accessible(page)
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, f"{path} scrolls sideways by {overflow} px at {width}"
