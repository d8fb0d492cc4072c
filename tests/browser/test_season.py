"""Season rounds: an association applies by keyboard, staff propose, lock and decide; every page in both schemes."""

import re
from typing import Literal

from playwright.sync_api import Page, expect

from tests.browser.steps import Accessible, Open, log_in, press


def _make_round(page: Page, name: str) -> None:
    """Staff make a season over one hall and open it."""
    page.goto("/p/sasong")
    press(page.get_by_role("button", name="Ny säsong"))
    page.get_by_label("Namn", exact=True).fill(name)
    press(page.get_by_role("checkbox", name="Norrskenshallen, Hela hallen"), "Space")
    press(page.get_by_role("button", name="Skapa säsongen"))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    press(page.get_by_role("button", name="Öppna för ansökan"))
    expect(page.get_by_role("button", name="Stäng ansökan")).to_be_visible()


def test_an_association__applies_by_keyboard_and_sees_its_result(
    open_page: Open, accessible: Accessible
) -> None:
    staff, page = open_page(1440, 900), open_page(390, 844)
    log_in(staff, "Stina Berg")
    _make_round(staff, "Provsäsong")
    log_in(page, "Ali Nouri")
    page.goto("/forening")
    page.get_by_role("button", name="Agera som Nordmalings IBK").click()
    press(page.get_by_role("link", name="Fasta tider"))
    press(page.get_by_role("link", name="Nordmaling: Provsäsong"))
    press(page.get_by_role("button", name="Lägg till önskemål"))
    page.get_by_label("Lag eller aktivitet").fill("Innebandy P13")
    press(page.get_by_role("checkbox", name="Norrskenshallen, Hela hallen"), "Space")
    cell = page.get_by_role("gridcell", name=re.compile("^tisdag 18:00"))
    press(page.get_by_role("gridcell", name=re.compile("^måndag 16:00")), "ArrowRight")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    expect(cell).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_text("tisdag 18:00–20:00", exact=True)).to_be_visible()
    accessible(page)
    press(page.get_by_role("button", name="Skriv som lista"))
    expect(page.get_by_label("Till", exact=True)).to_have_value("20:00")
    press(page.get_by_role("button", name="Skicka ansökan"))
    expect(page.get_by_text("Skickad", exact=True)).to_be_visible()

    staff.reload()
    press(staff.get_by_role("button", name="Stäng ansökan"))
    press(staff.get_by_role("button", name="Föreslå fördelning"))
    expect(staff.get_by_text("Bevisat: inget förslag är bättre")).to_be_visible()
    press(staff.get_by_role("button", name=re.compile("Innebandy P13")))
    press(staff.get_by_role("dialog").get_by_role("button", name="Lås"))
    expect(staff.get_by_role("button", name=re.compile("Låst.*Innebandy P13"))).to_be_visible()
    press(staff.get_by_role("button", name="Fastställ"))
    press(staff.get_by_role("button", name="Fastställ och meddela"))
    expect(staff.get_by_text("Säsongen är fastställd.")).to_be_visible()
    accessible(staff)
    page.reload()
    expect(page.get_by_role("heading", name="Resultat för Nordmalings IBK")).to_be_visible()
    press(page.get_by_role("link", name="Visa alla datum"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Innebandy P13")


def test_season_pages__are_accessible_on_phone_and_desk_in_both_schemes(
    open_page: Open, accessible: Accessible
) -> None:
    """The demonstration's own round: its wishes compete, and the one who lacks a time is told why."""
    page = open_page(1440, 900)
    log_in(page, "Stina Berg")
    page.goto("/p/sasong")
    page.get_by_role("link", name="Hallar våren").click()
    page.get_by_role("button", name=re.compile("Föreslå")).click()
    expect(page.get_by_role("heading", name="Rättvisa")).to_be_visible()
    expect(
        page.get_by_text("Tiderna har gått till dem som kommer före i prioritetsordningen.").first
    ).to_be_visible()
    paths = ["/sasong", "/p/sasong", page.url]
    schemes: list[tuple[int, Literal["light", "dark"]]] = [(390, "light"), (1440, "dark")]
    for width, scheme in schemes:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for path in paths:
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_timeout(500)
            accessible(page)
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, f"{path} scrolls sideways by {overflow} px at {width}"
