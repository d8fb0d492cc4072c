"""The whole product on demo data, and a real Chromium. BOOKING_URL points at a product that already runs."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300.0
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NewPage = Callable[..., Page]


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(address: str) -> bool:
    """True when the product says that it is ready."""
    try:
        with urllib.request.urlopen(f"{address}/health/ready", timeout=2) as answer:  # noqa: S310 -- our own
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo."""
    given = os.environ.get("BOOKING_URL")
    if given:
        yield given.rstrip("/")
        return
    port, state = free_port(), tmp_path_factory.mktemp("demo")
    log = (state / "demo.log").open("w")
    command = [sys.executable, "-m", "booking", "demo", "--port", str(port), "--state", str(state / "state")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 -- our own
    address, until = f"http://localhost:{port}", time.monotonic() + START_SECONDS
    try:
        while not is_ready(address):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the demo did not start:\n{(state / 'demo.log').read_text()[-3000:]}")
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(60)
        log.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium of this machine; its absence is a failure, since a skip would look green."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not executable:
        pytest.fail("Chromium is missing: apt-get install chromium, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser, product: str) -> Iterator[NewPage]:
    """A maker of pages (width, dark); afterwards no page may have logged an error or thrown."""
    complaints: list[str] = []
    pages: list[Page] = []

    def make(width: int = 390, *, dark: bool = False, zone: str = "Europe/Stockholm") -> Page:
        context = chromium.new_context(
            base_url=product,
            viewport={"width": width, "height": 844 if width < 500 else 900},
            locale="sv-SE",
            timezone_id=zone,
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on(
            "console",
            lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        pages.append(page)
        return page

    yield make
    for page in pages:
        page.context.close()
    assert complaints == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test also waits for the product to start, so these have more time than others."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(600))
