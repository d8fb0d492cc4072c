"""A real Chromium against the real demo: one start of every part per test run. A missing part fails."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from booking.demo.running import Running, temporary

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}

expect.set_options(timeout=20_000)  # other tests run beside these


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not executable:
        pytest.fail("chromium is missing: apt-get install chromium, or set CHROMIUM to its program")
    return {**browser_type_launch_args, "executable_path": executable, "args": FLAGS}


@pytest.fixture(scope="session")
def demo() -> Iterator[Running]:
    """A demo of our own with fresh data."""
    with temporary() as running:
        yield running


@pytest.fixture
def open_page(demo: Running, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of the demo at a width; a console error or a failed script fails the test."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def open_at(
        width: int, height: int, *, scheme: str = "light", zone: str = "Europe/Stockholm", expected: str = ""
    ) -> Page:
        """`expected` names the one refusal (as Chromium logs it) that the test provokes."""

        def note(message: ConsoleMessage) -> None:
            if message.type == "error" and not (expected and message.text.endswith(expected)):
                trouble.append(message.text)

        context = browser.new_context(
            base_url=demo.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="sv-SE",
            timezone_id=zone,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", note)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Asserts that axe finds nothing against WCAG 2.2 A and AA on the page."""
    axe = Axe()

    def check(page: Page) -> None:
        found = axe.run(page, options=WCAG)
        assert found.violations_count == 0, found.generate_report()

    return check
