"""What every browser test does: log in, press by keyboard, name a day."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from playwright.sync_api import Locator, Page, expect

from booking.clock import SWEDEN

Open = Callable[..., Page]
Accessible = Callable[[Page], None]


def log_in(page: Page, name: str) -> None:
    """The page belongs to one of the demonstration's people."""
    page.goto("/logga-in")
    page.get_by_role("button", name=re.compile(name)).click()
    page.wait_for_url(lambda url: "/logga-in" not in url)


def press(target: Locator, key: str = "Enter") -> None:
    """Activate by keyboard; the click of a mouse would hide what can't be reached."""
    target.focus()
    expect(target).to_be_focused()
    target.page.keyboard.press(key)


def in_days(days: int) -> str:
    """Return the Swedish date so many days from today."""
    return f"{datetime.now(SWEDEN) + timedelta(days=days):%Y-%m-%d}"
