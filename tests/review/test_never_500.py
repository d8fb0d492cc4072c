"""Input that made a 500 when it was found."""

import pytest

from booking.web.serve import policy
from tests.api.conftest import Enter


@pytest.mark.parametrize("path", ["/a%00.js", "/_app/%00.js"])
async def test_a_nul_in_an_address__is_no_file(person: Enter, path: str) -> None:
    visitor = await person(None)

    assert (await visitor.http.get(path)).status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_the_first_and_last_day_of_the_calendar__are_empty_days(person: Enter, day: str) -> None:
    stina = await person("stina@demo.test")

    assert (await stina.http.get(f"/api/timeline?municipality=2401&date={day}")).status_code in (200, 400)


@pytest.mark.parametrize("stamp", ["\u00b2", "9" * 5000])
async def test_a_signature_with_an_impossible_time__is_refused(person: Enter, stamp: str) -> None:
    visitor = await person(None)
    headers = [(b"stripe-signature", f"t={stamp},v1=1".encode("latin-1"))]

    answer = await visitor.http.post("/api/webhooks/stripe/2401", content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "bad_signature")


@pytest.mark.parametrize(
    ("tiles", "source"),
    [
        ("https://tiles.example.se/{z}/{x}/{y}.png", "tiles.example.se"),
        ("https://{s}.tile.example.org/{z}/{x}/{y}.png", "*.tile.example.org"),
    ],
)
def test_a_tile_address_with_subdomains__is_a_source_a_browser_understands(tiles: str, source: str) -> None:
    assert f"img-src 'self' data: {source};" in policy("", tiles)
