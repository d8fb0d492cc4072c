"""Take the pictures of docs/screenshots from a running demo: `python -m tests.browser.screenshots http://localhost:8000`."""

import base64
import os
import re
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from booking.clock import SWEDEN
from booking.demo.seed import CUP_IN_DAYS
from tests.browser.conftest import FLAGS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
CUP = f"{datetime.now(SWEDEN) + timedelta(days=CUP_IN_DAYS):%Y-%m-%d}"


def main(address: str) -> None:
    """Every picture of docs/screenshots is new."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as play:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        shots = resident(browser, address)
        side_by_side(browser, shots, FOLDER / "phone.png")
        desk(browser, address, "Stina Berg", f"/p/tidslinje?date={CUP}", "timeline")
        desk(browser, address, "Stina Berg", "/p/dorrar", "doors", scheme="dark")
        desk(browser, address, "Filip Nyström", "/p/faktura", "invoices")
        desk(browser, address, None, f"/sok?municipality=2401&kind=hall&date={CUP}", "search")
        browser.close()


def resident(browser: Browser, address: str) -> list[bytes]:
    """Return the phone's pictures of search, review and booking."""
    page = _page(browser, address, 390, 844, "light")
    page.goto(f"/sok?municipality=2401&kind=hall&date={CUP}&from=17:00&to=21:00&duration=120")
    card = page.get_by_role("article").filter(has_text="Örnsköldsvik").first
    card.wait_for()
    shots = [page.screenshot()]
    card.get_by_role("button", name=re.compile("^Boka ")).last.click()
    page.wait_for_url("**/boka/**")
    page.get_by_role("button", name="Eva Lind").click()
    page.get_by_role("checkbox").check()
    page.get_by_text("Varför detta pris?").click()
    page.wait_for_timeout(8000)  # the toast about the log-in has gone
    shots.append(page.screenshot())
    page.get_by_role("button", name=re.compile("Boka och betala")).click()
    page.wait_for_url("**/c/pay/**")
    page.get_by_role("button", name="Betala med kort (simulerat)").click()
    page.wait_for_url("**/b/**")
    page.get_by_text("Bekräftad i dörren").wait_for()
    shots.append(page.screenshot())
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(600)  # colours fade over
    shots.append(page.screenshot())
    return shots


def side_by_side(browser: Browser, shots: list[bytes], file: Path) -> None:
    """The pictures stand beside each other in one file."""
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(one).decode()}">' for one in shots)
    style = "body{margin:24px;background:#888;display:flex;gap:24px}img{border-radius:28px;width:390px}"
    page = browser.new_page(viewport={"width": 24 + len(shots) * 414, "height": 892})
    page.set_content(f"<style>{style}</style>{images}")
    page.screenshot(path=file)


def desk(
    browser: Browser, address: str, who: str | None, path: str, name: str, *, scheme: str = "light"
) -> None:
    """One page at 1440 px is in a file of its own."""
    page = _page(browser, address, 1440, 900, scheme)
    if who is not None:
        page.goto("/logga-in")
        page.get_by_role("button", name=who).click()
        page.wait_for_url(lambda url: "/logga-in" not in url)
    page.goto(path)
    page.wait_for_load_state("networkidle") if who is None else page.wait_for_timeout(2500)
    page.screenshot(path=FOLDER / f"{name}.png")


def _page(browser: Browser, address: str, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="sv-SE",
        timezone_id="Europe/Stockholm",
    )
    return context.new_page()


if __name__ == "__main__":
    main(sys.argv[1])
