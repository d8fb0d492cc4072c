"""Doors in the browser: the board's alarms, an order in two steps, and help for somebody outside."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import asyncpg
import pytest
from playwright.sync_api import Page, expect

from booking.demo.running import Running
from booking.ids import new_id
from tests.browser.steps import Accessible, Open, log_in

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _open_association_booking(page: Page) -> None:
    """The page shows the next booking of an association that the one logged in acts for."""
    found = [
        booking["id"]
        for identity in page.request.get("/api/me").json()["identities"]
        for booking in page.request.get(f"/api/reservations?party_id={identity['party_id']}").json()[
            "reservations"
        ]
        if booking["state"] == "confirmed"
    ]
    page.goto(f"/b/{found[0]}")


def _in_database(demo: Running, statement: str, *args: object) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(demo.owner_url)
        try:
            await connection.execute(statement, *args)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as pool:  # Playwright's own loop runs in this thread
        pool.submit(lambda: asyncio.run(run())).result()


def _at(page: Page, instant: str, *, days: float = 0) -> None:
    """The page's clock stands at the instant, or so many days from it; timers run on."""
    page.clock.set_fixed_time(datetime.fromisoformat(instant) + timedelta(days=days, seconds=1))


@pytest.fixture
def open_alarm(demo: Running) -> str:
    """An alarm that the worker's sweep leaves open for ten minutes; returns its words."""
    _in_database(
        demo,
        "INSERT INTO door_alarm (id, kind, reservations, opened_at, seen_at)"
        " VALUES ($1, 'two_servers', '{}', now(), now()) ON CONFLICT DO NOTHING",
        new_id(),
    )
    return "Två servrar styr samma dörrar"


def test_an_alarm_on_the_board__is_acknowledged_by_keyboard_with_who_and_when(
    open_page: Open, accessible: Accessible, open_alarm: str
) -> None:
    page = open_page(1440, 900)
    log_in(page, "Stina Berg")
    page.goto("/p/dorrar")
    button = page.get_by_role("button", name=re.compile(f"^Kvittera: {open_alarm}"))
    expect(button).to_be_visible()
    accessible(page)
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_label(re.compile("^Vad görs")).fill("Vaktmästaren är på väg")
    accessible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_text(re.compile(r"kvitterat larm|kvitterade larm")).first.click()
    expect(page.get_by_text(re.compile(r"Kvitterat av Stina Berg .*Vaktmästaren är på väg"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door_pages__are_accessible_on_phone_and_desk(
    open_page: Open, accessible: Accessible, scheme: str
) -> None:
    page = open_page(390, 844, scheme=scheme)
    log_in(page, "Stina Berg")
    page.goto("/p/dorrar")
    door = page.locator("main ul.doors a").first
    expect(door).to_be_visible()
    paths = [
        "/p/dorrar",
        door.get_attribute("href") or "",
        "/p/dorrar/handelser",
        "/p/dorrar/koder",
        "/p/dorrar/styrenheter",
    ]
    for path in paths:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for width, height in ((390, 844), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            accessible(page)
            assert page.evaluate(SIDEWAYS) <= 0, f"{path} scrolls sideways at {width}"


def test_an_order_to_a_door__needs_a_reason_and_a_confirmation_and_tells_the_answer(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(1440, 900)
    log_in(page, "Stina Berg")
    page.goto("/p/dorrar")
    page.locator("main ul.doors a").first.click()
    page.get_by_role("button", name="Öppna en gång").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Fortsätt").click()
    expect(dialog.get_by_text("Skriv varför")).to_be_visible()
    accessible(page)
    dialog.get_by_label("Skäl").fill("Ambulans på väg in")
    dialog.get_by_role("button", name="Fortsätt").click()
    expect(dialog.get_by_text(re.compile("Skäl: Ambulans på väg in. Bekräfta inom"))).to_be_visible()
    accessible(page)
    dialog.get_by_role("button", name="Ja, öppna en gång").click()
    expect(dialog.get_by_text("Utfört, dörren har svarat")).to_be_visible()
    dialog.get_by_role("button", name="Stäng").last.click()
    expect(page.get_by_text("Öppna en gång: Ambulans på väg in").first).to_be_visible()


def test_a_bookers_page__tells_how_the_door_stands_and_shares_a_code_once(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(390, 844)
    log_in(page, "Ali Nouri")
    _open_association_booking(page)
    helper = page.get_by_role("region", name="Kommer du inte in?")
    code = page.request.get(f"/api/reservations/{page.url.rsplit('/', 1)[-1]}/access").json()
    _at(page, code["opens_at"], days=-3)
    expect(helper.get_by_text(re.compile("^Koden gäller .*Den dagen ser du här"))).to_be_visible()
    expect(helper.get_by_text("vänta på grönt ljus")).to_be_hidden()
    helper.get_by_text("Så gör du vid dörren").click()
    expect(helper.get_by_text("vänta på grönt ljus")).to_be_visible()
    accessible(page)
    _at(page, code["opens_at"])
    expect(helper.get_by_text("Du är här i rätt tid")).to_be_visible()
    expect(helper.get_by_text(re.compile("koden (är|bekräftades|skickas)")).first).to_be_visible()
    expect(helper.get_by_role("link", name=re.compile("Ring jouren"))).to_be_visible()
    accessible(page)

    shares = page.get_by_role("region", name="Dela en kod")
    shares.get_by_role("button", name="Skapa kod").click()
    expect(shares.get_by_text("Skriv vem som ska ha koden.")).to_be_visible()
    shares.get_by_label("Vem ska ha koden?").fill("Hjälptränaren")
    shares.get_by_role("button", name="Skapa kod").click()
    expect(shares.get_by_text("Kod till Hjälptränaren")).to_be_visible()
    accessible(page)
    shares.get_by_role("button", name="Ta bort koden till Hjälptränaren").click()
    shares.get_by_role("button", name="Ta bort", exact=True).click()
    expect(shares.get_by_text("Kod till Hjälptränaren")).to_have_count(0)


_SAYS_MODE = """
UPDATE controller c SET report = jsonb_set(c.report::jsonb, ARRAY['doors', d.wire_id, 'mode'], to_jsonb($2::text))::text
FROM door d WHERE d.controller = c.id AND d.id = $1
"""


def test_a_booker_outside__is_told_of_a_door_locked_down_and_when_the_code_is_over(
    open_page: Open, accessible: Accessible, demo: Running
) -> None:
    page = open_page(390, 844, scheme="dark")
    log_in(page, "Ali Nouri")
    _open_association_booking(page)
    panel = page.get_by_role("region", name="Din dörrkod")
    expect(panel.get_by_text("Bekräftad i dörren")).to_be_visible()
    code = page.request.get(f"/api/reservations/{page.url.rsplit('/', 1)[-1]}/access").json()
    _at(page, code["opens_at"])
    expect(panel.get_by_text("Gäller nu")).to_be_visible()
    for door in code["doors"]:
        _in_database(demo, _SAYS_MODE, door["id"], "lockdown")
    page.reload()
    expect(panel.get_by_text("Dörren är spärrad av personalen. Ring jouren.")).to_be_visible()
    expect(page.get_by_text("Du är här i rätt tid")).to_have_count(0)
    accessible(page)
    for door in code["doors"]:
        _in_database(demo, _SAYS_MODE, door["id"], "normal")
    page.reload()
    expect(panel.get_by_text("Gäller nu")).to_be_visible()
    _at(page, code["closes_at"])
    expect(panel.get_by_text("Koden har slutat gälla")).to_be_visible()
    expect(panel.get_by_text(re.compile("knappsatsen|Gäller"))).to_have_count(0)
    expect(page.get_by_role("region", name="Kommer du inte in?")).to_have_count(0)


def test_an_administrator__makes_a_code_for_cleaning_sees_it_confirmed_and_takes_it_back(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(390, 844)
    log_in(page, "Anna Sjö")
    page.goto("/p/dorrar/koder?municipality=2401")
    page.get_by_role("button", name="Ny stående kod").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Gör koden").click()
    expect(dialog.get_by_text("Välj en förening.")).to_be_visible()
    accessible(page)
    dialog.get_by_label("Vem är koden till?").select_option(label="Städ")
    dialog.get_by_label("Benämning").fill("Städ Norrskenshallen")
    dialog.get_by_label("Bara dessa tider varje vecka").check()
    accessible(page)
    dialog.get_by_role("button", name="Gör koden").click()
    told = page.get_by_role("dialog", name="Koden till Städ Norrskenshallen")
    expect(told.locator(".digits")).to_have_text(re.compile(r"\d{6}"))
    accessible(page)
    told.get_by_role("button", name="Klart, koden är lämnad").click()

    item = page.get_by_role("listitem").filter(has_text="Städ Norrskenshallen")
    expect(item.get_by_text("alla dörrar · mån–fre 05:00–08:00")).to_be_visible()
    expect(item.get_by_text(re.compile(r"^\s*Bekräftad i \d+ styrenhet(er)?\s*$"))).to_be_visible(
        timeout=20_000
    )
    accessible(page)
    item.get_by_role("button", name=re.compile("Ta tillbaka")).click()
    accessible(page)
    page.get_by_role("button", name="Ta tillbaka koden").click()
    page.get_by_text("kod som inte gäller längre").click()
    expect(item.get_by_text("Bekräftat borttagen ur alla dörrar")).to_be_visible(timeout=20_000)
    assert page.evaluate(SIDEWAYS) <= 0


def test_an_associations_code__is_replaced_on_a_day_and_the_new_one_told_once(
    open_page: Open, accessible: Accessible
) -> None:
    page = open_page(1440, 900, scheme="dark")
    log_in(page, "Anna Sjö")
    page.goto("/p/dorrar/koder?municipality=2401")
    page.get_by_role("button", name="Ny stående kod").click()
    page.get_by_label("Förening", exact=True).select_option(index=1)
    page.get_by_label(re.compile("^Byts varje år")).fill("09-01")
    page.get_by_role("button", name="Gör koden").click()
    first = page.locator(".digits > span").first.inner_text()
    page.get_by_role("button", name="Klart, koden är lämnad").click()
    item = page.get_by_role("listitem").filter(has_text="byts varje år 09-01")
    expect(item.get_by_text("öppnar under bokade tider")).to_be_visible()
    item.get_by_role("button", name=re.compile("Byt kod")).click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Byt kod").click()
    second = page.locator(".digits > span").first
    expect(second).to_have_text(re.compile(r"\d{6}"))
    assert second.inner_text() != first
    page.get_by_role("button", name="Klart, koden är lämnad").click()
    expect(page.get_by_text(re.compile("Gäller till .*"))).to_be_visible()
    expect(page.get_by_text("ersätts av en ny")).to_be_visible()
    accessible(page)
