"""What the browser tests do again and again."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

PASSWORD = "bokning-demo-26"  # noqa: S105 -- the demo's, shown on its log-in page
_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


def log_in(page: Page, email: str) -> None:
    """The page is logged in as this demo account."""
    page.goto("/logga-in")
    page.fill("#login-email", email)
    page.fill("#login-password", PASSWORD)
    page.get_by_role("button", name="Logga in", exact=True).click()
    page.wait_for_url(lambda url: "/logga-in" not in url)


def settle(page: Page) -> None:
    """The page has its heading and nothing on it is still being fetched."""
    expect(page.locator("main h1")).to_be_attached()
    expect(page.locator(".loading")).to_have_count(0)


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA, one line each."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{page.url} {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def sideways(page: Page) -> int:
    """Pixels that the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
